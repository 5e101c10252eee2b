"""`authgw check`: would the gateway start with these files, and is there anything odd about them?"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from authgw.cli.common import list_problems, settings_of
from authgw.errors import ConfigError, Problem


@click.command()
@click.option("--config", "path", type=click.Path(path_type=Path), required=True, help="The gateway's authgw.toml.")
def check(path: Path) -> None:
    """Read configuration, users, groups and policies as `serve` would; list every mistake with its place.

    Nothing is started and nothing written. Exit codes: 0 fine (warnings are printed), 2 mistakes.
    """
    from authgw.catalogue.load import load as load_catalogue
    from authgw.login import assemble
    from authgw.policy.lint import lint

    settings = settings_of(path)
    problems: list[Problem] = []
    warnings = list(settings.warnings)
    try:
        warnings += lint(load_catalogue(settings.policy.files, settings.folder))
    except ConfigError as error:
        problems += error.problems
    try:
        warnings += asyncio.run(assemble.try_out(assemble.plugins(settings)))
    except ConfigError as error:
        problems += error.problems
    if problems:
        list_problems(ConfigError(problems).problems)
        sys.exit(2)
    for warning in dict.fromkeys(warnings):
        click.echo(f"warning: {warning}")
    click.echo(f"{path}: fine")
