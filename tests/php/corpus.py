"""Hand-written requests that have been read in two ways somewhere, each with what the gateway must say."""

from __future__ import annotations

from authgw.intake.request import Raw
from authgw.reasons import Reason

FORM = b"application/x-www-form-urlencoded"
JSON = b"application/json"
MULTIPART = b"multipart/form-data; boundary=B"
API = b"/php/api.php"


def get(query: bytes, path: bytes = API) -> Raw:
    return Raw("GET", path, query, ((b"host", b"gw"),), b"", "127.0.0.1")


def post(body: bytes, content_type: bytes = FORM, query: bytes = b"", path: bytes = API) -> Raw:
    headers = ((b"host", b"gw"), (b"content-type", content_type)) if content_type else ((b"host", b"gw"),)
    return Raw("POST", path, query, headers, body, "127.0.0.1")


def part(head: bytes, value: bytes = b"x", rest: bytes = b"") -> Raw:
    return post(b"--B\r\n" + head + b"\r\n\r\n" + value + b"\r\n" + rest + b"--B--\r\n", MULTIPART)


DISPOSITION = b'Content-Disposition: form-data; name="task"'
LET_THROUGH: dict[str, Raw] = {
    "curl line of the vendor": get(b"task=LISTING&module=CDR&fdatefrom=2013-05-08T00:00:00&fcaller=190"),
    "raw JSON in the query": get(b'task=getVoipCalls&params={"startTime":"2013-01-01","endTime":"2013-08-01"}'),
    "empty pieces": get(b"&&task=a&&&id=1&"),
    "semicolon is no separator": get(b"task=a;b=2&id=1"),
    "no equals sign": get(b"task&id"),
    "equals sign in a value": get(b"task=a=b==&id="),
    "percent signs that escape nothing": get(b"fcaller=222%&a=%zz&b=%4&c=%%41"),
    "escapes in both cases and in names": get(b"%74%61sk=%c3%A9&i%64=%2b+"),
    "escaped only once": get(b"task=%2541%2526"),
    "raw UTF-8": get("task=Jürgen😀".encode()),
    "leading spaces of a name": get(b"%20task=a&++id=1"),
    "the same twice": get(b"task=a&t%61sk=%61"),
    "the same in query and body": post(b"task=a&id=1", query=b"id=1"),
    "thousand fields": get(b"&".join(b"n%d=" % number for number in range(1000))),
    "thousand fields by post": post(b"&".join(b"n%d=" % number for number in range(1000))),
    "digits as names": get(b"0=a&1=b&007=c"),
    "names of PHP's own": get(b"GLOBALS=a&_SERVER=b&this=c&_GET=d&argv=e&PHPSESSID=f&HTTP_HOST=g"),
    "names PHP treats specially in multipart": part(
        b'Content-Disposition: form-data; name="MAX_FILE_SIZE"',
        b"1",
        b'--B\r\nContent-Disposition: form-data; name="PHP_SESSION_UPLOAD_PROGRESS"\r\n\r\nx\r\n',
    ),
    "exactly {} as JSON": post(b"{}", JSON, b"task=a"),
    "exactly {} as a form": post(b"{}", FORM, b"task=a"),
    "exactly {} as multipart": post(b"{}", MULTIPART, b"task=a"),
    "exactly {} as anything": post(b"{}", b"text/plain", b"task=a"),
    "exactly {} as nothing": post(b"{}", b"", b"task=a"),
    "post with a query alone": post(b"", b"", b"task=LISTING&module=CDR"),
    "line ends in a form": post(b"task=a%0d%0ab\nc"),
    "form with charset": post(b"task=%c3%a9", FORM + b"; charset=UTF-8"),
    "multipart": part(DISPOSITION, b"a\r\nb\n--c"),
    "multipart with a type": part(DISPOSITION + b"\r\nContent-Type: text/plain; charset=utf-8", "é".encode()),
    "multipart, name not quoted": part(b"Content-Disposition: form-data; name=task"),
    "multipart, boundary quoted": post(
        b"--B\r\n" + DISPOSITION + b"\r\n\r\nx\r\n--B--", b'multipart/form-data; boundary="B"'
    ),
    "multipart, percent and plus stay": part(DISPOSITION, b"100%41+b&c=d"),
    "multipart without parts": post(b"--B--\r\n", MULTIPART),
    "multipart beside a query": post(
        b"--B\r\n" + DISPOSITION + b"\r\n\r\nLISTING\r\n--B--\r\n", MULTIPART, b"module=CDR_stats"
    ),
    "JSON": post(b'{"task":"getVoipCalls","params":{"caller":"910251414","onlyConnected":0}}', JSON),
    "JSON list inside": post(b'{"task":"x","params":[{"a":1},{"a":[]},{}]}', JSON),
    "JSON numbers": post(b'{"a":1,"b":-9223372036854775808,"c":1.5,"d":1e22,"e":0.1,"f":[5e-324,1.0]}', JSON),
    "JSON booleans and null": post(b'{"a":true,"b":false,"c":null,"d":[true,false,null]}', JSON),
    "JSON escapes": post(b'{"a":"\\ud83d\\ude00\\u00e9\\/\\n","p\\u0061ss":"x"}', JSON),
    "JSON keys that look like numbers": post(b'{"params":{"0":"a","1":"b","01":"c","":"d"}}', JSON),
    "JSON beside a query that says the same": post(b'{"id":12,"ok":true}', JSON, b"id=12&ok=1&x=y"),
    "JSON text is kept": post(b'{"id":"12abc","x":" 12"}', JSON),
    "JSON with spaces around": post(b' \r\n{ "a" : 1 }\n', JSON),
    "path with an escape": get(b"a=1", b"/php/ap%69.php"),
    "path with dots and slashes": get(b"a=1", b"//php/./model/..///api.php"),
    "path in another case": get(b"a=1", b"/PHP/api.php"),
    "path in UTF-8": get(b"a=1", b"/caf%C3%A9/x%20y.php"),
}

