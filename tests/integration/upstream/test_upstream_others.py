"""The client beside aiohttp's and h11 before scripted servers: whole or broken alike, with the same body."""

from __future__ import annotations

import os
import random

import aiohttp
import pytest

from authgw.upstream.client import Base, Client
from kit.asking import get, once
from kit.loopback import Line, serving
from kit.others import BROKEN, LIMITS, OTHERS, Got, by_us
from kit.replies import OK, REFUSED, WHOLE, mutate, reply

pytestmark = pytest.mark.anyio
CASES = int(os.environ.get("AUTHGW_FUZZ_CLIENTS", "250"))


@pytest.fixture
def anyio_backend() -> str:
    """One loop is enough: the others' clients are no part of the gateway."""
    return "asyncio"


async def everybody(data: bytes, method: str = "GET") -> dict[str, Got]:
    """What each client gets from a server that says this and closes."""
    async with serving(once(data)) as server:
        asks = {"ours": by_us, **OTHERS}
        return {name: await ask(server.port, method) for name, ask in asks.items()}


ENDING = [(OK + b"\r\nabc", b"abc"), (OK + b"Connection: close\r\nContent-Length: 3\r\n\r\nabc", b"abc")]
PROPER = [(stream, body) for stream, body, keep in WHOLE if keep]
# Refused here, and taken by every one of the others.
STRICTER = {
    "a folded header": "obsolete, and unfolded by some readers only (RFC 9112, section 5.2)",
    "bare line feeds": "a line end for some readers and not for others (RFC 9112, section 2.2)",
    "one bare line feed": "the same",
    "chunked in HTTP/1.0": "framing that its own version does not know (RFC 9112, section 6.1)",
    "a tab behind chunked": "with it another coding for some readers, and without it not (RFC 9110, section 5.5)",
    "a tab behind a length": "the same",
    "HTTP/2.0": "not the protocol that was spoken",
    "status 600": "no class of status (RFC 9110, section 15)",
    "a trailer": "nobody asked for any, and some readers merge them (RFC 9110, section 6.5.1)",
    "a coding in the trailer": "the same",
    "101 fields": "a bound of ours",
}


async def test_a_proper_reply_is_whole_for_all() -> None:
    """All clients take it, with the same status and body."""
    for data, body in PROPER:
        found = await everybody(data)
        status = int(data.rpartition(b"HTTP/1.")[2][2:5])
        assert set(found.values()) == {Got(True, status, body)}, data


async def test_a_reply_that_stops_early_is_whole_for_none() -> None:
    """Wherever it is cut off: all clients call it broken."""
    for data, _ in PROPER:
        for end in range(1, len(data)):
            found = await everybody(data[:end])
            assert set(found.values()) == {BROKEN}, data[:end]


async def test_bytes_behind_a_reply_change_nothing_about_it() -> None:
    """Read as h11 reads it; aiohttp reads the same, or calls the whole of it broken."""
    for data, body, keep in WHOLE:
        if not keep:
            found = await everybody(data)
            assert found["ours"] == found["h11"], data
            assert found["ours"].body == body, data
            assert set(found.values()) <= {found["ours"], BROKEN}, data


async def test_what_is_refused_here_alone() -> None:
    """Each malformed reply is broken here. What every other client takes all the same is listed, with the reason."""
    alone = set()
    for name, data in REFUSED.items():
        found = await everybody(data)
        assert found.pop("ours") == BROKEN, name
        if all(got.whole for got in found.values()):
            alone.add(name)
    assert alone == set(STRICTER)


async def test_head_has_no_body_for_anybody() -> None:
    """The reply to HEAD ends at its head whatever length it names."""
    for data, _ in PROPER:
        if b"chunked" not in data.lower():
            found = await everybody(data[: data.rindex(b"\r\n\r\n") + 4], "HEAD")
            assert {(got.whole, got.body) for got in found.values()} == {(True, b"")}, data


async def test_replies_at_random() -> None:
    """Well formed or bent: what is whole here is the same for each other client, or broken for it; never another body.
    The seed is printed; `AUTHGW_SEED` repeats it."""
    seed = int(os.environ.get("AUTHGW_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"AUTHGW_SEED={seed}")
    rng = random.Random(seed)
    whole = dict.fromkeys(OTHERS, 0)
    for case in range(CASES):
        data, method = mutate(rng, reply(rng)), rng.choice(["GET"] * 9 + ["HEAD"])
        if data:
            found = await everybody(data, method)
            if (ours := found.pop("ours")).whole:
                for name, theirs in found.items():
                    assert theirs in (ours, BROKEN), f"case {case} of seed {seed}: {name}: {method} {data!r}"
                    whole[name] += theirs.whole
    assert min(whole.values()) > CASES / 5, (seed, whole)


async def test_one_after_the_other() -> None:
    """A client that keeps its connections gets for each request its own reply, as aiohttp's does: also behind replies
    that end with their connection or close it."""
    rng = random.Random(3)
    replies = [rng.choice([*PROPER, *ENDING]) for _ in range(60)]

    async def talk(line: Line) -> None:
        while asked := await line.asked():
            data = replies[int(asked.path[1:])][0]
            await line.say(data)
            if (data, b"abc") in ENDING:
                return

    expected = [body for _, body in replies]
    async with serving(talk) as server:
        client = Client(Base("127.0.0.1", server.port), LIMITS)
        assert [(await get(client, b"/%d" % at))[1] for at in range(len(replies))] == expected
        await client.close()
        ours, server.lines = server.lines, 0
        async with aiohttp.ClientSession() as session:
            found = []
            for at in range(len(replies)):
                async with session.get(f"http://127.0.0.1:{server.port}/{at}") as answer:
                    found.append(await answer.read())
        assert found == expected
        assert ours == server.lines
