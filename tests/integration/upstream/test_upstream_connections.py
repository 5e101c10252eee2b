"""Which connection a request takes, and what becomes of it, on real sockets."""

from __future__ import annotations

import asyncio
import datetime
import os
import ssl
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from authgw.reasons import Reason
from authgw.upstream.client import Base, Client
from kit.asking import CHUNKED, LIMITS, always, between, failure, get
from kit.loopback import Asked, Line, reply, serving, until
from kit.servers import free_port

pytestmark = pytest.mark.anyio


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


async def test_the_last_used_connection_is_used_first() -> None:
    """After a rush the requests that follow share one connection, so that the others can grow old and be closed."""
    seen: list[int] = []

    async def talk(line: Line) -> None:
        while await line.asked():
            seen.append(line.number)
            await line.say(reply(b"ok"))

    async with between(talk) as (client, _):
        await asyncio.gather(*(get(client) for _ in range(4)))
        rush = len(set(seen))
        seen.clear()
        for _ in range(4):
            await get(client)
        assert rush > 1
        assert len(set(seen)) == 1


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


async def test_nobody_there() -> None:
    """A port that nobody listens on is an unreachable upstream, and an attempt costs no place in the pool."""
    client = Client(Base("127.0.0.1", free_port()), msgspec.structs.replace(LIMITS, pool=1, reply=0.5))
    for _ in range(3):
        assert (await failure(client.exchange("GET", b"/"))).reason is Reason.UPSTREAM_UNREACHABLE
        assert client.pool.busy == 0


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
