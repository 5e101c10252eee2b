"""`authgw check`: would the gateway start with these files, and is there anything odd about them?"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from authgw.cli.common import list_problems, plain, settings_of
from authgw.errors import ConfigError, Problem, collected
from authgw.settings import Settings


@click.command()
@click.option("--config", "path", type=click.Path(path_type=Path), required=True, help="The gateway's authgw.toml.")
@click.option("--connect", is_flag=True, help="Then try every backend for real, one line each.")
def check(path: Path, connect: bool) -> None:
    """Read configuration, users, groups and policies as `serve` would; list every mistake with its place.

    Nothing is started and nothing written. With --connect the session store, the database, the GUI (with a login of the
    service account), the audit file and what each login depends on are tried too, at most 15 s each; nothing is left
    behind, the database is not upgraded. Run it as the gateway's own account, for it may do what that account may.

    Exit codes: 0 fine (warnings are printed), 1 a backend cannot be used, 2 mistakes.
    """
    from authgw.catalogue.load import load as load_catalogue
    from authgw.policy.lint import lint
    from authgw.upstream.assemble import context_of

    settings = settings_of(path)
    problems: list[Problem] = []
    warnings = list(settings.warnings)
    with collected(problems):
        warnings += lint(load_catalogue(settings.policy.files, settings.folder))
    with collected(problems):
        warnings += asyncio.run(_warnings(settings))
    with collected(problems):
        context_of(settings)
    if problems:
        list_problems(ConfigError(problems).problems)
        sys.exit(2)
    for warning in dict.fromkeys(warnings):
        click.echo(f"warning: {warning}")
    click.echo(f"{path}: fine")
    if connect and not asyncio.run(_connected(settings)):
        sys.exit(1)


async def _warnings(settings: Settings) -> list[Problem]:
    """About the users of all logins, which are opened for it."""
    from authgw.login import assemble

    chain = await assemble.opened(settings)
    await chain.close()
    return [Problem(warning, "", "") for warning in chain.warnings]


async def _connected(settings: Settings) -> bool:
    """Try every backend and print what was seen; whether all of them can be used."""
    from authgw.cli.connect import tried
    from authgw.login import assemble

    chain = await assemble.opened(settings)
    failed = 0
    try:
        async for one in tried(settings, chain):
            failed += not one.fine
            click.echo(plain(str(one)), err=not one.fine)
    finally:
        await chain.close()
    return failed == 0
