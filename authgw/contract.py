"""All that a login plugin may import.

A plugin answers a login with one of four outcomes. `Granted` carries the permission dictionary exactly as the
product spells it; authgw parses it, so that every plugin is read by the same rules.
An exception that escapes a plugin counts as `Failed`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

import msgspec
from pydantic import BaseModel, ConfigDict

from authgw.errors import ConfigError, Problem
from authgw.login.changing import Changed, Changing, Unfit
from authgw.login.mapping import MappingFile, load_mapping
from authgw.rights.mapping import Compare, GroupMapping
from authgw.session.model import Ending, Remote
from authgw.unreached import unreached

__all__ = [
    "Bearing",
    "Begun",
    "Change",
    "Changed",
    "Changing",
    "Compare",
    "Config",
    "ConfigError",
    "Credentials",
    "Ending",
    "Entry",
    "Explains",
    "Failed",
    "Fronted",
    "Granted",
    "GroupMapping",
    "Identity",
    "Known",
    "Listed",
    "Login",
    "MappingFile",
    "NotMine",
    "Outcome",
    "Probe",
    "Probed",
    "Problem",
    "Redirecting",
    "Rejected",
    "Remote",
    "Right",
    "Unfit",
    "Versioned",
    "load_mapping",
    "mapped",
    "unreached",
]


class Config(BaseModel):
    """Base of a plugin's typed, strict settings: unknown keys are errors, values are frozen.

    Field types `pathlib.Path` are resolved against the configuration file's folder.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


class Credentials(msgspec.Struct, frozen=True):
    """What the person (or script) sent. `user` is canonical (NFKC, trimmed); never empty, nor is `password`."""

    user: str
    password: str
    otp: str | None = None
    address: str = ""
    headers: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"Credentials(user={self.user!r}, address={self.address!r})"


class Identity(msgspec.Struct, frozen=True):
    """Who a plugin says it is. `password_changed_at`: seconds since 1970, where the plugin knows it.

    `remote`: what a login at a provider leaves with the session; it comes back with `refresh`.
    """

    user: str
    id: int
    name: str = ""
    tenant: str = ""
    password_changed_at: float | None = None
    remote: Remote | None = None


class Right(msgspec.Struct, frozen=True):
    """One permission dictionary, which becomes one grant. `label` says where it comes from, for explain."""

    dictionary: Mapping[str, Any]
    label: str = ""


class Granted(msgspec.Struct, frozen=True):
    """These credentials are right. `rights` holds one dictionary per grant; identity keys are read from the first."""

    identity: Identity
    rights: Sequence[Right]


class Rejected(msgspec.Struct, frozen=True):
    """These credentials are wrong. `reason` is for the log, never for the person.

    `max_attempts`: this user's own max_bad_login_attempt, where the plugin knows it although the password was wrong.
    """

    reason: str = ""
    max_attempts: int | None = None


class NotMine(msgspec.Struct, frozen=True):
    """This plugin does not know the user; another may."""


class Failed(msgspec.Struct, frozen=True):
    """The backend could not be asked, or answered nonsense. Never the same as `Rejected`.

    `busy`: nothing is broken, but too many logins are under way; the person is told to try again.
    `remote`: what a `refresh` has to leave with the session all the same (a refresh token that took another's place).
    """

    reason: str
    busy: bool = False
    remote: Remote | None = None


Outcome = Granted | Rejected | NotMine | Failed
Change = Changed | Unfit | Rejected | NotMine | Failed


def mapped(mapping: GroupMapping, identity: Identity, groups: Iterable[str], **gates: Any) -> Granted | Rejected:
    """What a user gets by his groups: one `Right` for each matching line of the mapping; none matching is no login.

    `gates` are keys that go into each dictionary, such as `password_expired`. The identity's tenant is filled in where
    all lines agree on one.
    """
    lines = mapping.matching(groups)
    if not lines:
        return Rejected(f"he is in no group that a [[grant]] of {mapping.source} names")
    tenants = {line.tenant for line in lines}
    if not identity.tenant and len(tenants) == 1:
        identity = msgspec.structs.replace(identity, tenant=tenants.pop())
    own = {"id": identity.id, "username": identity.user, **gates}
    return Granted(identity, tuple(Right({**line.dictionary, **own}, line.label) for line in lines))


