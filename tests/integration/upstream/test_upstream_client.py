"""The client against real sockets whose other end does everything that upstreams do when they are ill."""

from __future__ import annotations

import asyncio
import datetime
import gzip
import os
import random
import socket
import ssl
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from authgw.errors import UpstreamError
from authgw.reasons import Reason
from authgw.upstream.client import Base, Client, ClientLimits, HttpReply
from kit.loopback import Asked, Line, Server, reply, serving, until
from kit.servers import free_port

pytestmark = pytest.mark.anyio
LIMITS = ClientLimits(connect=5, reply=5, idle=5, whole=10, keep=5, pool=8)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
MB = 1024 * 1024


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Both loops: the gateway runs on uvloop where it is there."""
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


@asynccontextmanager
async def between(
    talk: Callable[[Line], Awaitable[None]], limits: ClientLimits = LIMITS
) -> AsyncIterator[tuple[Client, Server]]:
    async with serving(talk) as server:
        client = Client(Base("127.0.0.1", server.port), limits)
        try:
            yield client, server
        finally:
            await client.close()


async def get(client: Client, where: bytes = b"/", limit: int = MB, **more: Any) -> tuple[HttpReply, bytes]:
    found = await client.exchange("GET", where, **more)
    try:
        return found, await found.read(limit)
    finally:
        await found.close()


async def failure(work: Awaitable[Any]) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await work
    return caught.value


def always(data: bytes) -> Callable[[Line], Awaitable[None]]:
    async def talk(line: Line) -> None:
        while await line.asked():
            await line.say(data)

    return talk


def once(data: bytes) -> Callable[[Line], Awaitable[None]]:
    """One reply, and then the end of the connection."""

    async def talk(line: Line) -> None:
        if await line.asked():
            await line.say(data)

    return talk


async def test_request_on_the_wire() -> None:
    """The request arrives as it was given, with the gateway's own host and coding."""
    seen: list[Asked] = []

    async def talk(line: Line) -> None:
        while asked := await line.asked():
            seen.append(asked)
            await line.say(reply(b"ok"))

    async with between(talk) as (client, server):
        await get(client, b"/a?b=c", headers=(("accept", "x/y"), ("cookie", "A=b")))
        found = await client.exchange("POST", b"/d", (), b"e=f", decode=True)
        await found.close()
    host = f"127.0.0.1:{server.port}"
    assert [(a.method, a.target, a.body) for a in seen] == [("GET", "/a?b=c", b""), ("POST", "/d", b"e=f")]
    assert seen[0].headers == {"host": host, "accept-encoding": "identity", "accept": "x/y", "cookie": "A=b"}
    assert seen[1].headers == {"host": host, "accept-encoding": "gzip", "content-length": "3"}


async def test_keep_alive() -> None:
    """One request after another uses one connection."""
    async with between(always(reply(b"ok"))) as (client, server):
        for _ in range(5):
            assert (await get(client))[1] == b"ok"
        assert (server.lines, client.pool.opened, client.pool.idle, client.pool.busy) == (1, 1, 1, 0)


async def test_stale_connection_is_tried_again() -> None:
    """A kept connection that dies under a safe request before any byte came costs nothing but a new connection."""
    asked = 0

    async def talk(line: Line) -> None:
        nonlocal asked
        await line.asked()
        asked += 1
        await line.say(reply(b"%d" % line.number))
        if line.number == 1 and await line.asked():
            asked += 1
        else:
            await line.gone()

    async with between(talk) as (client, _):
        assert (await get(client))[1] == b"1"
        assert (await get(client))[1] == b"2"
    assert asked == 3


async def test_dying_after_a_byte_is_not_tried_again() -> None:
    """Once a byte of the reply came, or on a new connection, nothing is sent twice."""
    asked = 0

    async def talk(line: Line) -> None:
        nonlocal asked
        while await line.asked():
            asked += 1
            if asked == 1:
                await line.say(reply(b"ok"))
            elif asked == 2:
                await line.say(b"H")
                return
            else:
                return

    async with between(talk) as (client, _):
        await get(client)
        assert (await failure(get(client))).reason is Reason.UPSTREAM_CUT
        assert (await failure(get(client))).reason is Reason.UPSTREAM_CUT
    assert asked == 3


