"""Whether a request comes from one of our own pages. Pure."""

from __future__ import annotations

from collections.abc import Mapping


def is_same(headers: Mapping[str, str], origin: str) -> bool:
    """By Sec-Fetch-Site where the browser says it, else by Origin; one that says neither is not believed.

    `origin`: scheme, host and port of the public address. Form posts under a strict referrer policy carry
    `Origin: null` (Fetch, "append a request Origin header"), which alone proves nothing and contradicts nothing.
    """
    site, said = headers.get("sec_fetch_site"), headers.get("origin")
    if said not in (None, "null", origin):
        return False
    return site == "same-origin" if site is not None else said == origin


def is_foreign(headers: Mapping[str, str], origin: str) -> bool:
    """Whether the browser says that another site made it send this. Says it nothing, other proof is needed."""
    return headers.get("sec_fetch_site") in ("cross-site", "same-site") or headers.get("origin") not in (
        None,
        "null",
        origin,
    )