@runtime_checkable
class Login(Protocol):
    """Life of a plugin: construct (no effects), open, login and refresh, close."""

    Config: ClassVar[type[Config]]

    def __init__(self, config: Any) -> None: ...

    async def open(self) -> None:
        """Read files, connect. Raise with a message that names the setting if that cannot work.

        `ConfigError` with one `Problem` for each mistake where several can be told at once. One about what a setting
        names has the setting as `source` and what it names as `where`.
        """

    async def close(self) -> None: ...

    async def login(self, credentials: Credentials) -> Outcome: ...

    async def refresh(self, identity: Identity) -> Outcome:
        """Is this user still who he was, and with which rights? `NotMine` where that cannot be told.

        Called with `id` 0 where only the name is known (`authgw explain --user`), and now and then for each session
        that is in use. `Rejected` ends it; `Failed` and `NotMine` let it live for a while (`sessions.unconfirmed`).
        """


@runtime_checkable
class Versioned(Protocol):
    """A `Login` may also have this: then answers remembered for a minute are forgotten as soon as the text changes."""

    def version(self) -> str:
        """Changes whenever an earlier answer may no longer hold (a file was edited). Cheap: asked at every call."""


class Entry(msgspec.Struct, frozen=True):
    """One user that a plugin holds in a file of its own. `where` locates him: `users.toml: user[3] "alice"`."""

    where: str
    right: Right


@runtime_checkable
class Listed(Protocol):
    """A `Login` may also have this: then the rights of all its users are checked at start, not only at their login."""

    def entries(self) -> Sequence[Entry]: ...


class Known(msgspec.Struct, frozen=True):
    """What a plugin tells of a user without his password. `found`: as whom, and where; of somebody who is not there,
    where he was looked for; empty where that says nothing.

    `groups`: those he is in, None where the plugin has none; `mapping`: what they were held against.
    """

    outcome: Outcome
    found: str = ""
    groups: Sequence[str] | None = None
    mapping: GroupMapping | None = None


@runtime_checkable
class Explains(Protocol):
    """A `Login` may also have this: then `authgw explain-login` shows how a user comes by his rights."""

    async def explain(self, user: str, groups: Sequence[str] | None) -> Known | None:
        """NotMine: there is no such user here. None: that cannot be told without his password.

        `groups`: to be held against the mapping instead of his own; then he need not be known (`id` 1 stands for his).
        """


class Probe(msgspec.Struct, frozen=True):
    """One thing that a login depends on. `what`: its name in one line; `run`: try it now, leaving nothing behind.

    It answers what was seen, or Failed with what was wrong and which setting to look at; ended after some seconds.
    """

    what: str
    run: Callable[[], Awaitable[str | Failed]]


@runtime_checkable
class Probed(Protocol):
    """A `Login` may also have this: then `authgw check --connect` tries what it depends on. Called when it is open."""

    def probes(self) -> Sequence[Probe]: ...


class Begun(msgspec.Struct, frozen=True):
    """A login at a provider has begun: the browser goes to `url`. `kept` comes back with its answer, once."""

    url: str
    kept: bytes


@runtime_checkable
class Redirecting(Protocol):
    """A `Login` may also have this: people sign in at a provider that sends their browser back here.

    `title` stands on its button of the login page. `auto`: the page goes straight to the only such login.
    The gateway looks after the way back: `state` names it in the address that the browser comes back with, only this
    browser may take it, once, and within minutes. `callback` is that address, the same in `begin` and `finish`.
    """

    @property
    def title(self) -> str: ...

    @property
    def auto(self) -> bool: ...

    async def begin(self, callback: str, state: str, *, again: bool = False) -> Begun | Failed:
        """`again`: somebody who is signed in proves it once more: the provider must ask him, and `finish` see to it."""

    async def finish(self, callback: str, kept: bytes, answer: Mapping[str, str]) -> Outcome:
        """`answer`: the fields that the browser came back with."""

    async def leave(self, remote: Remote, back: str) -> str | None:
        """Where a browser goes to end its session at the provider too, which then sends it `back`. None: nowhere."""

    async def ended(self, token: str) -> Ending | Rejected | Failed:
        """What a provider's own message says that it has ended (OpenID Connect Back-Channel Logout 1.0)."""


@runtime_checkable
class Bearing(Protocol):
    """A `Login` may also have this: scripts bring an access token of a provider, as `Authorization: Bearer`."""

    @property
    def bearer(self) -> bool:
        """Whether the operator allows it."""

    async def bear(self, token: str) -> Outcome:
        """`NotMine`: no token of this provider's."""


@runtime_checkable
class Fronted(Protocol):
    """A `Login` may also have this: a proxy in front has identified the person, and says so in headers."""

    async def fronted(self, peer: str, headers: Sequence[tuple[str, str]]) -> Outcome:
        """`peer`: the address that the connection comes from. `headers`: all of them as sent, names in lower case."""
