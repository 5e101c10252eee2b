"""What generated requests are made of: tame pieces any client might send, and wild ones no client should."""

from __future__ import annotations

import random

# fmt: off
NAMES = [
    "task", "module", "user", "pass", "password", "fcaller", "fcalled", "fdatefrom", "fdateto", "fsensor_id", "id",
    "params", "page", "start", "limit", "sort", "disable_rtp", "action", "dns_lookup", "a", "A", "b", "x_1", "_",
    "__proto__", "0", "1", "007", "12abc", "GLOBALS", "_SERVER", "_GET", "this", "argv", "MAX_FILE_SIZE",
    "PHP_SESSION_UPLOAD_PROGRESS", "PHPSESSID", "HTTP_HOST", "_method", "constructor", "id_sensor", "ffilterTemplate",
]
WILD_NAMES = [
    "a[]", "a[0]", "a[b]", "a[b][c]", "a[", "a]", "[a]", "a.b", "a b", "a ", ".a", "", " ", "é", "a-b", "a\tb", "a\n",
    "task[]", "task.", "ta sk", "a\x00b", "\x00", "a:b", "{}", '{"a":1}', "a;b", "a/b", "\uff21", "a" * 129,
    "a" * 6000, "a\u200b", "a+b", "a%", "%61", "..", "__", "_[", "a%5B%5D", "id\x00", "ID ", "\x7f", "a\x85",
]
VALUES = [
    "", "1", "0", "-1", "12abc", " 12", "12 ", "12.9", "1e1", "+12", "0x1A", "007", "9223372036854775807", "true",
    "null", "2013-05-08T00:00:00", "2013-05-08 00:00:00", "222%", "%", "%%", "100%25", "%41", "%zz", "a+b", "a b",
    "  ", "+", "a&b", "a=b", "=", "a;b=c", "a,b", "1,2,3", "4, 12", "é", "Ünïcödé", "日本語", "😀", "\ufeffx", "\u2028",
    "\xa0", '{"cdrId":4919}', '[{"a":1},{"a":2}]', "{}", "[]", '{"x":', "<?php echo 1;", "' OR 1=1 --", '"', "'",
    '\\', "\\0", "a\tb", "a\nb", "a\r\nb", "\n", "#x", "?x=1", "/etc/passwd", "http://x/y?z#f", "a[]", "$_GET", "--",
    "\u0301",
]
WILD_VALUES = [
    "\x00", "a\x00b", "\x01", "\x1b[31m", "\x7f", "a\x08", "\x85", "\x9f", "x" * 20000,
]
NOT_UTF8 = [
    b"\xff", b"\xc3", b"a\xc3(", b"\xc0\xae", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe9t\xe9",
]
PATHS = [
    "/index.php", "/admin.php", "/php/api.php", "/php/pcap.php", "/php/pcap2text.php", "/php/model/sql.php",
]
TAME_TURNS = [
    "//", "/./", "/x/../", "/%2e/", "///", "/php/../", "/y/%2E%2e/",
]
WILD_PATHS = [
    b"/php/api.php/x", b"/php/api.php/", b"/php/api.php/../api.php", b"/php/api.php%2fx", b"/php%5capi.php", b"/\\x",
    b"/php/api.php%00", b"/php/api.php;x", b"/API.PHP", b"/php/api.PHP", b"/php/api.php.", b"/php/api.php%20",
    b"/%zz", b"/..", b"/../php/api.php", b"/%2e%2e/php/api.php", b"//", b"/", b"/php/", b"/.", b"/php/..",
    b"/%c0%ae/x", b"/%", b"/php/api%2ephp", b"/ph%70/ap%69.php", b"/%2570hp/api.php", b"/php/api.php%23x",
    b"/php/api.php%3fa=1", b"x", b"", b"http://evil/php/api.php", b"/php/./api.php", b"/php/api.php/.",
    b"/php/%0aapi.php", b"/caf%C3%A9.php", b"/a%20b.php", b"/php/api.php%2F..%2Fpcap.php", b"/a.phtml/x",
    b"/php/api.php5/x", b"/\xc3\xa9.php", b"/\xff", b"/a,b=(c)~$&.php",
]
JSON_NUMBERS = [
    "0", "1", "-1", "9223372036854775807", "-9223372036854775808", "1.5", "1.0", "0.1", "1e2", "1E-3", "-0.0", "1e22",
    "123456789.123456789", "5e-324", "1.7976931348623157e308", "0.30000000000000004", "100000000000000000000.0",
]
WILD_NUMBERS = [
    "9223372036854775808", "-9223372036854775809", "-0", "01", "+1", "1.", ".5", "1e999", "NaN", "Infinity", "0x1",
    "-Infinity", "1_000", "\uff11", "9" * 5000, "0." + "1" * 90, "1e", "--1", "1e-999",
]
# fmt: on
# Printable ASCII, Latin and the like, the rest of the first plane, the next one: from, to.
_RANGES = ((0x20, 0x7F), (0xA0, 0x800), (0x800, 0xD800), (0x10000, 0x11000))


