"""The audit trail: one JSON line for every login, refusal and download."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from authgw.errors import ConfigError, Problem

# Nothing that came from outside makes a line longer than this many characters a field.
MAX_FIELD = 512


class Audit:
    """Appends to one file (0600). `now`: seconds since 1970. A line that cannot be written is told on stderr."""

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        self._path = path
        self._now = now
        self._file: int | None = None
        self.failed: str | None = None

    async def open(self) -> None:
        """ConfigError: the file cannot be made or appended to."""
        try:
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            message = f"the audit log cannot be written: {error.strerror}; see audit.file"
            raise ConfigError([Problem(str(self._path), "", message)]) from error

    async def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def write(self, event: str, fields: Mapping[str, Any]) -> None:
        """`event`: login, logout, refusal or download; `fields`: who, what, why. Empty ones are left out."""
        when = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="milliseconds")
        line = {"time": when, "event": event}
        for name, value in fields.items():
            if value or value == 0:
                line[name] = value[:MAX_FIELD] if isinstance(value, str) else value
        try:
            if self._file is None:
                raise OSError("the audit file is not open")
            os.write(self._file, msgspec.json.encode(line) + b"\n")
            self.failed = None
        except OSError as error:
            self.failed = str(error)
            print(f"audit: {self._path}: {error}", file=sys.stderr, flush=True)
