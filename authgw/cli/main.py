"""The `authgw` command. Commands are imported when they are called, so that each starts fast."""

from __future__ import annotations

from importlib import import_module

import click

import authgw

# Command: where it is, and its one line in the list (the whole help is with the command).
_COMMANDS = {
    "serve": ("authgw.cli.serve:serve", "Run the gateway."),
    "demo": ("authgw.cli.demo:demo", "Run the gateway before a look-alike with real call records."),
    "demo-upstream": ("authgw.cli.demo:demo_upstream", "Run the VoIPmonitor look-alike alone."),
    "check": ("authgw.cli.check:check", "Check configuration, users and policy files."),
    "explain": ("authgw.cli.explain:explain", "Show what the gateway makes of a user's request, and why."),
    "explain-login": ("authgw.cli.explain_login:explain_login", "Show what the logins make of a user, and why."),
    "hash-password": ("authgw.cli.hash_password:hash_password", "Hash a password for users.toml."),
    "sessions": ("authgw.cli.sessions:sessions", "List, show and end sessions."),
    "keys": ("authgw.cli.keys:keys", "Rotate the key that seals sessions and stored secrets."),
    "factors": ("authgw.cli.factors:factors", "List and reset second factors."),
    "tokens": ("authgw.cli.tokens:tokens", "List and revoke API tokens."),
    "audit": ("authgw.cli.audit:audit", "Read the audit trail."),
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[name][0].partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(authgw.__version__, prog_name="authgw")
def main() -> None:
    """The authenticating gateway in front of VoIPmonitor's GUI and Web API.

    Exit codes, of every command: 0 done; 1 refused, not there, or what it needs cannot be reached; 2 unusable arguments
    or configuration. `authgw COMMAND --help` says what that means for each.
    """
