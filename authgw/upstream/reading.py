"""Reading one reply from bytes, without any I/O.

    HEAD ──final head, body follows──▶ BODY ──its end──▶ done
      ╰──────final head, no body───────────────────────▶ done
      ╰──1xx──▶ HEAD (a few times)

The head is cut off at its empty line and given to httptools alone; a body of known length is then counted here, one
that ends with the connection is passed on, and only a chunked one goes through httptools. So it is always exact where
a reply ends, and every byte behind that is surplus (httptools would quietly start another message, or drop an empty
line). Each reply gets a parser of its own: no state outlives a message.
"""

from __future__ import annotations

import re
from enum import Enum

import httptools

from authgw.errors import UpstreamError
from authgw.reasons import Reason
from authgw.upstream.wire import Head, malformed

MAX_INTERIM = 8
START = b"HTTP/1."
GAP = b"\r\n\r\n"
PHRASE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")


class Framing(Enum):
    """How a body ends (RFC 9112, section 6.3)."""

    NONE = "none"
    LENGTH = "length"
    CHUNKED = "chunked"
    CLOSE = "close"


class Reading:
    """Feed it bytes; it fills `head`, `pieces`, `done`, `surplus` and `keep`. What is not HTTP raises UpstreamError.

    `bodiless`: the reply to HEAD. `keep`: the connection may serve another request after this reply.
    `pieces` are the body's bytes that came since the owner last took them away.
    """

    def __init__(self, bodiless: bool, max_head: int, max_fields: int) -> None:
        self.head: Head | None = None
        self.framing = Framing.NONE
        self.pieces: list[bytes] = []
        self.started = self.done = self.surplus = self.keep = False
        self._bodiless = bodiless
        self._max_head, self._max_fields = max_head, max_fields
        self._interim = self._left = self._overhead = 0
        self._tail = b""
        self._new_parser()

    def feed(self, data: bytes) -> None:
        """Take in what came. Surplus bytes end nothing: the reply is whole, but the connection must not be kept."""
        self.started = True
        while data and not self.done:
            data = self._feed_head(data) if self.head is None else self._feed_body(data)
        if data:
            self.surplus = True
        if self.surplus:
            self.keep = False

    def eof(self) -> None:
        """The connection ended in order. Raises UPSTREAM_CUT where something was still to come."""
        if self.head is not None and self.framing is Framing.CLOSE:
            self.done, self.keep = True, False
        if not self.done:
            phase = "in the middle of the body" if self.head else "before the head was complete"
            raise UpstreamError(Reason.UPSTREAM_CUT, f"the connection ended {phase}")

    # head

    def _new_parser(self) -> None:
        self._seen = b""
        self._fields: list[tuple[str, str]] = []
        self._head_parsed = self._complete = self._odd_phrase = self._trailer = False
        self._parser = httptools.HttpResponseParser(self)

    def _feed_head(self, data: bytes) -> bytes:
        before = len(self._seen)
        self._seen += data
        if not START.startswith(self._seen[: len(START)]) and not self._seen.startswith(START):
            raise malformed("the reply does not begin with HTTP/1.")
        gap = self._seen.find(GAP, max(0, before - len(GAP) + 1))
        end = gap + len(GAP) - before if gap >= 0 else len(data)
        if before + end > self._max_head:
            raise UpstreamError(Reason.UPSTREAM_TOO_LARGE, f"a head of more than {self._max_head} bytes")
        self._parse(data[:end])
        if gap >= 0:
            self._end_of_head()
        return data[end:]

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise malformed("the reply switches protocols") from None
        except httptools.HttpParserError as error:
            raise malformed(f"not HTTP/1.1: {error}") from None

    def _end_of_head(self) -> None:
        status = self._parser.get_status_code()
        version = self._parser.get_http_version()
        if not self._head_parsed or self._odd_phrase or version not in ("1.0", "1.1") or not 100 <= status <= 599:
            raise malformed("a status line that is not one of HTTP/1.0 or HTTP/1.1")
        if len(self._fields) > self._max_fields:
            raise UpstreamError(Reason.UPSTREAM_TOO_LARGE, f"a head of more than {self._max_fields} fields")
        head = Head(status, tuple(self._fields))
        framing, length = _framing(head, version, self._bodiless)
        if status < 200:
            self._interim += 1
            if self._interim > MAX_INTERIM:
                raise malformed("too many interim replies")
            self._new_parser()
            return
        self.head, self.framing, self._left = head, framing, length
        self.done = framing is Framing.NONE or (framing is Framing.LENGTH and length == 0)

    # body

    def _feed_body(self, data: bytes) -> bytes:
        if self.framing is Framing.CHUNKED:
            self._feed_chunks(data)
            return b""
        if self.framing is Framing.CLOSE:
            self.pieces.append(data)
            return b""
        piece = data if len(data) <= self._left else data[: self._left]
        self.pieces.append(piece)
        self._left -= len(piece)
        self.done = self._left == 0
        return data[len(piece) :]

    def _feed_chunks(self, data: bytes) -> None:
        before = len(self.pieces)
        try:
            self._parse(data)
        except UpstreamError:
            if not self._complete:
                raise
            self.surplus = True
        self._tail = (self._tail + data[-5:])[-5:]
        if self._trailer:
            raise malformed("fields behind a body")
        # Chunk extensions are read over, but not without end.
        self._overhead = 0 if len(self.pieces) > before else self._overhead + len(data)
        if self._overhead > self._max_head:
            raise UpstreamError(Reason.UPSTREAM_TOO_LARGE, "chunk extensions or trailers without end")
        if self._complete:
            self.done = True
            # The parser swallows line ends between messages; a chunked body ends with exactly these two.
            if self._tail[1:] != GAP or self._tail[:1] in (b"\r", b"\n"):
                self.surplus = True

    # called by the parser

    def on_message_begin(self) -> None:
        self.surplus = self.surplus or self._complete

    def on_status(self, phrase: bytes) -> None:
        # Nobody reads the phrase, but one with control characters is no HTTP and means that something is amiss.
        self._odd_phrase = self._odd_phrase or not PHRASE.fullmatch(phrase)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._head_parsed:
            self._fields.append((name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t")))
        elif not self._complete:
            # Fields behind a body (RFC 9110, section 6.5): nobody here asks for any, and some readers merge them.
            self._trailer = True

    def on_headers_complete(self) -> None:
        if not self._head_parsed:
            self._head_parsed = True
            # What keeps an HTTP/1.0 connection was never agreed on by everybody.
            self.keep = self._parser.get_http_version() != "1.0" and bool(self._parser.should_keep_alive())

    def on_body(self, data: bytes) -> None:
        if self.head is not None and not self._complete:
            self.pieces.append(data)

    def on_message_complete(self) -> None:
        self._complete = True


def _framing(head: Head, version: str, bodiless: bool) -> tuple[Framing, int]:
    """How the body ends, and its length. Stricter than the parser, which lets unknown transfer codings pass."""
    codings: list[str] = []
    lengths: list[str] = []
    for name, value in head.headers:
        if name == "content-length":
            lengths.append(value)
        elif name == "transfer-encoding":
            codings.append(value)
    if codings and (len(codings) > 1 or codings[0].lower() != "chunked" or version == "1.0" or lengths):
        raise malformed("a transfer coding other than chunked alone")
    if len(lengths) > 1 or (lengths and not (lengths[0].isascii() and lengths[0].isdigit())):
        raise malformed("a malformed content length")
    if head.status < 200 or head.status == 204:
        if codings or (lengths and head.status < 200):
            raise malformed("body framing in a reply that has no body")
        return Framing.NONE, 0
    if bodiless or head.status == 304:
        return Framing.NONE, 0
    if codings:
        return Framing.CHUNKED, 0
    if lengths:
        return Framing.LENGTH, int(lengths[0])
    return Framing.CLOSE, 0
