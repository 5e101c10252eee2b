"""The client's address: proxies that are trusted are believed, nobody else."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from authgw.intake.limits import Limits
from authgw.intake.peer import client_address
from authgw.intake.read import read
from authgw.intake.request import Raw, Refused, Request
from authgw.reasons import Reason

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
BAD = ["a", "::::", "1.2.3.4:99999", "1.2.3.4:80", "[::1]:80", "[::1]", "", ",", "1.2.3", "0x1.2.3.4", "01.2.3.4"]
BAD += ["unknown", "_hidden", "fe80::1%eth0", "1.2.3.4 5.6.7.8", "\x00", "for=1.2.3.4", "1.2.3.4,", "１.2.3.4"]


@pytest.mark.parametrize(
    ("peer", "lines", "address"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.1"], "192.0.2.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1 ,\t10.0.0.3, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["10.0.0.2, 198.51.100.1"], "198.51.100.1"),
        ("fd00::1", ["2001:DB8::0001"], "2001:db8::1"),
        ("::ffff:10.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("::ffff:192.0.2.1", ["198.51.100.1"], "192.0.2.1"),
        ("10.0.0.1", ["rubbish, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", [", ".join(["1.1.1.1"] * 10_000 + ["198.51.100.1"])], "198.51.100.1"),
    ],
)
def test_the_right_most_untrusted_address_counts(peer: str, lines: list[str], address: str) -> None:
    """With no, one and two proxies, in both families, over several lines."""
    assert client_address(peer, lines, PROXIES) == address


@pytest.mark.parametrize("line", BAD)
def test_a_malformed_list_of_a_trusted_proxy_is_refused(line: str) -> None:
    """What cannot be read is not guessed at."""
    answer = client_address("10.0.0.1", [line], PROXIES)
    assert isinstance(answer, Refused)
    assert (answer.reason, answer.status) == (Reason.HEADER_MALFORMED, 400)


@pytest.mark.parametrize("line", [*BAD, "10.0.0.1", "127.0.0.1"])
def test_strangers_are_not_listened_to(line: str) -> None:
    """From an untrusted peer the header changes nothing, however it is made; nor does it by default."""
    assert client_address("192.0.2.1", [line], PROXIES) == "192.0.2.1"
    assert client_address("10.0.0.1", [line], ()) == "10.0.0.1"


def test_an_endless_chain_of_trusted_proxies_is_refused() -> None:
    """The way through one's own proxies is bounded."""
    assert isinstance(client_address("10.0.0.1", [",".join(["10.0.0.2"] * 100)], PROXIES), Refused)


def test_a_mapped_peer_is_its_ipv4_address_without_proxies_too() -> None:
    """::ffff:192.0.2.1 is 192.0.2.1."""
    assert client_address("::ffff:192.0.2.1", [], ()) == "192.0.2.1"


def test_read_takes_the_address_from_the_real_header_only() -> None:
    """Look-alike spellings of X-Forwarded-For move nobody's address, not even through a trusted proxy."""
    for name in (b"x_forwarded_for", b"x.forwarded.for", b"X-Forwarded_For", b"forwarded", b"x-real-ip"):
        raw = Raw("GET", b"/", b"", ((b"host", b"gw"), (name, b"198.51.100.1")), b"", "10.0.0.1")
        answer = read(raw, Limits(trusted_proxies=PROXIES))
        assert isinstance(answer, Request)
        assert answer.address == "10.0.0.1"
