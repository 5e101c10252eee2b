"""How the lists of a permission dictionary may be spelt, and what refuses it."""

from __future__ import annotations

from typing import Any

import pytest

from authgw.rights.claims import HeaderLine, Scope
from authgw.rights.parse import Gates, Invalid, Parsed, parse


def good(**keys: Any) -> Parsed:
    parsed = parse({"id": 7, **keys}, "plugin")
    assert isinstance(parsed, Parsed), parsed
    return parsed


def wrong(dictionary: dict[str, Any]) -> dict[str, str]:
    """The problems by key."""
    parsed = parse(dictionary, "plugin")
    assert isinstance(parsed, Invalid), parsed
    assert {problem.source for problem in parsed.problems} == {"plugin"}
    assert len({problem.where for problem in parsed.problems}) == len(parsed.problems)
    return {problem.where: problem.message for problem in parsed.problems}


def warned(parsed: Parsed) -> dict[str, str]:
    return {problem.where: problem.message for problem in parsed.warnings}


def test_every_wrong_entry_is_named() -> None:
    """All wrong entries of a list are in its message, with their places."""
    message = wrong({"id": 7, "ip": ["10.0.0.1", "10.0.0.300", "10.0.0.0/33"]})["ip"]
    assert "entry 2" in message
    assert "entry 3" in message
    assert "entry 1" not in message


@pytest.mark.parametrize(
    "value",
    [[2, 3], ["2", "3"], (2, 3), {"0": 2, "1": 3}, {"1": "2", "4": "3"}, "2,3", "2\n3", " 2 ;\r\n3\n", [2, 3, 2]],
)
def test_spellings_of_a_list(value: Any) -> None:
    """Arrays, PHP arrays that became objects, and text with lines, commas or semicolons are the same list."""
    assert good(enable_sensors=value).grant.scope == Scope(sensors=(2, 3))
    assert good(vlan=value).grant.scope == Scope(vlan=(2, 3))


@pytest.mark.parametrize(
    "value", [2, True, False, {"a": 2}, {"sensor": 3}, [None], [""], [2.0], [True], [-1], ["02"], "x"]
)
def test_what_is_no_list_of_numbers(value: Any) -> None:
    """Another shape, a named array or an entry that is no number refuses the dictionary."""
    assert set(wrong({"id": 7, "enable_sensors": value, "vlan": value})) == {"enable_sensors", "vlan"}


def test_all_sensors() -> None:
    """Absent and null are all sensors."""
    assert good().grant.scope.sensors is None
    assert good(enable_sensors=None).grant.scope.sensors is None


@pytest.mark.parametrize("empty", [[], {}, "", " \n"])
def test_no_sensors(empty: Any) -> None:
    """An empty list of sensors is none of them, with a warning."""
    parsed = good(enable_sensors=empty)
    assert parsed.grant.scope.sensors == ()
    assert "no call is visible" in warned(parsed)["enable_sensors"]


@pytest.mark.parametrize("empty", [[], (), {}, "", "\n", " , ;", None])
def test_empty_lists_are_not_configured(empty: Any) -> None:
    """Empty ip, number, domain, vlan, header and address lists restrict nothing."""
    keys = ("ip", "number", "domain", "vlan", "enable_login_ip")
    parsed = good(**dict.fromkeys(keys, empty))
    assert parsed.grant.scope == Scope()
    assert parsed.gates == Gates()


def test_an_unknown_sensor_number_passes() -> None:
    """Which sensors exist is not this dictionary's to know."""
    assert good(enable_sensors=[999_999]).grant.scope.sensors == (999_999,)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("10.0.0.1", "10.0.0.1"),
        (" 10.0.0.1/32 ", "10.0.0.1"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("!10.0.0.0/8", "!10.0.0.0/8"),
        ("! 10.0.0.0/8", "!10.0.0.0/8"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("::/0", "::/0"),
    ],
)
def test_networks(written: str, read: str) -> None:
    """Both families, with and without mask and negation; IPv4-mapped IPv6 is IPv4."""
    parsed = good(ip=[written])
    assert parsed.grant.scope == Scope(ip=(read,))
    assert parsed.warnings == ()


@pytest.mark.parametrize(
    "entry",
    [
        *("10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/255.0.0.0", "10.0.0.0/-1", "/8"),
        *(
            "::1/129",
            "fe80::1%eth0",
            "::ffff:10.0.0.0/8",
            "host.example",
            "!",
            "!!10.0.0.1",
            "10.0.0.1-9",
            167837953,
            None,
        ),
    ],
)
def test_garbage_is_no_network(entry: Any) -> None:
    """What is no address and no network refuses the login; it is never left out."""
    assert "entry 2" in wrong({"id": 7, "ip": ["10.0.0.1", entry]})["ip"]


