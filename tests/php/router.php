<?php
// Tells, byte for byte, what PHP understood of the request: texts in base64, arrays as lists of pairs.
// POST /integers: what each line (base64) is as an integer. POST /same: whether a JSON value and a text mean the same.

function told(mixed $value): mixed {
    if (!is_array($value)) {
        return base64_encode((string)$value);
    }
    $pairs = [];
    foreach ($value as $name => $inner) {
        $pairs[] = [base64_encode((string)$name), told($inner)];
    }
    return ['array' => $pairs];
}

function typed(mixed $value): array {
    if (is_array($value)) {
        $pairs = [];
        foreach ($value as $name => $inner) {
            $pairs[] = [base64_encode((string)$name), typed($inner)];
        }
        return ['array', $pairs];
    }
    if (is_string($value)) {
        return ['text', base64_encode($value)];
    }
    if (is_float($value)) {
        return ['float', bin2hex(pack('E', $value))];
    }
    return [get_debug_type($value), is_bool($value) ? ($value ? 'true' : 'false') : (string)$value];
}

function json(string $text): array {
    $value = json_decode($text, true, 64);
    return ['error' => json_last_error(), 'value' => typed($value)];
}

header('Content-Type: application/json');
$input = file_get_contents('php://input');

if ($_SERVER['REQUEST_URI'] === '/integers') {
    $answers = [];
    foreach (explode("\n", $input) as $line) {
        $answers[] = (string)intval(base64_decode($line));
    }
    echo json_encode($answers);
    return;
}

if ($_SERVER['REQUEST_URI'] === '/same') {
    $answers = [];
    foreach (explode("\n", $input) as $line) {
        [$json, $text] = array_map('base64_decode', explode(' ', $line . ' '));
        $value = json_decode($json, true);
        $answers[] = $value == $text && (bool)$value === (bool)$text;
    }
    echo json_encode($answers);
    return;
}

$server = [];
foreach ($_SERVER as $name => $value) {
    if (is_string($value)) {
        $server[$name] = base64_encode($value);
    }
}
$inside = [];
foreach ($_REQUEST as $name => $value) {
    if (is_string($value) && preg_match('/^[\[{]/', $value)) {
        $inside[] = [base64_encode((string)$name), json($value)];
    }
}
echo json_encode([
    'get' => told($_GET),
    'post' => told($_POST),
    'request' => told($_REQUEST),
    'inside' => $inside,
    'files' => count($_FILES),
    'json' => json($input),
    'server' => $server,
]);
