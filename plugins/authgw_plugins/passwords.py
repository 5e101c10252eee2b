"""Password hashes: argon2 is made, older ones are still understood and replaced when their owner logs in."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import msgspec
from passlib.context import CryptContext
from passlib.hash import argon2

CURRENT = "argon2"
OLDER = ("bcrypt", "sha512_crypt", "sha256_crypt", "apr_md5_crypt", "phpass", "hex_md5")
# What the gateway takes as a password at all.
MAX_BYTES = 1024
# bcrypt reads no further than this; a longer password would match on its first part alone.
_BCRYPT_BYTES = 72
_C_STRINGS = frozenset({"bcrypt", "sha512_crypt", "sha256_crypt", "apr_md5_crypt"})
# Checked in a fraction of the time that the current scheme takes, which would tell who still has one.
_FAST = frozenset({"apr_md5_crypt", "hex_md5"})
# A hash of nothing that anybody knows, with the current parameters: what a miss is checked against.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$V8oZgzCmlLL23pvzvrf2Xg$D6iEGyfFnqff7bSDyzoQRbX93kpolUq7XQ9tUwqns7M"


class Checked(msgspec.Struct, frozen=True):
    """Whether the password is right, and the hash that should take the place of an outdated one."""

    right: bool
    upgraded: str | None = None


@cache
def _context() -> Any:
    return CryptContext(schemes=[CURRENT, *OLDER], deprecated="auto")


def hashed(password: str) -> str:
    """A new hash. Argon2 takes passwords of any length whole."""
    return str(_context().hash(password))


def problem(hash: object) -> str | None:
    """What is wrong with a stored hash, or None. Plain text is never taken for a password."""
    if not isinstance(hash, str):
        return "must be a hash as text; make one with: authgw hash-password"
    scheme = _context().identify(hash)
    if scheme is None:
        known = ", ".join((CURRENT, *OLDER))
        return f"is no password hash of a known scheme ({known}); make one with: authgw hash-password"
    try:
        _context().handler(scheme).from_string(hash) if scheme != "hex_md5" else None
    except ValueError:
        return f"is a damaged {scheme} hash; make a new one with: authgw hash-password"
    return None


def check(password: str, hash: str) -> Checked:
    """Judge a password by a hash that `problem` found fit. Slow on purpose: run it in a worker thread."""
    context = _context()
    scheme = context.identify(hash)
    if _readable(password, scheme):
        right, upgraded = context.verify_and_update(password, hash)
        if right:
            return Checked(True, upgraded)
    if scheme in _FAST or not _readable(password, scheme):
        argon2.verify(password, _NOBODY)
    return Checked(False)


def unfit(new: str, old: str, user: str, least: int) -> Literal["short", "long", "same", "name"] | None:
    """Why a new password will not do: "short", "long", "same" or "name"; or None. No rules about kinds of letters."""
    if len(new) < least:
        return "short"
    if len(new.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return "long"
    if new.casefold().strip() == old.casefold().strip():
        return "same"
    return "name" if len(user) > 2 and user.casefold() in new.casefold() else None


def miss(password: str, hash: str | None = None) -> None:
    """Take as long as checking a wrong password: by `hash`, some known user's, or by nobody's."""
    if hash is None:
        argon2.verify(password, _NOBODY)
    else:
        check(password, hash)


def _readable(password: str, scheme: str | None) -> bool:
    """Whether the scheme reads all of the password: not beyond 72 octets for bcrypt, no NUL for C's crypt."""
    if scheme in _C_STRINGS and "\x00" in password:
        return False
    return scheme != "bcrypt" or len(password.encode()) <= _BCRYPT_BYTES
