"""Tokens of a provider: header, signature, and the claims that say whose, for whom, and until when. Pure.

Signatures are joserfc's work. What it is given is decided here: one key, one algorithm that fits the key and is on the
list; `none`, and a secret in place of a public key, are on no list.
"""

from __future__ import annotations

import base64
import hmac
import json
import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from authlib.oidc.core.util import create_half_hash
from joserfc import jwk, jws
from joserfc.errors import JoseError, SecurityWarning

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
ALGORITHMS: tuple[Algorithm, ...] = ("RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA")
_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
MAX_TOKEN = 64 * 1024
_MAX_HEADER = 4096
_MIN_RSA = 2048
# A token that lasts longer is a mistake, or a number that only looks like a time.
MAX_LIFE = 400 * 86_400.0
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"


class Wrong(Exception):
    """A token that is not to be believed. The text tells why, for the log."""


class UnknownKey(Exception):
    """It is signed with a key that is not known (yet)."""


class Key(msgspec.Struct, frozen=True):
    """A public key of the provider's. `algorithm`: the only one it is for, where that is said."""

    id: str
    algorithm: str
    type: str
    key: Any


class Expected(msgspec.Struct, frozen=True):
    """What a token has to be. `types`: of its header, in lower case, "" for none. Seconds."""

    issuer: str
    audience: str
    algorithms: tuple[str, ...]
    types: frozenset[str]
    leeway: float
    fresh: float | None = None


def keys(document: Mapping[str, Any]) -> tuple[Key, ...]:
    """The usable keys of a JWK set (RFC 7517): public ones, for signatures. What else is in it is passed over."""
    found = []
    for each in document.get("keys", []) if isinstance(document.get("keys"), list) else []:
        if not isinstance(each, dict) or each.get("kty") not in ("RSA", "EC", "OKP"):
            continue
        if each.get("use", "sig") != "sig" or "verify" not in each.get("key_ops", ["verify"]):
            continue
        try:
            key = jwk.import_key({name: value for name, value in each.items() if name in _PUBLIC})
            if each["kty"] == "RSA" and key.public_key.key_size < _MIN_RSA:  # type: ignore[union-attr]
                continue
        except (JoseError, ValueError, TypeError):
            continue
        found.append(Key(str(each.get("kid", "")), str(each.get("alg", "")), each["kty"], key))
    return tuple(found)


_PUBLIC = frozenset({"kty", "n", "e", "crv", "x", "y"})


def verified(token: object, known: Sequence[Key], expected: Expected, now: float) -> dict[str, Any]:
    """The claims of a signed token (RFC 7519). Raises Wrong, or UnknownKey."""
    if not isinstance(token, str) or not token.isascii() or len(token) > MAX_TOKEN or token.count(".") != 2:
        raise Wrong("is no signed token")
    header = peek(token, 0)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in expected.algorithms:
        raise Wrong(f"alg: {str(algorithm)[:20]!r} is not among the algorithms")
    if "crit" in header or "b64" in header:
        raise Wrong("crit: nothing critical is understood here")
    kind = header.get("typ", "")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in expected.types:
        raise Wrong(f"typ: {str(kind)[:40]!r} is not what is expected")
    payload = _signed(token, header, _candidates(header, algorithm, known), algorithm)
    claims = _object(payload)
    _times(claims, expected, now)
    if claims.get("iss") != expected.issuer:
        raise Wrong("iss: is another issuer")
    _audience(claims, expected.audience)
    return claims


