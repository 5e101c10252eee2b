"""Writing requests, and what of a reply's head goes on."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authgw.errors import UpstreamError
from authgw.reasons import Reason
from authgw.upstream import wire
from authgw.upstream.wire import Base, Head

BASE = Base("gui.example", 8081, path="/demo")
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.tuples(TEXT.filter(bool), TEXT)))
def test_form_reads_back(fields: list[tuple[str, str]]) -> None:
    """Whatever the fields hold, an independent reader gets them back, and nothing in them separates or breaks out."""
    encoded = wire.form(fields)
    assert parse_qsl(encoded.decode("ascii"), keep_blank_values=True, strict_parsing=bool(fields)) == fields
    assert all(0x21 <= byte <= 0x7E for byte in encoded)
    assert encoded.count(b"&") == max(0, len(fields) - 1)
    assert encoded.count(b"=") == len(fields)


@given(TEXT)
def test_path_reads_back(path: str) -> None:
    """A decoded path is written so that it decodes to itself and cannot begin a query."""
    written = wire.target("/demo", "/" + path, b"a=b")
    assert written.count(b"?") == 1
    assert unquote(written.partition(b"?")[0].decode("ascii")) == "/demo/" + path


def test_request_head_read_by_h11() -> None:
    """An independent server reads the request as it was meant."""
    written = wire.request_head(BASE, "POST", b"/demo/x?y=z", (("accept", "a/b"), ("cookie", "A=b")), 3, decode=True)
    server = h11.Connection(h11.SERVER)
    server.receive_data(written + b"abc")
    event, body, end = server.next_event(), server.next_event(), server.next_event()
    assert isinstance(event, h11.Request)
    assert isinstance(body, h11.Data)
    assert isinstance(end, h11.EndOfMessage)
    assert (event.method, event.target, bytes(body.data)) == (b"POST", b"/demo/x?y=z", b"abc")
    assert list(event.headers) == [
        (b"host", b"gui.example:8081"),
        (b"accept-encoding", b"gzip"),
        (b"accept", b"a/b"),
        (b"cookie", b"A=b"),
        (b"content-length", b"3"),
    ]
    assert server.trailing_data == (b"", False)


@pytest.mark.parametrize(
    ("method", "target", "header"),
    [
        ("get", b"/", ("accept", "a")),
        ("GET /x HTTP/1.1\r\n", b"/", ("accept", "a")),
        ("GET", b"", ("accept", "a")),
        ("GET", b"x", ("accept", "a")),
        ("GET", b"//other/x", ("accept", "a")),
        ("GET", b"/a b", ("accept", "a")),
        ("GET", b"/a\r\nx: y", ("accept", "a")),
        ("GET", b"/a\x00", ("accept", "a")),
        ("GET", b"/a#b", ("accept", "a")),
        ("GET", b"/a\xc3\xbc", ("accept", "a")),
        ("GET", b"/", ("accept", "a\r\nx: y")),
        ("GET", b"/", ("accept", "a\nx: y")),
        ("GET", b"/", ("accept", "a\x00")),
        ("GET", b"/", ("accept", "a\x7f")),
        ("GET", b"/", ("accept", "\u0100")),
        ("GET", b"/", ("Accept", "a")),
        ("GET", b"/", ("a:b", "a")),
        ("GET", b"/", ("", "a")),
        ("GET", b"/", ("host", "other")),
        ("GET", b"/", ("content-length", "3")),
        ("GET", b"/", ("transfer-encoding", "chunked")),
        ("GET", b"/", ("connection", "upgrade")),
        ("GET", b"/", ("accept-encoding", "br")),
        ("GET", b"/", ("expect", "100-continue")),
    ],
)
def test_what_cannot_be_sent(method: str, target: bytes, header: tuple[str, str]) -> None:
    """No method, target or header can smuggle a line, another host or another framing into a request."""
    with pytest.raises(ValueError, match="upstream"):
        wire.request_head(BASE, method, target, (header,), None)


def test_reply_headers_are_allow_listed() -> None:
    """Only the named headers go on; a redirect's target is kept apart."""
    names = ["content-type", "content-disposition", "content-range", "accept-ranges", "etag", "last-modified"]
    dropped = ["set-cookie", "x-accel-redirect", "x-sendfile", "refresh", "server", "cache-control", "link", "date"]
    dropped += ["connection", "transfer-encoding", "www-authenticate", "access-control-allow-origin", "content_type"]
    headers = [(name, "x") for name in (*dropped, *names)]
    head = Head(302, (*headers, ("location", "/y"), ("content-length", "5")))
    shown = wire.shown(head, bodiless=False)
    assert shown.headers == (*((name, "x") for name in names), ("content-length", "5"))
    assert (shown.location, shown.coding) == ("/y", "")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ((("content-type", "a"), ("content-type", "b")), 200),
        ((("location", "/a"), ("location", "/b")), 302),
        ((("content-encoding", "gzip"), ("content-encoding", "br")), 200),
        ((("content-encoding", "br"),), 200),
        ((("content-encoding", "gzip, gzip"),), 200),
        ((("content-encoding", "gzip"),), 206),
    ],
)
def test_reply_headers_read_in_two_ways(headers: tuple[tuple[str, str], ...], status: int) -> None:
    """Two values for one header, and codings that were not asked for, are refused."""
    with pytest.raises(UpstreamError) as caught:
        wire.shown(Head(status, headers), bodiless=False)
    assert caught.value.reason is Reason.UPSTREAM_MALFORMED


@pytest.mark.parametrize(
    ("url", "base", "authority"),
    [
        ("http://127.0.0.1:8081", Base("127.0.0.1", 8081), "127.0.0.1:8081"),
        ("http://gui.example/", Base("gui.example", 80), "gui.example"),
        ("https://gui.example/demo/", Base("gui.example", 443, True, "/demo"), "gui.example"),
        ("https://[2001:db8::1]:444/a/b", Base("2001:db8::1", 444, True, "/a/b"), "[2001:db8::1]:444"),
    ],
)
def test_base_from_url(url: str, base: Base, authority: str) -> None:
    """An address becomes host, port, TLS and base path, and the Host header that belongs to them."""
    assert (Base.from_url(url), Base.from_url(url).authority) == (base, authority)


@pytest.mark.parametrize(
    "url", ["ftp://x", "x", "http://", "http://u:p@x", "http://x/?a", "http://x/#a", "http://x//a", "http://x:99999"]
)
def test_base_from_a_wrong_url(url: str) -> None:
    """An address with more or less than that is refused."""
    with pytest.raises(ValueError):
        Base.from_url(url)
