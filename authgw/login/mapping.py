"""The mapping file from disk: groups of a directory or of a provider become rights."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from authgw.errors import ConfigError, Problem
from authgw.rights.mapping import Compare, GroupMapping, of_text

MAX_BYTES = 4 * 1024 * 1024


def load_mapping(path: Path, compare: Compare = Compare.DN) -> GroupMapping:
    """The mapping of a file. ConfigError: it cannot be read, everybody may write it, or all that is wrong in it."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = f"cannot be read ({error.strerror or error}); name an existing file that the gateway may read"
        raise ConfigError([Problem(str(path), "", reason)]) from None
    if mode & stat.S_IWOTH:
        raise ConfigError([Problem(str(path), "", f"everybody can write it; run: chmod o-w {path}")])
    if len(data) > MAX_BYTES:
        raise ConfigError([Problem(str(path), "", f"is larger than {MAX_BYTES} bytes")])
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise ConfigError([Problem(str(path), f"byte {error.start}", "is not UTF-8; save it as UTF-8")]) from None
    return of_text(text, str(path), compare)
