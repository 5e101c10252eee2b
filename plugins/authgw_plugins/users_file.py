"""`users.toml`: read strictly, every mistake located."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from authgw.contract import ConfigError, Problem
from authgw_plugins import passwords

MAX_BYTES = 16 * 1024 * 1024
MAX_NAME = 256
_OWN = frozenset({"password", "password_changed_at", "tenant"})
_LINE = re.compile(r"^(.*) \(at line (\d+), column \d+\)$", re.DOTALL)


class User(msgspec.Struct, frozen=True):
    """One [[user]] table. `number` counts from 1 in the file; `key` finds him, whatever case he types.

    `changed_at`: when his password was changed, in seconds since 1970; None where the file does not say.
    """

    number: int
    username: str
    key: str
    password: str
    id: int
    tenant: str
    dictionary: Mapping[str, Any]
    changed_at: float | None = None

    def __repr__(self) -> str:
        return f"User({self.number}, {self.username!r})"


class Unusable(ConfigError):
    """A file with mistakes. `stated`: the permission dictionaries in it by the names of their entries, so that their
    mistakes can be told together with these."""

    def __init__(self, problems: list[Problem], stated: list[tuple[str, Mapping[str, Any]]]) -> None:
        super().__init__(problems)
        self.stated = stated


class Users(msgspec.Struct, frozen=True):
    """All users of one state of the file, which `stamp` stands for."""

    all: tuple[User, ...]
    by_key: Mapping[str, User]
    stamp: str


def stamp(path: Path) -> str:
    """Changes with the file. OSError: it cannot be looked at."""
    state = path.stat()
    return f"{state.st_ino}.{state.st_size}.{state.st_mtime_ns}.{state.st_ctime_ns}"


def key(username: str) -> str:
    """Names that differ in case alone are one name here."""
    return username.casefold()


def where(user: int, name: object) -> str:
    """`user[3] "alice"`: how a problem, and the log, names an entry."""
    return f'user[{user}] "{name}"' if isinstance(name, str) and name else f"user[{user}]"


def read(path: Path) -> Users:
    """All users, or ConfigError with every problem of the file."""
    try:
        with path.open("rb") as file:
            state = os.fstat(file.fileno())
            read_stamp = f"{state.st_ino}.{state.st_size}.{state.st_mtime_ns}.{state.st_ctime_ns}"
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError([Problem("users", str(path), f"cannot be read: {error.strerror}")]) from error
    if state.st_mode & stat.S_IWOTH:
        raise ConfigError([Problem(str(path), "", f"everybody can write it; run: chmod o-w {path}")])
    if len(data) > MAX_BYTES:
        raise ConfigError([Problem(str(path), "", f"is larger than {MAX_BYTES} bytes")])
    users = _parse(str(path), data)
    return Users(users, {user.key: user for user in users}, read_stamp)


def _parse(source: str, data: bytes) -> tuple[User, ...]:
    try:
        document = tomllib.loads(data.decode())
    except UnicodeDecodeError as error:
        raise ConfigError([Problem(source, "", "is not UTF-8")]) from error
    except tomllib.TOMLDecodeError as error:
        located = _LINE.match(str(error))
        place, message = (f"line {located[2]}", located[1]) if located else ("", str(error))
        raise ConfigError([Problem(source, place, message)]) from error
    problems = [
        Problem(source, name, "is unknown; a file of users holds [[user]] tables only")
        for name in document.keys() - {"user"}
    ]
    entries = document.get("user", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ConfigError([*problems, Problem(source, "user", "must be tables, each begun by [[user]]")])
    users = [_user(source, number, entry, problems) for number, entry in enumerate(entries, 1)]
    _unique(source, [user for user in users if user is not None], problems)
    if problems:
        raise Unusable(problems, [_stated(number, entry) for number, entry in enumerate(entries, 1)])
    return tuple(user for user in users if user is not None)


def _stated(number: int, entry: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """What an entry says of rights, whatever else is wrong with it. Its id has been judged already: any will do."""
    dictionary = {field: value for field, value in entry.items() if field not in _OWN}
    return where(number, entry.get("username")), {**dictionary, "id": 1}


def _user(source: str, number: int, entry: Mapping[str, Any], problems: list[Problem]) -> User | None:
    name = entry.get("username")
    found: list[tuple[str, str]] = []
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME or name != name.strip() or not name.isprintable():
        found.append(("username", f"must be a visible name of 1 to {MAX_NAME} characters"))
    if "password" not in entry:
        found.append(("password", "is missing; make one with: authgw hash-password"))
    elif (wrong := passwords.problem(entry["password"])) is not None:
        found.append(("password", wrong))
    id = entry.get("id")
    if type(id) is not int or not 0 < id < 2**63:
        found.append(("id", "must be a positive integer, the user's own"))
    tenant = entry.get("tenant", "")
    if not isinstance(tenant, str) or len(tenant) > MAX_NAME or not tenant.isprintable():
        found.append(("tenant", "must be text, a label"))
    changed = entry.get("password_changed_at")
    if changed is not None and not (isinstance(changed, datetime) and changed.tzinfo):
        found.append(("password_changed_at", "must be a time with its zone, such as 2026-11-26T09:30:00Z"))
    problems += [Problem(source, f"{where(number, name)}: {field}", message) for field, message in found]
    if found:
        return None
    dictionary = {field: value for field, value in entry.items() if field not in _OWN}
    at = changed.timestamp() if isinstance(changed, datetime) else None
    return User(number, str(name), key(str(name)), entry["password"], int(entry["id"]), tenant, dictionary, at)


def _unique(source: str, users: list[User], problems: list[Problem]) -> None:
    names: dict[str, User] = {}
    ids: dict[int, User] = {}
    for user in users:
        first = names.setdefault(user.key, user)
        if first is not user:
            message = f"is the name of {where(first.number, first.username)} too; case makes no difference"
            problems.append(Problem(source, f"{where(user.number, user.username)}: username", message))
        first = ids.setdefault(user.id, user)
        if first is not user:
            message = f"{user.id} is the id of {where(first.number, first.username)} too"
            problems.append(Problem(source, f"{where(user.number, user.username)}: id", message))
