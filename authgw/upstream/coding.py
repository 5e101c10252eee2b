"""Undoing gzip and deflate piece by piece, so that no reply can grow without its reader noticing."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from authgw.upstream.wire import malformed

PIECE = 65536


class Inflate:
    """One compressed body. `coding`: gzip (RFC 1952) or deflate (which is zlib's format, RFC 9110 section 8.4.1.2)."""

    def __init__(self, coding: str) -> None:
        self._zlib = zlib.decompressobj(31 if coding == "gzip" else 15)
        self._fed = False

    def pieces(self, data: bytes, size: int = PIECE) -> Iterator[bytes]:
        """What `data` unfolds to, at most `size` bytes at a time. Raises UPSTREAM_MALFORMED."""
        self._fed = self._fed or bool(data)
        while not self._zlib.eof:
            try:
                out = self._zlib.decompress(data, size)
            except zlib.error:
                raise malformed("a compressed body that cannot be undone") from None
            data = self._zlib.unconsumed_tail
            # Output may be held back although all input is taken in, so only an empty round ends this.
            if out:
                yield out
            elif not data:
                break
        if data or self._zlib.unused_data:
            raise malformed("bytes behind the end of a compressed body")

    def end(self) -> None:
        """The body ended. A body of no bytes at all is an empty one."""
        if self._fed and not self._zlib.eof:
            raise malformed("a compressed body that stops in the middle")
