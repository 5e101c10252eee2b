"""What a command says to input that it cannot use: in one line, with what to do, and with exit code 2."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner

from authgw.cli.main import main
from kit.gateway import PROGRAM
from kit.readme_run import write_files


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A configuration without mistakes, of a gateway that was never started."""
    write_files(tmp_path)
    return str(tmp_path / "authgw.toml")


@pytest.mark.parametrize("command", ["demo", "demo-upstream"])
@pytest.mark.parametrize("port", ["65536", "-1"])
def test_a_port_that_does_not_exist(command: str, port: str) -> None:
    """The command names the ports there are, and starts nothing."""
    done = CliRunner().invoke(main, [command, f"--port={port}"])
    assert done.exit_code == 2
    assert "0<=x<=65535" in done.output


def test_an_address_that_is_none(config: str) -> None:
    """`explain-login --address` takes an IP address, not the name of a machine."""
    done = CliRunner().invoke(main, ["explain-login", "--config", config, "--address", "laptop", "alice"])
    assert (done.exit_code, done.output) == (2, "authgw: --address 'laptop' is not an IP address\n")
    done = CliRunner().invoke(main, ["explain-login", "--config", config, "--address", "2001:db8::1", "alice"])
    assert done.exit_code == 0


@pytest.mark.parametrize("command", ["keys list", "factors list --user alice", "tokens list"])
def test_before_the_first_start(config: str, command: str) -> None:
    """A command that needs the key file says what makes it."""
    done = CliRunner().invoke(main, [*command.split(), "--config", config])
    assert done.exit_code == 2
    assert "authgw.key: there is no key file; the first start of `authgw serve` makes one" in done.output


def test_every_command_tells_its_whole_purpose() -> None:
    """In the lists of commands no line is cut off, at a terminal of 80 columns."""
    for name in ("sessions", "keys", "factors", "tokens", "audit"):
        shown = CliRunner().invoke(main, [name, "--help"], terminal_width=80).output.partition("Commands:")[2]
        assert shown
        assert "..." not in shown, name


def test_a_password_is_not_shown_at_a_terminal() -> None:
    """There it is asked for twice, nothing that is typed is echoed, and the hash is that of what was typed."""
    own, theirs = pty.openpty()
    running = subprocess.Popen([PROGRAM, "hash-password"], stdin=theirs, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    seen = b""
    for asked in (b"Password: ", b"The same again: "):
        while asked not in seen:
            seen += os.read(own, 1024)
        os.write(own, b"battery staple\n")
    output, _ = running.communicate(timeout=20)
    os.close(own)
    assert running.returncode == 0
    assert b"battery" not in seen
    assert PasswordHasher().verify(output.decode().strip(), "battery staple")
