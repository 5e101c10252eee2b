"""What a process remembers of sessions is bounded, and an end is final."""

from __future__ import annotations

from authgw.session.keys import Key
from authgw.session.memory import CURRENT_SECONDS, Memory
from authgw.session.model import Kind, Session
from authgw.session.record import Record
from authgw.session.seal import Seal
from kit.sessions import claims

SEAL = Seal(Key("k1", bytes(32)), "session")


def forever(_record: Record) -> float:
    return float("inf")


def keep(memory: Memory, handle: str, blob: bytes, record: Record, now: float) -> Session | None:
    return memory.keep(handle, blob, record, SEAL, now, memory.moment)


def record(user: str = "alice") -> Record:
    return Record(Kind.API, claims(user), 0.0, 0.0, "", "", (), 0)


def test_an_ended_session_is_never_remembered_again() -> None:
    """An answer that arrives after the end is dropped."""
    memory = Memory(forever)
    assert keep(memory, "h", b"x", record(), 1.0) is not None
    memory.end("h")
    assert keep(memory, "h", b"x", record(), 2.0) is None
    assert memory.get("h") is None


def test_memory_is_bounded() -> None:
    """The oldest answers and ends give way; those in use stay."""
    memory = Memory(forever, entries=3)
    for name in "abc":
        keep(memory, name, b"x", record(), 1.0)
    keep(memory, "a", b"x", record(), 2.0)
    keep(memory, "d", b"x", record(), 3.0)
    assert [memory.get(name) is not None for name in "abcd"] == [True, False, True, True]
    for name in "efghi":
        memory.end(name)
    assert keep(memory, "e", b"x", record(), 4.0) is not None
    assert keep(memory, "i", b"x", record(), 4.0) is None


def test_ending_by_claims() -> None:
    """Ending a user forgets his answers and nobody else's."""
    memory = Memory(forever)
    keep(memory, "a", b"x", record("alice"), 1.0)
    keep(memory, "b", b"x", record("bob"), 1.0)
    memory.end_where(lambda claims: claims.user == "alice")
    assert memory.get("a") is None
    assert memory.get("b") is not None


def test_a_changed_record_is_a_new_answer() -> None:
    """The same bytes give the same object; other bytes another one."""
    memory = Memory(forever)
    first = keep(memory, "a", b"x", record(), 1.0)
    assert keep(memory, "a", b"x", record(), 2.0) is first
    assert keep(memory, "a", b"y", record("bob"), 3.0) is not first


def test_an_answer_stands_until_a_change_is_heard_of() -> None:
    """A change makes the answer to be asked for again, and only that one; so does its age."""
    memory = Memory(forever)
    keep(memory, "a", b"x", record(), 100.0)
    keep(memory, "b", b"x", record(), 100.0)
    memory.changed("a")
    assert memory.current("a", 101.0) is None
    assert memory.current("b", 101.0) is not None
    keep(memory, "a", b"x", record(), 101.0)
    assert memory.current("a", 101.0) is not None
    assert memory.current("a", 101.0 + CURRENT_SECONDS) is None
    assert memory.current("a", 99.0) is None, "a clock that was set back vouches for nothing"


def test_an_answer_from_before_a_change_is_not_taken_for_the_state_after_it() -> None:
    """The store was asked, the record changed, and only then the answer came in: it does not stand."""
    memory = Memory(forever)
    asked = memory.moment
    memory.changed("a")
    assert memory.keep("a", b"old", record(), SEAL, 100.0, asked) is not None
    assert memory.current("a", 100.0) is None


def test_whatever_was_known_does_not_stand_after_a_loss() -> None:
    """While nothing was heard anything may have changed, also what was being asked for at that time."""
    memory = Memory(forever)
    keep(memory, "a", b"x", record(), 100.0)
    asked = memory.moment
    memory.lost()
    assert memory.current("a", 100.0) is None
    memory.keep("b", b"x", record(), SEAL, 100.0, asked)
    assert memory.current("b", 100.0) is None


def test_changes_are_bounded_and_forgotten_on_the_safe_side() -> None:
    """Of more changes than are kept, the older ones count for everybody."""
    memory = Memory(forever, entries=3)
    keep(memory, "a", b"x", record(), 100.0)
    for name in "bcde":
        memory.changed(name)
    assert memory.current("a", 100.0) is None


def test_an_answer_that_was_dropped_is_not_confirmed() -> None:
    """A session that ended while its user's counters were read is not let in."""
    memory = Memory(forever)
    keep(memory, "a", b"x", record(), 100.0)
    known = memory.current("a", 100.0)
    assert known is not None
    memory.end("a")
    assert memory.confirm("a", known, 100.0) is None
