"""Recovery codes: for the day the phone is gone. Each is good once, and lies in the database as a keyed hash. Pure."""

from __future__ import annotations

import hmac
import re

COUNT = 10
KEY_BYTES = 32
# Random bytes of one code; 50 bits of them are used (OWASP ASVS 6.5.4 wants 20).
CODE_BYTES = 7
_LETTERS = 10
# Crockford's base 32 in lower case: no i, l, o, u, which people read as something else.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_READ_AS = str.maketrans("ilo", "110")


def spell(entropy: bytes) -> str:
    """One code, `xxxxx-xxxxx`, from CODE_BYTES random bytes."""
    if len(entropy) != CODE_BYTES:
        raise ValueError(f"{CODE_BYTES} random bytes are needed")
    number = int.from_bytes(entropy, "big")
    letters = "".join(_ALPHABET[number >> 5 * at & 31] for at in range(_LETTERS))
    return f"{letters[:5]}-{letters[5:]}"


def canonical(typed: str) -> str | None:
    """What was typed as the letters of a code: case, blanks, dashes and look-alikes do not matter. None: no code."""
    code = re.sub(r"[\s\u2010-\u2015-]", "", typed[:64]).lower().translate(_READ_AS)
    return code if len(code) == _LETTERS and all(letter in _ALPHABET for letter in code) else None


def hashed(key: bytes, code: str) -> str:
    """What is stored of a canonical code: HMAC-SHA256 under the user's own key."""
    return hmac.digest(key, code.encode(), "sha256").hex()
