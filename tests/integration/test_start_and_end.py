"""What the first start of an operator says: where it cannot be, and at the end of a demo."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from itertools import takewhile
from pathlib import Path
from typing import Any

import httpx2
import pytest

from kit.gateway import PROGRAM, configure, gateway
from kit.mariadb import mariadb
from kit.servers import free_port

NOWHERE = "redis://127.0.0.1:1/0"
LAST_OF_THE_DEMO = "Sessions are kept in this process and end with it. Ctrl-C stops the demo.\n"


def ended(command: list[str], **environment: str) -> tuple[int, str]:
    """Exit code and standard error of a command that ends by itself."""
    done = subprocess.run(
        [PROGRAM, *command], env={**os.environ, **environment}, capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stderr


def serve(folder: Path, workers: int) -> list[str]:
    """A configuration whose audit log is to lie in a folder that is not there."""
    sections: dict[str, Any] = {
        "gateway": {"workers": workers},
        "sessions": {"store": NOWHERE},
        "audit": {"file": "no/audit.jsonl"},
    }
    return ["serve", "--config", str(configure(folder, "http://127.0.0.1:1", port=free_port(), **sections))]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_audit_log_that_cannot_be_made(tmp_path: Path, workers: int) -> None:
    """It is a mistake of the configuration, told with its place, also where workers start."""
    code, said = ended(serve(tmp_path, workers))
    assert code == 2
    lines = [line for line in said.splitlines() if "WARNING" not in line]
    assert lines == [
        f"{tmp_path}/no/audit.jsonl: the audit log cannot be written: No such file or directory; see audit.file",
        "1 mistake; nothing was started",
    ]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_level_of_the_log_that_is_none(tmp_path: Path, workers: int) -> None:
    """AUTHGW_LOG is told to be wrong, with what could be there."""
    code, said = ended(serve(tmp_path, workers), AUTHGW_LOG="loud")
    assert (code, said) == (2, "authgw: AUTHGW_LOG is no level; write debug, info, warning or error, or unset it\n")


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    """The message names what chooses the port: the setting, or the option of the demo."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = configure(tmp_path, "http://127.0.0.1:1", port=port)
        begun = f"authgw: cannot listen on 127.0.0.1:{port}: Address already in use; "
        assert ended(["serve", "--config", str(config)]) == (2, begun + "see gateway.listen\n")
        assert ended(["demo", "--port", str(port)]) == (2, begun + "name another one with --port\n")


def test_a_demo_shows_its_files_and_ends_in_silence() -> None:
    """Its configuration can be used by other commands while it runs; Ctrl-C ends it without a word."""
    command = [PROGRAM, "demo", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = takewhile(lambda line: line != LAST_OF_THE_DEMO, process.stdout)
            config = list(said)[-1].rpartition(": ")[2].strip()
            code, _ = ended(["explain-login", "--config", config, "acme"])
            process.send_signal(signal.SIGINT)
            rest = process.communicate(timeout=30)
        finally:
            process.kill()
    assert code == 0
    assert (process.returncode, rest) == (0, ("", ""))
    assert not Path(config).exists()


def missing(url: str) -> dict[str, str]:
    return dict(httpx2.get(f"{url}/authgw/readyz", timeout=20).json()["missing"])


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    """Store and database are told apart, and each is named while it is away."""
    with (
        mariadb(tmp_path / "db") as server,
        gateway(
            tmp_path / "gw", "http://127.0.0.1:1", sessions={"store": NOWHERE}, database={"url": server.fresh()}
        ) as found,
    ):
        before = missing(found.url)
        os.kill(server.pid, signal.SIGSTOP)
        try:
            after = missing(found.url)
        finally:
            os.kill(server.pid, signal.SIGCONT)
    assert before.keys() == {"sessions", "upstream"}
    assert before["sessions"] == "the session store cannot be asked"
    assert after.keys() == {"sessions", "database", "upstream"}
    assert after["database"] == "the database cannot be asked"
