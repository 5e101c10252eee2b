"""Logins for tests: plugins with given answers, and a front over them on a clock that stands still."""

from __future__ import annotations

import asyncio
import shutil
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from tempfile import mkdtemp
from typing import Any, ClassVar

from authgw.contract import Config, Credentials, Granted, Identity, NotMine, Outcome, Rejected, Right
from authgw.durable.factors import FactorStore, Who
from authgw.login.chain import Instance
from authgw.login.factors import Factors, who_of
from authgw.login.front import Front
from authgw.login.memory import Memory
from authgw.login.passkeys import Relying
from authgw.login.rights import Rights
from authgw.login.second import Second
from authgw.login.throttle import Limits, Throttle
from authgw.rights.claims import Claims
from authgw.session.keys import Key, Keys
from kit.sessions import Clock

Answer = Outcome | BaseException | object


def granted(user: str = "alice", id: int = 101, **dictionary: Any) -> Granted:
    return Granted(Identity(user, id), (Right({"id": id, "username": user, "can_cdr": True, **dictionary}),))


class Scripted:
    """A plugin whose answers the test gives: one for all, or a function of the credentials."""

    Config: ClassVar[type[Config]] = Config

    def __init__(self, answer: Answer | Callable[[Credentials], Answer]) -> None:
        self.answer = answer
        self.asked: list[Credentials] = []
        self.later: Any = NotMine()
        self.stamp = "1"
        self.life: list[str] = []

    async def open(self) -> None:
        self.life.append("open")

    async def close(self) -> None:
        self.life.append("close")

    async def login(self, credentials: Credentials) -> Any:
        self.asked.append(credentials)
        answer = self.answer(credentials) if callable(self.answer) else self.answer
        if isinstance(answer, asyncio.Event):
            await answer.wait()
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def refresh(self, identity: Identity) -> Any:
        return self.later

    def version(self) -> str:
        return self.stamp


def by_password(**right: str) -> Callable[[Credentials], Outcome]:
    """Users and their passwords; ids count from 101 in the order given."""
    ids = {user: 101 + at for at, user in enumerate(right)}

    def answer(asked: Credentials) -> Outcome:
        if right.get(asked.user) == asked.password:
            return granted(asked.user, ids[asked.user])
        return Rejected("wrong password")

    return answer


RELYING = Relying("voip.example.com", "https://voip.example.com", "VoIPmonitor test")


@dataclass
class Desk:
    """A front and what a test looks at: its plugin, its events, its clock, its users' epochs."""

    answer: Any
    limits: Limits = field(default_factory=Limits)
    more: tuple[Instance, ...] = ()
    strict: bool = False
    plugin_seconds: float = 10.0
    clock: Clock = field(default_factory=Clock)
    events: list[dict[str, Any]] = field(default_factory=list)
    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    epochs: dict[str, int] = field(default_factory=dict)
    database: str = ""

    def __post_init__(self) -> None:
        if not self.database:
            # A file of its own: SQLite in memory loses tables when many threads have used it.
            folder = mkdtemp(prefix="desk-")
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            self.database = f"sqlite:///{folder}/authgw.db"
        self.plugin = Scripted(self.answer)
        self.throttle = Throttle(Memory(self.clock), b"k" * 32, self.limits, self.clock)
        chain = (Instance("corp", self.plugin), *self.more)
        rights = Rights({}, strict=self.strict)
        keys = Keys((Key("k1", b"k" * 32),))
        self.store = FactorStore(self.database, keys)
        self.factors = Factors(
            self.store, "VoIPmonitor test", RELYING, audit=self._note, changed=self._changed, now=self.clock
        )
        self.second = Second(
            chain, self.throttle, rights, self.factors, audit=self._note, epoch=self._epoch, now=self.clock,
            plugin_seconds=self.plugin_seconds,
        )  # fmt: skip
        self.front = Front(
            chain,
            self.throttle,
            rights,
            self.second,
            audit=self.events.append,
            epoch=self._with_factors,
            now=self.clock,
            clock=self.clock,
            plugin_seconds=self.plugin_seconds,
        )

    async def close(self) -> None:
        await self.store.close()

    def _note(self, event: str, fields: dict[str, Any]) -> None:
        self.notes.append((event, fields))

    async def _changed(self, who: Who) -> None:
        self.epochs[who.key] = self.epochs.get(who.key, 0) + 1

    async def _epoch(self, claims: Claims) -> int:
        return self.epochs.get(claims.user, 0)

    async def _with_factors(self, claims: Claims) -> int:
        return self.epochs.get(claims.user, 0) + self.epochs.get(who_of(claims).key, 0)

    async def login(self, user: Any = "alice", password: Any = "right", address: str = "192.0.2.7", **more: Any) -> Any:
        return await self.front.login(Credentials(user, password, address=address, **more), origin="page")

    async def api(self, user: Any = "alice", password: Any = "right", address: str = "192.0.2.7") -> Any:
        return await self.front.api(user, password, None, address)
