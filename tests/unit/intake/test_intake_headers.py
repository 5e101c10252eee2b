"""Headers: real spellings are known, look-alikes are strangers, contradictions are refused."""

from __future__ import annotations

import pytest

from authgw.intake.headers import Heads, judge
from authgw.intake.limits import Limits
from authgw.intake.request import Refused
from authgw.reasons import Reason

HOST = (b"host", b"gw")
KEPT = ["accept", "accept-language", "user-agent", "range", "if-range", "if-none-match", "origin", "authorization"]
KEPT += ["sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "x-requested-with", "upgrade"]


def heads(*headers: tuple[bytes, bytes]) -> Heads | Refused:
    return judge((HOST, *headers), Limits())


@pytest.mark.parametrize("name", KEPT)
def test_known_headers_are_kept_in_any_case(name: str) -> None:
    """A known header is found under its normalised name however its case is."""
    answer = heads((name.title().encode(), b" value "))
    assert isinstance(answer, Heads)
    assert answer.kept == {"host": "gw", name.replace("-", "_"): "value"}


@pytest.mark.parametrize("name", [*KEPT, "cookie", "x-forwarded-for", "content-type", "content-encoding"])
@pytest.mark.parametrize("joint", ["_", ".", " ", "--", "\u2010"])
def test_look_alikes_are_strangers(name: str, joint: str) -> None:
    """A spelling that some server would fold onto a known name is as unknown as any other header."""
    spelt = name.replace("-", joint) if "-" in name else name + joint
    answer = heads((spelt.encode(), b"value"))
    assert answer == Heads({"host": "gw"}, "", (), "")


@pytest.mark.parametrize(
    "name", [b"x-auth-user", b"x-real-ip", b"forwarded", b"x-original-url", b"x-http-method-override"]
)
def test_other_headers_are_as_if_not_sent(name: bytes) -> None:
    """What is not on the list does not exist."""
    assert heads((name, b"admin")) == heads()


@pytest.mark.parametrize("name", [b"user-agent", b"x-anything", b"cookie", b"x_forwarded_for"])
@pytest.mark.parametrize("value", [b"a\x00", b"a\r\nb", b"a\tb", b"\x7f", b"a\nb"])
def test_control_characters_are_refused_everywhere(name: bytes, value: bytes) -> None:
    """Also in headers that are not judged otherwise."""
    answer = heads((name, value))
    assert isinstance(answer, Refused)
    assert (answer.reason, answer.status) == (Reason.HEADER_MALFORMED, 400)


@pytest.mark.parametrize(
    "name", [b"authorization", b"range", b"origin", b"sec-fetch-site", b"content-type", b"user-agent"]
)
def test_a_header_given_twice_is_refused(name: bytes) -> None:
    """Even equal ones: the sender is not one client."""
    assert isinstance(heads((name, b"a"), (name.upper(), b"a")), Refused)


def test_cookies_given_twice_are_refused() -> None:
    """Two Cookie lines are refused as cookies."""
    answer = heads((b"cookie", b"a=1"), (b"cookie", b"a=1"))
    assert isinstance(answer, Refused)
    assert answer.reason is Reason.COOKIE_MALFORMED


def test_equal_lists_are_one() -> None:
    """Accept twice with the same value is one; with different values it is refused."""
    assert heads((b"accept", b"*/*"), (b"accept", b"*/*")) == heads((b"accept", b"*/*"))
    assert isinstance(heads((b"accept", b"*/*"), (b"accept", b"text/html")), Refused)


def test_bytes_beyond_ascii_are_for_agents_only() -> None:
    """A user agent may hold any letters; a known header that decides something may not."""
    agent = heads((b"user-agent", "Zoë".encode()))
    assert isinstance(agent, Heads)
    assert agent.kept["user_agent"].encode("latin-1") == "Zoë".encode()
    assert isinstance(heads((b"origin", "https://ex\u00e4mple".encode())), Refused)


def test_forwarded_lines_keep_their_order() -> None:
    """X-Forwarded-For may come in several lines, which are one list."""
    answer = heads((b"x-forwarded-for", b"1.1.1.1, 2.2.2.2"), (b"X-Forwarded-For", b"3.3.3.3"))
    assert isinstance(answer, Heads)
    assert answer.forwarded_for == ("1.1.1.1, 2.2.2.2", "3.3.3.3")


@pytest.mark.parametrize(
    "host", [b"gw", b"GW.Example.COM", b"gw.example.com.", b"gw:80", b"10.0.0.1:65535", b"[::1]:8080", b"[fe80::1]"]
)
def test_well_formed_hosts_pass(host: bytes) -> None:
    """A name or address, with a port or without."""
    assert isinstance(judge(((b"host", host),), Limits()), Heads)


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b"x/login?y=",
        b"gw/static/#",
        b"gw@evil",
        b"gw:80:80",
        b"gw:",
        b"gw:99999",
        b"a b",
        b"gw,evil",
        b"[::1",
        b"::1",
        "gẃ".encode(),
        b"gw%00",
        b"-x",
        b".",
        b"gw\\evil",
        b"a" * 300,
    ],
)
def test_malformed_hosts_are_refused(host: bytes) -> None:
    """Anything that could move the path of a URL built from it."""
    answer = judge(((b"host", host),), Limits())
    assert isinstance(answer, Refused)
    assert answer.status == 400


def test_exactly_one_host() -> None:
    """None and two are refused by name, even if the two are equal."""
    for headers in ((), (HOST, HOST), (HOST, (b"Host", b"evil"))):
        answer = judge(headers, Limits())
        assert isinstance(answer, Refused)
        assert (answer.reason, answer.status) == (Reason.HOST_MALFORMED, 400)
    assert isinstance(judge((HOST, (b"h_o_s_t", b"evil")), Limits()), Heads)


def test_the_number_of_headers_is_bounded() -> None:
    """One beyond the bound is refused."""
    assert isinstance(judge((HOST,) + ((b"x", b"y"),) * 127, Limits()), Heads)
    assert isinstance(judge((HOST,) + ((b"x", b"y"),) * 128, Limits()), Refused)
