"""The kit for plugin authors notices what it promises to notice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from authgw.contract import Config, Credentials, Failed, Granted, Identity, NotMine, Outcome, Rejected, Right
from authgw.testing.login import BrokenPromises, check

pytestmark = pytest.mark.anyio
GOOD, BAD = Credentials("alice", "correct horse"), Credentials("alice", "battery staple")


class Honest:
    """Keeps every promise."""

    Config: ClassVar[Any] = Config

    def __init__(self) -> None:
        self.last = ""

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def login(self, credentials: Credentials) -> Outcome:
        if credentials.user != "alice":
            return NotMine()
        return granted() if credentials.password == "correct horse" else Rejected()

    async def refresh(self, identity: Identity) -> Outcome:
        return granted() if identity.user == "alice" else NotMine()


def granted(id: int = 101, stated: Any = 101, user: str = "alice", **more: Any) -> Granted:
    return Granted(Identity(user, id), (Right({"id": stated, **more}),))


def login(answer: Callable[[Credentials], Any]) -> type[Honest]:
    class Answers(Honest):
        async def login(self, credentials: Credentials) -> Outcome:
            found: Outcome = answer(credentials)
            return found

    return Answers


def good_only(outcome: Any) -> type[Honest]:
    return login(lambda asked: outcome if asked == GOOD else Rejected())


def raising(asked: Credentials) -> Outcome:
    if "*" in asked.user:
        raise ValueError("bad filter")
    return granted() if asked == GOOD else Rejected()


class Lax(BaseModel):
    pass


class Swapped(Honest):
    """Keeps what it was asked in itself, so that two askers at once get each other's answers."""

    async def login(self, credentials: Credentials) -> Outcome:
        self.last = credentials.password
        await asyncio.sleep(0)
        return granted() if credentials.user == "alice" and self.last == "correct horse" else Rejected()


class NoClose(Honest):
    async def close(self) -> None:
        raise RuntimeError("never opened")


class Forgets(Honest):
    async def refresh(self, identity: Identity) -> Outcome:
        return Rejected()


class Slow(Honest):
    async def open(self) -> None:
        await asyncio.Event().wait()


async def test_an_honest_plugin_passes() -> None:
    """A plugin that keeps the contract is told nothing."""
    await check(Honest, GOOD, BAD)


@pytest.mark.parametrize(
    ("plugin", "said"),
    [
        (type("NoConfig", (Honest,), {"Config": Lax}), "Config"),
        (type("Loose", (Honest,), {"Config": type("C", (Config,), {"model_config": {"extra": "allow"}})}), "options"),
        (login(lambda _: granted()), "wrong password answered Granted"),
        (login(lambda asked: granted() if asked.user != "alice" or asked == GOOD else Rejected()), "somebody unknown"),
        (
            login(lambda asked: granted() if asked.password[:7] == "correct" else Rejected()),
            "changed at its end",
        ),
        (login(lambda _: Rejected()), "right password answered Rejected"),
        (login(lambda asked: granted() if asked == GOOD else Failed("down")), "wrong password answered Failed"),
        (login(lambda asked: granted() if asked == GOOD else None), "NoneType"),
        (login(raising), "raised ValueError"),
        (login(lambda asked: granted() if asked == GOOD else Rejected(asked.password)), "shows the password"),
        (good_only(granted(id=0)), "not a positive int"),
        (good_only(granted(user=" ")), "Identity.user is empty"),
        (good_only(granted(stated=7)), "the dictionary's id is 7"),
        (good_only(granted(can_cdr="maybe")), "can_cdr"),
        (good_only(Granted(Identity("alice", 101), ())), "without rights"),
        (Swapped, "each other's answers"),
        (NoClose, "close() before open() raised"),
        (Forgets, "refresh() of who just logged in"),
        (Slow, "open() took longer"),
    ],
)
async def test_a_broken_promise_is_noticed(plugin: Any, said: str) -> None:
    """Each promise that a plugin breaks is told, in words of the contract."""
    with pytest.raises(BrokenPromises, match=said.replace("(", r"\(").replace(")", r"\)")):
        await check(plugin, GOOD, BAD, seconds=0.2)
