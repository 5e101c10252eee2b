"""Asking a session's login again: what each answer of the plugin means for the session."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from authgw.contract import Failed, Granted, Identity, NotMine, Rejected, Right
from authgw.login.chain import Instance
from authgw.login.confirm import Confirm
from authgw.login.rights import Reading, Rights
from authgw.session.model import Confirmed, Kind, Over, Remote, Session, Unanswered, Untold
from kit.logins import Scripted, granted
from kit.sessions import Clock

pytestmark = pytest.mark.anyio
RIGHTS = Rights({}, strict=False)


class Asked(Scripted):
    """A plugin that remembers about whom it was asked."""

    def __init__(self, later: Any) -> None:
        super().__init__(NotMine())
        self.later = later
        self.about: list[Identity] = []

    async def refresh(self, identity: Identity) -> Any:
        self.about.append(identity)
        if isinstance(self.later, Exception):
            raise self.later
        return self.later


def session(outcome: Granted, **more: Any) -> Session:
    """The session that a login made."""
    reading = RIGHTS.read("corp", outcome)
    assert isinstance(reading, Reading)
    return Session("h" * 32, Kind.BROWSER, reading.claims, 0.0, 0.0, "192.0.2.7", "test", ("pwd",), **more)


async def ask(later: Any, before: Session | None = None, login: str = "corp") -> tuple[Any, Asked, list[Any]]:
    plugin, told = Asked(later), []
    confirm = Confirm(
        (Instance(login, plugin),), RIGHTS, audit=lambda event, fields: told.append((event, fields)), now=Clock()
    )
    return await confirm(before or session(granted())), plugin, told


async def test_who_is_still_who_he_was() -> None:
    """The rights as they are now, and the plugin is asked about this very user with what it had left behind."""
    remote = Remote("sub", kept=b"token 1")
    now = granted()
    now = replace(now, identity=replace(now.identity, remote=Remote("sub", kept=b"token 2")))
    found, plugin, told = await ask(now, session(granted(can_pcap=True), remote=remote))
    assert isinstance(found, Confirmed)
    assert found.claims.grants[0].flags == {"can_cdr"}
    assert found.remote == Remote("sub", kept=b"token 2")
    assert [(each.user, each.id, each.remote) for each in plugin.about] == [("alice", 101, remote)]
    assert told == []


async def test_a_plugin_that_cannot_tell() -> None:
    """It confirms nothing, and ends nothing either."""
    found, _, _ = await ask(NotMine(), session(granted(), remote=Remote("sub")))
    assert found == Untold()


@pytest.mark.parametrize("later", [Failed("down"), RuntimeError("boom"), "nonsense"], ids=str)
async def test_nobody_could_be_asked(later: Any) -> None:
    """A failure, an exception and nonsense are no answer."""
    assert isinstance((await ask(later))[0], Unanswered)


@pytest.mark.parametrize(
    "later",
    [
        Rejected("left"),
        granted(blocked=True),
        granted(enable_login_ip="10.0.0.1"),
        granted(password_expired=True),
        granted(req_2fa=True),
        granted("bob", 101),
        granted("alice", 102),
        granted(can_cdr=False),
        Granted(Identity("alice", 101), ()),
        Granted(Identity("alice", 101), (Right({"id": 101, "username": "alice", "enable_sensors": "nonsense"}),)),
    ],
    ids=str,
)
async def test_who_is_out(later: Any) -> None:
    """Refused, shut out by a gate, somebody else, or with rights that cannot be used: the trail has it."""
    found, _, told = await ask(later)
    assert isinstance(found, Over)
    assert [(event, fields["user"], fields["session"]) for event, fields in told] == [
        ("session_over", "alice", "h" * 32)
    ]


async def test_a_second_factor_that_was_given() -> None:
    """Who has proved a second factor goes on when it is wanted."""
    before = replace(session(granted()), factors=("pwd", "totp"))
    assert isinstance((await ask(granted(req_2fa=True), before))[0], Confirmed)


async def test_a_login_that_is_gone() -> None:
    """A session of a login that is no longer in the chain is over."""
    assert isinstance((await ask(NotMine(), login="other"))[0], Over)
