"""The `static` login: users, their password hashes and their permissions in one TOML file.

    [[user]]
    username = "alice"                 # upper or lower case, as she likes
    password = "$argon2id$…"           # made by: authgw hash-password
    id = 101                           # her own number
    tenant = "acme"                    # a label, optional
    can_cdr = true                     # and the permission dictionary, as the product spells it
    enable_sensors = [2, 3]
    password_expiration_days = 90      # counted from password_changed_at, where the file has it

People change their passwords themselves where the gateway may write the file: it writes the new hash and
`password_changed_at`, takes `password_expired` off, and leaves everything else as it is.

The file is read again when it has changed. A change that cannot be used leaves the last good state in force and is
told in the log; a file that is gone lets nobody in.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from authgw import contract
from authgw.contract import (
    Change,
    Changed,
    ConfigError,
    Credentials,
    Entry,
    Failed,
    Granted,
    Identity,
    Known,
    NotMine,
    Outcome,
    Rejected,
    Right,
    Unfit,
)
from authgw_plugins import passwords, users_edit, users_file
from authgw_plugins.users_file import User, Users
from authgw_plugins.workers import Busy, Workers

log = logging.getLogger("authgw.login.static")

PATIENCE = 8.0
"""Seconds in line. The chain gives a plugin ten, and would call a longer line a login that is broken."""
NICE = 15
"""A storm of logins takes no core from calls: as equals, argon2's threads made those wait ten times as long. Less than
the most that there is, 19: where calls fill a core, a login takes about one second with 15, and up to two with that."""


class StaticConfig(contract.Config):
    """`users`: the file. `threads` check passwords at the same time, `waiting` logins stand in line for them.

    `change_password`: people may change theirs, to one of at least `min_password` characters.
    """

    users: Path
    change_password: bool = True
    min_password: int = Field(default=12, ge=8, le=128)
    threads: int = Field(default=2, ge=1, le=64)
    waiting: int = Field(default=64, ge=0, le=10_000)


class Static:
    """Answers for the users of its file; everybody else is not its own."""

    Config: ClassVar[type[contract.Config]] = StaticConfig

    def __init__(self, config: StaticConfig, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._path = config.users
        self._config = config
        self._users: Users | None = None
        self._refused = ""
        self._stated: list[tuple[str, Mapping[str, Any]]] = []
        self._reading = asyncio.Lock()
        self._writing = threading.Lock()
        self._warned = False
        self._workers = Workers("authgw-passwords", config.threads, config.waiting, patience=PATIENCE, nice=NICE)
        self._key = secrets.token_bytes(32)

    async def open(self) -> None:
        try:
            self._users = await asyncio.to_thread(users_file.read, self._path)
        except users_file.Unusable as error:
            self._stated = error.stated
            raise

    async def close(self) -> None:
        self._workers.close()

    async def login(self, credentials: Credentials) -> Outcome:
        users = await self._current()
        if isinstance(users, Failed):
            return users
        user = users.by_key.get(users_file.key(credentials.user))
        password = credentials.password
        try:
            if user is None:
                stand_in = self._stand_in(users, credentials.user)
                await self._workers.run(lambda: passwords.miss(password, stand_in))
                return NotMine()
            if not await self._workers.run(lambda: self._check(user, password)):
                return Rejected("wrong password", _max_attempts(user))
        except Busy as error:
            return Failed(str(error), busy=True)
        return _granted(user)

    async def refresh(self, identity: Identity) -> Outcome:
        users = await self._current()
        if isinstance(users, Failed):
            return users
        user = users.by_key.get(users_file.key(identity.user))
        if user is None:
            return Rejected("no longer in the file") if identity.id else NotMine()
        return Rejected("has another id now") if identity.id not in (0, user.id) else _granted(user)

    async def explain(self, user: str, groups: Sequence[str] | None) -> Known:
        """By the file alone: it knows no groups."""
        users = await self._current()
        if isinstance(users, Failed):
            return Known(users)
        found = users.by_key.get(users_file.key(user))
        return Known(NotMine()) if found is None else Known(_granted(found), f"{self._path}: {_label(found)}")

    def can_change_password(self) -> bool:
        return self._config.change_password and users_edit.may_write(self._path)

    async def change_password(self, user: str, old: str, new: str) -> Change:
        """In line with the logins: both passwords take time. The old one is judged here too, whoever did before."""
        users = await self._current()
        if isinstance(users, Failed):
            return users
        found = users.by_key.get(users_file.key(user))
        if found is None:
            return NotMine()
        if not self._config.change_password:
            return Failed("login plugin static: change_password is off")
        try:
            return await self._workers.run(lambda: self._change(found, old, new))
        except Busy as error:
            return Failed(str(error), busy=True)

    def version(self) -> str:
        try:
            return users_file.stamp(self._path)
        except OSError:
            return "gone"

    def entries(self) -> Sequence[Entry]:
        """All users, for checking their rights before they log in; those of a file with mistakes too."""
        users = [(_label(user), user.dictionary) for user in self._users.all] if self._users else self._stated
        return [Entry(f"{self._path}: {label}", Right(dictionary)) for label, dictionary in users]

    async def _current(self) -> Users | Failed:
        """The users of the file as it is now, or as it was when it last could be used."""
        async with self._reading:
            try:
                stamp = users_file.stamp(self._path)
            except OSError as error:
                return Failed(f"{self._path} cannot be read: {error.strerror}")
            if self._users is None or stamp not in (self._users.stamp, self._refused):
                try:
                    self._users = await asyncio.to_thread(users_file.read, self._path)
                except ConfigError as error:
                    self._refused = stamp
                    log.error("%s has changed and cannot be used; the last good state stays:\n%s", self._path, error)
            return self._users if self._users is not None else Failed(f"{self._path} was never read")

    def _stand_in(self, users: Users, name: str) -> str | None:
        """Some known user's hash, always the same for a name: misses take as long as those who are known do."""
        if not users.all:
            return None
        digest = hmac.digest(self._key, name.encode(), "sha256")
        return users.all[int.from_bytes(digest[:8], "big") % len(users.all)].password

    def _change(self, user: User, old: str, new: str) -> Change:
        """In a worker thread."""
        if not passwords.check(old, user.password).right:
            return Rejected("wrong password", _max_attempts(user))
        if (wrong := passwords.unfit(new, old, user.username, self._config.min_password)) is not None:
            return Unfit(wrong, self._config.min_password)
        values: dict[str, Any] = {
            "password": passwords.hashed(new),
            "password_changed_at": datetime.fromtimestamp(int(self._now()), UTC),
        }
        if user.dictionary.get("password_expired"):
            values["password_expired"] = False
        try:
            with self._writing:
                done = users_edit.change(self._path, user, values)
        except (OSError, ValueError) as error:
            return Failed(f"{self._path} cannot be written: {error}")
        if not done:
            return Failed(f"{self._path}: {_label(user)} has changed meanwhile, or is written in an unusual way")
        log.info("%s: the password was changed", _label(user))
        return Changed()

    def _check(self, user: User, password: str) -> bool:
        """In a worker thread: judge the password, and renew an outdated hash."""
        checked = passwords.check(password, user.password)
        if checked.right and checked.upgraded:
            self._upgrade(user, checked.upgraded)
        return checked.right

    def _upgrade(self, user: User, hash: str) -> None:
        """A file that cannot be written is no reason to refuse a login, and one warning about it is enough."""
        try:
            with self._writing:
                done = users_edit.change(self._path, user, {"password": hash})
        except (OSError, ValueError) as error:
            done, why = False, str(error)
        else:
            why = "the entry was not found as it was read"
        if done:
            log.info("%s: the password hash was renewed", _label(user))
        elif not self._warned:
            self._warned = True
            log.warning("%s: outdated password hashes cannot be renewed: %s", self._path, why)


def _granted(user: User) -> Granted:
    name = user.dictionary.get("name")
    identity = Identity(user.username, user.id, name if isinstance(name, str) else "", user.tenant, user.changed_at)
    return Granted(identity, (Right(user.dictionary),))


def _label(user: User) -> str:
    return users_file.where(user.number, user.username)


def _max_attempts(user: User) -> int | None:
    stated = str(user.dictionary.get("max_bad_login_attempt", ""))
    return int(stated) if stated.isascii() and stated.isdigit() and 0 < int(stated[:9]) <= 100 else None
