"""read(): one request in, one canonical request or one refusal out."""

from __future__ import annotations

import pytest

from authgw.intake.read import Limits, read
from authgw.intake.request import Body, Raw, Refused, Request
from authgw.reasons import Reason

HOST = ((b"host", b"gw.example:8080"),)
LIMITS = Limits()


def ask(
    method: str = "GET",
    path: bytes = b"/php/api.php",
    query: bytes = b"",
    headers: tuple[tuple[bytes, bytes], ...] = (),
    body: bytes = b"",
    limits: Limits = LIMITS,
) -> Request | Refused:
    return read(Raw(method, path, query, HOST + headers, body, "192.0.2.1"), limits)


def test_a_plain_request_becomes_its_canonical_form() -> None:
    """The vendor's own listing line is read into method, path, fields, cookies and address."""
    cookie = (b"Cookie", b"PHPSESSID=ahs2ubdhc0ukb262be60v900ko; path=/")
    answer = ask(path=b"/php/model/sql.php", query=b"task=LISTING&module=CDR&fcaller=190", headers=(cookie,))
    assert answer == Request(
        method="GET",
        head=False,
        path="/php/model/sql.php",
        fields={"task": "LISTING", "module": "CDR", "fcaller": "190"},
        body=Body.NONE,
        headers={"host": "gw.example:8080"},
        cookies={"PHPSESSID": ("ahs2ubdhc0ukb262be60v900ko",), "path": ("/",)},
        address="192.0.2.1",
    )


def test_head_is_judged_as_get() -> None:
    """HEAD becomes GET and is remembered."""
    answer = ask("HEAD", query=b"id=1")
    assert isinstance(answer, Request)
    assert (answer.method, answer.head) == ("GET", True)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT", "get", "Post", "", "GET "])
def test_other_methods_are_refused(method: str) -> None:
    """Only GET, HEAD and POST, spelt exactly so."""
    answer = ask(method)
    assert isinstance(answer, Refused)
    assert (answer.reason, answer.status) == (Reason.METHOD_NOT_ALLOWED, 405)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("content_type", [None, b"application/json", b"text/xml", b"multipart/form-data", b"%"])
@pytest.mark.parametrize("body", [b"", b"{}"])
def test_an_empty_object_is_no_body_under_any_type(method: str, content_type: bytes | None, body: bytes) -> None:
    """No body, and exactly `{}`, leave the query's fields alone, whatever the type says."""
    headers = ((b"content-type", content_type),) if content_type else ()
    answer = ask(method, query=b"task=a", headers=headers, body=body)
    assert isinstance(answer, Request)
    assert (answer.fields, answer.body) == ({"task": "a"}, Body.NONE)


@pytest.mark.parametrize("body", [b"{} ", b" {}", b"{ }", b"{}{}"])
def test_only_exactly_an_empty_object_is_no_body(body: bytes) -> None:
    """Anything but the two bytes `{}` needs a content type."""
    answer = ask("POST", body=body)
    assert isinstance(answer, Refused)
    assert (answer.reason, answer.status) == (Reason.BODY_TYPE, 415)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_get_has_no_body(method: str) -> None:
    """A body that PHP would not read as fields is refused."""
    answer = ask(method, headers=((b"content-type", b"application/json"),), body=b'{"task":"a"}')
    assert isinstance(answer, Refused)
    assert (answer.reason, answer.status) == (Reason.BODY_MALFORMED, 400)


@pytest.mark.parametrize("coding", [b"gzip", b"identity", b"deflate, br"])
def test_coded_bodies_are_refused(coding: bytes) -> None:
    """No Content-Encoding on requests, not even an empty gesture."""
    answer = ask("POST", headers=((b"content-encoding", coding),))
    assert isinstance(answer, Refused)
    assert (answer.reason, answer.status) == (Reason.BODY_TYPE, 415)


