"""What binds a login form to the browser that it was sent to, so that nobody is signed in as somebody else.

A random cookie, its own name and its own meaning (it is never a session), and in the form a keyed hash of it with the
time it was made. Nothing is stored: pages that are only looked at cost no memory. Both pages of two tabs work.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Sequence

from authgw.session.seal import SECRET_BYTES, is_secret, spell

SECONDS = 3600
# What a form says besides: whoever sends it asked, a step before, to be kept signed in.
KEEP = "keep"
_MAX_COOKIES = 4


class Attempts:
    """`key` is this purpose's own, the same on all instances. `now`: seconds since 1970."""

    def __init__(
        self, key: bytes, now: Callable[[], float], entropy: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._key = key
        self._now = now
        self._entropy = entropy

    def cookie(self, known: Sequence[str]) -> str:
        """The browser's attempt, or a new one where it has none."""
        return next((value for value in known[:_MAX_COOKIES] if is_secret(value)), "") or spell(
            self._entropy(SECRET_BYTES)
        )

    def form(self, cookie: str, says: str = "") -> str:
        """What goes into the form beside this cookie: `TIME.HASH`. `says`: what the form stands for besides."""
        return self._signed(cookie, int(self._now()), says)

    def fits(self, known: Sequence[str], form: object, says: str = "") -> bool:
        """Whether the form was made for one of these cookies within the last hour, and says this."""
        if not isinstance(form, str) or len(form) > 128 or not form.isascii():
            return False
        made, _, _ = form.partition(".")
        if not made.isdigit() or len(made) > 12 or not 0 <= self._now() - int(made) <= SECONDS:
            return False
        return any(
            is_secret(value) and hmac.compare_digest(self._signed(value, int(made), says), form)
            for value in known[:_MAX_COOKIES]
        )

    def _signed(self, cookie: str, made: int, says: str) -> str:
        text = f"{made}.{cookie}.{says}" if says else f"{made}.{cookie}"
        return f"{made}.{hmac.digest(self._key, text.encode(), 'sha256').hex()}"
