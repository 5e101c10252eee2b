"""What an API token is, how it is spelt, and what it may: never more than its owner, and often less. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from enum import StrEnum

import msgspec

from authgw.rights.claims import Claims, Grant
from authgw.rights.parse import Gates
from authgw.session.record import Name, by_id, by_tenant, by_user
from authgw.session.seal import SECRET_BYTES, SECRET_LENGTH, spell

PREFIX = "agw_"
MAX_NAME = 64
LICENCE_PATH = "/php/apilicensecheck.php"
_TEXT = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{SECRET_LENGTH}}}", re.ASCII)


class Kind(StrEnum):
    """What a token may: all that its owner may, some of his flags, or nothing but the licence check."""

    FULL = "full"
    NARROWED = "narrowed"
    LICENCE = "licence"


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token as it is kept. Times are seconds since 1970. `id` names it and opens nothing.

    `owner`: his claims when `seen` last, at a login; of use only where his plugin cannot tell them later. `gates`:
    what stood before them, without the secret of a second factor. `epoch`: the sum of `subject` at the token's making.
    """

    id: str
    name: str
    kind: Kind
    flags: frozenset[str]
    created: float
    expires: float
    owner: Claims
    gates: tuple[Gates, ...]
    seen: float
    epoch: int


def made(entropy: Callable[[int], bytes]) -> str:
    """A new token: `agw_` and 256 random bits as 43 letters and digits."""
    return PREFIX + spell(entropy(SECRET_BYTES))


def is_token(text: object) -> bool:
    """Could this text be a token at all?"""
    return isinstance(text, str) and _TEXT.fullmatch(text) is not None


def looks_like_one(text: object) -> bool:
    """Whether it was meant to be a token: then it is never taken for a password."""
    return isinstance(text, str) and text.startswith(PREFIX)


def digest(text: str) -> bytes:
    """What a token is known by here. Its 256 random bits need no salt; what is stored is keyed all the same."""
    return hashlib.sha256(text.encode()).digest()


def key_of(owner: Claims) -> tuple[str, str]:
    """Whose tokens: (login instance, key), as sessions are counted."""
    return owner.login, by_id(owner.id) if owner.id else by_user(owner.user)


def subject(owner: Claims) -> list[Name]:
    """The counters that end tokens for good: those an administrator raises, by the user's name or tenant.

    What the user does himself (a new password, the end of his other sessions) leaves his tokens alone.
    """
    names = [("", by_user(owner.user)), (owner.login, by_user(owner.user))]
    return [*names, ("", by_tenant(owner.tenant))] if owner.tenant else names


def counter(owner: Claims) -> Name:
    """The counter that rises when a token of this user is revoked: what is remembered of them is read anew."""
    login, key = key_of(owner)
    return login, f"tokens:{key}"


def is_same(owner: Claims, now: Claims) -> bool:
    """Whether it is still the same user in the same tenant."""
    return (key_of(owner), owner.user, owner.tenant) == (key_of(now), now.user, now.tenant)


def narrowed(claims: Claims, kind: Kind, flags: Iterable[str]) -> Claims:
    """The claims of a token: of each grant what the token was given, never more. Limits and scopes all stay."""
    if kind is Kind.FULL:
        return claims
    kept = frozenset(flags) if kind is Kind.NARROWED else frozenset()
    return msgspec.structs.replace(claims, grants=tuple(_narrowed(grant, kept) for grant in claims.grants))


def _narrowed(grant: Grant, kept: frozenset[str]) -> Grant:
    # can_audit = 1 demands a reason for each download and so stays; 2 is a right like others.
    audit = grant.can_audit if grant.can_audit == 1 or "can_audit" in kept else 0
    return msgspec.structs.replace(grant, flags=grant.flags & kept, can_audit=audit)
