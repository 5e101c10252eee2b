"""Where everything of one run lives: a folder, the cores, and how servers are found and started."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kit.servers import running

PEERS = Path(__file__).resolve().parent / "out" / "peers"
"""Where bench/setup puts what Debian does not have."""

CORES = sorted(os.sched_getaffinity(0))
OURS = str(CORES[0])
"""The core of whatever is measured; the others are for the load and the upstream."""
OTHERS = ",".join(map(str, CORES[1:] or CORES))


class Absent(Exception):
    """A peer that cannot take part, and why."""


@dataclass(frozen=True)
class Peer:
    """Something that stands before the upstream and is measured.

    `roots`: the processes whose trees are its cost. `cookies`: the `Cookie` of a session, by user; the one named "" is
    for peers that know one session alone. `judges`: it refuses a request without a session.
    """

    name: str
    port: int
    roots: tuple[int, ...]
    about: str
    cookies: dict[str, str] = field(default_factory=dict)
    judges: bool = True
    ours: bool = False

    def cookie(self, user: str) -> str:
        return self.cookies.get(user, self.cookies.get("", ""))


@dataclass(frozen=True)
class Place:
    """What every peer is given: a folder of its own run, the upstream, the store, the OpenID provider."""

    folder: Path
    upstream: int
    redis: int
    provider: str

    def room(self, name: str) -> Path:
        room = self.folder / name
        room.mkdir(parents=True, exist_ok=True)
        room.chmod(0o755)
        return room


def program(*names: str) -> str:
    """The first of these programs that there is."""
    path = os.pathsep.join([str(PEERS / "bin"), os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/sbin"])
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    raise Absent(f"{names[0]} is not installed (bench/setup installs it as root on Debian)")


def on(cores: str, command: Sequence[str]) -> list[str]:
    """The command, kept to these cores."""
    return [program("taskset"), "-c", cores, *command]


@contextlib.contextmanager
def server(command: Sequence[str], port: int, room: Path, cores: str = OURS) -> Iterator[subprocess.Popen[bytes]]:
    """A server that listens on `port`, ended at the end; `Absent` with its last words if it does not come up."""
    log = room / "log"
    with contextlib.ExitStack() as stack:
        try:
            process = stack.enter_context(running(on(cores, command), port, log))
        except AssertionError:
            words = log.read_text(errors="replace").strip().splitlines()
            raise Absent(f"it did not start: {words[-1] if words else 'without a word'}") from None
        yield process


def version(command: Sequence[str]) -> str:
    """The first line that a program says about itself."""
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    return ((said.stdout + said.stderr).strip().splitlines() or [""])[0]
