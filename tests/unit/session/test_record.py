"""Records: the coding is strict, and the ends are judged exactly."""

from __future__ import annotations

import msgspec
import pytest

from authgw.rights.claims import Claims, Grant, HeaderLine, Scope
from authgw.session.model import Kind, SessionLimits
from authgw.session.record import Record, decode, encode, milliseconds, remaining, subject
from kit.sessions import claims

RECORD = Record(Kind.API, claims(), 1000.0, 1500.0, "192.0.2.1", "agent", ("pwd", "otp"), 7)
LIMITS = SessionLimits(idle=600.0, absolute=3600.0, per_user=1)


def test_every_part_of_the_claims_survives() -> None:
    """A record with all that claims can hold comes back equal, types included."""
    line = HeaderLine(1, "X-Tenant", "ac%")
    scope = Scope((), ("10.0.0.0/8", "!10.1.0.0/16"), ("+4420%",), ("a.example",), (7,), (line,), (line,), True, True)
    grant = Grant(frozenset({"can_cdr", "is_admin"}), frozenset({"no_rtp"}), scope, 2, 24, "line 3")
    rich = Claims("corp", "älice", 9, (grant, Grant()), "Älice", "acme", "noc", {"uc_x": True, "uc_n": 3, "uc_t": "t"})
    record = msgspec.structs.replace(RECORD, claims=rich)
    assert decode(encode(record)) == record


def test_whatever_is_no_whole_record_is_none() -> None:
    """Cut, extended, foreign, or with a key or a version this program does not know: nothing."""
    plain = msgspec.to_builtins(RECORD)
    newer = {**plain, "claims": {**plain["claims"], "version": 2}}
    cases: list[object] = [
        {**plain, "extra": 1},
        {**plain, "kind": "root"},
        {**plain, "epoch": "7"},
        newer,
        {},
        [],
        None,
    ]
    cases.append({name: value for name, value in plain.items() if name != "factors"})
    blobs = [msgspec.msgpack.encode(case) for case in cases]
    blobs += [
        b"",
        b"\xc1",
        encode(RECORD)[:-1],
        encode(RECORD) + b"\x00",
        encode(RECORD).replace(b"agent", b"\xff" * 5),
    ]
    assert [decode(blob) for blob in blobs] == [None] * len(blobs)
    assert decode(msgspec.msgpack.encode(plain)) == RECORD


@pytest.mark.parametrize(("now", "left"), [(1500.0, 600.0), (2099.0, 1.0), (2100.0, 0.0), (5000.0, -2900.0)])
def test_the_idle_end(now: float, left: float) -> None:
    """Seen at 1500 with 600 s of idleness allowed, a session ends at 2100."""
    assert remaining(RECORD, LIMITS, now) == left


def test_the_absolute_end() -> None:
    """Started at 1000 with 3600 s at all, a session in use ends at 4600."""
    assert remaining(msgspec.structs.replace(RECORD, seen=4500.0), LIMITS, 4590.0) == 10.0


@pytest.mark.parametrize(
    ("kept", "remember", "left"), [(True, 86_400.0, 86_400.0), (False, 86_400.0, 600.0), (True, 0.0, 600.0)]
)
def test_a_kept_session(kept: bool, remember: float, left: float) -> None:
    """Kept, it lasts a day from its start, used or not; as long as any other where nothing is kept any more."""
    record = msgspec.structs.replace(RECORD, kept=kept, seen=1000.0)
    limits = msgspec.structs.replace(LIMITS, remember=remember)
    assert remaining(record, limits, 1000.0) == left
    assert remaining(msgspec.structs.replace(record, seen=80_000.0), limits, 87_399.0) == (
        1.0 if left > 600 else -82_799.0
    )


def test_the_subject_names_user_login_id_and_tenant() -> None:
    """Sessions depend on counters for the name anywhere, the name here, the id here and the tenant, where known."""
    assert subject(claims("alice", 5, "corp", "acme")) == [
        ("", "user:alice"),
        ("corp", "user:alice"),
        ("corp", "id:5"),
        ("", "tenant:acme"),
    ]
    assert subject(claims("alice", 0, "corp", "")) == [("", "user:alice"), ("corp", "user:alice")]


@pytest.mark.parametrize(("seconds", "expected"), [(1.0, 1000), (0.0004, 1), (0.0, 1), (-5.0, 1), (0.0011, 2)])
def test_lifetimes_in_milliseconds(seconds: float, expected: int) -> None:
    """Rounded up, and never nothing, which the store would refuse."""
    assert milliseconds(seconds) == expected
