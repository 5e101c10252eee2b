"""`authgw audit`: reading the audit trail."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import click

from authgw.cli.common import settings_of


@click.group()
def audit() -> None:
    """Read the audit trail: one JSON line for every login, refusal and download."""


@audit.command()
@click.option("--config", "path", type=click.Path(path_type=Path), required=True, help="The gateway's authgw.toml.")
@click.option("-n", "--lines", default=20, show_default=True, type=click.IntRange(1, 100_000), help="How many lines.")
def tail(path: Path, lines: int) -> None:
    """Print the last lines of the audit trail."""
    file = settings_of(path).audit.file
    try:
        with file.open(encoding="utf-8", errors="backslashreplace") as trail:
            for line in deque(trail, lines):
                click.echo(line.rstrip("\n"))
    except FileNotFoundError:
        click.echo(f"{file}: nothing has been written yet", err=True)
