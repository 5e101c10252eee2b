"""The bench's own WebSocket, against frames and a client written by others."""

from __future__ import annotations

import asyncio

import pytest
import websockets.frames
from websockets.asyncio.client import connect
from websockets.utils import accept_key

from bench.frames import CLOSE, PING, TEXT, Frames, accept, frame, masked
from bench.tongue import Talk

MASK = b"\x01\xff\x00\x7f"


def test_the_handshake_is_that_of_the_standard() -> None:
    """RFC 6455, section 1.3, has an example; and any key is answered as the library answers it."""
    assert accept(b"dGhlIHNhbXBsZSBub25jZQ==") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert accept(b"YmVuY2hiZW5jaGJlbmNoYg==").decode() == accept_key("YmVuY2hiZW5jaGJlbmNoYg==")


@pytest.mark.parametrize("payload", [b"", b"a", b"hello", bytes(range(125))])
@pytest.mark.parametrize("mask", [b"", MASK])
def test_frames_are_those_of_the_library(payload: bytes, mask: bytes) -> None:
    """The unmasked ones to the byte; masked ones come back as they were, wherever they are cut."""
    if not mask:
        theirs = websockets.frames.Frame(websockets.frames.Opcode.TEXT, payload)
        assert frame(TEXT, payload) == theirs.serialize(mask=False)
    assert masked(masked(payload, MASK), MASK) == payload
    data = frame(TEXT, payload, mask) + frame(PING, b"p", mask) + frame(CLOSE, b"", mask)
    for cut in range(len(data)):
        frames = Frames()
        assert frames.feed(data[:cut]) + frames.feed(data[cut:]) == [(TEXT, payload), (PING, b"p"), (CLOSE, b"")]


@pytest.mark.anyio
async def test_the_upstream_repeats_what_it_is_told() -> None:
    """A client of the library's opens, hears each message again, gets pongs, and closes in order."""
    server = await asyncio.get_running_loop().create_server(Talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with connect(f"ws://127.0.0.1:{port}/live/echo", compression=None, proxy=None) as client:
        for text in ("", "hello", "m" * 64):
            await client.send(text)
            assert await client.recv() == text
        await asyncio.wait_for(await client.ping(b"p"), 10)
    assert client.close_code == 1000
    server.close()
