"""A login attempt: what happens between the right password and the session, as a table. Pure.

An attempt is no session and opens nothing. It lies sealed in the session store under its own key and its own cookie,
gets a new token with every step, and ends ten minutes after the password at the latest.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from authgw.login.outcome import Pending
from authgw.rights.claims import CLAIMS_VERSION

SECONDS = 600.0
# Wrong codes of one attempt; then the password is asked for again. The throttle counts them all the same.
MAX_WRONG = 5


class Step(StrEnum):
    """Where an attempt stands."""

    PROVE = "prove"  # has a factor: code, recovery code or passkey
    ENROL = "enrol"  # needs a factor and has none: sets one up
    KEEP = "keep"  # enrolled: looks at the recovery codes, this once
    LEFT = "left"  # came in by a recovery code: is told how many are left
    DONE = "done"  # every factor is in: a session may begin


class Event(StrEnum):
    """What moves an attempt on."""

    PROVED = "proved"
    RECOVERED = "recovered"
    ENROLLED = "enrolled"
    READ = "read"


# Every move there is. What is not in here does not happen.
TABLE: dict[tuple[Step, Event], Step] = {
    (Step.PROVE, Event.PROVED): Step.DONE,
    (Step.PROVE, Event.RECOVERED): Step.LEFT,
    (Step.LEFT, Event.READ): Step.DONE,
    (Step.ENROL, Event.ENROLLED): Step.KEEP,
    (Step.KEEP, Event.READ): Step.DONE,
}


class Attempt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`ends`: seconds since 1970. `wanted`: where to go afterwards. `factors`: those that are in. `keep`: the session
    is to be kept.

    `secret`: of the authenticator being set up; `challenge`: of the passkey being asked; `codes`: to be shown in KEEP.
    """

    step: Step
    pending: Pending
    wanted: str
    ends: float
    factors: tuple[str, ...]
    wrong: int = 0
    secret: str = ""
    challenge: bytes = b""
    codes: tuple[str, ...] = ()
    left: int = 0
    keep: bool = False

    def __repr__(self) -> str:
        return f"Attempt({self.step!r}, {self.pending.claims.user!r})"


def begin(pending: Pending, wanted: str, now: float, *, keep: bool = False) -> Attempt:
    """The first step: prove a factor, or enrol one."""
    step = Step.PROVE if pending.enrolled else Step.ENROL
    return Attempt(step, pending, wanted, now + SECONDS, pending.first, keep=keep)


def moved(attempt: Attempt, event: Event, factor: str = "") -> Attempt | None:
    """The attempt after an event, with the factor that came in; None: that event has no place here.

    What belonged to the step before is gone.
    """
    step = TABLE.get((attempt.step, event))
    if step is None:
        return None
    factors = (*attempt.factors, factor) if factor else attempt.factors
    return Attempt(step, attempt.pending, attempt.wanted, attempt.ends, factors, keep=attempt.keep)


def missed(attempt: Attempt) -> Attempt | None:
    """The attempt after a wrong code; None: it was the last that this attempt had."""
    wrong = attempt.wrong + 1
    return msgspec.structs.replace(attempt, wrong=wrong) if wrong < MAX_WRONG else None


_decoder = msgspec.msgpack.Decoder(Attempt)


def encode(attempt: Attempt) -> bytes:
    return msgspec.msgpack.encode(attempt)


def decode(value: bytes) -> Attempt | None:
    """None for anything but a whole attempt whose claims are of the version this program writes."""
    try:
        attempt = _decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return attempt if attempt.pending.claims.version == CLAIMS_VERSION else None
