"""A support code looked up in the audit trail: in the file that is written, and in those it was renamed to."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, TypeVar

import msgspec

T = TypeVar("T")
MAX_FILES = 100
# Of all files together, unpacked.
MAX_BYTES = 4 << 30
_MAX_LINE = 1 << 20
_PACKED: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError)
# Letters that no code has, as the digits that look like them.
_ALIKE = str.maketrans("oil", "011")


class Line(msgspec.Struct, frozen=True):
    """A line of the trail, as far as it says who asked for what. What it lacks is empty."""

    request: str
    time: str = ""
    status: int = 0
    method: str = ""
    path: str = ""
    query: str = ""
    call: str = ""
    user: str = ""
    login: str = ""
    tenant: str = ""
    session: str = ""
    token: str = ""
    address: str = ""
    reason: str = ""
    detail: str = ""
    calls: tuple[int, ...] = ()
    said: str = ""
    cut: str = ""


class Search(msgspec.Struct, frozen=True):
    """`line`: the one with the code. `read`: files that were, youngest first; `unread`: files, and why they were not.

    `oldest`: the time of the oldest line of the last file that was read.
    """

    line: Line | None
    read: tuple[str, ...]
    unread: tuple[str, ...]
    oldest: str


class _Time(msgspec.Struct, frozen=True):
    time: str = ""


def code_of(typed: str) -> str | None:
    """The code as answers carry it, however it was read out: case, blanks and dashes do not count. None: it is none."""
    code = "".join(letter for letter in typed if letter.isalnum()).lower().translate(_ALIKE)
    return code if re.fullmatch(r"[0-9a-f]{12}", code) else None


def trails(file: Path) -> list[Path]:
    """The trail, and the files beside it that it was renamed to, youngest first: audit.jsonl.1, audit-2026.jsonl.gz."""
    name = re.compile(rf"{re.escape(file.stem)}(?=[.-]).*{re.escape(file.suffix)}.*", re.DOTALL)
    beside: list[tuple[float, Path]] = []
    with contextlib.suppress(OSError):
        for one in file.parent.iterdir():
            with contextlib.suppress(OSError):
                if one.name != file.name and name.fullmatch(one.name) and one.is_file():
                    beside.append((one.stat().st_mtime, one))
    return [file, *(one for _, one in sorted(beside, reverse=True))]


def find(file: Path, code: str, *, max_files: int = MAX_FILES, max_bytes: int = MAX_BYTES) -> Search:
    """Look for a code in the trail. What cannot be read is passed over, and named."""
    read: list[str] = []
    unread: list[str] = []
    oldest, left = "", max_bytes
    for at, each in enumerate(trails(file)):
        if at >= max_files or left <= 0:
            unread.append(f"{each.name}: no more than {max_files} files and {max_bytes:,} bytes are read")
            continue
        first = b""
        try:
            for line in _lines(each):
                first = first or line
                left -= len(line)
                if code.encode() in line and (found := _read(line, Line)) is not None and found.request == code:
                    return Search(found, (*read, each.name), tuple(unread), oldest)
                if left <= 0:
                    break
            read.append(each.name)
        except FileNotFoundError:
            unread.append(f"{each.name}: is not there")
        except _BROKEN as error:
            unread.append(f"{each.name}: {getattr(error, 'strerror', None) or error}")
        began = _read(first, _Time)
        oldest = began.time if began is not None else oldest
    return Search(None, tuple(read), tuple(unread), oldest)


def _lines(file: Path) -> Iterator[bytes]:
    opened: IO[bytes]
    if file.exists() and not file.is_file():
        raise OSError("is no file; where it leads, nothing can be read again")
    with _PACKED.get(file.suffix, open)(file, "rb") as opened:
        yield from iter(lambda: opened.readline(_MAX_LINE), b"")


def _read(line: bytes, kind: type[T]) -> T | None:
    """None for a torn line, or one that is no line of the trail."""
    with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
        return msgspec.json.decode(line, type=kind)
    return None
