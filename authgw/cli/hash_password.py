"""`authgw hash-password`: a password on standard input, its hash on standard output."""

from __future__ import annotations

import sys

import click

from authgw.login.user import MAX_PASSWORD_BYTES
from authgw_plugins.passwords import hashed


@click.command("hash-password")
def hash_password() -> None:
    """Print the argon2 hash of a password, for users.toml.

    The password is one line on standard input; its line end is no part of it. At a terminal it is asked for, twice and
    unseen. Exit codes: 0 hashed, 2 there is no password, or none that could be somebody's.
    """
    if sys.stdin.isatty():
        asked: str = click.prompt("Password", hide_input=True, confirmation_prompt="The same again", err=True)
        data = asked.encode()
    else:
        data = sys.stdin.buffer.read(MAX_PASSWORD_BYTES + 3)
    line = data.removesuffix(b"\n").removesuffix(b"\r")
    if not line:
        raise click.UsageError("give the password on standard input")
    if b"\n" in line or b"\r" in line or len(line) > MAX_PASSWORD_BYTES:
        raise click.UsageError(f"give one line of at most {MAX_PASSWORD_BYTES} bytes")
    try:
        password = line.decode()
    except UnicodeDecodeError:
        raise click.UsageError("the password is not UTF-8") from None
    click.echo(hashed(password))
