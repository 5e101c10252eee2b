"""`authgw demo` and `authgw demo-upstream`: the gateway before a look-alike, and the look-alike alone."""

from __future__ import annotations

import asyncio
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from authgw.cli.serve import address, bind, run, server

SERVICE_USER = "authgw"
_PORT = click.IntRange(0, 65535)
_PORT_ADVICE = "name another one with --port"
_PORT_HELP = "Port on the loopback address; 0 takes a free one."


@click.command("demo-upstream")
@click.option("--port", type=_PORT, default=8081, show_default=True, help=_PORT_HELP)
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of call records.")
@click.option("--user", default=SERVICE_USER, show_default=True, help="The look-alike's one account.")
@click.option("--password-file", type=click.Path(path_type=Path), help="Its password, in one line [default: authgw].")
@click.option("--base", default="", help="The GUI's folder, for example /demo.")
@click.option("--active-rows", is_flag=True, help="Calls under way as arrays, the first of which names the columns.")
@click.option("--active-numbers", is_flag=True, help="Addresses of calls under way as unsigned numbers.")
def demo_upstream(
    port: int,
    data: Path | None,
    user: str,
    password_file: Path | None,
    base: str,
    active_rows: bool,
    active_numbers: bool,
) -> None:
    """Run the VoIPmonitor look-alike on real call records. It enforces nothing: that is the gateway's work.

    Prints `ready http://HOST:PORT` when it accepts connections. Exit codes: 0 ended, 2 a file or the port cannot be
    had.
    """
    from authgw.demo.upstream import build

    password = SERVICE_USER
    if password_file is not None:
        try:
            password = password_file.read_text("utf-8").rstrip("\r\n")
        except OSError as error:
            click.echo(f"authgw: {password_file}: {error.strerror}", err=True)
            sys.exit(2)
    try:
        app = build(data, user, password, base, active_rows=active_rows, active_numbers=active_numbers)
    except (OSError, ValueError) as error:
        click.echo(f"authgw: {data}: {error}", err=True)
        sys.exit(2)
    run(lambda: server(app, bind("127.0.0.1", port, _PORT_ADVICE)))


@click.command()
@click.option("--port", type=_PORT, default=8080, show_default=True, help=_PORT_HELP)
def demo(port: int) -> None:
    """Run the gateway before a look-alike with real call records, everything in this one process.

    Passwords are known, sessions are in memory, nothing is kept: it listens on the loopback address only. Exit codes: 0
    ended, 2 the port cannot be had.
    """
    from authgw.demo.accounts import users

    accounts = users()
    with tempfile.TemporaryDirectory(prefix="authgw-demo-") as folder:
        run(lambda: _both(Path(folder), port, accounts))


async def _both(folder: Path, port: int, accounts: list[dict[str, Any]]) -> None:
    from authgw.app import create
    from authgw.demo.upstream import build
    from authgw.settings import load

    password = secrets.token_urlsafe(16)
    inner, outer = bind("127.0.0.1", 0), bind("127.0.0.1", port, _PORT_ADVICE)
    config = write_config(folder, address(outer), address(inner), password, accounts)
    settings = load(config, {})
    started = asyncio.Event()
    look_alike = asyncio.create_task(server(build(None, SERVICE_USER, password), inner, started.set))
    await started.wait()
    try:
        await server((await create(settings)).app, outer, lambda: _introduce(address(outer), config, accounts))
    finally:
        look_alike.cancel()
        await asyncio.gather(look_alike, return_exceptions=True)


def _introduce(url: str, config: Path, accounts: list[dict[str, Any]]) -> None:
    print(f"ready {url}", flush=True)
    print(f"\nOpen {url}/ and log in as one of\n")
    print(f"  {'name':<10} {'password':<14} sees")
    for account in accounts:
        print(f"  {account['username']:<10} {account['password']:<14} {account.get('note', '')}")
    print(f"\nIts configuration, for authgw explain and other commands: {config}")
    print("Sessions are kept in this process and end with it. Ctrl-C stops the demo.", flush=True)


def write_config(folder: Path, public: str, upstream: str, password: str, accounts: list[dict[str, Any]]) -> Path:
    """The demo's files in a folder of its own: configuration, users with hashed passwords, service password."""
    from passlib.hash import argon2

    # Cheap to hash: five accounts whose passwords are printed on the screen need no expensive protection.
    hasher = argon2.using(time_cost=1, memory_cost=1024, parallelism=1)
    tables = []
    for account in accounts:
        hashed = {**account, "password": hasher.hash(account["password"])}
        tables.append("[[user]]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in hashed.items()))
    (folder / "users.toml").write_text("\n".join(tables), "utf-8")
    (folder / "upstream.password").write_text(password + "\n", "utf-8")
    for name in ("users.toml", "upstream.password"):
        (folder / name).chmod(0o600)
    config = folder / "authgw.toml"
    config.write_text(
        f"""\
[gateway]
listen = "{public.removeprefix("http://")}"
public_url = "{public}"
[upstream]
url = "{upstream}"
username = "{SERVICE_USER}"
password_file = "upstream.password"
pages = "all"
[login]
chain = ["static"]
[login.static]
users = "users.toml"
[policy]
scan_days = 0
""",
        "utf-8",
    )
    return config


def _toml(value: Any) -> str:
    """Texts, numbers, flags and lists of them as TOML, which for these is JSON."""
    import json

    return json.dumps(value, ensure_ascii=False)
