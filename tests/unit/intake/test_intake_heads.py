"""Headers that were judged before: the same answer, for the same peer and headers alone, and never much memory."""

from __future__ import annotations

import tracemalloc
from ipaddress import ip_network

import pytest

from authgw.intake.head import KNOWN, Head, Heads, judge
from authgw.intake.limits import Limits
from authgw.intake.request import Raw, Refused

LIMITS = Limits(trusted_proxies=(ip_network("10.0.0.0/8"),))
Fields = tuple[tuple[bytes, bytes], ...]
PLAIN: Fields = ((b"host", b"gw"), (b"cookie", b"authgw=a; b=c"), (b"content-type", b"text/plain; charset=utf-8"))


def raw(headers: Fields, peer: str = "192.0.2.1") -> Raw:
    return Raw("GET", b"/", b"", headers, b"", peer)


@pytest.mark.parametrize("peer", ["192.0.2.1", "10.0.0.1", "::ffff:10.0.0.1"])
@pytest.mark.parametrize(
    "other",
    [
        (*PLAIN, (b"x-forwarded-for", b"198.51.100.7")),
        (PLAIN[0], (b"cookie", b"authgw=b; b=c"), PLAIN[2]),
        (*PLAIN, (b"content-encoding", b"gzip")),
        (*PLAIN, (b"authorization", b"Bearer x")),
        PLAIN[:2],
        (*PLAIN, PLAIN[0]),
        ((b"host", b"gw, gw"),),
    ],
)
def test_what_is_remembered_is_what_would_be_judged(other: Fields, peer: str) -> None:
    """Whoever asked before with headers that are nearly the same: the answer is that of these headers and this peer."""
    heads = Heads(LIMITS)
    for asked in (raw(PLAIN), raw(PLAIN, peer), raw(other), raw(other, peer), raw(PLAIN), raw(other, peer)):
        assert heads.of(asked) == judge(asked, LIMITS)


def test_a_refusal_is_made_anew() -> None:
    """Headers that are refused take nobody's place."""
    heads = Heads(LIMITS)
    first = heads.of(raw(PLAIN))
    for number in range(KNOWN + 1):
        assert isinstance(heads.of(raw(((b"host", b"%d," % number),))), Refused)
    assert heads.of(raw(PLAIN)) is first


@pytest.mark.parametrize(("fields", "jar"), [(128, 200), (38, 1), (3, 37), (20, 20), (3, 3)])
def test_memory_is_bounded_whatever_is_sent(fields: int, jar: int) -> None:
    """Headers made for it, each block another one: less than 8 MiB are held."""
    heads = Heads(LIMITS)
    tracemalloc.start()
    try:
        for number in range(KNOWN):
            cookie = b"; ".join(b"n%d=%d" % (at, number + at) for at in range(jar))
            many = tuple((b"x-%d" % at, b"%d" % (number + at)) for at in range(fields - 3))
            padding = (b"accept", b"a" * (4000 - len(cookie) - 12 * len(many)))
            assert isinstance(heads.of(raw(((b"host", b"gw"), (b"cookie", cookie), padding, *many))), Head)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 8 << 20
