"""`authgw explain-login`: what the logins of the chain make of a user, and why."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from ipaddress import ip_address
from pathlib import Path

import click

from authgw.cli.common import config_errors_end_it, plain, settings_of
from authgw.login.explain import Person, Told


@click.command()
@click.option("--config", "path", type=click.Path(path_type=Path), required=True, help="The gateway's authgw.toml.")
@click.option("--groups", help="Hold these groups against the mapping, not his own. Several: separated by semicolons.")
@click.option("--address", default="", help="Where he comes from, for enable_login_ip.")
@click.argument("user")
def explain_login(path: Path, groups: str | None, address: str, user: str) -> None:
    """Show what becomes of USER when he logs in: what each login of the chain says of him without his password, which
    [[grant]] lines of the mapping hold for his groups and which do not, the rights that come of it, and the gates
    (address, block, expiry, second factor) before them. Nobody is logged in, and no failure is counted.

    \b
    Examples:  authgw explain-login --config authgw.toml alice
               authgw explain-login --config authgw.toml --groups 'cn=noc,dc=example,dc=com' somebody

    A login that cannot tell without a password (a script, a service) says so. Exit codes: 0 he comes in with the right
    password, 1 he does not, 2 the configuration, the name or the address cannot be used.
    """
    from authgw.login import assemble, explain
    from authgw.login.user import canonical

    settings = settings_of(path)
    name = canonical(user)
    if name is None:
        click.echo(f"authgw: {user!r} cannot be a user's name", err=True)
        sys.exit(2)
    if address and not _is_address(address):
        click.echo(f"authgw: --address {address!r} is not an IP address", err=True)
        sys.exit(2)
    person = Person(name, None if groups is None else _split(groups), address, time.time())

    async def ask() -> Told:
        chain = await assemble.opened(settings)
        try:
            return await explain.explain(chain.instances, chain.rights, person)
        finally:
            await chain.close()

    with config_errors_end_it():
        told = asyncio.run(ask())
    for line in told.lines:
        click.echo(plain(line))
    sys.exit(0 if told.comes_in else 1)


def _is_address(text: str) -> bool:
    with contextlib.suppress(ValueError):
        ip_address(text)
        return True
    return False


def _split(groups: str) -> tuple[str, ...]:
    """By semicolons where there are any, for names of directories hold commas; else by commas, unless it is such a
    name."""
    parts = groups.split(";") if ";" in groups or "=" in groups else groups.split(",")
    return tuple(part.strip() for part in parts if part.strip())