async def test_unsafe_request_goes_out_once() -> None:
    """A request that changes something never meets a connection that may be dying, and is never sent twice."""
    asked = 0

    async def talk(line: Line) -> None:
        nonlocal asked
        while request := await line.asked():
            asked += 1
            if request.method == "POST":
                return
            await line.say(reply(b"ok"))

    async with between(talk) as (client, server):
        await get(client)
        assert (await failure(client.exchange("POST", b"/", (), b"x=y"))).reason is Reason.UPSTREAM_CUT
        assert (asked, server.lines) == (2, 2)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        CHUNKED + b"5\r\nab",
        CHUNKED + b"2\r\nab\r\n",
        CHUNKED + b"2\r\nab\r\n0\r\n",
    ],
)
async def test_cut(data: bytes) -> None:
    """A reply that stops early is an error whichever way it is read, after the bytes that came."""
    async with between(once(data)) as (client, _):
        assert (await failure(get(client))).reason is Reason.UPSTREAM_CUT
        got: list[bytes] = []

        async def stream() -> None:
            found = await client.exchange("GET", b"/")
            async for piece in found.stream():
                got.append(piece)

        assert (await failure(stream())).reason is Reason.UPSTREAM_CUT
        assert b"".join(got) in (b"", b"abc", b"ab")
        assert client.pool.busy == client.pool.idle == 0


@pytest.mark.parametrize(
    "data",
    [
        b"<html>no http</html>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        reply(b"ok", "Content-Type: a", "Content-Type: b"),
        reply(b"ok", "Content-Encoding: br"),
        CHUNKED + b"zz\r\n",
    ],
)
async def test_malformed(data: bytes) -> None:
    """What is not HTTP, or could be read in two ways, is refused."""
    async with between(always(data)) as (client, _):
        assert (await failure(get(client))).reason is Reason.UPSTREAM_MALFORMED
        assert client.pool.busy == 0


async def test_surplus_costs_the_connection() -> None:
    """Bytes behind a reply, with it or later, never become the start of another reply."""
    for late in (False, True):
        forged = reply(b"forged")

        async def talk(line: Line, late: bool = late, forged: bytes = forged) -> None:
            while await line.asked():
                await line.say(reply(b"%d" % line.number) + (b"" if late else forged))
                if late:
                    await line.say(forged)

        async with between(talk) as (client, server):
            for number in range(1, 4):
                assert (await get(client))[1] == b"%d" % number
                await until(lambda client=client: client.pool.idle == 0)  # type: ignore[misc]
            assert server.lines == 3


async def test_leftover_bytes_the_loop_has_not_read() -> None:
    """A connection is looked at once more before it is handed out: unread bytes are found without the loop's help."""
    lines: list[Line] = []

    async def talk(line: Line) -> None:
        lines.append(line)
        while await line.asked():
            await line.say(reply(b"%d" % line.number))

    async with between(talk) as (client, server):
        await get(client)
        sock = lines[0].writer.get_extra_info("socket")
        # Straight into the socket: no turn of the loop lies between this and the next request.
        assert os.write(sock.fileno(), reply(b"forged")) > 0
        assert (await get(client))[1] == b"2"
        assert server.lines == 2


async def test_interim_replies() -> None:
    """100 and 103 are read over."""
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    async with between(always(interim + reply(b"ok"))) as (client, server):
        assert [(await get(client))[1] for _ in range(2)] == [b"ok", b"ok"]
        assert server.lines == 1


