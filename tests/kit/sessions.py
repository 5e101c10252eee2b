"""Sessions for tests: a clock that stands still, claims, and a gateway's session room over any store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from redis.asyncio import Redis

from authgw.rights.claims import Claims, Grant, Scope
from authgw.session import keys, store
from authgw.session.epochs import Epochs
from authgw.session.handles import Handles
from authgw.session.model import Kind, Session, SessionLimits
from authgw.session.sessions import Sessions

LIMITS = SessionLimits(idle=600.0, absolute=7200.0, per_user=5)


class Clock:
    """Seconds since 1970 that pass only when told to."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def claims(user: str = "alice", id: int = 101, login: str = "static", tenant: str = "acme") -> Claims:
    grant = Grant(flags=frozenset({"can_cdr", "can_pcap"}), scope=Scope(sensors=(2, 3), number=("+4420%",)))
    return Claims(login, user, id, (grant,), name=user.title(), tenant=tenant, preferences={"uc_lang": "en"})


@dataclass
class Room:
    """One process's view: its client, its keys as read from the file, its sessions and handles."""

    redis: Redis
    folder: Path
    clock: Clock
    limits: SessionLimits = LIMITS
    grace: float = 0.0
    make_epochs: Callable[[str, Clock], Epochs] = Epochs
    epochs: Epochs = field(init=False)
    sessions: Sessions = field(init=False)
    handles: Handles = field(init=False)

    def __post_init__(self) -> None:
        self.keys = keys.load(self.folder / "authgw.key")
        self.epochs = self.make_epochs(f"sqlite:///{self.folder / 'authgw.db'}", self.clock)
        self.sessions = Sessions(self.redis, self.keys, self.epochs, self.limits, self.clock, grace=self.grace)
        self.handles = Handles(self.redis, self.keys, self.clock)

    async def start(
        self, user: str = "alice", id: int = 101, kind: Kind = Kind.BROWSER, **more: str
    ) -> tuple[str, Session]:
        return await self.sessions.start(
            claims(user, id, **more), kind, address="192.0.2.7", agent="Mozilla/5.0 (test)", factors=("pwd",)
        )

    async def close(self) -> None:
        await self.epochs.close()


def connect(url: str) -> Redis:
    return store.connect(url)
