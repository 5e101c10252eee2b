"""User names and passwords as they come in: one canonical form, decided once, for every way of logging in."""

from __future__ import annotations

import unicodedata

import msgspec

from authgw.reasons import Reason

MAX_USER = 256
MAX_PASSWORD_BYTES = 1024
# NFKC writes a few characters out to 18; nothing longer than this can be a name.
_MAX_RAW = 1024
# Controls, format characters (bidi marks, zero width), surrogates, private use, unassigned, line and paragraph ends.
_REFUSED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class Named(msgspec.Struct, frozen=True):
    """A canonical user name and a password that may be shown to plugins."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Named(user={self.user!r})"


def canonical(raw: str) -> str | None:
    """The canonical user name: NFKC, trimmed, 1 to MAX_USER characters, all of them visible. None: it has none."""
    if len(raw) > _MAX_RAW:
        return None
    name = unicodedata.normalize("NFKC", raw).strip(" ")
    if not 0 < len(name) <= MAX_USER:
        return None
    return None if any(unicodedata.category(character) in _REFUSED for character in name) else name


def same(name: str) -> str:
    """The form under which failures of a name are counted: no spelling of a name gets tries of its own."""
    return unicodedata.normalize("NFKC", name.casefold())


def apart(login: str, id: int) -> str:
    """Under what failures of somebody count whom a provider or a proxy identifies: no name that a password can be tried
    for holds a NUL, so that guessing at "anna" keeps no Anna out who signs in elsewhere, nor the other way round."""
    return f"\0{login}\0{id}"


def judge(user: object, password: object) -> Named | Reason:
    """What came in, before any plugin is asked: empty, malformed, or fit to be asked about.

    A password is never changed: not trimmed, not normalised, not cut. One that no plugin could hold is wrong.
    """
    if user in (None, "") or (isinstance(user, str) and not user.strip()):
        return Reason.EMPTY_CREDENTIALS
    if password in (None, ""):
        return Reason.EMPTY_CREDENTIALS
    if not isinstance(user, str) or not isinstance(password, str):
        return Reason.USER_MALFORMED
    name = canonical(user)
    if name is None:
        return Reason.USER_MALFORMED
    try:
        size = len(password.encode())
    except UnicodeEncodeError:
        return Reason.USER_MALFORMED
    return Reason.BAD_CREDENTIALS if size > MAX_PASSWORD_BYTES else Named(name, password)


def shown(user: object) -> str:
    """A name as sent, fit for a log line: escaped, at most MAX_USER characters."""
    if not isinstance(user, str):
        return "" if user is None else f"({type(user).__name__})"
    escaped = user[:MAX_USER].encode("unicode_escape", "backslashreplace").decode("ascii")
    return escaped if len(escaped) <= MAX_USER else escaped[: MAX_USER - 1] + "…"
