"""What the parts keep in the database: the same on every database, and kept while other connections write too."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from authgw.rights.claims import Claims, Grant
from authgw.session.epochs import Epochs
from authgw.session.links import Link, Links
from kit.sessions import Clock

pytestmark = pytest.mark.anyio
CLAIMS = Claims("static", "alice", 1, (Grant(),), tenant="acme")


async def test_epochs_rise_for_everybody(url: str) -> None:
    """A counter raised by one process has risen for another one as soon as that asks; first raises together count."""
    clock = Clock()
    one, other = Epochs(url, clock), Epochs(url, clock)
    assert await one.current("static", "id:1") == 0
    raised = await asyncio.gather(*((one if n % 2 else other).bump("static", "id:1") for n in range(20)))
    assert sorted(raised) == list(range(1, 21))
    clock.now += 1
    assert await one.current("static", "id:1") == await other.current("static", "id:1") == 20
    await one.close()
    await other.close()


async def test_many_counters_are_raised_at_once(url: str) -> None:
    """Different counters, new and known, raised by several processes together do not hold each other up."""
    several = [Epochs(url, Clock()) for _ in range(4)]
    raises = (several[n % 4].bump("static", f"id:{n % 7}") for n in range(84))
    raised = await asyncio.gather(*raises)
    assert sorted(raised) == sorted(list(range(1, 13)) * 7)
    for one in several:
        await one.close()


async def test_epochs_of_odd_names_are_kept_apart(url: str) -> None:
    """Names of any length and alphabet have counters of their own, upper and lower case too."""
    epochs = Epochs(url, Clock())
    names = ["user:" + "x" * 500, "user:" + "x" * 501, "user:Ünï", "user:ünï", "user:'; DROP TABLE x --", "user:a\x00b"]
    names += ["user:a", "user:A", "user:a ", "user:🙂" * 30, "user:%", "user:%s"]
    for name in names:
        assert await epochs.bump("static", name) == 1
    assert await epochs.total([("static", name) for name in names], fresh=True) == len(names)
    await epochs.close()


async def test_links_open_what_was_shared_last(url: str) -> None:
    """A link kept by one process opens in another, and kept again it shows what was shared last."""
    seconds = count(1)
    one, other = (Links(url, [b"k" * 32], lambda: float(next(seconds))) for _ in range(2))
    await asyncio.gather(
        *(one.keep("/cdr.php", {"share": "T1"}, range(n), CLAIMS, public=True, rtp=False) for n in (1, 2000))
    )
    opened = await other.find("/cdr.php", {"share": "T1", "pcap": "7"})
    assert opened is not None
    assert (opened.link, opened.more) == (
        Link(tuple(range(2000)), True, False, "alice", "static", "acme"),
        {"pcap": "7"},
    )
    assert await other.find("/cdr.php", {"share": "t1"}) is None
    await one.close()
    await other.close()
