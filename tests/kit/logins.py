"""Logins for tests: plugins with given answers, and a front over them on a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from authgw.contract import Config, Credentials, Granted, Identity, Outcome, Rejected, Right
from authgw.login.chain import Instance
from authgw.login.front import Front
from authgw.login.memory import Memory
from authgw.login.rights import Rights
from authgw.login.throttle import Limits, Throttle
from authgw.rights.claims import Claims
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

    async def refresh(self, identity: Identity) -> Outcome:
        return Rejected("not asked for")

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
    epochs: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.plugin = Scripted(self.answer)
        self.throttle = Throttle(Memory(self.clock), b"k" * 32, self.limits, self.clock)
        self.front = Front(
            (Instance("corp", self.plugin), *self.more),
            self.throttle,
            Rights({}, strict=self.strict),
            audit=self.events.append,
            epoch=self._epoch,
            now=self.clock,
            clock=self.clock,
            plugin_seconds=self.plugin_seconds,
        )

    async def _epoch(self, claims: Claims) -> int:
        return self.epochs.get(claims.user, 0)

    async def login(self, user: Any = "alice", password: Any = "right", address: str = "192.0.2.7", **more: Any) -> Any:
        return await self.front.login(Credentials(user, password, address=address, **more), origin="page")

    async def api(self, user: Any = "alice", password: Any = "right", address: str = "192.0.2.7") -> Any:
        return await self.front.api(user, password, None, address)
