"""Replies too large to hold: rows are cut out of the stream, judged and passed on some hundred kilobytes at a time.

A cut is certain: what lies between two cuts was read as a list of its own, so the cut lies between two rows of the
outer list and nowhere else. Rows then take the same way as those of small replies. An answer that has begun cannot
become a refusal any more; whatever is wrong in the middle breaks it off.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
from msgspec import Raw

from authgw.errors import UpstreamError
from authgw.reasons import Reason
from authgw.upstream.api import Reply

# Up to here a reply is read whole, as most are.
WHOLE = 2 << 20
# Rows are judged in lists of about this size.
CHUNK = 256 << 10
# What has come already is fed in such pieces, as the rest comes in by itself.
PIECE = 64 << 10
# The most that is waited for between two cuts.
MAX_ROW = 16 << 20
# Places that look like a cut and are none: tried from the last one on.
TRIES = 16
# What stands before the rows of an envelope.
MAX_HEAD = 64 << 10

_BETWEEN = re.compile(rb"\}[ \t\r\n]*,[ \t\r\n]*(?=\{)")
_LIST = msgspec.json.Decoder(list[Raw])
_OBJECT = msgspec.json.Decoder(dict[str, Raw])

Filter = Callable[[bytes], Awaitable[list[bytes]]]
"""The rows of a list as they go out."""


class Splitter:
    """Cuts a list of objects, fed from behind its bracket, into lists of whole objects."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._wanted = CHUNK

    def feed(self, data: bytes) -> bytes | None:
        """A list of the rows that are whole, once there is enough of them."""
        self._buffer += data
        if len(self._buffer) < self._wanted:
            return None
        places = [found.span() for found in _BETWEEN.finditer(self._buffer, len(self._buffer) // 2)]
        for start, end in reversed(places[-TRIES:]):
            if (rows := _as_list(self._buffer[: start + 1])) is not None:
                del self._buffer[:end]
                self._wanted = CHUNK
                return rows
        self._wanted = 2 * len(self._buffer)
        if len(self._buffer) > MAX_ROW:
            raise UpstreamError(Reason.UPSTREAM_TOO_LARGE, f"a row of more than {MAX_ROW} bytes")
        return None

    def end(self) -> tuple[bytes, bytes]:
        """The last rows, and what stands behind the list."""
        at = len(self._buffer)
        for _ in range(TRIES):
            at = self._buffer.rfind(b"]", 0, at)
            if at < 0:
                break
            if (rows := _as_list(self._buffer[:at])) is not None:
                return rows, bytes(self._buffer[at + 1 :])
        raise _malformed("a list that does not end")


def _as_list(rows: bytes | bytearray) -> bytes | None:
    document = b"".join((b"[", rows, b"]"))
    with contextlib.suppress(msgspec.MsgspecError, RecursionError):
        _LIST.decode(document)
        return document
    return None


class Head(msgspec.Struct, frozen=True):
    """The beginning of a reply up to its rows (`at`: their key, None for a bare list), and the first of their bytes."""

    before: bytes
    rows: bytes
    at: str | None


def head(start: bytes, at: str | None) -> Head | None:
    """None where the reply does not begin as its entry says: such a one is read whole or not at all."""
    text = start.lstrip()
    if at is None:
        return Head(b"", text[1:], None) if re.match(rb"\[\s*\{", text) else None
    mark = re.search(rb'"%s"\s*:\s*\[(?=\s*\{)' % re.escape(at.encode()), text[:MAX_HEAD])
    if mark is None or text[:1] != b"{":
        return None
    before = text[: mark.end() - 1]
    fields = _fields(before + b"[]}")
    # The last field, and the rows themselves: not a text that reads like them inside of another one.
    if fields is None or list(fields)[-1:] != [at] or bytes(fields[at]) != b"[]":
        return None
    return Head(before, text[mark.end() :], at)


def _fields(document: bytes) -> dict[str, Raw] | None:
    with contextlib.suppress(msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        document.decode("utf-8")
        return _OBJECT.decode(document)
    return None


class Filtered:
    """A reply (see `authgw.upstream.api.Reply`) that tells only the rows a filter leaves. `cleaned`: what an envelope
    around the rows may say. `done` is called once, at the end."""

    status = 200
    headers = (("content-type", "application/json"),)
    location = None

    def __init__(
        self,
        reply: Reply,
        begun: Head,
        rest: AsyncIterator[bytes],
        keep: Filter,
        cleaned: Callable[[bytes], bytes],
        done: Callable[[], None],
    ) -> None:
        self._reply, self._rest = reply, rest
        self._at, self._before, self._start = begun.at, begun.before, begun.rows
        self._keep, self._cleaned = keep, cleaned
        self._done: Callable[[], None] | None = done

    async def read(self, limit: int) -> bytes:
        raise RuntimeError("a reply that is too large to be read whole")

    async def stream(self) -> AsyncIterator[bytes]:
        splitter, first = Splitter(), True
        yield self._opening()
        async for piece in self._pieces():
            if (document := splitter.feed(piece)) is not None:
                rows = await self._kept(document)
                if rows:
                    yield b",".join(rows) if first else b",%b" % b",".join(rows)
                    first = False
        document, behind = splitter.end()
        rows = await self._kept(document)
        if rows:
            yield b",".join(rows) if first else b",%b" % b",".join(rows)
        yield self._closing(behind)

    async def close(self) -> None:
        done, self._done = self._done, None
        if done is not None:
            done()
        await self._reply.close()

    async def _pieces(self) -> AsyncIterator[bytes]:
        start, self._start = self._start, b""
        for at in range(0, len(start), PIECE):
            yield start[at : at + PIECE]
        del start
        async for piece in self._rest:
            yield piece

    async def _kept(self, document: bytes) -> list[bytes]:
        try:
            document.decode("utf-8")
        except UnicodeDecodeError:
            raise _malformed("no UTF-8") from None
        return await self._keep(document)

    def _opening(self) -> bytes:
        if self._at is None:
            return b"["
        return self._cleaned(self._before + b"[]}").removesuffix(b"]}")

    def _closing(self, behind: bytes) -> bytes:
        if self._at is None:
            if behind.strip():
                raise _malformed("something behind the list")
            return b"]"
        name = msgspec.json.encode(self._at)
        fields = _fields(b"{%b:[]%b" % (name, behind))
        if fields is None or next(iter(fields)) != self._at or bytes(fields[self._at]) != b"[]":
            raise _malformed("an envelope that does not end behind its rows")
        cleaned = self._cleaned(msgspec.json.encode(fields))
        return cleaned.removeprefix(b"{%b:[" % name)


def _malformed(detail: str) -> UpstreamError:
    return UpstreamError(Reason.UPSTREAM_MALFORMED, detail)
