"""What the stored bytes give away (nothing), and what forged or moved ones open (nothing)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from authgw.session import keys
from authgw.session.handles import HandleKind
from authgw.session.model import Kind
from kit.sessions import Room

pytestmark = pytest.mark.anyio
World = Any


async def everything(redis: Any) -> bytes:
    """All keys and values of the store, as bytes."""
    parts = []
    for key in await redis.keys("*"):
        kind = await redis.type(key)
        value = b"|".join(await redis.zrange(key, 0, -1)) if kind == b"zset" else await redis.get(key)
        parts += [key, value]
    return b"\n".join(parts)


async def test_the_store_holds_neither_ids_nor_names(world: World, room: Room) -> None:
    """Whoever reads the store learns no session id, token, user, tenant, address, agent or right."""
    sid, _ = await room.start("alice", 101, kind=Kind.API, tenant="umbrella")
    token = await room.handles.put(HandleKind.LOGIN_ATTEMPT, b"next=/admin.php", 60)
    stored = (await everything(world.redis)).lower()
    assert stored.count(b"authgw:") == 4
    for secret in (sid, token, "alice", "umbrella", "192.0.2.7", "mozilla", "can_cdr", "static", "pwd", "admin.php"):
        assert secret.lower().encode() not in stored


async def test_keys_are_typed(world: World, room: Room) -> None:
    """Each record type lies under a prefix of its own."""
    _, session = await room.start()
    await room.handles.put(HandleKind.LOGIN_ATTEMPT, b"", 60)
    prefixes = {key.decode().rsplit(":", 1)[0] for key in await world.redis.keys("*")}
    assert prefixes == {"authgw:session", "authgw:operator", "authgw:user", "authgw:attempt"}
    assert await world.redis.exists(f"authgw:session:{session.handle}", f"authgw:operator:{session.handle}") == 2


async def test_the_same_claims_never_make_the_same_bytes(world: World, room: Room) -> None:
    """Two records of the same user share no nonce and no ciphertext (CVE-2021-32791)."""
    blobs = []
    for _ in range(4):
        _, session = await room.start()
        blobs.append(await world.redis.get(f"authgw:session:{session.handle}"))
    assert len({blob[1:13] for blob in blobs}) == len({blob[13:45] for blob in blobs}) == 4


async def test_a_changed_record_is_nobody(world: World, room: Room) -> None:
    """A record with any part flipped, cut or added to is no session, says so in a count, and never raises."""
    sid, session = await room.start()
    key = f"authgw:session:{session.handle}"
    blob = await world.redis.get(key)
    flipped = [blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :] for at in (0, 1, 12, 13, 40, len(blob) - 1)]
    wrong = [*flipped, blob[:-1], blob[:20], blob[:1], b"", blob + b"\x00", b"\x02" + blob[1:], b"{}", b"\xff" * 5000]
    for count, value in enumerate(wrong, 1):
        await world.redis.set(key, value, px=60_000)
        assert await world.room().sessions.find(sid) is None
        assert await room.sessions.find(sid) is None
        assert room.sessions.rejected["seal"] == count
    await world.redis.set(key, blob, px=60_000)
    assert await room.sessions.find(sid) == session
    await world.redis.set(key, wrong[0], px=60_000)
    assert await room.sessions.rotate(sid) is None
    assert await room.sessions.end(sid) is None


async def test_a_record_under_another_s_key_is_nobody(world: World, room: Room) -> None:
    """Moving the administrator's record under my own key does not make me the administrator."""
    mine, me = await room.start("mallory", 66)
    _, boss = await room.start("root", 1)
    for name in ("session", "operator"):
        await world.redis.copy(f"authgw:{name}:{boss.handle}", f"authgw:{name}:{me.handle}", replace=True)
    assert await room.sessions.find(mine) is None
    assert [one.user for one in await world.room().sessions.listed()] == ["root"]


