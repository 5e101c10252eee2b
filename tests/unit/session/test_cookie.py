"""Cookies: names, header values, and which session a request's cookies name."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from authgw.errors import StoreError
from authgw.intake.request import Refused
from authgw.reasons import Reason
from authgw.session import cookie
from authgw.session.cookie import Found
from authgw.session.model import Kind, Session
from authgw.session.seal import spell
from kit.sessions import claims

A, B, C, D, E, F = (spell(bytes([fill]) * 32) for fill in range(6))
PLAIN = cookie.names("http://127.0.0.1:8080")
TLS = cookie.names("https://gw.example.com/demo", "/demo")


def session(handle: str, kind: Kind) -> Session:
    return Session(handle, kind, claims(), 0.0, 0.0, "", "", ())


class Live:
    """Sessions that are alive, by id; remembers which ids were asked for."""

    def __init__(self, **alive: Session) -> None:
        self.alive = alive
        self.asked: list[str] = []

    async def find(self, sid: str, kinds: frozenset[Kind] = frozenset(Kind)) -> Session | None:
        self.asked.append(sid)
        found = self.alive.get(sid)
        return found if found is not None and found.kind in kinds else None


MINE, OTHER = session("mine", Kind.BROWSER), session("other", Kind.BROWSER)
SCRIPT, SCRIPT2 = session("script", Kind.API), session("script2", Kind.API)


@pytest.mark.parametrize(
    ("url", "kind", "base", "expected"),
    [
        ("https://gw.example.com", Kind.BROWSER, "", "__Host-authgw"),
        ("https://gw.example.com/demo", Kind.BROWSER, "/demo", "__Host-authgw"),
        ("http://127.0.0.1:8080", Kind.BROWSER, "", "authgw"),
        ("http://127.0.0.1:8080", Kind.API, "", "PHPSESSID"),
        ("http://127.0.0.1:8080", Kind.API, "/", "PHPSESSID"),
        ("https://gw.example.com", Kind.API, "/demo", "PHPSESSID-demo"),
        ("https://gw.example.com", Kind.API, "/demo/", "PHPSESSID-demo"),
    ],
)
def test_names(url: str, kind: Kind, base: str, expected: str) -> None:
    """Browsers get the gateway's own name, bound to the host over TLS; scripts the product's."""
    assert cookie.name(url, kind, base) == expected


def test_set_cookie_over_tls() -> None:
    """Over TLS the cookie is host-bound, unreadable for scripts, and sent over TLS only (RFC 6265bis, 4.1.3.2)."""
    first, *rest = cookie.set_cookie(TLS, A).split("; ")
    assert first == f"__Host-authgw={A}"
    assert sorted(rest) == ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]


def test_set_cookie_on_loopback() -> None:
    """On plain http no Secure is claimed; everything else holds."""
    first, *rest = cookie.set_cookie(PLAIN, A).split("; ")
    assert first == f"authgw={A}"
    assert sorted(rest) == ["HttpOnly", "Path=/", "SameSite=Lax"]


def test_clearing_and_the_login_attempt_s_cookie() -> None:
    """A cookie is cleared under the very attributes it was set with; the login attempt has a cookie of its own."""
    assert cookie.clear_cookie(TLS).split("; ")[0] == "__Host-authgw="
    assert set(cookie.clear_cookie(TLS).split("; ")[1:]) == {
        "HttpOnly",
        "Path=/",
        "SameSite=Lax",
        "Secure",
        "Max-Age=0",
    }
    assert cookie.set_attempt(TLS, B, 600).startswith(f"__Host-authgw-attempt={B}; ")
    assert "Max-Age=600" in cookie.set_attempt(TLS, B, 600).split("; ")
    assert cookie.clear_attempt(PLAIN).startswith("authgw-attempt=; ")


CASES: list[tuple[str, Mapping[str, tuple[str, ...]], str | Reason | None]] = [
    ("none", {}, None),
    ("browser", {"authgw": (A,)}, "mine"),
    ("product's", {"PHPSESSID": (C,)}, "script"),
    ("the same value twice", {"authgw": (A, A)}, "mine"),
    ("dead beside live", {"authgw": (F, A)}, "mine"),
    ("dead product's beside live", {"authgw": (A,), "PHPSESSID": (F,)}, "mine"),
    ("the GUI's own old cookie beside live", {"authgw": (A,), "PHPSESSID": ("ahs2ubdhc0ukb262be60v900ko",)}, "mine"),
    ("only dead", {"authgw": (F,)}, None),
    ("browser's id as product's cookie", {"PHPSESSID": (A,)}, None),
    ("product's id as browser's cookie", {"authgw": (C,)}, None),
    ("one id under both names", {"authgw": (C,), "PHPSESSID": (C,)}, "script"),
    ("two live browsers", {"authgw": (A, B)}, Reason.TWO_SESSIONS),
    ("live browser and live script", {"authgw": (A,), "PHPSESSID": (C,)}, Reason.TWO_SESSIONS),
    ("two live scripts", {"PHPSESSID": (C, D)}, Reason.TWO_SESSIONS),
    ("names of other places", {"__Host-authgw": (A,), "PHPSESSID-demo": (C,), "phpsessid": (C,), "sid": (A,)}, None),
    ("the login attempt's cookie", {"authgw-attempt": (A,)}, None),
    ("junk", {"authgw": ("", "x", '"' + A + '"', A + ";", " " + A, "é" * 43)}, None),
    ("four", {"authgw": (E, F, A, D)}, "mine"),
    ("five", {"authgw": (A, B, C, D, E)}, Reason.TWO_SESSIONS),
    ("five over both names", {"authgw": (A, B), "PHPSESSID": (C, D, E)}, Reason.TWO_SESSIONS),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("cookies", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
async def test_identify(cookies: Mapping[str, tuple[str, ...]], expected: str | Reason | None) -> None:
    """Dead and malformed cookies count as absent, two live sessions are refused, each cookie opens its kind only."""
    live = Live(**{A: MINE, B: OTHER, C: SCRIPT, D: SCRIPT2})
    found = await cookie.identify(live, cookies, PLAIN)
    if isinstance(expected, Reason):
        assert isinstance(found, Refused)
        assert (found.reason, found.status) == (expected, 400)
    elif expected is None:
        assert found is None
    else:
        assert isinstance(found, Found)
        assert found.session.handle == expected
        assert live.alive[found.sid] is found.session
    assert len(live.asked) <= cookie.MAX_CANDIDATES


@pytest.mark.anyio
async def test_both_product_names_are_understood_in_a_subdirectory() -> None:
    """In /demo clients send PHPSESSID-demo as told, or PHPSESSID as some have hard-coded; they are told the former."""
    for name in ("PHPSESSID-demo", "PHPSESSID"):
        found = await cookie.identify(Live(**{C: SCRIPT}), {name: (C,)}, TLS)
        assert isinstance(found, Found)
    assert TLS.api[0] == "PHPSESSID-demo"
    assert cookie.names("http://127.0.0.1", "/a").api == ("PHPSESSID-a", "PHPSESSID")
    assert PLAIN.api == ("PHPSESSID",)


@pytest.mark.anyio
async def test_a_thousand_cookies_ask_for_nothing() -> None:
    """A flood of cookies is refused before the store is asked once (CVE-2024-24814)."""
    live = Live()
    flood = tuple(spell(number.to_bytes(32, "big")) for number in range(1000))
    assert isinstance(await cookie.identify(live, {"authgw": flood}, PLAIN), Refused)
    assert live.asked == []


@pytest.mark.anyio
async def test_a_store_that_fails_is_not_an_absent_session() -> None:
    """If the store cannot be asked nobody is taken for logged out."""

    class Gone:
        async def find(self, sid: str, kinds: frozenset[Kind] = frozenset(Kind)) -> Session | None:
            raise StoreError("gone")

    with pytest.raises(StoreError):
        await cookie.identify(Gone(), {"authgw": (A,)}, PLAIN)


def test_what_is_found_does_not_show_its_id() -> None:
    """The id does not slip into a log through the repr."""
    assert A not in repr(Found(A, MINE))
    assert "mine" in repr(Found(A, MINE))
