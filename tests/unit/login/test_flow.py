"""The table of a login attempt."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from authgw.contract import Identity
from authgw.login import flow
from authgw.login.flow import Attempt, Event, Step, begin, decode, encode, missed, moved
from authgw.login.outcome import Pending
from authgw.rights.parse import Gates
from kit.sessions import claims

PENDING = Pending(
    claims(), Identity("alice", 101), (Gates(secret="JBSWY3DPEHPK3PXP"),), "alice", ("pwd",), None, 3, enrolled=True
)
ALLOWED = {
    (Step.PROVE, Event.PROVED): Step.DONE,
    (Step.PROVE, Event.RECOVERED): Step.LEFT,
    (Step.ENROL, Event.ENROLLED): Step.KEEP,
    (Step.KEEP, Event.READ): Step.DONE,
    (Step.LEFT, Event.READ): Step.DONE,
}


def at(step: Step) -> Attempt:
    return Attempt(step, PENDING, "/admin.php", 600.0, ("pwd",), 2, "SECRET", b"challenge", ("code",), 4)


@pytest.mark.parametrize(("step", "event"), list(itertools.product(Step, Event)))
def test_every_step_and_every_event(step: Step, event: Event) -> None:
    """Each pair leads where it should, or nowhere at all: no step can be left out."""
    after = moved(at(step), event, "totp")
    assert (after.step if after else None) == ALLOWED.get((step, event))


def test_nothing_is_carried_along() -> None:
    """Secret, challenge, codes and the count of wrong codes end with their step; who it is and until when do not."""
    after = moved(at(Step.ENROL), Event.ENROLLED, "totp")
    assert after == Attempt(Step.KEEP, PENDING, "/admin.php", 600.0, ("pwd", "totp"))


def test_the_beginning() -> None:
    """Who has a factor proves it, who has none enrols one; ten minutes in all."""
    assert begin(PENDING, "/x", 5.0) == Attempt(Step.PROVE, PENDING, "/x", 605.0, ("pwd",))
    fresh = msgspec.structs.replace(PENDING, enrolled=False)
    assert begin(fresh, "/x", 5.0).step is Step.ENROL


def test_wrong_codes_are_bounded() -> None:
    """The fifth wrong code ends the attempt."""
    attempt: Attempt | None = begin(PENDING, "/x", 0.0)
    for _ in range(flow.MAX_WRONG - 1):
        assert attempt is not None
        attempt = missed(attempt)
    assert attempt is not None
    assert missed(attempt) is None


def test_an_attempt_survives_being_stored() -> None:
    """What is read is what was written, its secret included, which no repr shows; anything else is nothing."""
    attempt = at(Step.ENROL)
    stored = encode(attempt)
    assert decode(stored) == attempt
    assert "SECRET" not in repr(attempt)
    assert decode(stored[:-1]) is None
    assert decode(b"") is None
    old = msgspec.structs.replace(PENDING, claims=msgspec.structs.replace(claims(), version=0))
    assert decode(encode(msgspec.structs.replace(attempt, pending=old))) is None
