"""Files made here, as replies."""

from __future__ import annotations

import io

import pytest

from authgw.errors import UpstreamError
from authgw.narrow.bundle import PIECE, FileReply


@pytest.mark.anyio
async def test_a_file_is_read_or_streamed_like_any_reply() -> None:
    """The whole body either way, its length told beforehand; more than may be read is refused."""
    body = bytes(range(256)) * (PIECE // 128)
    streamed = FileReply(io.BytesIO(body), "application/zip", "a.zip")
    assert dict(streamed.headers)["content-length"] == str(len(body))
    assert b"".join([piece async for piece in streamed.stream()]) == body
    assert await FileReply(io.BytesIO(body), "application/zip", "a.zip").read(len(body)) == body
    with pytest.raises(UpstreamError):
        await FileReply(io.BytesIO(body), "application/zip", "a.zip").read(len(body) - 1)