@pytest.mark.parametrize(
    ("entry", "read", "says"),
    [
        ("10.1.2.3/8", "10.0.0.0/8", "10.0.0.0/8"),
        ("2001:db8::1/32", "2001:db8::/32", "2001:db8::/32"),
        ("10.0.0.0", "10.0.0.0", "10.0.0.0/8"),
        ("10.1.2.0", "10.1.2.0", "10.1.2.0/24"),
        ("!10.1.0.0", "!10.1.0.0", "10.1.0.0/16"),
        ("2001:db8::", "2001:db8::", "2001:db8::/32"),
    ],
)
def test_odd_networks_are_warned_of(entry: str, read: str, says: str) -> None:
    """Bits below the mask, and a host that looks like a network, are read the narrow way and pointed out."""
    parsed = good(ip=[entry])
    assert parsed.grant.scope.ip == (read,)
    assert says in warned(parsed)["ip"]


def test_login_addresses() -> None:
    """enable_login_ip takes addresses and networks, but nothing negated."""
    assert good(enable_login_ip="10.0.0.1, 192.168.0.0/16").gates.enable_login_ip == ("10.0.0.1", "192.168.0.0/16")
    assert set(wrong({"id": 7, "enable_login_ip": ["!10.0.0.1"]})) == {"enable_login_ip"}


def test_patterns() -> None:
    """Numbers and domains are kept as written, negation normalised to one leading mark."""
    parsed = good(number="+4420%\n! +442079460__\n222", domain=["%.acme.example", "!x\\_y"])
    assert parsed.grant.scope.number == ("+4420%", "!+442079460__", "222")
    assert parsed.grant.scope.domain == ("%.acme.example", "!x\\_y")


@pytest.mark.parametrize("entry", ["!", "! ", "!!1", "", " ", 222, None, "a\x00b", "a\tb", "\ud800", "x" * 2000])
def test_garbage_is_no_pattern(entry: Any) -> None:
    """An empty, doubly negated, unprintable or non-text entry refuses the login."""
    assert set(wrong({"id": 7, "number": [entry], "domain": ["ok", entry]})) == {"number", "domain"}


def test_a_list_is_bounded() -> None:
    """More entries than anybody needs are refused before they are read."""
    assert "more than 100000 entries" in wrong({"id": 7, "number": ["1"] * 100_001})["number"]


TENANT = HeaderLine(0, "X-Tenant", "acme%")


@pytest.mark.parametrize(
    "value",
    [
        [[0, "X-Tenant:acme%"]],
        [["0", "X-Tenant: acme%"]],
        {"0": {"0": 0, "1": "X-Tenant:acme%"}},
        ['[0,"X-Tenant:acme%"]'],
        '[0,"X-Tenant:acme%"]',
        "X-Tenant: acme%",
        "\n X-Tenant : acme% \n",
        ["X-Tenant:acme%"],
    ],
)
def test_spellings_of_a_header_line(value: Any) -> None:
    """Pairs, JSON text and plain header lines mean the same; no level is level 0."""
    assert good(custom_headers_cdr=value).grant.scope == Scope(headers_cdr=(TENANT,))
    assert good(custom_headers_message=value).grant.scope == Scope(headers_message=(TENANT,))


def test_header_lines_keep_their_order() -> None:
    """Order carries meaning, so equal lines stay and nothing is sorted; commas and semicolons part nothing."""
    text = '[0,"A:1"]\n[1,"B:2,3;4"]\r\nA:1'
    expected = (HeaderLine(0, "A", "1"), HeaderLine(1, "B", "2,3;4"), HeaderLine(0, "A", "1"))
    assert good(custom_headers_cdr=text).grant.scope.headers_cdr == expected


@pytest.mark.parametrize(
    "line",
    [
        *("X-Tenant", ": x", "X-Tenant:", "X Tenant: x", "[0]", '[0,"A:1"', '[-1,"A:1"]', '[true,"A:1"]', '["A:1",0]'),
        *(
            '[[0,"A:1"]]',
            "[" * 1000,
            "[" * 5000,
            5,
            None,
            [0, "A:1", 2],
            [0, 5],
            {"level": 0, "line": "A:1"},
            "A: \x01",
        ),
    ],
)
def test_garbage_is_no_header_line(line: Any) -> None:
    """A header line that cannot be understood refuses the login."""
    assert "entry 2" in wrong({"id": 7, "custom_headers_cdr": ["A:1", line]})["custom_headers_cdr"]


def test_header_lines_begin_on_their_lowest_level() -> None:
    """A deeper line needs one before it that it narrows."""
    assert "lowest level" in wrong({"id": 7, "custom_headers_cdr": [[1, "A:1"], [0, "B:2"]]})["custom_headers_cdr"]
    assert good(custom_headers_cdr=[[1, "A:1"], [1, "B:2"]]).grant.scope.headers_cdr[0].level == 1
