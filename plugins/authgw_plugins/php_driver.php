<?php
// Runs an operator's custom_login.php as the GUI would: php php_driver.php SCRIPT
//
// One JSON line on standard input for each question: {"nonce", "limit", "call", "user", "password"}. One frame on standard
// output for each answer: the nonce, one JSON object, the nonce. The nonce once more on standard error ends what was
// told about this question. Everything else on either stream is stray and means nothing.
// "limit" is in seconds of computing: a process whose asker is gone comes to its end too.
// Without "call" the file is only loaded, to see whether it can be.

final class AuthgwBridge
{
    private static $nonce = '';
    private static $process = 0;
    private static $asked = null;
    private static $stray = '';
    private static $reserve = '';
    private static $loaded = false;

    public static function start()
    {
        self::$process = getmypid();
        self::$reserve = str_repeat(' ', 262144);
        register_shutdown_function(array(__CLASS__, 'ended'));
    }

    // The next question; false when nobody will ask any more.
    public static function next()
    {
        $line = fgets(STDIN);
        $asked = $line === false ? null : json_decode($line, true);
        if (!is_array($asked)) {
            return false;
        }
        self::$asked = $asked;
        self::$nonce = $asked['nonce'];
        self::$stray = '';
        set_time_limit($asked['limit']);
        ob_start(array(__CLASS__, 'stray'), 4096);
        return true;
    }

    // Loading is up to the top level, so that the file's variables are global ones, as it may expect.
    public static function isLoaded()
    {
        $before = self::$loaded;
        self::$loaded = true;
        return $before;
    }

    public static function answer()
    {
        if (!function_exists('custom_login')) {
            return self::tell(array('state' => 'absent'));
        }
        if (empty(self::$asked['call'])) {
            $function = new ReflectionFunction('custom_login');
            $fits = $function->getNumberOfRequiredParameters() <= 2;
            return self::tell(array('state' => $fits ? 'ready' : 'parameters'));
        }
        $value = custom_login(self::$asked['user'], self::$asked['password']);
        if (!is_array($value)) {
            return self::tell(array('state' => 'answer', 'type' => self::type($value)));
        }
        $wrong = self::wrong($value, 0);
        if ($wrong !== null) {
            return self::tell(array('state' => 'unusable', 'why' => $wrong));
        }
        $told = array('state' => 'answer', 'type' => 'array', 'value' => $value);
        if (json_encode($told) === false) {
            return self::tell(array('state' => 'unusable', 'why' => json_last_error_msg()));
        }
        self::tell($told);
    }

    public static function thrown($error)
    {
        self::log('PHP ' . get_class($error) . ': ' . $error->getMessage());
        $told = array('state' => 'thrown', 'class' => get_class($error));
        self::tell($told + array('file' => $error->getFile(), 'line' => $error->getLine()));
    }

    // The script called exit, or a fatal error ended it: the question gets an answer all the same.
    public static function ended()
    {
        self::$reserve = '';
        if (self::$asked === null || getmypid() !== self::$process) {
            return;
        }
        $last = error_get_last();
        $fatal = $last !== null && ($last['type'] & (E_ERROR | E_CORE_ERROR | E_COMPILE_ERROR | E_USER_ERROR)) !== 0;
        $told = array('state' => $fatal ? 'fatal' : 'exit');
        self::tell($fatal ? $told + array('file' => $last['file'], 'line' => $last['line']) : $told);
    }

    // What the script prints is for the log. The buffer never grows.
    public static function stray($text)
    {
        self::$stray .= substr($text, 0, max(0, 2000 - strlen(self::$stray)));
        return '';
    }

    public static function log($text)
    {
        fwrite(STDERR, $text . "\n");
    }

    private static function tell($told)
    {
        while (ob_get_level() > 0 && @ob_end_clean()) {
            continue;
        }
        if (self::$stray !== '') {
            self::log('printed: ' . self::$stray);
        }
        $json = json_encode($told, JSON_PRESERVE_ZERO_FRACTION | JSON_PARTIAL_OUTPUT_ON_ERROR);
        self::$asked = null;
        fwrite(STDERR, "\n" . self::$nonce . "\n");
        fwrite(STDOUT, "\n" . self::$nonce . ' ' . $json . ' ' . self::$nonce . "\n");
        fflush(STDOUT);
    }

    private static function type($value)
    {
        return $value === null ? 'null' : ($value === false ? 'false' : gettype($value));
    }

    // Why a value is no plain data; null where it is.
    private static function wrong($value, $depth)
    {
        if (is_array($value)) {
            if ($depth > 8) {
                return 'arrays in arrays, too many of them';
            }
            foreach ($value as $each) {
                $wrong = self::wrong($each, $depth + 1);
                if ($wrong !== null) {
                    return $wrong;
                }
            }
            return null;
        }
        return $value === null || is_scalar($value) ? null : 'holds an ' . gettype($value);
    }
}

function debug_log(...$values)
{
    $texts = array();
    foreach ($values as $value) {
        $texts[] = is_scalar($value) || $value === null ? var_export($value, true) : print_r($value, true);
        if (is_string($value)) {
            $texts[count($texts) - 1] = $value;
        }
    }
    AuthgwBridge::log(substr(implode(' ', $texts), 0, 8000));
}

AuthgwBridge::start();
while (AuthgwBridge::next()) {
    try {
        if (!AuthgwBridge::isLoaded()) {
            require $argv[1];
        }
        AuthgwBridge::answer();
    } catch (Throwable $authgw_error) {
        AuthgwBridge::thrown($authgw_error);
    }
}
