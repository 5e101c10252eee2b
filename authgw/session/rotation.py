"""Changing the key file: a key added, put on top, taken out. Comments stay, and readers see the old file or the new."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import os
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

from authgw.errors import ConfigError, Problem
from authgw.session.keys import KEY_BYTES, MAX_KEYS, load

_NUMBERED = re.compile(r"k[0-9]{1,9}")
Entropy = Callable[[int], bytes]


def add(path: Path, entropy: Entropy = secrets.token_bytes) -> str:
    """A fresh key below all others: it only opens, until `promote` puts it on top. Its id. ConfigError: no room."""
    with _edited(path) as lines:
        id, line = _fresh(path, entropy)
        lines.append(line)
    return id


def rotate(path: Path, entropy: Entropy = secrets.token_bytes) -> str:
    """A fresh key on top: the current one from now on. Its id. ConfigError: no room."""
    with _edited(path) as lines:
        id, line = _fresh(path, entropy)
        lines.insert(_first(lines), line)
    return id


def promote(path: Path, id: str) -> None:
    """A key of the file goes on top. ConfigError: there is none of that id."""
    with _edited(path) as lines:
        line = lines.pop(_place(path, lines, id))
        lines.insert(_first(lines), line)


def drop(path: Path, id: str) -> None:
    """A key goes: nothing that it sealed opens any more. ConfigError: it is the current one, or there is none."""
    with _edited(path) as lines:
        if load(path, create=False).current.id == id:
            raise ConfigError([Problem(str(path), "", f"{id} is the current key; run authgw keys rotate first")])
        del lines[_place(path, lines, id)]


def _fresh(path: Path, entropy: Entropy) -> tuple[str, str]:
    """An id that is no other's, and the line of a new key."""
    keys = load(path, create=False)
    if len(keys.all) >= MAX_KEYS:
        oldest = keys.all[-1].id
        message = (
            f"holds {MAX_KEYS} keys, the most there may be; authgw keys list shows what each is still needed for. Once "
            f"authgw keys reseal is done and the sessions of {oldest} are over, authgw keys drop {oldest} makes room"
        )
        raise ConfigError([Problem(str(path), "", message)])
    numbers = [int(key.id[1:]) for key in keys.all if _NUMBERED.fullmatch(key.id)]
    id = f"k{1 + max(numbers, default=0)}"
    return id, f"{id} {base64.urlsafe_b64encode(entropy(KEY_BYTES)).decode()}"


def _is_key(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#")


def _first(lines: list[str]) -> int:
    return next((at for at, line in enumerate(lines) if _is_key(line)), len(lines))


def _place(path: Path, lines: list[str], id: str) -> int:
    for at, line in enumerate(lines):
        if _is_key(line) and line.split()[0] == id:
            return at
    raise ConfigError([Problem(str(path), "", f"holds no key {id}; authgw keys list shows those it holds")])


@contextlib.contextmanager
def _edited(path: Path) -> Iterator[list[str]]:
    """The lines of a key file that can be read, to be changed; written back whole, one change at a time."""
    # What a link leads to is changed, not the link.
    path = path.resolve()
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise ConfigError([Problem(str(path), "", f"its folder cannot be opened: {error.strerror}")]) from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        load(path, create=False)
        lines = path.read_text("utf-8").splitlines()
        yield lines
        try:
            _replace(path, "\n".join(lines) + "\n")
            os.fsync(folder)
        except OSError as error:
            raise ConfigError([Problem(str(path), "", f"cannot be written: {error.strerror}")]) from error
    finally:
        os.close(folder)


def _replace(path: Path, text: str) -> None:
    """A whole file under another name, read once as the gateway reads it, then put in the place of the old one."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        load(draft, create=False)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
