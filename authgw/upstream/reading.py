"""Reading one reply from bytes, without any I/O.

    HEAD ──final head, body follows──▶ BODY ──its end──▶ done
      ╰──────final head, no body───────────────────────▶ done
      ╰──1xx──▶ HEAD (a few times)

The head is read here (see `authgw.upstream.head`); a body of known length is then counted, one that ends with the
connection is passed on, and only a chunked one goes through httptools. So it is always exact where a reply ends, and
every byte behind that is surplus (httptools would quietly start another message, or drop an empty line). Each chunked
body gets a parser of its own: no state outlives a message.
"""

from __future__ import annotations

import httptools

from authgw.errors import UpstreamError
from authgw.reasons import Reason
from authgw.upstream.head import GAP, START, Framing, may_be_head, opening
from authgw.upstream.wire import Head, malformed

MAX_INTERIM = 8
# What the parser of a chunked body is told instead of the head that was read here.
CHUNKS_FOLLOW = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


class Reading:
    """Feed it bytes; it fills `head`, `pieces`, `done`, `surplus` and `keep`. What is not HTTP raises UpstreamError.

    `bodiless`: the reply to HEAD. `keep`: the connection may serve another request after this reply.
    `pieces` are the body's bytes that came since the owner last took them away.
    """

    # How each begins; most of it never changes.
    head: Head | None = None
    framing = Framing.NONE
    started = done = surplus = keep = False
    _interim = _left = _overhead = 0
    _seen = _tail = b""
    _complete = _trailer = False
    _parser: httptools.HttpResponseParser | None = None

    def __init__(self, bodiless: bool, max_head: int, max_fields: int) -> None:
        self.pieces: list[bytes] = []
        self._bodiless = bodiless
        self._max_head, self._max_fields = max_head, max_fields

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

    def _feed_head(self, data: bytes) -> bytes:
        before = len(self._seen)
        seen = self._seen + data if before else data
        gap = seen.find(GAP, max(0, before - len(GAP) + 1))
        end = gap + len(GAP) if gap >= 0 else len(seen)
        if end > self._max_head:
            raise UpstreamError(Reason.UPSTREAM_TOO_LARGE, f"a head of more than {self._max_head} bytes")
        if gap >= 0:
            self._seen = b""
            self._end_of_head(seen[:end])
            return seen[end:]
        if not may_be_head(seen, before):
            begun = seen.startswith(START) or START.startswith(seen)
            raise malformed("not a head of HTTP/1" if begun else "the reply does not begin with HTTP/1.")
        self._seen = seen
        return b""

    def _end_of_head(self, data: bytes) -> None:
        found = opening(data, self._bodiless)
        if len(found.head.headers) > self._max_fields:
            raise UpstreamError(Reason.UPSTREAM_TOO_LARGE, f"a head of more than {self._max_fields} fields")
        if found.head.status < 200:
            self._interim += 1
            if self._interim > MAX_INTERIM:
                raise malformed("too many interim replies")
            return
        self.head, self.framing, self._left, self.keep = found.head, found.framing, found.length, found.keep
        if found.framing is Framing.CHUNKED:
            parser = httptools.HttpResponseParser(self)
            parser.feed_data(CHUNKS_FOLLOW)
            self._parser = parser
        else:
            self.done = found.framing is not Framing.CLOSE and not found.length

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
            # It knows this reading: without it both go when they are done with, not with some later collection.
            self._parser = None
            # The parser swallows line ends between messages; a chunked body ends with exactly these two.
            if self._tail[1:] != GAP or self._tail[:1] in (b"\r", b"\n"):
                self.surplus = True

    def _parse(self, data: bytes) -> None:
        assert self._parser is not None
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise malformed(f"not chunks of HTTP/1.1: {error}") from None

    # called by the parser

    def on_message_begin(self) -> None:
        self.surplus = self.surplus or self._complete

    def on_header(self, name: bytes, value: bytes) -> None:
        # Fields behind a body (RFC 9110, section 6.5): nobody here asks for any, and some readers merge them.
        if self._parser is not None and not self._complete:
            self._trailer = True

    def on_body(self, data: bytes) -> None:
        if not self._complete:
            self.pieces.append(data)

    def on_message_complete(self) -> None:
        self._complete = True
