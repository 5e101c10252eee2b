"""Cookies of sessions: their names, their header values, and which session a request's cookies name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from authgw.intake.request import Refused
from authgw.reasons import Reason
from authgw.session.model import Kind, Session
from authgw.session.seal import is_secret

MAX_CANDIDATES = 4
PRODUCT = "PHPSESSID"


class Names(msgspec.Struct, frozen=True, dict=True):
    """The cookie names of one gateway. `api` starts with the name that clients are told."""

    browser: str
    attempt: str
    api: tuple[str, ...]
    secure: bool

    @property
    def redirect(self) -> str:
        """The cookie of a browser that is at a provider to sign in."""
        return f"{self.browser}-redirect"

    @property
    def login(self) -> str:
        """Names a login attempt whose second factor is missing."""
        return f"{self.browser}-login"

    @cached_property
    def kinds(self) -> dict[str, frozenset[Kind]]:
        """Which kind of session each cookie opens; the browser's comes first."""
        return {self.browser: frozenset({Kind.BROWSER}), **dict.fromkeys(self.api, frozenset({Kind.API}))}


class Found(msgspec.Struct, frozen=True):
    """The one live session of a request, and the id that named it."""

    sid: str
    session: Session

    def __repr__(self) -> str:
        return f"Found(handle={self.session.handle!r})"


class Finder(Protocol):
    async def find(self, sid: str, kinds: frozenset[Kind] = ...) -> Session | None: ...


def name(public_url: str, kind: Kind, base_path: str = "") -> str:
    """The cookie's name: `__Host-authgw` over https and `authgw` over plain http (loopback) for browsers;
    for API clients the product's: `PHPSESSID`, or `PHPSESSID-dir` for a GUI that lies in `/dir`."""
    if kind is Kind.BROWSER:
        return "__Host-authgw" if _is_secure(public_url) else "authgw"
    folder = base_path.strip("/").replace("/", "-")
    return f"{PRODUCT}-{folder}" if folder else PRODUCT


def names(public_url: str, base_path: str = "") -> Names:
    """All names of a gateway. Clients that hard-code `PHPSESSID` are understood whatever the base path is."""
    browser = name(public_url, Kind.BROWSER)
    api = dict.fromkeys((name(public_url, Kind.API, base_path), PRODUCT))
    return Names(browser, f"{browser}-attempt", tuple(api), _is_secure(public_url))


def set_cookie(names: Names, sid: str, seconds: int | None = None) -> str:
    """The Set-Cookie value that gives a browser its session id, for so many seconds; None: until it is closed. API
    cookies are never set: clients send them."""
    return _header(names.browser, sid, names.secure, seconds)


def clear_cookie(names: Names) -> str:
    """The Set-Cookie value that takes a browser's session cookie away."""
    return _header(names.browser, "", names.secure, 0)


def set_attempt(names: Names, token: str, seconds: int) -> str:
    """The Set-Cookie value that binds a login attempt to this browser for so many seconds."""
    return _header(names.attempt, token, names.secure, seconds)


def clear_attempt(names: Names) -> str:
    return _header(names.attempt, "", names.secure, 0)


def set_redirect(names: Names, mark: str, seconds: int) -> str:
    """The Set-Cookie value that binds a login at a provider to this browser for so many seconds."""
    return _header(names.redirect, mark, names.secure, seconds)


def set_login(names: Names, token: str, seconds: int) -> str:
    """The Set-Cookie value that names a login attempt whose second factor is missing. It is never a session."""
    return _header(names.login, token, names.secure, seconds)


def clear_login(names: Names) -> str:
    return _header(names.login, "", names.secure, 0)


def candidates(cookies: Mapping[str, tuple[str, ...]], names: Names) -> dict[str, frozenset[Kind]] | Refused:
    """The distinct session ids among the cookies, and the kinds of session that each may open. What cannot be an id
    counts as absent; too many are refused (400)."""
    found: dict[str, frozenset[Kind]] = {}
    for cookie, kinds in names.kinds.items():
        for value in cookies.get(cookie, ()):
            if is_secret(value):
                found[value] = kinds | found[value] if value in found else kinds
            if len(found) > MAX_CANDIDATES:
                return Refused(Reason.TWO_SESSIONS, 400, f"more than {MAX_CANDIDATES} session cookies")
    return found


async def identify(sessions: Finder, cookies: Mapping[str, tuple[str, ...]], names: Names) -> Found | Refused | None:
    """The session of a request. None: none of its cookies names a live one. Refused: they name different ones.

    A browser's cookie opens sessions of browsers only, the product's cookie only those made through its own login.
    StoreError passes through.
    """
    asked = candidates(cookies, names)
    if isinstance(asked, Refused):
        return asked
    found: Found | None = None
    for sid, kinds in asked.items():
        session = await sessions.find(sid, kinds)
        if session is None:
            continue
        if found is not None:
            return Refused(Reason.TWO_SESSIONS, 400, "cookies name two live sessions")
        found = Found(sid, session)
    return found


def _is_secure(public_url: str) -> bool:
    return urlsplit(public_url).scheme == "https"


def _header(cookie: str, value: str, secure: bool, seconds: int | None = None) -> str:
    parts = [f"{cookie}={value}", "Path=/", "HttpOnly", "SameSite=Lax"]
    if secure:
        parts.append("Secure")
    if seconds is not None:
        parts.append(f"Max-Age={seconds}")
    return "; ".join(parts)