async def test_an_operator_record_or_a_handle_under_a_session_s_key_is_nobody(world: World, room: Room) -> None:
    """Records of other types open nothing when they are put where a session lies."""
    sid, session = await room.start()
    await room.handles.put(HandleKind.LOGIN_ATTEMPT, b"x", 60)
    [attempt] = await world.redis.keys("authgw:attempt:*")
    for other in (attempt, f"authgw:operator:{session.handle}"):
        await world.redis.copy(other, f"authgw:session:{session.handle}", replace=True)
        assert await room.sessions.find(sid) is None


async def test_a_key_of_another_data_type_is_nobody(world: World, room: Room) -> None:
    """A list or a hash where a record belongs is no session and no error."""
    sid, session = await room.start()
    for key in (f"authgw:session:{session.handle}", f"authgw:operator:{session.handle}"):
        await world.redis.delete(key)
        await world.redis.rpush(key, "x")
    assert await room.sessions.find(sid) is None
    assert await room.sessions.rotate(sid) is None
    assert await room.sessions.end(sid) is None
    assert await room.sessions.listed() == []


async def test_another_key_file_opens_nothing(world: World, tmp_path: Path) -> None:
    """With the store and the database but another key file there are no sessions, in neither direction."""
    room = world.room()
    sid, session = await room.start()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    stranger = world.room(folder=elsewhere)
    blob = await world.redis.get(f"authgw:session:{session.handle}")
    assert await stranger.sessions.find(sid) is None
    assert await stranger.sessions.listed() == []
    _, theirs = await stranger.start()
    await world.redis.set(f"authgw:session:{session.handle}", b"", px=60_000)
    await world.redis.copy(f"authgw:session:{theirs.handle}", f"authgw:session:{session.handle}", replace=True)
    assert await room.sessions.find(sid) is None
    await world.redis.set(f"authgw:session:{session.handle}", blob, px=60_000)
    assert await room.sessions.find(sid) is not None


async def test_sessions_live_through_a_rotation_of_the_key_file(world: World) -> None:
    """With a new key on top of the file old sessions go on, are counted and ended; without the old line they end."""
    old = world.room()
    sids = [(await old.start())[0] for _ in range(3)]
    file = world.folder / "authgw.key"
    previous = file.read_text().splitlines()[-1].replace("k1 ", "k0 ")
    file.rename(world.folder / "previous.key")
    keys.load(file)
    current = file.read_text()
    file.write_text(current + previous + "\n")
    both = world.room()
    assert [await both.sessions.find(sid) is not None for sid in sids] == [True] * 3
    assert len(await both.sessions.listed()) == 3
    rotated = await both.sessions.rotate(sids[2])
    assert rotated is not None
    fresh = [(await both.start())[0] for _ in range(3)]
    assert await both.sessions.find(sids[0]) is None, "the cap counts sessions under every key"
    assert await both.sessions.find(sids[1]) is not None
    world.clock.now += 60
    assert await both.sessions.find(sids[1]) is not None
    assert await both.sessions.end(sids[1]) is not None
    file.write_text(current)
    later = world.room()
    assert await later.sessions.find(rotated[0]) is not None
    assert [await later.sessions.find(sid) is not None for sid in fresh] == [True] * 3
    shutil.move(world.folder / "previous.key", file)
    assert await world.room().sessions.find(fresh[0]) is None


async def test_a_broken_source_of_randomness_overwrites_nobody(world: World) -> None:
    """Should the same id come twice, the second login fails and the first user keeps his session."""
    from authgw.errors import StoreError
    from authgw.session.sessions import Sessions
    from kit.sessions import LIMITS, claims

    room = world.room()
    stuck = Sessions(room.redis, room.keys, room.epochs, LIMITS, room.clock, lambda count: b"\x07" * count)
    sid, _ = await stuck.start(claims("alice", 1), Kind.BROWSER, address="", agent="", factors=())
    with pytest.raises(StoreError):
        await stuck.start(claims("bob", 2), Kind.BROWSER, address="", agent="", factors=())
    found = await room.sessions.find(sid)
    assert found is not None
    assert found.claims.user == "alice"
