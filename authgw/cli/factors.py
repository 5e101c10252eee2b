"""`authgw factors`: who has which second factor, and taking them away from somebody who lost his."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click

from authgw.audit.log import Audit
from authgw.cli.common import config_errors_end_it, end_unasked, settings_of
from authgw.durable.factors import Who
from authgw.errors import StoreError
from authgw.login import assemble
from authgw.login.factors import Factors
from authgw.login.user import canonical
from authgw.session import keys
from authgw.session.epochs import Epochs

T = TypeVar("T")
_config = click.option(
    "--config", "path", type=click.Path(path_type=Path), required=True, help="The gateway's authgw.toml."
)
_user = click.option("--user", required=True, help="The user's name.")
_login = click.option("--login", help="Only in this login instance.")


@click.group()
def factors() -> None:
    """List and reset users' second factors. Works on the database, beside the running gateway."""


@factors.command("list")
@_config
@_user
@_login
def list_(path: Path, user: str, login: str | None) -> None:
    """List a user's factors and how many recovery codes are left. A secret of his dictionary is not among them.

    Exit codes: 0 listed, 1 he has none (or the database cannot be asked), 2 the configuration cannot be used.
    """

    async def work(here: Factors, _epochs: Epochs) -> list[str]:
        lines = []
        for who in await _found(here, user, login):
            for one in await here.listed(who):
                used = _utc(one.used) if one.used else "never"
                lines.append(f"{who.login} {who.key}: {one.kind} {one.name!r}, since {_utc(one.created)}, used {used}")
            lines.append(f"{who.login} {who.key}: recovery codes left: {await here.codes_left(who)}")
        return lines

    for line in _run(path, work):
        click.echo(line)


@factors.command(short_help="Take a user's factors away, and end his sessions.")
@_config
@_user
@_login
def reset(path: Path, user: str, login: str | None) -> None:
    """Take all factors and recovery codes away from a user, and end his sessions and logins under way.

    At his next login he enrols anew, where his dictionary wants a second factor. Felt within a second everywhere.

    Exit codes: 0 reset, 1 he has none (or the database cannot be asked), 2 several users have this name, or the
    configuration cannot be used.
    """

    async def work(here: Factors, epochs: Epochs) -> int:
        found = await _found(here, user, login)
        if len(found) > 1:
            names = ", ".join(f"{who.login} ({who.key})" for who in found)
            raise click.UsageError(f"there are several of this name: {names}; say which with --login")
        [who] = found
        count = await here.reset(who)
        await epochs.bump(who.login, who.key)
        return count

    count = _run(path, work)
    click.echo(f"{count} factor{'' if count == 1 else 's'} reset; the user's sessions are over")


async def _found(here: Factors, user: str, login: str | None) -> list[Who]:
    name = canonical(user)
    found = [] if name is None else [who for who in await here.named(name) if login in (None, who.login)]
    if not found:
        click.echo("this user has no second factor here", err=True)
        sys.exit(1)
    return found


def _run(path: Path, work: Callable[[Factors, Epochs], Awaitable[T]]) -> T:
    """A piece of work on the configured database; ends the command with 1 or 2 where that cannot be."""
    settings = settings_of(path)
    with config_errors_end_it():
        key_file = keys.load(settings.gateway.key_file, create=False)

    async def main() -> T:
        audit, epochs = Audit(settings.audit.file, time.time), Epochs(settings.database.url, time.time)
        store = assemble.factor_store(settings, key_file)
        await audit.open()
        try:
            return await work(assemble.factors_of(settings, store, epochs, audit, by="command line"), epochs)
        finally:
            await store.close()
            await epochs.close()
            await audit.close()

    with config_errors_end_it():
        try:
            return asyncio.run(main())
        except (StoreError, OSError) as error:
            end_unasked(error)


def _utc(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
