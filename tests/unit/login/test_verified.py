"""The verified-credential cache."""

from __future__ import annotations

import itertools

import pytest

from authgw.contract import Identity
from authgw.login.verified import Cache, Verified
from kit.sessions import Clock, claims

ENTRY = Verified(claims(), ("pwd",), Identity("alice", 101), (), None, 0)


def made(clock: Clock, **more: int) -> Cache:
    return Cache(clock, entropy=lambda n: b"k" * n, **more)


def test_found_by_all_three_only() -> None:
    """An entry is found by the very version, user and password; wherever their parts are cut, nothing else finds it."""
    cache = made(Clock())
    cache.keep("v", "alice", "secret", ENTRY)
    assert cache.find("v", "alice", "secret") is not None
    others = [("v", "alice", "Secret"), ("v", "alic", "esecret"), ("va", "lice", "secret"), ("w", "alice", "secret")]
    assert all(cache.find(*other) is None for other in others)


@pytest.mark.parametrize(("later", "known"), [(0.0, True), (59.9, True), (60.0, False), (-1.0, False)])
def test_a_minute_at_most(later: float, known: bool) -> None:
    """After a minute the password is asked again; using an entry does not make it younger."""
    clock = Clock()
    cache = made(clock)
    cache.keep("v", "alice", "secret", ENTRY)
    clock.now += later / 2
    cache.find("v", "alice", "secret")
    clock.now += later / 2
    assert (cache.find("v", "alice", "secret") is not None) is known


def test_nobody_may_ask_for_longer() -> None:
    """A setting beyond the minute is a minute."""
    clock = Clock()
    cache = made(clock, seconds=3600)
    cache.keep("v", "alice", "secret", ENTRY)
    clock.now += 61
    assert cache.find("v", "alice", "secret") is None


def test_bounded() -> None:
    """However many passwords are right, only so many are remembered; the used ones stay."""
    cache = made(Clock(), size=100)
    for n in range(1000):
        cache.keep("v", f"user{n}", "secret", ENTRY)
        cache.find("v", "user0", "secret")
    assert len(cache) == 100
    assert cache.find("v", "user0", "secret") is not None
    assert cache.find("v", "user500", "secret") is None


def test_dropped() -> None:
    """What no longer holds is gone at once."""
    cache = made(Clock())
    cache.keep("v", "alice", "secret", ENTRY)
    cache.drop("v", "alice", "secret")
    assert cache.find("v", "alice", "secret") is None


def test_no_password_is_kept() -> None:
    """Nothing in the cache shows a password, and two processes file the same one under different names."""
    one, other = Cache(Clock()), Cache(Clock())
    for cache in (one, other):
        cache.keep("v", "alice", "correct horse", ENTRY)
    names = [*itertools.chain(one._entries, other._entries)]
    assert len(set(names)) == 2
    assert "correct horse" not in repr(one._entries)