def name(rng: random.Random, wild: bool) -> str:
    return rng.choice(WILD_NAMES) if wild and rng.randrange(3) == 0 else rng.choice(NAMES)


def value(rng: random.Random, wild: bool) -> bytes:
    dice = rng.randrange(12)
    if wild and dice == 0:
        return rng.choice(NOT_UTF8)
    if wild and dice == 1:
        return rng.choice(WILD_VALUES).encode()
    if dice == 2:
        return "".join(chr(rng.randrange(*rng.choice(_RANGES))) for _ in range(rng.randrange(9))).encode()
    if dice == 3:
        return "".join(rng.choice(VALUES) for _ in range(3)).encode()
    return rng.choice(VALUES).encode()


def json_text(rng: random.Random, wild: bool, depth: int = 3) -> str:
    """A JSON value as text, in any spelling the grammar has (and, wild, some that it has not)."""
    if wild and rng.randrange(6) == 0:
        return rng.choice(WILD_NUMBERS)
    dice = rng.randrange(9 if depth else 6)
    if dice <= 2:
        return json_string(rng, value(rng, False).decode(), wild)
    if dice == 3:
        return rng.choice(JSON_NUMBERS)
    if dice == 4:
        return str(rng.randrange(-(10**6), 10**6))
    if dice == 5:
        return rng.choice(("true", "false", "null", "TRUE") if wild else ("true", "false", "null"))
    inner = [json_text(rng, wild, depth - 1) for _ in range(rng.randrange(4))]
    if dice == 6:
        return "[" + space(rng) + ",".join(space(rng) + item + space(rng) for item in inner) + "]"
    keys = rng.sample([*NAMES, "", "a b", "Cell-ID", "é", "1", "01", "-1"], len(inner))
    if wild and inner and rng.randrange(8) == 0:
        keys[-1] = keys[0]
    return "{" + json_pairs(rng, list(zip(keys, inner, strict=True)), wild) + space(rng) + "}"


def space(rng: random.Random) -> str:
    return rng.choice(("", "", "", " ", "\n", "\t", "\r\n "))


def json_pairs(rng: random.Random, pairs: list[tuple[str, str]], wild: bool) -> str:
    return ",".join(json_string(rng, key, wild) + rng.choice((":", ": ", " :\t")) + inner for key, inner in pairs)


def json_string(rng: random.Random, text: str, wild: bool) -> str:
    written = []
    for char in text:
        if char in '"\\' or ord(char) < 0x20:
            written.append({"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(char, f"\\u{ord(char):04x}"))
        elif rng.randrange(6) == 0:
            units = char.encode("utf-16-be")
            written += [f"\\u{units[i] << 8 | units[i + 1]:04{rng.choice('xX')}}" for i in range(0, len(units), 2)]
        else:
            written.append("\\/" if char == "/" and rng.randrange(2) else char)
    if wild and rng.randrange(10) == 0:
        odd = [
            "\\u0000",
            "\\ud800",
            "\\udc00\\ud800",
            "\\b",
            "\\f",
            "\t",
            "\x00",
            "\\x41",
            "\\'",
            "\x7f",
            "\\u0085",
            "\\",
        ]
        written.append(rng.choice(odd))
    return '"' + "".join(written) + '"'
