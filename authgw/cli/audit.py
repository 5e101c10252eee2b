"""`authgw audit`: reading the audit trail."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from authgw.cli.common import settings_of


@click.group()
def audit() -> None:
    """Read the audit trail: one JSON line for every login, refusal and download."""


@audit.command()
@click.option("--config", "path", type=click.Path(path_type=Path), required=True, help="The gateway's authgw.toml.")
@click.option("-n", "--lines", default=20, show_default=True, type=click.IntRange(1, 100_000), help="How many lines.")
def tail(path: Path, lines: int) -> None:
    """Print the last lines of the audit trail.

    Exit codes: 0 printed (also where nothing has been written yet), 1 the file cannot be read, 2 the configuration
    cannot be used.
    """
    for line in deque(_lines(path), lines):
        click.echo(line.rstrip("\n"))


@audit.command(short_help="Count the calls that no policy file describes.")
@click.option("--config", "path", type=click.Path(path_type=Path), required=True, help="The gateway's authgw.toml.")
def unknown(path: Path) -> None:
    """Count the calls that were asked for and that no policy file describes, most frequent first.

    Exit codes: 0 counted, 1 the file cannot be read, 2 the configuration cannot be used.
    """
    counts: Counter[str] = Counter()
    for line in _lines(path):
        with contextlib.suppress(msgspec.MsgspecError):
            event = msgspec.json.decode(line, type=_Event)
            if event.reason == "unknown_call":
                counts[event.asked or event.path] += 1
    for name, count in counts.most_common():
        click.echo(f"{count:>8}  {name}")


class _Event(msgspec.Struct):
    reason: str = ""
    asked: str = ""
    path: str = ""


def _lines(config: Path) -> Iterator[str]:
    file = settings_of(config).audit.file
    try:
        with file.open(encoding="utf-8", errors="backslashreplace") as trail:
            yield from trail
    except FileNotFoundError:
        click.echo(f"{file}: nothing has been written yet", err=True)
    except OSError as error:
        click.echo(f"authgw: {file} cannot be read: {error.strerror}; see audit.file", err=True)
        sys.exit(1)
