"""What lies in the store for a session, before it is sealed: pure coding and judging of records."""

from __future__ import annotations

from math import ceil

import msgspec

from authgw.rights.claims import CLAIMS_VERSION, Claims
from authgw.session.model import Kind, Listed, Remote, Session, SessionLimits

ADDRESS_LENGTH = 64
AGENT_LENGTH = 256

Name = tuple[str, str]


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A session record and, sealed under another key, the operator record beside it. Times in seconds since 1970.

    `confirmed`: when its login last said that it stands; `tried`: when it was last asked. `kept`: it lasts the longer.
    """

    kind: Kind
    claims: Claims
    started: float
    seen: float
    address: str
    agent: str
    factors: tuple[str, ...]
    epoch: int
    confirmed: float = 0.0
    tried: float = 0.0
    remote: Remote | None = None
    kept: bool = False


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Record)


def encode(record: Record) -> bytes:
    return _encoder.encode(record)


def decode(value: bytes) -> Record | None:
    """None for anything but a whole record whose claims are of the version this program writes."""
    try:
        record = _decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return record if record.claims.version == CLAIMS_VERSION else None


def remaining(record: Record, limits: SessionLimits, now: float) -> float:
    """Seconds until the session ends if it is not used again; zero or less: it is over."""
    longer = limits.remember if record.kept else 0.0
    return min(record.seen + max(limits.idle, longer), record.started + max(limits.absolute, longer)) - now


def milliseconds(seconds: float) -> int:
    """A lifetime as the store takes it; at least 1, for it refuses a lifetime of nothing."""
    return max(1, ceil(seconds * 1000))


def subject(claims: Claims) -> list[Name]:
    """The counters a session depends on, as (login instance, key); no instance: the name in any of them."""
    names = [("", by_user(claims.user)), (claims.login, by_user(claims.user))]
    if claims.id:  # 0: a login that knows no ids
        names.append((claims.login, by_id(claims.id)))
    if claims.tenant:
        names.append(("", by_tenant(claims.tenant)))
    return names


def subject_of(record: Record) -> list[Name]:
    """The counters of a session: those of its claims, and that of the person at a provider."""
    remote = record.remote
    return subject(record.claims) + ([(record.claims.login, by_subject(remote.subject))] if remote else [])


def by_user(user: str) -> str:
    return f"user:{user}"


def by_subject(subject: str) -> str:
    return f"sub:{subject}"


def by_id(id: int) -> str:
    return f"id:{id}"


def by_tenant(tenant: str) -> str:
    return f"tenant:{tenant}"


def as_session(handle: str, record: Record) -> Session:
    return Session(
        handle=handle,
        kind=record.kind,
        claims=record.claims,
        started=record.started,
        seen=record.seen,
        address=record.address,
        agent=record.agent,
        factors=record.factors,
        remote=record.remote,
        kept=record.kept,
    )


def for_operators(record: Record) -> Record:
    """The record without what a provider gave the session for itself."""
    remote = record.remote
    bare = msgspec.structs.replace(remote, kept=b"") if remote else None
    return msgspec.structs.replace(record, remote=bare)


def as_listed(handle: str, record: Record) -> Listed:
    return Listed(
        handle=handle,
        user=record.claims.user,
        id=record.claims.id,
        login=record.claims.login,
        tenant=record.claims.tenant,
        kind=record.kind,
        factors=record.factors,
        address=record.address,
        agent=record.agent,
        started=record.started,
        seen=record.seen,
        claims=record.claims,
        kept=record.kept,
    )
