"""`authgw keys`: the key file, rotated without losing what its keys have sealed."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from authgw.cli.common import config_errors_end_it, end_unasked, settings_of
from authgw.durable import engine, sealed
from authgw.durable.database import Database, told
from authgw.durable.parts import PARTS
from authgw.errors import StoreError
from authgw.session import rotation
from authgw.session.keys import Keys, load
from authgw.settings import Settings

_SECONDS = 60
_config = click.option(
    "--config", "path", type=click.Path(path_type=Path), required=True, help="The gateway's authgw.toml."
)


@click.group()
def keys() -> None:
    """Rotate the key that seals sessions and stored secrets.

    The first key of the key file is the current one: what is new is sealed under it. The others open what they sealed
    before. A gateway reads the file when it starts. The order of a rotation:

    \b
      1. authgw keys rotate      a fresh key on top
      2. restart the gateway, all its instances at once
      3. authgw keys reseal      stored secrets go under the new key
      4. authgw keys drop ID     later: when the sessions that began under the old key are over

    Where several instances must be restarted one after another, begin with `authgw keys add` and restart each, so that
    all know the new key before one uses it; then `authgw keys rotate --to ID`, and go on with 2. Run these commands as
    the gateway's own account, on a machine whose key file you then copy to the others.
    """


@keys.command("list", short_help="Show the keys by id, and how many secrets each has sealed.")
@_config
def list_(path: Path) -> None:
    """Show the keys by id, current one first, and how many stored secrets each has sealed. No key is ever shown.

    Exit codes: 0 shown, 1 the database cannot be asked, 2 the key file cannot be used.
    """
    settings = settings_of(path)
    with config_errors_end_it():
        held = load(settings.gateway.key_file, create=False)
    with _database(settings) as database:
        counts = _counts(settings, database)
    for at, key in enumerate(held.all):
        count = counts.pop(key.id, 0)
        click.echo(f"{key.id:<16}  {'current' if at == 0 else 'opens':<8}  {_secrets(count)}")
    for id, count in sorted(counts.items()):
        click.echo(f"{id:<16}  {'MISSING':<8}  {_secrets(count)} that nothing opens", err=True)


@keys.command()
@_config
def add(path: Path) -> None:
    """Put a fresh key at the end of the key file: known, not yet used. For instances that are restarted in turn.

    Exit codes: 0 added, 2 the key file cannot be used or is full.
    """
    with config_errors_end_it():
        settings = settings_of(path)
        id = rotation.add(settings.gateway.key_file)
    click.echo(f"{settings.gateway.key_file}: {id} is known now, and not yet used")
    click.echo(f"next: restart each instance, then authgw keys rotate --to {id} --config {path}")


@keys.command(short_help="Put a fresh key on top of the key file, as the current one.")
@_config
@click.option("--to", "id", help="A key of the file, as `keys add` made it, instead of a fresh one.")
def rotate(path: Path, id: str | None) -> None:
    """Put a fresh key on top of the key file; the others go on opening what they sealed. Prints what to do next.

    Exit codes: 0 done, 1 the file has no such key, 2 the key file cannot be used or is full.
    """
    with config_errors_end_it():
        settings = settings_of(path)
        file = settings.gateway.key_file
        before = _held(file, id).current.id
        if id is None:
            id = rotation.rotate(file)
        elif id != before:
            rotation.promote(file, id)
    click.echo(f"{file}: {id} is the current key now; the others open what they sealed")
    click.echo("next, in this order:")
    click.echo("  restart every instance of the gateway")
    click.echo(f"  authgw keys reseal --config {path}")
    if id != before:
        hours = f"{max(settings.sessions.absolute, settings.sessions.remember) / 3600:g} h"
        click.echo(f"  {hours} after the restart: authgw keys drop {before} --config {path}")


@keys.command()
@_config
def reseal(path: Path) -> None:
    """Seal every stored secret anew under the current key. Run it after the restart that follows `keys rotate`: a
    gateway that does not know the new key yet could not open them.

    Stopped in between it goes on where it was. The gateway may run meanwhile. Exit codes: 0 all are under the current
    key, 1 some are not (or the database cannot be asked), 2 the key file cannot be used.
    """
    settings = settings_of(path)
    with config_errors_end_it():
        held = load(settings.gateway.key_file, create=False)
    left = 0
    with _database(settings) as database, config_errors_end_it():
        # Rows are changed: in tables as this version has them.
        asyncio.run(_prepare(settings.database.url))
        for one in (one for part in PARTS for one in part.sealed):
            anew = 0
            for done in sealed.seal_anew(database, one, held):
                anew, left = anew + done.anew, left + done.changed + done.lost
                click.echo(f"{one.column}: {_secrets(anew)} sealed anew")
                if done.lost:
                    click.echo(f"{one.column}: {_secrets(done.lost)} open under no key of the file", err=True)
    if left:
        click.echo(f"{_secrets(left)} not under {held.current.id}; run it again, or put the missing key back", err=True)
        sys.exit(1)
    click.echo(f"every stored secret is under {held.current.id}")


@keys.command()
@_config
@click.argument("id")
def drop(path: Path, id: str) -> None:
    """Take the key ID out of the key file. Sessions that began under it end at the next restart, and share links that
    were issued under it no longer open.

    Exit codes: 0 dropped, 1 refused (it is the current key, or stored secrets need it: run `authgw keys reseal` first),
    or there is no such key, or the database cannot be asked; 2 the key file cannot be used.
    """
    settings = settings_of(path)
    with config_errors_end_it():
        held = _held(settings.gateway.key_file, id)
    with _database(settings) as database:
        count = _counts(settings, database)[id]
    if count:
        click.echo(f"{id} is needed for {_secrets(count)}: run authgw keys reseal --config {path}", err=True)
        sys.exit(1)
    if held.current.id == id:
        click.echo(f"{id} is the current key: run authgw keys rotate --config {path} first", err=True)
        sys.exit(1)
    with config_errors_end_it():
        rotation.drop(settings.gateway.key_file, id)
    click.echo(f"{settings.gateway.key_file}: {id} is gone")


def _held(file: Path, id: str | None) -> Keys:
    """The keys of the file; exit code 1 where the one that is asked for is none of them."""
    held = load(file, create=False)
    if id is not None and id not in [key.id for key in held.all]:
        click.echo(f"{file} holds no key {id}; authgw keys list shows those it holds", err=True)
        sys.exit(1)
    return held


def _counts(settings: Settings, database: sa.Engine) -> Counter[str]:
    if not engine.is_there(settings.database.url):
        return Counter()
    return sum((sealed.count(database, one) for part in PARTS for one in part.sealed), Counter())


def _secrets(count: int) -> str:
    return f"{count} stored secret{'' if count == 1 else 's'}"


async def _prepare(url: str) -> None:
    for part in PARTS:
        database = Database(url, part.name, part.tables, part.version, part.steps)
        try:
            await database.run(lambda: None)
        finally:
            await database.close()


@contextlib.contextmanager
def _database(settings: Settings) -> Iterator[sa.Engine]:
    """The database; exit code 1 where it cannot be asked."""
    with config_errors_end_it():
        database = engine.make(settings.database.url, seconds=_SECONDS)
    try:
        yield database
    except (SQLAlchemyError, StoreError) as error:
        end_unasked(told(error))
    finally:
        database.dispose()
