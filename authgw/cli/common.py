"""What several commands share: reading the configuration, and ending with the right code."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import click

from authgw.errors import ConfigError, Problem
from authgw.settings import Settings, load


def list_problems(problems: list[Problem]) -> None:
    for problem in problems:
        click.echo(str(problem), err=True)
    count = len(problems)
    click.echo(f"{count} mistake{'s' if count != 1 else ''}; nothing was started", err=True)


@contextlib.contextmanager
def config_errors_end_it() -> Iterator[None]:
    """Mistakes in files are listed once each, and the command ends with code 2."""
    try:
        yield
    except ConfigError as error:
        list_problems(error.problems)
        sys.exit(2)


def end_unasked(said: object) -> NoReturn:
    """A store or a database cannot be asked: what happened, what tells more, exit code 1."""
    click.echo(f"authgw: {str(said).rstrip('.')}; `authgw check --connect` says what to look at", err=True)
    sys.exit(1)


def settings_of(path: Path) -> Settings:
    with config_errors_end_it():
        return load(path, os.environ)


def plain(text: str) -> str:
    """Text from outside, with nothing in it that a terminal would obey."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
