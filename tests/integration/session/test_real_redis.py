"""Sessions on a real redis-server that restarts, disappears, hangs, refuses, or shows the wrong certificate."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from authgw.errors import StoreError
from authgw.session import store
from authgw.session.handles import HandleKind
from authgw.session.model import SessionLimits
from authgw.session.sessions import Sessions
from kit.redis import RedisServer, real_redis, redis_server
from kit.servers import free_port
from kit.sessions import Clock, Room, claims

__all__ = ["real_redis"]
pytestmark = pytest.mark.anyio
Rooms = Callable[..., Room]


@pytest.fixture
async def rooms(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Rooms]:
    """Makes rooms: processes with a client, an epochs database and a key file each reads anew."""
    made: list[Room] = []
    clock = Clock()

    def make(url: str, seconds: float = 2.0, grace: float = 0.0) -> Room:
        made.append(Room(store.connect(url, seconds=seconds), tmp_path, clock, grace=grace))
        return made[-1]

    yield make
    for room in made:
        await room.close()
        await room.redis.aclose()


def everything_asked(room: Room, sid: str, handle: str, token: str) -> list[Awaitable[object]]:
    """Each question that can be put to the store."""
    return [
        room.sessions.ping(),
        room.start("bob", 2),
        room.sessions.find(sid),
        room.sessions.rotate(sid),
        room.sessions.end(sid),
        room.sessions.end_handle(handle),
        room.sessions.end_user("alice"),
        room.sessions.end_tenant("acme"),
        room.sessions.end_all_of("static", 101),
        room.sessions.listed(),
        room.handles.put(HandleKind.LOGIN_ATTEMPT, b"", 60),
        room.handles.peek(HandleKind.LOGIN_ATTEMPT, token),
        room.handles.take(HandleKind.LOGIN_ATTEMPT, token),
    ]


async def test_sessions_survive_gateway_and_redis_restarts(rooms: Rooms, tmp_path: Path) -> None:
    """Gateway started anew, then Redis itself: who was logged in still is, and the cap still knows them."""
    port = free_port()
    with redis_server(tmp_path / "redis", port=port, persist=True) as server:
        sid, session = await rooms(server.url).start()
        assert await rooms(server.url).sessions.find(sid) == session
        running = rooms(server.url)
        assert await running.sessions.find(sid) == session
    with pytest.raises(StoreError):
        await running.sessions.find(sid)
    with redis_server(tmp_path / "redis", port=port, persist=True) as server:
        assert await running.sessions.find(sid) == session
        again = rooms(server.url)
        assert await again.sessions.find(sid) == session
        rotated = await again.sessions.rotate(sid)
        assert rotated is not None
        for _ in range(again.limits.per_user):
            await again.start()
        assert await again.sessions.find(rotated[0]) is None


async def test_a_redis_that_is_gone_is_an_error_never_an_answer(rooms: Rooms, tmp_path: Path) -> None:
    """Without the store every question ends in StoreError: no new logins, no unknown sessions, no "not logged in"."""
    with redis_server(tmp_path / "redis") as server:
        room = rooms(server.url, grace=60.0)
        sid, session = await room.start()
        token = await room.handles.put(HandleKind.LOGIN_ATTEMPT, b"", 60)
    with pytest.raises(StoreError):
        await room.sessions.find(sid)
    assert room.sessions.grace(sid) == session
    for question in everything_asked(room, sid, session.handle, token):
        with pytest.raises(StoreError):
            await question
    assert room.sessions.grace(sid) is None, "a logout that could not be stored is kept here all the same"


async def test_a_redis_that_hangs_is_given_up_in_time(rooms: Rooms, tmp_path: Path) -> None:
    """A store that accepts and never answers costs a request its time limit and not more."""
    with redis_server(tmp_path / "redis") as server:
        room = rooms(server.url, seconds=0.3)
        sid, session = await room.start()
        token = await room.handles.put(HandleKind.LOGIN_ATTEMPT, b"", 60)
        os.kill(server.pid, signal.SIGSTOP)
        try:
            for question in everything_asked(room, sid, session.handle, token):
                began = time.monotonic()
                with pytest.raises(StoreError):
                    await question
                assert time.monotonic() - began < 3
        finally:
            os.kill(server.pid, signal.SIGCONT)
        assert await rooms(server.url).sessions.find(sid) is None, (
            "end_user was asked for above, and holds by its epoch"
        )


async def test_a_broken_connection_is_tried_once_more(rooms: Rooms, real_redis: RedisServer) -> None:
    """Connections that the server closed while they were idle are no reason to refuse anybody."""
    room = rooms(real_redis.url)
    sid, session = await room.start()
    admin = store.connect(real_redis.url)
    for _ in range(3):
        await admin.client_kill_filter(_type="normal", skipme=True)
        assert await room.sessions.find(sid) == session
    await admin.client_kill_filter(_type="normal", skipme=True)
    assert await room.sessions.end(sid) == session
    await admin.aclose()


async def test_a_redis_that_refuses_is_an_error(rooms: Rooms, tmp_path: Path) -> None:
    """No password given, or no memory left: StoreError, and the latter still answers for those who are in."""
    with redis_server(tmp_path / "locked", extra=["--requirepass", "secret"]) as server:
        with pytest.raises(StoreError):
            await rooms(server.url).sessions.find("A" * 43)
        with pytest.raises(StoreError):
            await rooms(server.url.replace("://", "://:wrong@")).sessions.find("A" * 43)
        sid, session = await rooms(server.url.replace("://", "://:secret@")).start()
        assert await rooms(server.url.replace("://", "://:secret@")).sessions.find(sid) == session
    with redis_server(tmp_path / "full", extra=["--maxmemory-policy", "noeviction"]) as server:
        room = rooms(server.url)
        sid, session = await room.start()
        await room.redis.config_set("maxmemory", "1")
        with pytest.raises(StoreError):
            await room.start("bob", 2)
        assert await room.sessions.find(sid) == session


async def test_a_rotation_under_way_never_revives_an_ended_session(rooms: Rooms, real_redis: RedisServer) -> None:
    """A logout between the rotation's reading and its writing wins: no record is left, under either id."""
    room = rooms(real_redis.url)
    await room.redis.flushall()
    sid, session = await room.start()
    admin = redis.Redis.from_url(real_redis.url)

    def logout_meanwhile(count: int) -> bytes:
        admin.delete(f"authgw:session:{session.handle}", f"authgw:operator:{session.handle}")
        return os.urandom(count)

    late = Sessions(room.redis, room.keys, room.epochs, room.limits, room.clock, logout_meanwhile)
    assert await late.rotate(sid) is None
    admin.close()
    assert await room.sessions.listed() == []
    assert await room.redis.keys("authgw:session:*") == []


