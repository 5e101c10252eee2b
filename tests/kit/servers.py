"""Real servers for tests: found on the path, started on free loopback ports, ended with the test."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

ELSEWHERE = "/usr/sbin:/usr/local/sbin:/sbin"


def need(program: str, path: str = ELSEWHERE) -> str:
    """Path of a program, looked for in `path` too. Missing: a failure in CI, a named skip elsewhere."""
    found = shutil.which(program) or shutil.which(program, path=path)
    if found:
        return found
    missing(f"{program} is not installed (make test installs it as root on Debian)")


def missing(message: str) -> NoReturn:
    """What a test needs is not there: a failure in CI, a named skip elsewhere."""
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def free_port() -> int:
    """A loopback TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes], seconds: float = 20.0) -> None:
    """Return when something accepts on the port; fail if the process ends first or nothing does in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"{process.args!r} ended with {process.returncode} before it listened")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2):
            return
        time.sleep(0.02)
    raise AssertionError(f"{process.args!r} did not listen on {port} within {seconds} s")


@contextlib.contextmanager
def running(
    command: Sequence[str], port: int, log: Path, *, user: str | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A server process that listens on `port`, its output in `log`, terminated at the end. `user`: run as another."""
    account: dict[str, Any] = {} if user is None else {"user": user, "group": user, "extra_groups": []}
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, **account)
        try:
            wait_for_port(port, process)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
