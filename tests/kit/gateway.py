"""The gateway as its operator runs it: a folder with its files, a process, the line that says it is ready."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher

from kit.servers import free_port

PROGRAM = str(Path(sys.executable).with_name("authgw"))
READY_SECONDS = 30.0
SERVICE_PASSWORD = "service-secret"
# The weakest that is still argon2id: what is tested is never how long a hash takes.
_HASHER = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)

User = Mapping[str, Any]


@dataclass(frozen=True)
class Gateway:
    """A running gateway: its address without a slash at the end, its folder, its process, its log."""

    url: str
    port: int
    folder: Path
    process: subprocess.Popen[bytes]
    log: Path


def toml(document: Mapping[str, Any]) -> str:
    """A document of tables, dotted tables (`login.static`) and arrays of tables as TOML text."""
    out: list[str] = []
    for name, content in document.items():
        for table, head in (
            [(t, f"[[{name}]]") for t in content] if isinstance(content, list) else [(content, f"[{name}]")]
        ):
            out.append(head)
            out += [f"{key} = {_value(value)}" for key, value in table.items()]
    return "\n".join(out) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value)


def hashed(password: str) -> str:
    """The hash of a plain password; what is a hash already stays one."""
    return password if password.startswith("$argon2") else _HASHER.hash(password)


def configure(
    folder: Path, url: str, /, *, port: int, base: str = "", users: Sequence[User] = (), **sections: Any
) -> Path:
    """Write authgw.toml, users.toml and the service password into the folder; the path of the first.

    `url`: the GUI's. `users`: the permission dictionary with the plain `password` or its hash. `sections` add to
    tables or replace their keys; `login_static={…}` is the table [login.static].
    """
    folder.mkdir(parents=True, exist_ok=True)
    document: dict[str, dict[str, Any]] = {
        "gateway": {
            "listen": f"127.0.0.1:{port}",
            "public_url": f"http://127.0.0.1:{port}{base}",
            "key_file": "authgw.key",
        },
        "upstream": {
            "url": url,
            "identity": "service",
            "username": "authgw",
            "password_file": "upstream.password",
        },
        "login": {"chain": ["static"]},
        "login.static": {"users": "users.toml"},
    }
    for name, content in sections.items():
        document.setdefault(name.replace("_", "."), {}).update(content)
    write_secret(folder / "upstream.password", SERVICE_PASSWORD)
    rows = [{**user, "password": hashed(user["password"])} for user in users]
    write_secret(folder / "users.toml", toml({"user": rows}))
    write_secret(folder / "authgw.toml", toml(document))
    return folder / "authgw.toml"


def write_secret(path: Path, text: str) -> None:
    path.write_text(text + ("" if text.endswith("\n") or not text else "\n"))
    path.chmod(0o600)


@contextlib.contextmanager
def gateway(folder: Path, url: str, /, *, port: int | None = None, **configured: Any) -> Iterator[Gateway]:
    """A gateway configured by `configure`, ready; ended at the end. Keyword arguments are those of `configure`."""
    port = port or free_port()
    config = configure(folder, url, port=port, **configured)
    with serving(config, port) as found:
        yield found


@contextlib.contextmanager
def serving(config: Path, port: int) -> Iterator[Gateway]:
    """`authgw serve` over a configuration that is there already: for starting again what was killed."""
    log = config.with_name("serve.log")
    with started([PROGRAM, "serve", "--config", str(config)], log) as (process, url):
        assert url == f"http://127.0.0.1:{port}", url
        yield Gateway(url, port, config.parent, process, log)


@contextlib.contextmanager
def started(command: Sequence[str], log: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A command that prints `ready URL`: the process and the URL. Its standard error goes to the end of `log`."""
    with log.open("ab") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, "PYTHONUNBUFFERED": ""},
        )
        try:
            yield process, ready(process, log)
        finally:
            end(process)


def ready(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait for the line `ready URL` and give back the URL."""
    assert process.stdout is not None
    deadline, said = time.monotonic() + READY_SECONDS, b""
    while b"\n" not in said:
        left = deadline - time.monotonic()
        readable, _, _ = select.select([process.stdout], [], [], max(0.0, left))
        part = os.read(process.stdout.fileno(), 4096) if readable else b""
        if not part:
            raise AssertionError(f"{process.args!r} was not ready: {said!r}\n{log.read_text()[-4000:]}")
        said += part
    words = said.decode().splitlines()[0].split()
    assert len(words) == 2, said
    assert words[0] == "ready", said
    return words[1]


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to end; kill it if it does not."""
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(15)
    if process.stdout is not None:
        process.stdout.close()
