"""`authgw explain`: what the gateway makes of a user's request, and why."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime
from pathlib import Path

import click

from authgw.cli.common import config_errors_end_it, settings_of
from authgw.errors import UpstreamError
from authgw.narrow.scope import Facts
from authgw.settings import Settings


@click.command(context_settings={"ignore_unknown_options": False})
@click.option("--config", "path", type=click.Path(path_type=Path), required=True, help="The gateway's authgw.toml.")
@click.option("--user", help="The user, as he logs in.")
@click.option("--body", default="", help="The request's body: JSON, or urlencoded fields.")
@click.option("--row", type=click.IntRange(1), help="Ask about the call of this id and say why he sees it or not.")
@click.option("--code", help="The support code of a page that refused something, in place of all the others.")
@click.argument("method", required=False)
@click.argument("url", required=False)
def explain(
    path: Path, user: str | None, body: str, row: int | None, code: str | None, method: str | None, url: str | None
) -> None:
    """Show what becomes of METHOD URL when USER asks for it: the canonical request, the catalogue's entry, every
    condition, the decision with its reason, and the request that would go upstream. Nothing is sent, but with --row:
    then the GUI (or the database of [facts]) is asked for the one call, and each grant is held against it.

    With --code: who saw that code, when, what was asked and why it was refused, from the audit trail and the files
    beside it that it was renamed to; and how to ask the same again. Case, blanks and dashes do not count.

    \b
    Examples: authgw explain --config authgw.toml --user alice GET '/php/pcap.php?id=42'
              authgw explain --config authgw.toml --code 3fa9-07c1-88e2

    Exit codes: 0 the call is allowed (and the row visible), or the code is found; 1 it is refused (or the row is not
    visible), or the code is not found; 2 the arguments, the configuration or the user cannot be used.
    """
    if code is not None:
        if user is not None or method is not None or body or row is not None:
            raise click.UsageError("give --code alone, or --user with METHOD and URL; a code with blanks in quotes")
        _by_code(path, code)
    elif user is None or method is None or url is None:
        raise click.UsageError("give --user with METHOD and URL, or --code")
    else:
        _by_request(path, user, body, row, method, url)


def _by_code(path: Path, typed: str) -> None:
    from authgw.cli.code import code_of, find
    from authgw.cli.code_words import missing, told

    code = code_of(typed)
    if code is None:
        raise click.UsageError("--code is no support code: those are 12 digits and letters from a to f")
    file = settings_of(path).audit.file
    search = find(file, code)
    for line in told(search.line, path) if search.line else missing(code, file, search):
        click.echo(line, err=search.line is None)
    sys.exit(0 if search.line else 1)


def _by_request(path: Path, user: str, body: str, row: int | None, method: str, url: str) -> None:
    from authgw.catalogue.load import load as load_catalogue
    from authgw.intake.limits import Limits
    from authgw.login import assemble
    from authgw.policy.decide import Rules
    from authgw.policy.explain import Setting, raw_of
    from authgw.policy.explain import explain as reason
    from authgw.policy.explain_row import explain_row

    settings = settings_of(path)
    with config_errors_end_it():
        catalogue = load_catalogue(settings.policy.files, settings.folder)
        claims = asyncio.run(assemble.claims_of(settings, user))
    if isinstance(claims, str):
        click.echo(f"authgw: {claims}", err=True)
        sys.exit(2)
    setting = Setting(
        catalogue,
        Limits(max_body=settings.gateway.max_body),
        settings.gateway.base_path,
        Rules(settings.upstream.pages, settings.gateway.origin),
        settings.policy.scan_days,
        datetime.now(),
    )
    told = reason(raw_of(method, url, body, setting.base_path), claims, setting)
    click.echo(f"user      {claims.user} (id {claims.id}, login {claims.login})")
    for line in told.lines:
        click.echo(line)
    if row is None or not told.allowed:
        sys.exit(0 if told.allowed else 1)
    try:
        facts, teller = asyncio.run(_facts(settings, row))
    except UpstreamError as error:
        click.echo(f"authgw: nobody could be asked about the call: {error}", err=True)
        sys.exit(2)
    click.echo(f"facts     told by {teller}")
    seen, lines = explain_row(row, facts, claims, told.grants, settings.policy.number_match)
    for line in lines:
        click.echo(line)
    sys.exit(0 if seen else 1)


async def _facts(settings: Settings, call_id: int) -> tuple[Facts | None, str]:
    """The call's facts, and who told them."""
    from authgw.facts.assemble import call_facts
    from authgw.upstream.assemble import upstream_of

    upstream = upstream_of(settings)
    facts = call_facts(settings, upstream)
    try:
        return await facts.of(call_id), facts.teller.name
    finally:
        await facts.close()
        await upstream.close()