REFUSED: dict[str, tuple[Raw, Reason]] = {
    "array": (get(b"a[]=1"), Reason.FIELD_NAME),
    "array, escaped": (get(b"a%5B0%5d=1"), Reason.FIELD_NAME),
    "open bracket": (get(b"a[=1"), Reason.FIELD_NAME),
    "dot in a name": (get(b"user.name=1"), Reason.FIELD_NAME),
    "space in a name": (get(b"user+name=1"), Reason.FIELD_NAME),
    "space behind a name": (get(b"task%20=1"), Reason.FIELD_NAME),
    "empty name": (get(b"=1"), Reason.FIELD_NAME),
    "name of spaces": (get(b"%20+=1"), Reason.FIELD_NAME),
    "NUL in a name": (get(b"task%00x=1"), Reason.FIELD_NAME),
    "letters beyond ASCII in a name": (get("täsk=1".encode()), Reason.FIELD_NAME),
    "fullwidth letters in a name": (get("ｔask=1".encode()), Reason.FIELD_NAME),
    "longer name than PHP's line": (
        part(b'Content-Disposition: form-data; name="' + b"a" * 6000 + b'"'),
        Reason.FIELD_NAME,
    ),
    "JSON sent as a form": (post(b'{"task":"a"}'), Reason.FIELD_NAME),
    "space before a JSON name": (post(b'{" task":"a"}', JSON), Reason.FIELD_NAME),
    "twice": (get(b"task=a&task=b"), Reason.FIELD_TWICE),
    "twice by a leading space": (get(b"task=a&%20task=b"), Reason.FIELD_TWICE),
    "twice, once without a value": (get(b"task=a&task"), Reason.FIELD_TWICE),
    "query and body": (post(b"id=1", query=b"id=2"), Reason.FIELD_TWICE),
    "query and JSON": (post(b'{"id":1}', JSON, b"id=01"), Reason.FIELD_TWICE),
    "query and JSON null": (post(b'{"id":null}', JSON, b"id=1"), Reason.FIELD_TWICE),
    "twice in multipart": (
        part(DISPOSITION, b"a", b"--B\r\n" + DISPOSITION + b"\r\n\r\nb\r\n"),
        Reason.FIELD_TWICE,
    ),
    "a thousand and one": (get(b"&".join(b"n%d=" % number for number in range(1001))), Reason.TOO_MANY_FIELDS),
    "a thousand and one of two sorts": (
        post(b"&".join(b"n%d=" % n for n in range(501)), query=b"&".join(b"m%d=" % n for n in range(500))),
        Reason.TOO_MANY_FIELDS,
    ),
    "a thousand and one the same": (get(b"&".join([b"a=1"] * 1001)), Reason.TOO_MANY_FIELDS),
    "NUL": (get(b"task=a%00b"), Reason.FIELD_CONTROL),
    "escape character": (get(b"task=%1b[31m"), Reason.FIELD_CONTROL),
    "NUL in JSON": (post(b'{"task":"a\\u0000"}', JSON), Reason.FIELD_CONTROL),
    "control character deep in JSON": (post(b'{"params":[{"a\\u0007":1}]}', JSON), Reason.FIELD_CONTROL),
    "NUL in multipart": (part(DISPOSITION, b"\x00"), Reason.FIELD_CONTROL),
    "not UTF-8": (get(b"task=%ff"), Reason.QUERY_MALFORMED),
    "overlong slash": (get(b"task=%c0%af"), Reason.QUERY_MALFORMED),
    "surrogate in UTF-8": (get(b"task=%ed%a0%80"), Reason.QUERY_MALFORMED),
    "fragment": (get(b"task=a#b=c"), Reason.QUERY_MALFORMED),
    "raw control byte": (get(b"task=a\tb"), Reason.QUERY_MALFORMED),
    "form not UTF-8": (post(b"task=%e9"), Reason.BODY_MALFORMED),
    "body of a GET": (
        Raw("GET", API, b"", ((b"host", b"gw"), (b"content-type", FORM)), b"task=a", ""),
        Reason.BODY_MALFORMED,
    ),
    "no type": (post(b"task=a", b""), Reason.BODY_TYPE),
    "text": (post(b"task=a", b"text/plain"), Reason.BODY_TYPE),
    "two types": (post(b"task=a", FORM + b", application/json"), Reason.BODY_TYPE),
    "UTF-7": (post(b"task=a", FORM + b"; charset=utf-7"), Reason.BODY_TYPE),
    "JSON in UTF-16": (post('{"a":1}'.encode("utf-16"), JSON), Reason.JSON_MALFORMED),
    "JSON with a byte order mark": (post(b'\xef\xbb\xbf{"a":1}', JSON), Reason.JSON_MALFORMED),
    "JSON twice": (post(b'{"a":1}{"a":2}', JSON), Reason.JSON_MALFORMED),
    "JSON key twice": (post(b'{"a":1,"\\u0061":1}', JSON), Reason.JSON_MALFORMED),
    "JSON key twice, deep": (post(b'{"params":[{"id":1,"id":2}]}', JSON), Reason.JSON_MALFORMED),
    "NaN": (post(b'{"a":NaN}', JSON), Reason.JSON_MALFORMED),
    "overflow": (post(b'{"a":1e999}', JSON), Reason.JSON_MALFORMED),
    "65 bits": (post(b'{"a":9223372036854775808}', JSON), Reason.JSON_MALFORMED),
    "half a pair": (post(b'{"a":"\\ud800"}', JSON), Reason.JSON_MALFORMED),
    "a list": (post(b"[]", JSON), Reason.JSON_MALFORMED),
    "a comma too many": (post(b'{"a":1,}', JSON), Reason.JSON_MALFORMED),
    "seventeen levels": (post(b'{"a":' + b"[" * 16 + b"]" * 16 + b"}", JSON), Reason.JSON_TOO_DEEP),
    "a hundred thousand levels": (post(b"[" * 100_000, JSON), Reason.JSON_TOO_DEEP),
    "file": (part(DISPOSITION + b'; filename="x.php"'), Reason.FILE_UPLOAD),
    "file without a name": (part(DISPOSITION + b'; filename=""'), Reason.FILE_UPLOAD),
    "file with a coded name": (part(DISPOSITION + b"; filename*=utf-8''x"), Reason.FILE_UPLOAD),
    "part without a name": (part(b"Content-Disposition: form-data"), Reason.BODY_MALFORMED),
    "part with two names": (part(DISPOSITION + b'; name="b"'), Reason.BODY_MALFORMED),
    "part with an escaped quote": (part(b'Content-Disposition: form-data; name="a\\"b"'), Reason.BODY_MALFORMED),
    "part with a transfer encoding": (
        part(DISPOSITION + b"\r\nContent-Transfer-Encoding: base64"),
        Reason.BODY_MALFORMED,
    ),
    "part in UTF-7": (part(DISPOSITION + b"\r\nContent-Type: text/plain; charset=utf-7"), Reason.BODY_TYPE),
    "part with a folded header": (part(DISPOSITION + b"\r\n ; x=y"), Reason.BODY_MALFORMED),
    "boundary behind a bare newline": (
        part(DISPOSITION, b"x\n--B\nContent-Disposition: form-data; name=y\n\nz"),
        Reason.BODY_MALFORMED,
    ),
    "boundary begun again": (part(DISPOSITION, b"--Bx"), Reason.BODY_MALFORMED),
    "no end": (post(b"--B\r\n" + DISPOSITION + b"\r\n\r\nx\r\n", MULTIPART), Reason.BODY_MALFORMED),
    "preamble": (post(b"x\r\n--B\r\n" + DISPOSITION + b"\r\n\r\nx\r\n--B--", MULTIPART), Reason.BODY_MALFORMED),
    "epilogue": (post(b"--B\r\n" + DISPOSITION + b"\r\n\r\nx\r\n--B--\r\nx", MULTIPART), Reason.BODY_MALFORMED),
    "bare newlines": (post(b"--B\n" + DISPOSITION + b"\n\nx\n--B--\n", MULTIPART), Reason.BODY_MALFORMED),
    "no boundary": (post(b"--B--", b"multipart/form-data"), Reason.BODY_MALFORMED),
    "two boundaries": (post(b"--B--", MULTIPART + b"; boundary=C"), Reason.BODY_MALFORMED),
    "PATH_INFO": (get(b"", b"/php/api.php/x"), Reason.PATH_INFO),
    "PATH_INFO of nothing": (get(b"", b"/php/api.php/"), Reason.PATH_INFO),
    "PATH_INFO, escaped name": (get(b"", b"/php/api%2ephp/denied"), Reason.PATH_INFO),
    "PATH_INFO and back": (get(b"", b"/php/api.php/../api.php"), Reason.PATH_INFO),
    "PATH_INFO in capitals": (get(b"", b"/php/api.PHP/x"), Reason.PATH_INFO),
    "encoded slash": (get(b"", b"/php%2fapi.php"), Reason.PATH_MALFORMED),
    "encoded backslash": (get(b"", b"/php%5Capi.php"), Reason.PATH_MALFORMED),
    "backslash": (get(b"", b"/php\\api.php"), Reason.PATH_MALFORMED),
    "NUL in the path": (get(b"", b"/php/api.php%00.gif"), Reason.PATH_MALFORMED),
    "line end in the path": (get(b"", b"/php/api.php%0a"), Reason.PATH_MALFORMED),
    "escaped twice": (get(b"", b"/%2570hp/api.php"), Reason.PATH_MALFORMED),
    "broken escape": (get(b"", b"/%zz"), Reason.PATH_MALFORMED),
    "lone percent": (get(b"", b"/%"), Reason.PATH_MALFORMED),
    "overlong dot": (get(b"", b"/%c0%ae%c0%ae/x"), Reason.PATH_MALFORMED),
    "above the root": (get(b"", b"/%2e%2e/etc/passwd"), Reason.PATH_MALFORMED),
    "path parameter": (get(b"", b"/php/api.php;x=y"), Reason.PATH_MALFORMED),
    "hash": (get(b"", b"/php/api.php#/public"), Reason.PATH_MALFORMED),
    "escaped hash": (get(b"", b"/php/api.php%23/public"), Reason.PATH_MALFORMED),
    "escaped question mark": (get(b"", b"/php/api.php%3fa=1"), Reason.PATH_MALFORMED),
    "dot at the end": (get(b"", b"/php/api.php."), Reason.PATH_MALFORMED),
    "space at the end": (get(b"", b"/php/api.php%20"), Reason.PATH_MALFORMED),
    "absolute form": (get(b"", b"http://evil/php/api.php"), Reason.PATH_MALFORMED),
}