def test_sizes_are_bounded() -> None:
    """Target 414, body 413, header bytes 431: each exactly beyond its bound."""
    small = Limits(max_target=40, max_body=10, max_header_bytes=100)
    form = ((b"content-type", b"application/x-www-form-urlencoded"),)
    assert isinstance(ask(query=b"a=" + b"1" * 26, limits=small), Request)
    too_long = ask(query=b"a=" + b"1" * 27, limits=small)
    assert isinstance(too_long, Refused)
    assert (too_long.status, too_long.reason) == (414, Reason.QUERY_MALFORMED)
    long_path = ask(path=b"/" + b"x" * 40, limits=small)
    assert isinstance(long_path, Refused)
    assert (long_path.status, long_path.reason) == (414, Reason.PATH_MALFORMED)
    assert isinstance(ask("POST", headers=form, body=b"a=12345678", limits=small), Request)
    too_large = ask("POST", headers=form, body=b"a=123456789", limits=small)
    assert isinstance(too_large, Refused)
    assert (too_large.status, too_large.reason) == (413, Reason.BODY_TOO_LARGE)
    too_many = ask(headers=((b"x", b"y" * 100),), limits=small)
    assert isinstance(too_many, Refused)
    assert (too_many.status, too_many.reason) == (431, Reason.HEADER_MALFORMED)


@pytest.mark.parametrize(
    ("content_type", "body", "kind"),
    [
        (b"application/x-www-form-urlencoded", b"task=a", Body.FORM),
        (b"Application/X-WWW-Form-Urlencoded;charset=UTF-8", b"task=a", Body.FORM),
        (b"application/json; charset=utf-8", b'{"task": "a"}\n', Body.JSON),
        (
            b'multipart/form-data; boundary="x"',
            b'--x\r\ncontent-disposition: form-data; name="task"\r\n\r\na\r\n--x--',
            Body.MULTIPART,
        ),
    ],
)
def test_each_form_of_body_gives_the_same_fields(content_type: bytes, body: bytes, kind: Body) -> None:
    """Urlencoded, JSON and multipart bodies of one field are read as that field; the type is kept bare."""
    answer = ask("POST", headers=((b"content-type", content_type),), body=body, query=b"module=b")
    assert isinstance(answer, Request)
    assert (answer.fields, answer.body) == ({"task": "a", "module": "b"}, kind)
    assert answer.headers["content_type"] == content_type.lower().partition(b";")[0].decode()


SECRET = "hunter2"
JSON = ((b"content-type", b"application/json"),)
FORM = ((b"content-type", b"application/x-www-form-urlencoded"),)


@pytest.mark.parametrize(
    "answer",
    [
        ask(query=b"pass=hunter2&pass=hunter3"),
        ask(query=b"pass=hunter2%00"),
        ask(query=b"pass=x&hunter2.y"),
        ask(query=b"pass=hunter2%ff"),
        ask("POST", headers=FORM, body=b"pass=hunter2", query=b"pass=x"),
        ask("POST", headers=FORM, body=b'{"password":"hunter2"}'),
        ask("POST", headers=JSON, body=b'{"password":"hunter2\\q"}'),
        ask("POST", headers=JSON, body=b'{"password":"hunter2","password":"hunter2"}'),
        ask("POST", headers=JSON, body=b'{"password":"hunter2\\u0000"}'),
        ask("POST", headers=JSON, body=b'{"pass hunter2":1}'),
        ask("POST", body=b"pass=hunter2"),
        ask(headers=((b"authorization", b"Basic hunter2"), (b"authorization", b"Basic hunter2"))),
        ask(headers=((b"cookie", b"a=hunter2\x00"),)),
        ask("POST", headers=((b"content-type", b"hunter2"),), body=b"x"),
    ],
)
def test_a_refusal_never_tells_a_value(answer: Request | Refused) -> None:
    """What was sent, be it a password in the wrong place, is in no refusal."""
    assert isinstance(answer, Refused)
    assert SECRET not in answer.detail


def test_a_refusal_names_the_field() -> None:
    """A proper name is told, so that the sender can find his mistake."""
    answer = ask(query=b"fcaller=1&fcaller=2")
    assert isinstance(answer, Refused)
    assert "fcaller" in answer.detail
