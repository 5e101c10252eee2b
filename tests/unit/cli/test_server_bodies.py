"""Bodies of requests over real sockets: `Expect: 100-continue`, early answers, and fields behind a body."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from authgw.cli import http
from kit.serving import LAST, Server, body, start

pytestmark = pytest.mark.anyio

EXPECTS = b"POST / HTTP/1.1\r\nHost: gw\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: gw\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n"
NEXT = b"GET /next HTTP/1.1\r\n" + LAST


@pytest.fixture
async def server(anyio_backend: str) -> AsyncIterator[Server]:
    found = Server()
    listening = await found.open()
    yield found
    listening.close()


async def refuses(scope: Any, receive: Any, send: Any) -> None:
    """Answers without a look at the body."""
    await send(start(413, (b"content-length", b"0")))
    await send(body())


async def test_an_expected_continue_is_said_once_and_only_when_the_body_is_wanted(server: Server) -> None:
    """RFC 9110, section 10.1.1: 100 before the body is read, none where the answer does without it."""
    said = await server.ask(EXPECTS, b"ab" + NEXT)
    assert said.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert said.count(b"100 Continue") == 1
    assert b"/? ab" in said
    server.app = refuses
    assert (await server.ask(EXPECTS)).startswith(b"HTTP/1.1 413 ")


async def test_no_interim_answer_for_http_1_0(server: Server) -> None:
    """RFC 9110, section 10.1.1: an expectation in an HTTP/1.0 request is ignored; such a client knows no 100."""
    said = await server.ask(EXPECTS.replace(b"HTTP/1.1", b"HTTP/1.0"), b"ab")
    assert said.startswith(b"HTTP/1.1 200 OK\r\n")
    assert said.endswith(b"/? ab")


async def test_another_expectation_is_none(server: Server) -> None:
    """RFC 9110, section 10.1.1: 417 is what a server may answer, not must; nothing is said in between."""
    said = await server.ask(EXPECTS.replace(b"100-continue", b"200-ok"), b"ab" + NEXT)
    assert said.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"/? ab" in said


async def test_a_body_that_was_never_asked_for_is_no_next_request(server: Server) -> None:
    """Answered before 100 was said, the client may send the body or not: what comes then could be either, so the
    connection ends with that answer."""
    server.app = refuses
    for after in (NEXT, b"ab" + NEXT):
        said = await server.ask(EXPECTS, after)
        assert said.count(b"HTTP/1.1") == 1
        assert b"connection: close\r\n" in said


@pytest.mark.parametrize("trailer", [b"X-Remote-User: root\r\n", b"Cookie: a=b\r\n", b"x:\r\n"])
async def test_fields_behind_a_body_are_refused(server: Server, trailer: bytes) -> None:
    """RFC 9110, section 6.5.1: a trailer that is merged into the head smuggles what a proxy in front took out of it.
    Such a request is 400 and says why; the application hears of no whole body, wherever the bytes are cut."""
    whole = CHUNKED + trailer + b"\r\n"
    for cut in range(len(CHUNKED) - 5, len(whole)):
        said = await server.ask(whole[:cut], whole[cut:] + NEXT)
        assert said.startswith(b"HTTP/1.1 400 "), cut
        assert http.BEHIND_BODY.encode() in said
        assert said.count(b"HTTP/1.1") == 1
        assert not server.whole
    assert all([name for name, _ in scope["headers"]] == [b"host", b"transfer-encoding"] for scope in server.seen)


async def test_chunks_without_a_trailer_are_a_body(server: Server) -> None:
    """The same request without fields behind it is answered, and so is the one that follows."""
    said = await server.ask(CHUNKED + b"\r\n" + NEXT)
    assert said.count(b"HTTP/1.1 200 OK") == 2
    assert b"/? ab" in said


@pytest.mark.parametrize("begun", [True, False])
async def test_a_refusal_is_no_part_of_another_answer(server: Server, begun: bool) -> None:
    """Bytes that are no request, behind one that is being answered: that one gets its whole answer, with no 400 in its
    place or among its bytes, and the connection ends with it."""
    go = asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        server.seen.append(scope)
        if not begun:
            await go.wait()
        await send(start(200, (b"content-length", b"200")))
        await send(body(b"a" * 100, more=True))
        await go.wait()
        await send(body(b"b" * 100))

    server.app = slow
    asked = b"GET / HTTP/1.1\r\nHost: gw\r\n\r\n"
    asking = asyncio.ensure_future(server.ask(asked, b"no request\r\n\r\n" + asked, asked))
    for _ in range(1000):
        await asyncio.sleep(0)  # until nothing comes any more
    go.set()
    said = await asking
    assert said.startswith(b"HTTP/1.1 200 ")
    assert said.partition(b"\r\n\r\n")[2] == b"a" * 100 + b"b" * 100
    assert len(server.seen) == 1
