"""`authgw tokens`: who has tokens for scripts, and revoking them. Works on the database, beside the running gateway."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click
import msgspec

from authgw.cli.common import config_errors_end_it, end_unasked, plain, settings_of
from authgw.durable.tokens import Kept, Tokens
from authgw.errors import StoreError
from authgw.login.user import canonical
from authgw.session import keys
from authgw.session.epochs import Epochs

T = TypeVar("T")
_COLUMNS = ("ID", "NAME", "USER", "LOGIN", "TENANT", "MAY", "MADE", "EXPIRES", "USED")
_config = click.option(
    "--config", "path", type=click.Path(path_type=Path), required=True, help="The gateway's authgw.toml."
)


@click.group()
def tokens() -> None:
    """List and revoke API tokens. A token itself is never shown: only its maker saw it, once."""


@tokens.command("list")
@_config
@click.option("--user", help="Only this user's tokens.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text. Times are seconds since 1970.")
def list_(path: Path, user: str | None, as_json: bool) -> None:
    """List tokens that have not expired, oldest first.

    Exit codes: 0 listed, 1 the user has none (or the database cannot be asked), 2 the configuration cannot be used.
    """
    found = _run(path, lambda here: _matching(here, None, user))
    if as_json:
        click.echo(msgspec.json.encode([_told(one) for one in found], order="deterministic").decode())
    else:
        rows = [_COLUMNS, *(_row(one) for one in found)]
        widths = [max(len(row[place]) for row in rows) for place in range(len(_COLUMNS))]
        for row in rows:
            click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if not found and user is not None:
        sys.exit(1)


@tokens.command()
@_config
@click.option("--id", "id", help="The token of this id, as `list` shows it.")
@click.option("--user", help="All tokens of this user.")
def revoke(path: Path, id: str | None, user: str | None) -> None:
    """Revoke tokens, by exactly one of --id and --user. Felt within a second everywhere.

    Exit codes: 0 revoked, 1 there is no such token (or the database cannot be asked), 2 the configuration cannot be
    used.
    """
    if bool(id) == bool(user):
        raise click.UsageError("give exactly one of --id and --user")

    async def work(here: Tokens) -> int:
        return sum([await here.revoke(one.token) for one in await _matching(here, id, user)])

    count = _run(path, work)
    click.echo(f"{count} token{'' if count == 1 else 's'} revoked")
    if not count:
        sys.exit(1)


async def _matching(here: Tokens, id: str | None, user: str | None) -> list[Kept]:
    name = None if user is None else canonical(user) or user
    return [
        one
        for one in await here.all()
        if (id is None or one.token.id == id) and (name is None or one.token.owner.user == name)
    ]


def _run(path: Path, work: Callable[[Tokens], Awaitable[T]]) -> T:
    settings = settings_of(path)
    with config_errors_end_it():
        key_file = keys.load(settings.gateway.key_file, create=False)

    async def main() -> T:
        url = settings.database.url
        epochs = Epochs(url, time.time)
        here = Tokens(url, key_file, epochs, time.time)
        try:
            return await work(here)
        finally:
            await here.close()
            await epochs.close()

    with config_errors_end_it():
        try:
            return asyncio.run(main())
        except StoreError as error:
            end_unasked(error)


def _told(one: Kept) -> dict[str, object]:
    token, owner = one.token, one.token.owner
    return {
        "id": token.id,
        "name": token.name,
        "user": owner.user,
        "login": owner.login,
        "tenant": owner.tenant,
        "kind": token.kind.value,
        "flags": sorted(token.flags),
        "created": token.created,
        "expires": token.expires,
        "used": one.used,
    }


def _row(one: Kept) -> tuple[str, ...]:
    token, owner = one.token, one.token.owner
    may = "+".join(sorted(token.flags)) or token.kind.value
    texts = (token.id, token.name, owner.user, owner.login, owner.tenant, may)
    used = _utc(one.used) if one.used else "-"
    return (*(plain(text) or "-" for text in texts), _utc(token.created), _utc(token.expires), used)


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
