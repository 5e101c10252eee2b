"""The mapping file from disk: groups of a directory or of a provider become rights."""

from __future__ import annotations

import logging
import os
import stat
import threading
from pathlib import Path

from authgw.errors import ConfigError, Problem
from authgw.rights.mapping import Compare, GroupMapping, of_text

MAX_BYTES = 4 * 1024 * 1024
_GONE = "gone"
log = logging.getLogger("authgw.login")


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


class MappingFile:
    """A mapping that is read again when its file has changed. For threads.

    A change that cannot be used leaves the last good state in force and is told in the log, once. A file that is gone
    lets nobody in.
    """

    def __init__(self, path: Path, compare: Compare = Compare.DN) -> None:
        """Reads the file. ConfigError: see `load_mapping`."""
        self._path = path
        self._compare = compare
        self._lock = threading.Lock()
        self._seen = self.version()
        self._good = load_mapping(path, compare)

    def version(self) -> str:
        """Changes with the file."""
        try:
            state = self._path.stat()
        except OSError:
            return _GONE
        return f"{state.st_ino}.{state.st_size}.{state.st_mtime_ns}.{state.st_ctime_ns}"

    def current(self) -> GroupMapping:
        """The mapping as it is now, or as it was when it last could be used. ConfigError: there is no file any more."""
        with self._lock:
            seen = self.version()
            if seen == _GONE:
                raise ConfigError([Problem(str(self._path), "", "is gone; put it back")])
            if seen != self._seen:
                self._seen = seen
                try:
                    self._good = load_mapping(self._path, self._compare)
                except ConfigError as error:
                    log.error("%s has changed and cannot be used; the last good state stays:\n%s", self._path, error)
            return self._good
