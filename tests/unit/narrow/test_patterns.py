"""LIKE patterns against SQLite's own LIKE, networks against a loop over ipaddress."""

from __future__ import annotations

import ipaddress
import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from authgw.narrow.patterns import Likes, Networks, address_number, fold

ALPHABET = "ab1+%_\\"
texts = st.text(alphabet=ALPHABET, max_size=8)
patterns = st.lists(st.text(alphabet=ALPHABET, min_size=1, max_size=6), min_size=1, max_size=6)
database = sqlite3.connect(":memory:", check_same_thread=False)


def sql_like(value: str, pattern: str) -> bool:
    """The database's reading; a backslash at the pattern's end stands for itself in MySQL."""
    if pattern.endswith("\\") and (len(pattern) - len(pattern.rstrip("\\"))) % 2:
        pattern += "\\"
    escaped = _escape_only_wildcards(pattern)
    return bool(database.execute("SELECT ? LIKE ? ESCAPE '\\'", (value, escaped)).fetchone()[0])


def _escape_only_wildcards(pattern: str) -> str:
    """MySQL takes any escaped character literally, SQLite knows only escaped wildcards and the escape itself."""
    found, at = "", 0
    while at < len(pattern):
        if pattern[at] == "\\" and at + 1 < len(pattern):
            following = pattern[at + 1]
            found += "\\" + following if following in "%_\\" else following
            at += 2
        else:
            found += pattern[at]
            at += 1
    return found


@settings(max_examples=2000, deadline=None)
@given(value=texts.filter(bool), wanted=patterns)
def test_likes_agree_with_sql(value: str, wanted: list[str]) -> None:
    """A set of LIKE patterns matches exactly where SQL's LIKE matches one of them."""
    assert Likes(wanted).matches(value) == any(sql_like(value, pattern) for pattern in wanted)


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize(
    ("pattern", "expected"), [("%", True), ("%%", True), ("a%", False), ("%a%", False), ("_", False)]
)
def test_absent_values_match_only_percent(value: str | None, pattern: str, expected: bool) -> None:
    """An empty or NULL value matches only patterns made of % alone."""
    assert Likes([pattern]).matches(value) is expected


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("222", "222", True),
        ("222", "2220", False),
        ("222%", "2220", True),
        ("222%", "1222", False),
        ("Acme.Example", "acme.EXAMPLE", True),
        ("1\\%", "1%", True),
        ("1\\%", "12", False),
        ("Č%", "čtvrt", True),
        ("i_", "İx", False),
    ],
)
def test_whole_string_and_case(pattern: str, value: str, expected: bool) -> None:
    """Patterns are whole-string and case-insensitive, and a backslash takes a wildcard literally."""
    assert Likes([pattern]).matches(value) is expected


def test_fold_keeps_length() -> None:
    """Folding never changes the number of characters, which `_` counts."""
    assert all(len(fold(char)) == 1 for char in map(chr, range(1, 0x3000)))


def test_many_patterns_mixed_shapes() -> None:
    """Ten thousand patterns of every shape still match exactly their own numbers."""
    numbers = [f"+44{n:07d}" for n in range(0, 100000, 10)]
    likes = Likes([*numbers, "%999", "77%", "%55555%", "+4_0000001"])
    assert likes.matches("+440000010")
    assert not likes.matches("+440000011")
    assert likes.matches("1999")
    assert likes.matches("770")
    assert likes.matches("0555550")
    assert likes.matches("+490000001")


v4 = st.integers(0, 2**32 - 1).map(lambda n: str(ipaddress.IPv4Address(n)))
v6 = st.integers(0, 2**128 - 1).map(lambda n: str(ipaddress.IPv6Address(n)))
near = st.sampled_from(
    ["10.0.0.0", "10.0.0.255", "10.0.1.0", "10.1.0.0", "::ffff:10.0.0.7", "fd00:a::1", "fd00:aa::1", "::"]
)
masks = st.sampled_from(["10.0.0.0/24", "10.0.0.77/24", "10.0.0.0/8", "10.0.0.255", "0.0.0.0/0", "::/0", "fd00:a::/64",
                         "fd00:a::/48", "::ffff:10.0.0.0/120", "::ffff:10.0.0.7", "0.0.0.0/1"])  # fmt: skip


def in_network(address: str, network: str) -> bool:
    """The plain reading: mapped IPv6 is IPv4, families do not mix."""
    host = ipaddress.ip_address(address)
    if isinstance(host, ipaddress.IPv6Address) and host.ipv4_mapped:
        host = host.ipv4_mapped
    net = ipaddress.ip_network(network, strict=False)
    if isinstance(net, ipaddress.IPv6Network) and net.network_address.ipv4_mapped and net.prefixlen >= 96:
        net = ipaddress.ip_network(f"{net.network_address.ipv4_mapped}/{net.prefixlen - 96}")
    return host.version == net.version and host in net


@settings(max_examples=1000, deadline=None)
@given(address=st.one_of(v4, v6, near), wanted=st.lists(masks, min_size=1, max_size=5))
def test_networks_agree_with_a_loop(address: str, wanted: list[str]) -> None:
    """A set of networks holds exactly the addresses that a loop over them finds."""
    number = address_number(address)
    assert isinstance(number, int)
    assert Networks(wanted).matches(number) == any(in_network(address, network) for network in wanted)


@pytest.mark.parametrize("text", ["", "10.0.0", "10.0.0.256", "010.0.0.1", "fe80::1%eth0", "x", "1.2.3.4 "])
def test_unreadable_addresses_are_unknown(text: str) -> None:
    """What is no address is unknown, which is not the same as absent."""
    assert address_number(text) is UNSET
