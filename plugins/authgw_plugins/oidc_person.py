"""Claims become a person: names, the number that is his own, and groups. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from authgw_plugins.oidc_config import OidcConfig
from authgw_plugins.oidc_tokens import Wrong

MAX_GROUPS = 10_000
_LARGEST_ID = 2**63 - 1


def at(claims: Mapping[str, Any], path: str) -> Any:
    """The claim of this whole name, else the one at this path of names with dots between; None where there is none."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def groups(claims: Mapping[str, Any], config: OidcConfig) -> list[str]:
    """The groups of the person. A single text is one group; none at all are none. Raises Wrong."""
    found = at(claims, config.groups_claim)
    if isinstance(found, str):
        return [found]
    if isinstance(found, list) and len(found) <= MAX_GROUPS:
        return [each for each in found if isinstance(each, str)]
    names = claims.get("_claim_names")
    if found is None and isinstance(names, dict) and config.groups_claim in names:
        raise Wrong(f"{config.groups_claim}: too many to be in the token; let the provider send fewer (group filter)")
    if found is not None:
        raise Wrong(f"{config.groups_claim}: is no list of groups")
    return []


def user(claims: Mapping[str, Any], config: OidcConfig) -> str:
    """The user's name. An address that nobody has confirmed is none. Raises Wrong."""
    found = at(claims, config.user_claim)
    if not isinstance(found, str) or not found.strip():
        raise Wrong(f"{config.user_claim}: the token has no such name (user_claim, scopes)")
    if config.user_claim == "email" and claims.get("email_verified") is not True:
        raise Wrong("email: is not verified, so that it may be anybody's")
    return found


def display_name(claims: Mapping[str, Any], config: OidcConfig) -> str:
    """For pages and lists, in one line."""
    found = at(claims, config.name_claim)
    if not isinstance(found, str):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in found[:1024]).split())[:256]


def number(claims: Mapping[str, Any], config: OidcConfig, subject: str) -> int:
    """The person's id: the claim's, or 63 bits of the SHA-256 of issuer and subject, which stay. Raises Wrong."""
    if config.id_claim is None:
        digest = hashlib.sha256(f"{config.issuer}\0{subject}".encode()).digest()
        return (int.from_bytes(digest[:8], "big") >> 1) or 1
    found = at(claims, config.id_claim)
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 20:
        found = int(found)
    if type(found) is not int or not 0 < found <= _LARGEST_ID:
        raise Wrong(f"{config.id_claim}: is no positive whole number (id_claim)")
    return found