async def test_head() -> None:
    """HEAD ends at the head, names the length, and keeps the connection."""
    async with between(always(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")) as (client, server):
        for _ in range(2):
            found = await client.exchange("HEAD", b"/")
            assert (dict(found.headers)["content-length"], await found.read(10)) == ("99", b"")
            await found.close()
        assert server.lines == 1


async def test_no_content_with_a_body() -> None:
    """A 204 that is followed by bytes is empty, and its connection is not used again."""
    async with between(always(b"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc")) as (client, server):
        for _ in range(2):
            found, body = await get(client)
            assert (found.status, body, dict(found.headers)) == (204, b"", {})
        assert server.lines == 2


async def test_body_until_the_end_of_the_connection() -> None:
    """Without framing the body ends with the connection, and there is no length to announce."""
    async with between(once(b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\r\n" + b"x" * 100_000)) as (client, _):
        found, body = await get(client)
        assert (body, found.headers) == (b"x" * 100_000, (("content-type", "a/b"),))


async def test_reset_is_no_end_of_a_body() -> None:
    """A body that ends with the connection is whole only when the connection ended in order."""

    async def talk(line: Line) -> None:
        await line.asked()
        await line.say(b"HTTP/1.1 200 OK\r\n\r\nabc")
        await until(lambda: taken)
        sock = line.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.writer.transport.abort()

    taken = False
    async with between(talk) as (client, _):
        found = await client.exchange("GET", b"/")
        stream = found.stream()
        assert await anext(stream) == b"abc"
        taken = True
        with pytest.raises(UpstreamError) as caught:
            await anext(stream)
        assert caught.value.reason is Reason.UPSTREAM_CUT


@pytest.mark.parametrize(
    ("name", "undo"), [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress)]
)
@pytest.mark.parametrize("body", [b"", b"hello", random.Random(1).randbytes(300_000), b"a" * 900_000])
async def test_content_coding(name: str, undo: Callable[[bytes], bytes], body: bytes) -> None:
    """A compressed body is undone, read or streamed, and its length on the wire is not announced."""
    async with between(always(reply(undo(body), f"Content-Encoding: {name}"))) as (client, _):
        found, read = await get(client, decode=True)
        assert read == body
        assert found.headers == ()
        found = await client.exchange("GET", b"/")
        assert b"".join([piece async for piece in found.stream()]) == body


async def test_bomb() -> None:
    """A small reply that unfolds to a gigabyte is refused at the limit, having unfolded no more than that."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(MB)) for _ in range(256)) + packer.flush()
    async with between(always(reply(bomb, "Content-Encoding: gzip"))) as (client, _):
        assert (await failure(get(client, limit=MB))).reason is Reason.UPSTREAM_TOO_LARGE


@pytest.mark.parametrize("limit", [9, 10])
async def test_limit(limit: int) -> None:
    """The limit is the largest body that passes, compressed or not, length known or not."""
    body = b"0123456789"
    forms = (
        reply(body),
        reply(gzip.compress(body), "Content-Encoding: gzip"),
        CHUNKED + b"a\r\n" + body + b"\r\n0\r\n\r\n",
    )
    for data in forms:
        async with between(always(data)) as (client, _):
            if limit == 10:
                assert (await get(client, limit=limit))[1] == body
            else:
                assert (await failure(get(client, limit=limit))).reason is Reason.UPSTREAM_TOO_LARGE


@pytest.mark.parametrize(
    "data", [gzip.compress(b"hello")[:-3], gzip.compress(b"hello") + b"x", gzip.compress(b"a") * 2, b"not gzip at all"]
)
async def test_damaged_coding(data: bytes) -> None:
    """A compressed body that stops early, goes on behind its end, or is none, is never passed on as whole."""
    async with between(always(reply(data, "Content-Encoding: gzip"))) as (client, _):
        assert (await failure(get(client))).reason is Reason.UPSTREAM_MALFORMED


async def test_silence() -> None:
    """An upstream that does not answer, or stops in the middle, ends with a time-out that says what was awaited."""
    limits = msgspec.structs.replace(LIMITS, reply=0.1, idle=0.1)
    for data in (b"", b"HTTP/1.1 200 OK\r\nContent-", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"):

        async def talk(line: Line, data: bytes = data) -> None:
            await line.asked()
            await line.say(data)
            await line.gone()

        async with between(talk, limits) as (client, server):
            error = await failure(get(client))
            assert error.reason is Reason.UPSTREAM_TIMEOUT
            assert "0.1 s" in error.detail
            await until(lambda server=server: server.open == 0)  # type: ignore[misc]


async def test_a_slow_reader_is_no_slow_upstream() -> None:
    """The time-out between pieces runs only while the reader waits."""
    limits = msgspec.structs.replace(LIMITS, idle=0.05)
    async with between(always(reply(b"x" * 2 * MB)), limits) as (client, _):
        found = await client.exchange("GET", b"/")
        stream = found.stream()
        size = len(await anext(stream))
        await asyncio.sleep(0.2)  # the point of this test is time that passes
        async for piece in stream:
            size += len(piece)
        assert size == 2 * MB


async def test_nobody_there() -> None:
    """A port that nobody listens on is an unreachable upstream."""
    client = Client(Base("127.0.0.1", free_port()), LIMITS)
    error = await failure(client.exchange("GET", b"/"))
    assert error.reason is Reason.UPSTREAM_UNREACHABLE
    assert client.pool.busy == 0


async def test_back_pressure() -> None:
    """While the reader rests the upstream's writes stall, and no more than half a megabyte waits in the gateway."""
    total = 48 * MB
    sent = 0

    async def talk(line: Line) -> None:
        nonlocal sent
        await line.asked()
        await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total)
        for _ in range(total // 65536):
            await line.say(bytes(65536))
            sent += 65536

    async with between(talk) as (client, _):
        found = await client.exchange("GET", b"/")
        still = -1
        while still != sent:
            still = sent
            await asyncio.sleep(0.1)  # until nothing moves any more
        # What the kernel's own buffers hold on both sides comes on top; far from everything.
        assert sent < 24 * MB
        assert found._incoming.size <= MB // 2
        assert sum([len(piece) async for piece in found.stream()]) == total
        assert client.pool.idle == 1


async def test_cancelled_request_closes_its_connection() -> None:
    """When the client of a request goes away, upstream learns it at once, and nobody else gets that reply."""

    async def talk(line: Line) -> None:
        while asked := await line.asked():
            if asked.path == "/never":
                await line.gone()
                return
            await line.say(reply(b"ok"))

    async with between(talk) as (client, server):
        task = asyncio.ensure_future(client.exchange("GET", b"/never"))
        await until(lambda: server.open == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: server.open == 0)
        assert client.pool.busy == 0
        assert (await get(client))[1] == b"ok"


async def test_reply_closed_in_the_middle() -> None:
    """A reply that is closed before its end costs its connection, once."""

    async def talk(line: Line) -> None:
        await line.asked()
        await line.say(CHUNKED + b"1\r\na\r\n")
        await line.gone()

    async with between(talk) as (client, server):
        found = await client.exchange("GET", b"/")
        assert await anext(found.stream()) == b"a"
        await found.close()
        await found.close()
        await until(lambda: server.open == 0)
        assert client.pool.busy == client.pool.idle == 0


async def test_many_at_once() -> None:
    """Two hundred requests share eight connections, and each gets its own answer."""
    most = 0

    async def talk(line: Line) -> None:
        nonlocal most
        while asked := await line.asked():
            most = max(most, server.open)
            await asyncio.sleep(0)
            await line.say(reply(asked.target.encode()))

    async with between(talk) as (client, server):
        targets = [b"/%d" % number for number in range(200)]
        answers = await asyncio.gather(*(get(client, where) for where in targets))
        assert [body for _, body in answers] == targets
        assert most <= 8
        assert server.lines <= 8


async def test_no_connection_free_in_time() -> None:
    """Waiting for a free connection is bounded, and says that the gateway's own pool is full."""
    limits = msgspec.structs.replace(LIMITS, pool=1, reply=0.1)
    async with between(always(CHUNKED), limits) as (client, _):
        first = await client.exchange("GET", b"/")
        assert (await failure(get(client))).reason is Reason.UPSTREAM_BUSY
        await first.close()
        second = await client.exchange("GET", b"/")
        await second.close()


async def test_new_connection_makes_room() -> None:
    """A request that wants a new connection does not push the pool over its size."""
    limits = msgspec.structs.replace(LIMITS, pool=1)
    async with between(always(reply(b"ok")), limits) as (client, server):
        await get(client)
        found = await client.exchange("POST", b"/", (), b"")
        await found.close()
        await until(lambda: server.open == 1)
        assert (server.lines, client.pool.idle) == (2, 1)


async def test_idle_connections_are_closed() -> None:
    """A connection without work is closed after its time."""
    limits = msgspec.structs.replace(LIMITS, keep=0.05)
    async with between(always(reply(b"ok")), limits) as (client, server):
        await get(client)
        assert server.open == 1
        await until(lambda: server.open == 0)
        assert client.pool.idle == 0


async def test_large_request() -> None:
    """A large body arrives whole, also where the other side takes it slowly."""
    body = random.Random(2).randbytes(6 * MB)

    async def talk(line: Line) -> None:
        asked = await line.asked()
        assert asked is not None
        await line.say(reply(b"same" if asked.body == body else b"other"))

    async with between(talk) as (client, _):
        found = await client.exchange("POST", b"/", (), body)
        assert await found.read(10) == b"same"


async def test_answer_before_the_request_was_taken() -> None:
    """An early refusal of a large body is heard, and the half-used connection is not kept."""

    async def talk(line: Line) -> None:
        await line.reader.readuntil(b"\r\n\r\n")
        await line.say(reply(b"no", status="413 Too Large"))
        await line.gone()

    async with between(talk) as (client, _):
        found = await client.exchange("POST", b"/", (), bytes(32 * MB))
        assert (found.status, await found.read(10)) == (413, b"no")
        await found.close()
        assert client.pool.idle == client.pool.busy == 0


def certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(
            name, name, key.public_key(), 1, now - datetime.timedelta(1), now + datetime.timedelta(1)
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem", folder / "key.pem"


async def test_tls(tmp_path: Path) -> None:
    """Over https the certificate is verified against the system's trust unless a context says otherwise."""
    cert, key = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    async with serving(always(reply(b"ok")), context) as server:
        base = Base("localhost", server.port, tls=True)
        error = await failure(Client(base, LIMITS).exchange("GET", b"/"))
        assert error.reason is Reason.UPSTREAM_UNREACHABLE
        assert "certificate" in error.detail
        client = Client(base, LIMITS, context=ssl.create_default_context(cafile=str(cert)))
        assert [(await get(client))[1] for _ in range(2)] == [b"ok", b"ok"]
        assert client.pool.opened == 1
        await client.close()
