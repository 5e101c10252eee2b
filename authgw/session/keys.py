"""The gateway's key file: what seals sessions and stored secrets, shared by all instances.

One key a line, `ID KEY`: the id up to 16 of [A-Za-z0-9_-], the key 32 bytes as base64url. The first line is the
current key, which everything new is sealed under; the others still open what they sealed. To rotate, put a new line
on top, restart, and drop the old line once the longest session is over. Lines starting with # are comments.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import re
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from authgw.errors import ConfigError, Problem

KEY_BYTES = 32
MAX_KEYS = 4
MAX_FILE_BYTES = 16_384
_ID = re.compile(r"[A-Za-z0-9_-]{1,16}")
_HEAD = "# authgw key file: first line current, further lines only open. Keep it secret, share it between instances.\n"


class Key:
    """One key of the file. Never shown: its repr holds the id alone."""

    __slots__ = ("_secret", "id")

    def __init__(self, id: str, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        self.id = id
        self._secret = secret

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose by HKDF-SHA256 (RFC 5869); different purposes give unrelated keys."""
        return HKDF(hashes.SHA256(), KEY_BYTES, None, b"authgw/1/" + purpose.encode()).derive(self._secret)

    def __repr__(self) -> str:
        return f"Key({self.id!r})"


class Keys:
    """The keys of a file, the current one first; at most MAX_KEYS, so that looking a session up stays bounded."""

    __slots__ = ("all",)

    def __init__(self, keys: tuple[Key, ...]) -> None:
        if not 1 <= len(keys) <= MAX_KEYS:
            raise ValueError(f"between 1 and {MAX_KEYS} keys")
        self.all = keys

    @property
    def current(self) -> Key:
        return self.all[0]

    def derive(self, purpose: str) -> bytes:
        """A purpose's key under the current key of the file."""
        return self.current.derive(purpose)

    def derive_all(self, purpose: str) -> tuple[bytes, ...]:
        """A purpose's key under every key of the file, current first: for opening and verifying."""
        return tuple(key.derive(purpose) for key in self.all)

    def __repr__(self) -> str:
        return f"Keys({', '.join(key.id for key in self.all)})"


def load(path: Path, *, create: bool = True, entropy: Callable[[int], bytes] = secrets.token_bytes) -> Keys:
    """Read the key file; make it (0600, one fresh key) where it is absent and `create` holds.

    ConfigError: absent and not to be made, not a plain file, readable or writable by group or others, owned by
    another account, or any line that cannot be read.
    """
    if create and not path.exists():
        _make(path, entropy)
    try:
        text = _read(path)
    except FileNotFoundError as error:
        advice = "there is no key file; the first start of `authgw serve` makes one"
        raise ConfigError([Problem(str(path), "", advice)]) from error
    except OSError as error:
        raise ConfigError([Problem(str(path), "", f"the key file cannot be read: {error.strerror}")]) from error
    return _parse(path, text)


def _make(path: Path, entropy: Callable[[int], bytes]) -> None:
    """Write a whole file under another name and link it into place: of several first starts exactly one wins."""
    line = f"k1 {base64.urlsafe_b64encode(entropy(KEY_BYTES)).decode()}\n"
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write((_HEAD + line).encode())
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(draft, path, follow_symlinks=False)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(
            [Problem(str(path), "", f"the key file cannot be made: {error.strerror}; see gateway.key_file")]
        ) from error


def _read(path: Path) -> bytes:
    """The file's bytes, its permissions judged on the very file that is read."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        state = os.fstat(file.fileno())
        if not stat.S_ISREG(state.st_mode):
            raise ConfigError([Problem(str(path), "", "the key file is not a plain file")])
        if state.st_mode & 0o077:
            mode = stat.S_IMODE(state.st_mode)
            message = f"the key file is open to others (mode {mode:04o}); run: chmod 600 {path}"
            raise ConfigError([Problem(str(path), "", message)])
        if state.st_uid not in (os.geteuid(), 0):
            raise ConfigError([Problem(str(path), "", "the key file belongs to another account")])
        return file.read(MAX_FILE_BYTES + 1)


def _parse(path: Path, data: bytes) -> Keys:
    problems: list[Problem] = []
    keys: list[Key] = []
    seen: set[str | bytes] = set()
    if len(data) > MAX_FILE_BYTES:
        raise ConfigError([Problem(str(path), "", f"the key file is larger than {MAX_FILE_BYTES} bytes")])
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        id, _, text = line.strip().partition(" ")
        secret = _decode(text.strip())
        if secret is None or not _ID.fullmatch(id):
            problems.append(Problem(str(path), f"line {number}", "expected an id and 32 bytes as base64url"))
        elif id in seen or secret in seen:
            problems.append(Problem(str(path), f"line {number}", f"id or key of {id!r} was given before"))
        else:
            seen |= {id, secret}
            keys.append(Key(id, secret))
    if not problems and not 1 <= len(keys) <= MAX_KEYS:
        problems.append(Problem(str(path), "", f"{len(keys)} keys; a key file holds 1 to {MAX_KEYS}"))
    if problems:
        raise ConfigError(problems)
    return Keys(tuple(keys))


def _decode(text: str) -> bytes | None:
    try:
        secret = base64.b64decode(text, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return secret if len(secret) == KEY_BYTES else None
