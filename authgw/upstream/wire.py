"""HTTP/1.1 as bytes, pure: writing a request's head, and which headers of a reply go on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property, lru_cache
from urllib.parse import quote, quote_plus, urlsplit

import msgspec

from authgw.errors import UpstreamError
from authgw.reasons import Reason

Headers = Sequence[tuple[str, str]]

NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
VALUE = re.compile(r"[\x20-\x7e\x80-\xff]*")
TARGET = re.compile(rb"/(?!/)[\x21\x24-\x7e]*|/")
METHOD = re.compile(r"[A-Z]+")

# Names seen to be fit for a request; see `request_head`.
_sendable: set[str] = set()

# Framing and the connection are this client's own business.
OWN = frozenset(
    (
        *("host", "connection", "keep-alive", "content-length", "transfer-encoding", "te", "trailer"),
        *("upgrade", "expect", "accept-encoding", "proxy-connection", "proxy-authorization"),
    )
)
SHOWN = frozenset(
    (
        *("content-type", "content-disposition", "content-range", "accept-ranges"),
        *("etag", "last-modified", "content-length"),
    )
)
# Two different values of one of these would be read in two ways.
SINGLE = SHOWN | {"location", "content-encoding"}
PLAIN = re.compile(r"[A-Za-z0-9_.~-]*")
PLAIN_PATH = re.compile(r"[A-Za-z0-9/_.~-]*")
SHORT = 128
PATH_SAFE = "/-._~!$&'()*+,;=:@"


class Base(msgspec.Struct, frozen=True, dict=True):
    """Where the GUI lives. `path` is its base path without a slash at the end, empty at the root."""

    host: str
    port: int
    tls: bool = False
    path: str = ""

    @classmethod
    def from_url(cls, url: str) -> Base:
        """`http://host[:port][/path]` or https; anything more is a ValueError."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be http://host[:port][/path] or https://…")
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError("must have neither user name, query nor fragment")
        path = parts.path.rstrip("/")
        if path and not (TARGET.fullmatch(path.encode()) and "//" not in path):
            raise ValueError("has a malformed path")
        tls = parts.scheme == "https"
        return cls(parts.hostname, parts.port or (443 if tls else 80), tls, path)

    @cached_property
    def authority(self) -> str:
        """The Host header: the port only where it is not the scheme's own, IPv6 in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


class Head(msgspec.Struct, frozen=True):
    """A reply's status line and header fields as they came: names in lower case, values as latin-1."""

    status: int
    headers: tuple[tuple[str, str], ...]


class Shown(msgspec.Struct, frozen=True):
    """What the rest of the gateway sees of a reply's head. `coding` is `gzip`, `deflate` or empty."""

    headers: tuple[tuple[str, str], ...]
    location: str | None
    coding: str


def malformed(detail: str) -> UpstreamError:
    return UpstreamError(Reason.UPSTREAM_MALFORMED, detail)


def form(fields: Sequence[tuple[str, str]]) -> bytes:
    """application/x-www-form-urlencoded, UTF-8, in the order given; the same bytes serve as a query."""
    # Most need no quoting at all, which is quicker to see than to do.
    if PLAIN.fullmatch("".join([name + value for name, value in fields])):
        return "&".join([f"{name}={value}" for name, value in fields]).encode()
    return "&".join([f"{_quoted(name)}={_quoted(value)}" for name, value in fields]).encode()


def _quoted(text: str) -> str:
    return text if PLAIN.fullmatch(text) else quote_plus(text, safe="")


def target(base_path: str, path: str, query: bytes = b"") -> bytes:
    """The request target of a decoded path below the base path."""
    whole = _encoded(path) if len(path) <= SHORT else _encode(path)
    whole = base_path.encode() + whole
    return whole + b"?" + query if query else whole


def _encode(path: str) -> bytes:
    return path.encode() if PLAIN_PATH.fullmatch(path) else quote(path, safe=PATH_SAFE).encode()


_encoded = lru_cache(1024)(_encode)  # the paths of the GUI are few


def request_head(
    base: Base, method: str, where: bytes, headers: Headers, length: int | None, *, decode: bool = False
) -> bytes:
    """The head of a request. `length` is the body's, None for no body. ValueError: a caller passed what is not HTTP."""
    if not METHOD.fullmatch(method) or not TARGET.fullmatch(where):
        raise ValueError("the method or the target of an upstream request is malformed")
    first = f"{method} {where.decode('ascii')} HTTP/1.1\r\nhost: {base.authority}\r\n"
    coding = "accept-encoding: gzip\r\n" if decode else "accept-encoding: identity\r\n"
    framing = "\r\n" if length is None else f"content-length: {length}\r\n\r\n"
    return "".join([first, coding, _lines(headers), framing]).encode("latin-1")


def _lines(headers: Headers) -> str:
    lines = []
    for name, value in headers:
        # The names that are sent are few: each is looked at once.
        if name not in _sendable and not _may_be_sent(name):
            raise ValueError(f"the header {name!r} cannot be sent upstream")
        lines.append(f"{name}: {value}\r\n")
    if not VALUE.fullmatch("".join([value for _, value in headers])):
        raise ValueError("a header's value cannot be sent upstream")
    return "".join(lines)


def _may_be_sent(name: str) -> bool:
    if name in OWN or not NAME.fullmatch(name):
        return False
    if len(_sendable) < 256:
        _sendable.add(name)
    return True


def shown(head: Head, bodiless: bool) -> Shown:
    """The allow-list for reply headers. `bodiless`: a HEAD request was made, so no body follows."""
    found: dict[str, str] = {}
    for name, value in head.headers:
        if name in SINGLE and found.setdefault(name, value) != value:
            raise malformed(f"two different {name} headers")
    coding = _coding(found.pop("content-encoding", "")) if "content-encoding" in found else ""
    location = found.pop("location", None)
    if head.status in (204, 304):
        found.pop("content-length", None)
        coding = ""
    if coding and not bodiless and head.status == 206:
        raise malformed("a part of a compressed body")
    if coding:
        found.pop("content-length", None)
    return Shown(tuple(found.items()), location, "" if bodiless else coding)


def _coding(value: str) -> str:
    known = {"": "", "identity": "", "gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate"}
    if value.lower() not in known:
        raise malformed("a content coding that was not asked for")
    return known[value.lower()]
