"""What a process remembers of sessions is bounded, and an end is final."""

from __future__ import annotations

from authgw.session.memory import Memory
from authgw.session.model import Kind
from authgw.session.record import Record
from kit.sessions import claims


def record(user: str = "alice") -> Record:
    return Record(Kind.API, claims(user), 0.0, 0.0, "", "", (), 0)


def test_an_ended_session_is_never_remembered_again() -> None:
    """An answer that arrives after the end is dropped."""
    memory = Memory()
    assert memory.keep("h", b"x", record(), 1.0) is not None
    memory.end("h")
    assert memory.keep("h", b"x", record(), 2.0) is None
    assert memory.get("h") is None


def test_memory_is_bounded() -> None:
    """The oldest answers and ends give way; those in use stay."""
    memory = Memory(entries=3)
    for name in "abc":
        memory.keep(name, b"x", record(), 1.0)
    memory.keep("a", b"x", record(), 2.0)
    memory.keep("d", b"x", record(), 3.0)
    assert [memory.get(name) is not None for name in "abcd"] == [True, False, True, True]
    for name in "efghi":
        memory.end(name)
    assert memory.keep("e", b"x", record(), 4.0) is not None
    assert memory.keep("i", b"x", record(), 4.0) is None


def test_ending_by_claims() -> None:
    """Ending a user forgets his answers and nobody else's."""
    memory = Memory()
    memory.keep("a", b"x", record("alice"), 1.0)
    memory.keep("b", b"x", record("bob"), 1.0)
    memory.end_where(lambda claims: claims.user == "alice")
    assert memory.get("a") is None
    assert memory.get("b") is not None


def test_a_changed_record_is_a_new_answer() -> None:
    """The same bytes give the same object; other bytes another one."""
    memory = Memory()
    first = memory.keep("a", b"x", record(), 1.0)
    assert memory.keep("a", b"x", record(), 2.0) is first
    assert memory.keep("a", b"y", record("bob"), 3.0) is not first
