"""Files that hold one secret in one line."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from authgw.errors import Problem

_LARGEST = 65536


def read_secret(path: Path) -> bytes | str:
    """The secret in `path` as UTF-8 bytes, its line end taken off. Text instead: what is wrong and what to do."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        return f"{path} cannot be read ({error.strerror or error}); make it readable for the gateway, and for it alone"
    if len(content) > _LARGEST:
        return f"{path} is too large for a secret; it must hold one line"
    secret = content.removesuffix(b"\n").removesuffix(b"\r")
    if not secret:
        return f"{path} is empty; write the secret into it, in one line"
    if any(octet in secret for octet in b"\n\r\0"):
        return f"{path} holds more than one line; write only the secret into it"
    try:
        secret.decode()
    except UnicodeDecodeError:
        return f"{path} is not UTF-8; write the secret as UTF-8 text"
    return secret


def exposed(path: Path, source: str, where: str) -> list[Problem]:
    """A warning if others than the owner may read `path`."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return []
    if stat.S_IMODE(mode) & 0o077 == 0:
        return []
    return [Problem(source, where, f"{path} holds a secret that group or others may read; run chmod 600 {path}")]