def peek(token: str, part: int) -> dict[str, Any]:
    """Header (0) or payload (1), believed by nobody. Raises Wrong."""
    text = token.split(".")[part]
    try:
        return _object(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        raise Wrong("is no signed token") from None


def _candidates(header: Mapping[str, Any], algorithm: str, known: Iterable[Key]) -> list[Key]:
    fitting = [key for key in known if key.type == _TYPES[algorithm[:2]] and key.algorithm in ("", algorithm)]
    name = header.get("kid")
    if name is None:
        return fitting
    if not isinstance(name, str):
        raise Wrong("kid: is no text")
    return [key for key in fitting if key.id == name]


def _signed(token: str, header: Mapping[str, Any], candidates: Sequence[Key], algorithm: str) -> bytes:
    if not candidates:
        raise UnknownKey
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    registry.max_header_length = _MAX_HEADER
    for key in candidates[:8]:
        try:
            with warnings.catch_warnings():
                # The list of algorithms is ours; which of them joserfc would rather see gone is no news at a login.
                warnings.simplefilter("ignore", SecurityWarning)
                return jws.deserialize_compact(token, key.key, [algorithm], registry).payload or b""
        except (JoseError, ValueError, TypeError):
            continue
    if "kid" not in header:
        raise UnknownKey
    raise Wrong("the signature is not the provider's")


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text.decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise Wrong("holds no JSON") from None
    if not isinstance(found, dict):
        raise Wrong("holds no JSON object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key comes twice")
    return found


def number(claims: Mapping[str, Any], name: str) -> float | None:
    """A time of the claims, in seconds since 1970. None: it is not there. Raises Wrong where it is none."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 2**53 or not math.isfinite(value):
        raise Wrong(f"{name}: is no time")
    return float(value)


def _times(claims: Mapping[str, Any], expected: Expected, now: float) -> None:
    ends, began, not_before = (number(claims, name) for name in ("exp", "iat", "nbf"))
    if ends is None or began is None:
        raise Wrong("exp, iat: must be there")
    if ends <= now - expected.leeway:
        raise Wrong("exp: has expired")
    if ends > now + MAX_LIFE:
        raise Wrong("exp: is too far away to be meant")
    if began > now + expected.leeway or (not_before is not None and not_before > now + expected.leeway):
        raise Wrong("iat, nbf: lies in the future; compare the clocks")
    if expected.fresh is not None and began < now - expected.fresh - expected.leeway:
        raise Wrong("iat: was issued too long ago")


def _audience(claims: Mapping[str, Any], audience: str) -> None:
    """OpenID Connect Core 1.0, 3.1.3.7: for us, and where it is for others too, issued to us."""
    stated = claims.get("aud")
    everybody = [stated] if isinstance(stated, str) else stated
    if not isinstance(everybody, list) or audience not in everybody:
        raise Wrong("aud: is for somebody else")
    party = claims.get("azp")
    if len(set(map(str, everybody))) > 1 and party is None:
        raise Wrong("azp: must be there where others are meant too")


def issued_to(claims: Mapping[str, Any], client: str) -> None:
    """Raises Wrong where an ID token was issued to another client."""
    if claims.get("azp", client) != client:
        raise Wrong("azp: was issued to another client")


def subject(claims: Mapping[str, Any]) -> str:
    """`sub` (OpenID Connect Core 1.0, 2). Raises Wrong."""
    found = claims.get("sub")
    if not isinstance(found, str) or not 0 < len(found) <= 255:
        raise Wrong("sub: must be a text of up to 255 characters")
    return found


def same(claims: Mapping[str, Any], name: str, wanted: str) -> None:
    """Raises Wrong where a claim is not exactly this text."""
    found = claims.get(name)
    if not isinstance(found, str) or not hmac.compare_digest(found.encode(), wanted.encode()):
        raise Wrong(f"{name}: is not what was sent")


def belongs(claims: Mapping[str, Any], token: str, access: str) -> None:
    """Raises Wrong where `at_hash` is there and not that of the access token (OpenID Connect Core 1.0, 3.1.3.6)."""
    stated = claims.get("at_hash")
    if stated is None:
        return
    made = create_half_hash(access, peek(token, 0)["alg"])
    if not isinstance(stated, str) or made is None or not hmac.compare_digest(made, stated.encode()):
        raise Wrong("at_hash: is another access token's")


def logout(claims: Mapping[str, Any]) -> tuple[str, str, str]:
    """Subject, session and name of a logout token's claims (Back-Channel Logout 1.0, 2.4 and 2.6). Raises Wrong."""
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT), dict):
        raise Wrong("events: is no logout")
    if "nonce" in claims:
        raise Wrong("nonce: must not be there")
    who = [claims.get(name, "") for name in ("sub", "sid")]
    if not all(isinstance(each, str) and len(each) <= 255 for each in who) or not any(who):
        raise Wrong("sub, sid: one of them must say whose logout it is")
    once = claims.get("jti")
    if not isinstance(once, str) or not 0 < len(once) <= 255:
        raise Wrong("jti: must be there")
    return who[0], who[1], once
