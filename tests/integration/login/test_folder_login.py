"""The README's login in 30 lines, tried as somebody new would: written into a folder, checked, and served."""

from __future__ import annotations

import importlib.util
import marshal
import os
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from kit.gateway import PROGRAM, configure, hashed
from kit.readme import blocks
from kit.servers import free_port
from kit.world import World, world

STATIC = {"username": "local", "password": "local-secret", "id": 1, "can_cdr": True}


def write(folder: Path) -> None:
    """The files of the README's chapter, and a database with one person."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "logins").mkdir(mode=0o755)
    for block in [*blocks("python logins/people.py"), *blocks("python check_people.py")]:
        file = folder / block.info.split(" ")[1]
        file.write_text(block.text)
        file.chmod(0o644)
    with sqlite3.connect(folder / "people.db") as db:
        db.execute("create table person (id integer, name text, number text, hash text)")
        db.execute("insert into person values (101, 'alice', '10', ?)", (hashed("right"),))
    db.close()


LOGIN = {"folder": "logins", "chain": ["static", "people"]}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("own")
    write(folder)
    with world(folder, users=[STATIC], login=LOGIN, login_people={"database": "people.db"}) as found:
        yield found


def test_it_is_as_long_as_it_says() -> None:
    """At most 30 lines of code, imports aside, and it is a plugin by the contract alone."""
    (block,) = blocks("python logins/people.py")
    code = [line for line in block.text.splitlines() if line.strip() and not line.startswith(("import", "from"))]
    assert len(code) <= 30
    assert "authgw.contract" in block.text
    assert block.text.count("authgw") == 2  # the import, and the file that paths are relative to


def test_it_keeps_the_promises_of_a_login(tmp_path: Path) -> None:
    """The README's check of it ends well; with the wrong password as the right one it tells what is broken."""
    write(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "logins")}

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "check_people.py"]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    done = run()
    assert done.returncode == 0, done.stderr
    file = tmp_path / "check_people.py"
    file.write_text(file.read_text().replace('"right"', '"no"'))
    assert "login() with the right password answered Rejected" in run().stderr


@pytest.mark.parametrize(
    ("user", "password", "status"),
    [("alice", "right", 200), ("alice", "wrong", 401), ("nobody", "right", 401), ("local", "local-secret", 200)],
)
def test_its_people_come_in(served: World, user: str, password: str, status: int) -> None:
    """By the gateway: the right password of a person it knows, and those of the login before it in the chain."""
    fields = {"module": "bypass_login", "user": user, "pass": password}
    assert httpx2.post(f"{served.url}/php/model/sql.php", data=fields, timeout=30).status_code == status


def test_a_name_it_does_not_know_is_left_to_others(tmp_path: Path) -> None:
    """`explain-login` of a user that a later login knows: the README's plugin does not refuse him, that one decides."""
    write(tmp_path)
    login = {"folder": "logins", "chain": ["people", "static"]}
    people = {"database": "people.db"}
    file = configure(tmp_path, "http://127.0.0.1:9", port=free_port(), users=[STATIC], login=login, login_people=people)
    for user, decides in (("local", "static decides"), ("alice", "people decides")):
        command = [PROGRAM, "explain-login", "--config", str(file), user]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert decides in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("what", ["logins", "logins/people.py", "logins/_beside.py"])
@pytest.mark.parametrize("mode", [0o020, 0o002])
def test_what_others_can_write_is_not_run(tmp_path: Path, what: str, mode: int) -> None:
    """A folder or a file in it that the group or anybody can write: no start, and the words say what to do."""
    config = configure(
        tmp_path, "http://127.0.0.1:9", port=free_port(), users=[STATIC], login=LOGIN,
        login_people={"database": "people.db"},
    )  # fmt: skip
    write(tmp_path)
    (tmp_path / "logins" / "_beside.py").write_text("")
    (tmp_path / "logins" / "_beside.py").chmod(0o644)
    command = [PROGRAM, "check", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    path = tmp_path / what
    path.chmod(path.stat().st_mode | mode)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert f"chmod go-w {path}" in done.stdout + done.stderr


def test_what_was_planted_beside_it_is_not_run(tmp_path: Path) -> None:
    """Python's own folder for compiled files, which a usual umask lets the group write: nothing in it is run, and the
    gateway makes no such folder."""
    config = configure(
        tmp_path, "http://127.0.0.1:9", port=free_port(), users=[STATIC], login=LOGIN,
        login_people={"database": "people.db"},
    )  # fmt: skip
    write(tmp_path)
    file, marker = tmp_path / "logins" / "people.py", tmp_path / "marker"

    def check() -> int:
        command = [PROGRAM, "check", "--config", str(config)]
        return subprocess.run(command, capture_output=True, timeout=60, check=False, umask=0o002).returncode

    assert check() == 0
    planted = Path(importlib.util.cache_from_source(str(file)))
    assert not planted.parent.exists()
    planted.parent.mkdir(mode=0o775)
    evil = compile(f"open({str(marker)!r}, 'w').close()\n" + file.read_text(), str(file), "exec")
    state = file.stat()
    head = importlib.util.MAGIC_NUMBER + struct.pack("<III", 0, int(state.st_mtime), state.st_size)
    planted.write_bytes(head + marshal.dumps(evil))
    assert check() == 0
    assert not marker.exists()
