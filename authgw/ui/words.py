"""Rights in the words of people: every flag and limit of the permission dictionary, in every language."""

from __future__ import annotations

from authgw.rights.claims import Grant
from authgw.ui.texts import DEFAULT, TEXTS, catalogue

# The keys that have words, in the order in which they are told.
KEYS = tuple(catalogue(DEFAULT, "rights"))


def of_key(key: str, language: str) -> str:
    """A flag or limit in words; one without words as it is spelt."""
    return TEXTS.get(language, TEXTS[DEFAULT])[key] if key in KEYS else key


def of_flags(grant: Grant, language: str) -> list[str]:
    """What a grant opens, one phrase each, in the order of the catalogue."""
    spelt = [key for key in KEYS if key in grant.flags] + sorted(grant.flags.difference(KEYS))
    return [of_key(key, language) for key in spelt]
