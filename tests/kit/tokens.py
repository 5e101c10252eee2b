"""API tokens for tests: a store on a clock that stands still, a plugin that can tell rights, the door before both."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from authgw.account.token import Kind, Token
from authgw.contract import Config, Credentials, Granted, Identity, NotMine, Outcome, Rejected, Right
from authgw.durable.tokens import Tokens
from authgw.login.bearer import TokenLogin
from authgw.login.chain import Instance
from authgw.login.memory import Memory
from authgw.login.rights import Reading, Rights
from authgw.login.throttle import Limits, Throttle
from authgw.rights.claims import Claims
from authgw.session import keys
from authgw.session.epochs import Epochs
from kit.sessions import Clock

AT = "192.0.2.7"


class People:
    """A plugin whose users a test changes as it goes. `tells` False: it knows nobody without a password."""

    Config: ClassVar[type[Config]] = Config

    def __init__(self, **users: dict[str, Any]) -> None:
        self.users = users
        self.tells = True
        self.answer: Any = None
        self.asked = 0

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def login(self, credentials: Credentials) -> Outcome:
        user = self.users.get(credentials.user)
        if user is None:
            return NotMine()
        return self._granted(credentials.user) if user["password"] == credentials.password else Rejected("wrong")

    async def refresh(self, identity: Identity) -> Outcome:
        self.asked += 1
        if isinstance(self.answer, BaseException):
            raise self.answer
        if self.answer is not None or not self.tells:
            return self.answer or NotMine()
        return self._granted(identity.user) if identity.user in self.users else Rejected("gone")

    def version(self) -> str:
        return "1"

    def _granted(self, name: str) -> Granted:
        user = {key: value for key, value in self.users[name].items() if key not in ("password", "tenant")}
        tenant = self.users[name].get("tenant", "")
        return Granted(Identity(name, user["id"], tenant=tenant), (Right({"username": name, **user}),))


class Booth:
    """The door for tokens, and everything behind it."""

    def __init__(self, folder: Path, people: People, **limits: int) -> None:
        self.clock = Clock()
        self.people = people
        self.url = f"sqlite:///{folder / 'authgw.db'}"
        self.keys = keys.load(folder / "authgw.key")
        self.epochs = Epochs(self.url, self.clock)
        self.tokens = Tokens(self.url, self.keys, self.epochs, self.clock)
        self.rights = Rights({}, strict=False)
        self.throttle = Throttle(Memory(self.clock), b"k" * 32, Limits(**limits), self.clock)
        self.events: list[dict[str, Any]] = []
        self.login = TokenLogin(
            self.tokens,
            self.epochs,
            (Instance("corp", people),),
            self.rights,
            self.throttle,
            rights_age=30 * 86_400.0,
            audit=self.events.append,
            now=self.clock,
            clock=self.clock,
            plugin_seconds=5.0,
        )

    async def owner(self, user: str = "alice") -> Reading:
        """What a login of this user gives."""
        granted = await self.people.login(Credentials(user, self.people.users[user]["password"]))
        assert isinstance(granted, Granted)
        reading = self.rights.read("corp", granted)
        assert isinstance(reading, Reading)
        return reading

    async def make(
        self, user: str = "alice", kind: Kind = Kind.FULL, flags: tuple[str, ...] = (), *, days: float = 90.0,
        name: str = "nightly", most: int = 20,
    ) -> tuple[str, Token]:  # fmt: skip
        reading = await self.owner(user)
        made = await self.tokens.make(
            reading.claims, reading.gates, name=name, kind=kind, flags=flags, seconds=days * 86_400, most=most
        )
        assert made is not None
        return made

    async def claims(self, text: str, address: str = AT) -> Claims | str:
        """What a token opens, or the reason why nothing."""
        found = await self.login.enter(text, address)
        return found.reason.value if not hasattr(found, "claims") else found.claims

    async def close(self) -> None:
        await self.tokens.close()
        await self.epochs.close()
