"""Changes to `users.toml` that the gateway makes itself: a renewed hash, a changed password. Every other byte stays."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import stat
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from authgw_plugins.users_file import MAX_BYTES, User

_HEAD = re.compile(r"^[ \t]*\[\[[ \t]*user[ \t]*\]\]", re.MULTILINE)


def may_write(path: Path) -> bool:
    """Whether file and folder can be written, as far as that can be told beforehand."""
    path = path.resolve()
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK | os.X_OK)


def change(path: Path, user: User, values: Mapping[str, Any]) -> bool:
    """Put values (text, true or false, times) in the place of a user's old ones. False: the file says something else
    now, or the entry is written in a way that is not understood.

    One writer at a time; written beside and renamed, so that readers see the old file or the new one; mode and owner
    stay. OSError: the file or its folder cannot be written.
    """
    path = path.resolve()
    with _alone(path.parent):
        with path.open("rb") as file:
            state = os.fstat(file.fileno())
            data = file.read(MAX_BYTES + 1)
        if not os.access(path, os.W_OK):
            raise PermissionError(13, "is not writable", str(path))
        text = edited(data.decode(), user, values)
        if text is None:
            return False
        _replace(path, text.encode(), state)
    return True


def edited(text: str, user: User, values: Mapping[str, Any]) -> str | None:
    """The text with the values exchanged or added after the password, proven to differ in nothing else. None: that
    cannot be done."""
    expected = tomllib.loads(text)
    entries = expected.get("user", [])
    place = next((n for n, entry in enumerate(entries) if entry.get("username") == user.username), None)
    if place is None or entries[place].get("password") != user.password:
        return None
    heads = [match.start() for match in _HEAD.finditer(text)]
    if len(heads) != len(entries):
        return None
    start, end = heads[place], heads[place + 1] if place + 1 < len(heads) else len(text)
    block = text[start:end]
    for key, value in values.items():
        found = _line(key, block) if key in entries[place] else None
        if found is not None:
            block = block[: found.start(2)] + _literal(value) + block[found.end(2) :]
        elif key in entries[place] or (after := _line("password", block)) is None:
            return None
        else:
            indent = re.match(r"[ \t]*", after[0])
            added = f"{indent[0] if indent else ''}{key} = {_literal(value)}"
            block = f"{block[: after.end()]}{_line_end(text)}{added}{block[after.end() :]}"
        entries[place][key] = value
    after_all = text[:start] + block + text[end:]
    try:
        return after_all if tomllib.loads(after_all) == expected else None
    except tomllib.TOMLDecodeError:
        return None


def _line(key: str, block: str) -> re.Match[str] | None:
    """The one line `key = value`, with the value as its second group; a comment behind it is no part of that."""
    lines = re.compile(rf"^([ \t]*(?:{key}|\"{key}\"|'{key}')[ \t]*=[ \t]*)([^#\r\n]*[^#\s])([^\r\n]*)", re.MULTILINE)
    found = list(lines.finditer(block))
    return found[0] if len(found) == 1 else None


def _literal(value: Any) -> str:
    """A value in TOML. Texts are hashes here: no letter of theirs has to be escaped."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f'"{value}"'


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One writer at a time, of all processes on this machine. The folder is what is locked: the file is replaced."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _replace(path: Path, data: bytes, state: os.stat_result) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if (state.st_uid, state.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(file.fileno(), state.st_uid, state.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(state.st_mode))
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