async def test_finding_a_session_is_one_question(rooms: Rooms, real_redis: RedisServer) -> None:
    """The ordinary request asks Redis exactly one question; noting a use adds one script, once in a while."""
    room = rooms(real_redis.url)
    sid, _ = await room.start()
    await room.sessions.find(sid)

    async def counted() -> dict[str, int]:
        stats = await room.redis.info("commandstats")
        return {
            name: stat["calls"]
            for name, stat in stats.items()
            if name not in ("cmdstat_info", "cmdstat_config|resetstat")
        }

    await room.redis.config_resetstat()
    for _ in range(50):
        assert await room.sessions.find(sid) is not None
    assert await counted() == {"cmdstat_mget": 50}
    for text in ("", "x", "A" * 42, "é" * 43):
        await room.sessions.find(text)
    assert await counted() == {"cmdstat_mget": 50}


async def test_many_requests_wait_for_a_connection_instead_of_failing(rooms: Rooms, real_redis: RedisServer) -> None:
    """A burst larger than the pool is served, and the pool stays within its bound."""
    room = rooms(real_redis.url)
    sid, session = await room.start()
    found = await asyncio.gather(*(room.sessions.find(sid) for _ in range(400)))
    assert found == [session] * 400
    assert len(await room.redis.client_list()) <= store.CONNECTIONS + 16


async def test_the_store_forgets_by_itself(rooms: Rooms, real_redis: RedisServer) -> None:
    """Redis drops a record when its lifetime is over, without anybody asking for it."""
    room = rooms(real_redis.url)
    brief = Room(room.redis, room.folder, room.clock, limits=SessionLimits(idle=0.2, absolute=0.2, per_user=5))
    await room.redis.flushall()
    await brief.start()
    deadline = time.monotonic() + 5
    while await room.redis.dbsize():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    await brief.close()


def certificate(folder: Path, name: x509.GeneralName) -> tuple[Path, Path]:
    """A self-signed certificate for one name: (certificate, key) as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "redis under test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem, plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key_file.write_bytes(key.private_bytes(pem, plain, serialization.NoEncryption()))
    return cert_file, key_file


@pytest.mark.parametrize(
    ("name", "trusted", "opens"),
    [
        (x509.IPAddress(ipaddress.ip_address("127.0.0.1")), True, True),
        (x509.IPAddress(ipaddress.ip_address("127.0.0.1")), False, False),
        (x509.DNSName("redis.example.com"), True, False),
    ],
    ids=["right", "unknown authority", "wrong name"],
)
async def test_tls_is_verified(
    rooms: Rooms, tmp_path: Path, name: x509.GeneralName, trusted: bool, opens: bool
) -> None:
    """rediss:// refuses a certificate of an unknown authority and one for another host, by default."""
    cert, key = certificate(tmp_path / "tls", name)
    port = free_port()
    tls = ["--tls-port", str(port), "--tls-cert-file", str(cert), "--tls-key-file", str(key)]
    tls += ["--tls-auth-clients", "no"]
    with redis_server(tmp_path / "redis", port=0, extra=tls):
        url = f"rediss://127.0.0.1:{port}/0" + (f"?ssl_ca_certs={cert}" if trusted else "")
        room = rooms(url)
        if opens:
            sid, session = await room.start()
            assert session.claims == claims()
            assert await room.sessions.find(sid) == session
        else:
            with pytest.raises(StoreError):
                await room.start()
