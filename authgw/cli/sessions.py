"""`authgw sessions`: who is logged in, and ending it. Works on a shared store beside the running gateway."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click
import msgspec

from authgw.account.token import subject
from authgw.cli.common import config_errors_end_it, end_unasked, plain, settings_of
from authgw.durable.tokens import Tokens
from authgw.errors import StoreError
from authgw.login.user import canonical
from authgw.session import keys, store
from authgw.session.epochs import Epochs
from authgw.session.model import Listed, SessionLimits
from authgw.session.sessions import Sessions

T = TypeVar("T")
_COLUMNS = ("ID", "USER", "LOGIN", "TENANT", "KIND", "FACTORS", "ADDRESS", "STARTED", "SEEN", "KEPT")
_config = click.option(
    "--config", "path", type=click.Path(path_type=Path), required=True, help="The gateway's authgw.toml."
)
_json = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print JSON instead of text. Times are seconds since 1970; `handle` is the session's id, `id` the user's.",
)


@click.group()
def sessions() -> None:
    """List, show and end sessions.

    Needs a store that the gateway shares (redis://); a store inside the process cannot be seen from here.
    """


@sessions.command("list")
@_config
@_json
@click.option("--user", help="Only this user's sessions.")
@click.option("--tenant", help="Only this tenant's sessions.")
def list_(path: Path, as_json: bool, user: str | None, tenant: str | None) -> None:
    """List live sessions, oldest first. The id names a session and cannot be used to log in. Those that are KEPT last
    for sessions.remember: their owners asked to be kept signed in.

    Exit codes: 0 listed, 1 the user or tenant has none (or the store cannot be asked), 2 sessions are in the process.
    """
    name = None if user is None else canonical(user) or user
    found = _run(path, lambda here: here.sessions.listed(user=name, tenant=tenant))
    if as_json:
        _print_json([_without_claims(one) for one in found])
    else:
        _print_table([_row(one) for one in found])
    if not found and (user is not None or tenant is not None):
        sys.exit(1)


@sessions.command()
@_config
@_json
@click.option("--id", "handle", required=True, help="The session's id as `list` shows it.")
def show(path: Path, as_json: bool, handle: str) -> None:
    """Show one session with everything it may do.

    Exit codes: 0 shown, 1 there is no such session (or the store cannot be asked), 2 sessions are in the process.
    """
    found = [one for one in _run(path, lambda here: here.sessions.listed()) if one.handle == handle]
    if not found:
        click.echo("there is no such session", err=True)
        sys.exit(1)
    if as_json:
        _print_json(found[0])
        return
    for name, value in zip(_COLUMNS, _row(found[0]), strict=True):
        click.echo(f"{name.lower() + ':':<10}{value}")
    click.echo(f"{'agent:':<10}{plain(found[0].agent)}")
    claims = msgspec.json.encode(found[0].claims, order="deterministic")
    click.echo("claims:")
    for line in msgspec.json.format(claims, indent=2).decode().split("\n"):
        click.echo(plain(line))


@sessions.command()
@_config
@click.option("--id", "handle", help="End the session of this id, as `list` shows it.")
@click.option("--user", help="End all sessions of this user.")
@click.option("--login", help="With --user: only those of this login instance.")
@click.option("--tenant", help="End all sessions of this tenant.")
def end(path: Path, handle: str | None, user: str | None, login: str | None, tenant: str | None) -> None:
    """End sessions, by exactly one of --id, --user and --tenant. Felt within a second everywhere.

    With --user or --tenant their API tokens end too, for good.

    Exit codes: 0 ended, 1 there was nothing to end (or the store cannot be asked), 2 sessions are in the process.
    """
    if sum(1 for given in (handle, user, tenant) if given) != 1:
        raise click.UsageError("give exactly one of --id, --user and --tenant")
    if login and not user:
        raise click.UsageError("--login goes with --user")
    name = canonical(user) if user else None
    if user and name is None:
        raise click.UsageError("--user is not a user name")

    async def work(here: _Here) -> tuple[int, int]:
        if handle:
            return await here.sessions.end_handle(handle), 0
        tokens = await _live(here, name, login, tenant)
        if name:
            return await here.sessions.end_user(name, login or None), tokens
        return await here.sessions.end_tenant(tenant or ""), tokens

    count, tokens = _run(path, work)
    click.echo(f"{count} session{'' if count == 1 else 's'} ended")
    if tokens:
        click.echo(f"{tokens} token{'' if tokens == 1 else 's'} ended")
    if not count and not tokens:
        sys.exit(1)


async def _live(here: _Here, user: str | None, login: str | None, tenant: str | None) -> int:
    """How many tokens of a user, or of a tenant, have not ended yet."""
    found = [one.token for one in await here.tokens.all()]
    theirs = [
        one
        for one in found
        if (one.owner.user == user if user else one.owner.tenant == tenant) and login in (None, "", one.owner.login)
    ]
    return sum([await here.epochs.holds(subject(one.owner), one.epoch) for one in theirs])


class _Here(msgspec.Struct, frozen=True):
    sessions: Sessions
    tokens: Tokens
    epochs: Epochs


def _run(path: Path, work: Callable[[_Here], Awaitable[T]]) -> T:
    """The answer of a piece of work on the configured store; ends the command with 2 or 1 where there is none."""
    settings = settings_of(path)
    url = settings.sessions.store
    with config_errors_end_it():
        if not store.is_shared(url):
            click.echo(
                'the sessions live inside the gateway\'s process (sessions.store = "memory://"): '
                "they cannot be listed or ended from here; use a redis:// store",
                err=True,
            )
            sys.exit(2)
        key_file = keys.load(settings.gateway.key_file, create=False)

    async def main() -> T:
        ours = settings.sessions
        limits = SessionLimits(ours.idle, ours.absolute, ours.per_user, remember=ours.remember)
        epochs, redis = Epochs(settings.database.url, time.time), store.connect(url)
        tokens = Tokens(settings.database.url, key_file, epochs, time.time)
        try:
            return await work(_Here(Sessions(redis, key_file, epochs, limits, time.time), tokens, epochs))
        finally:
            await tokens.close()
            await epochs.close()
            await redis.aclose()

    with config_errors_end_it():
        try:
            return asyncio.run(main())
        except StoreError as error:
            end_unasked(error)


def _row(one: Listed) -> tuple[str, ...]:
    texts = (one.handle, one.user, one.login, one.tenant, one.kind.value, "+".join(one.factors), one.address)
    return (*(plain(text) or "-" for text in texts), _utc(one.started), _utc(one.seen), "yes" if one.kept else "-")


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[place]) for row in (_COLUMNS, *rows)) for place in range(len(_COLUMNS))]
    for row in (_COLUMNS, *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _without_claims(one: Listed) -> dict[str, object]:
    return {name: value for name, value in msgspec.structs.asdict(one).items() if name != "claims"}


def _print_json(value: object) -> None:
    click.echo(msgspec.json.encode(value, order="deterministic").decode())
