"""Configuration, users and policy files with mistakes: each is listed once with its place, and nothing is started."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from kit.gateway import PROGRAM, configure, hashed, toml
from kit.servers import free_port

ALICE = {"username": "alice", "password": "secret", "id": 7, "can_cdr": True}
MADE = ("audit.jsonl", "authgw.db", "authgw.key")
UNUSED = "http://127.0.0.1:9"

POLICY = """
[[call]]
name = "one"
path = "/php/one.php"
needs = ["can_fly"]

[[call]]
name = "two"
path = "/php/two.php"
needs = ["can_cdr"]
colour = "red"

[[call]]
path = "/php/three.php"
needs = ["can_cdr"]

[[call]]
name = "four"
path = "/php/four.php"
auth = "none"
needs = ["can_cdr"]
"""


def told(config: Path, command: str) -> list[str]:
    """What the command lists as mistakes; it must end with 2 and say so."""
    done = subprocess.run([PROGRAM, command, "--config", str(config)], capture_output=True, text=True, timeout=30)
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    assert "ready" not in done.stdout
    assert "Traceback" not in done.stderr, done.stderr
    return [line for line in done.stderr.splitlines() if not line.startswith("warning:")]


def once(lines: list[str], *words: str) -> None:
    """Exactly one line names all of these."""
    found = [line for line in lines if all(word in line for word in words)]
    assert len(found) == 1, (words, lines)


@pytest.fixture(params=["check", "serve"])
def command(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def untouched(folder: Path, port: int) -> None:
    """No file was made and nobody listens."""
    assert not [name for name in MADE if (folder / name).exists()]
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_configuration_with_mistakes(tmp_path: Path, command: str) -> None:
    """Wrong values, unknown keys and unknown tables, all in one go."""
    port = free_port()
    config = configure(
        tmp_path,
        UNUSED,
        port=port,
        users=[ALICE],
        gateway={"listen": "nowhere", "colour": "red"},
        sessions={"idle": "soon", "store": "mysql://x"},
        policy={"scan_days": "many"},
        kitchen={"sink": True},
    )
    lines = told(config, command)
    for key in ("gateway.listen", "gateway.colour", "sessions.idle", "sessions.store", "policy.scan_days", "kitchen"):
        once(lines, "authgw.toml", key)
    once(lines, "6 mistakes")
    untouched(tmp_path, port)


@pytest.mark.parametrize("table", ["gateway", "upstream", "login"])
def test_a_table_that_is_not_there(tmp_path: Path, command: str, table: str) -> None:
    """The three required tables."""
    port = free_port()
    config = configure(tmp_path, UNUSED, port=port, users=[ALICE])
    lines, keep = config.read_text().splitlines(), True
    left = []
    for line in lines:
        if line.startswith("["):
            keep = not line.strip("[]").startswith(table)
        left += [line] if keep else []
    config.write_text("\n".join(left))
    once(told(config, command), "authgw.toml", table)
    untouched(tmp_path, port)


@pytest.mark.parametrize("name", ["authgw.toml", "users.toml", "extra.toml"])
def test_a_file_that_is_no_toml(tmp_path: Path, command: str, name: str) -> None:
    """The file and the line."""
    port = free_port()
    config = configure(tmp_path, UNUSED, port=port, users=[ALICE], policy={"files": ["voipmonitor", "extra.toml"]})
    (tmp_path / "extra.toml").write_text("")
    text = (tmp_path / name).read_text()
    (tmp_path / name).write_text(text + "\nthis is = = no toml\n")
    once(told(config, command), name, "line")
    untouched(tmp_path, port)


@pytest.mark.parametrize("name", ["users.toml", "upstream.password", "extra.toml"])
def test_a_file_that_is_not_there(tmp_path: Path, command: str, name: str) -> None:
    """The file is named."""
    port = free_port()
    config = configure(tmp_path, UNUSED, port=port, users=[ALICE], policy={"files": ["voipmonitor", "extra.toml"]})
    (tmp_path / "extra.toml").write_text("")
    (tmp_path / name).unlink()
    lines = told(config, command)
    assert [line for line in lines if name in line], lines
    once(lines, "1 mistake;")
    untouched(tmp_path, port)


def test_users_with_mistakes(tmp_path: Path, command: str) -> None:
    """Scopes that cannot be understood, flags that are none, ids that are missing or taken, names given twice."""
    port = free_port()
    good = {"password": hashed("secret"), "can_cdr": True}
    rows = [
        {"username": "address", "id": 1, **good, "ip": ["127.0.0.0/33"]},
        {"username": "tagged", "id": 2, **good, "vlan": ["many"]},
        {"username": "flagged", "id": 3, **good, "can_pcap": "maybe"},
        {"username": "nobody", **good},
        {"username": "twice", "id": 5, **good},
        {"username": "twice", "id": 6, **good},
        {"username": "unhashed", "id": 7, "password": "plain", "can_cdr": True},
        {"username": "sensing", "id": 8, **good, "enable_sensors": ["two"]},
        {"username": "fine", "id": 9, **good},
    ]
    config = configure(tmp_path, UNUSED, port=port)
    (tmp_path / "users.toml").write_text(toml({"user": rows}))
    lines = told(config, command)
    for words in (
        ("address", "ip"),
        ("tagged", "vlan"),
        ("flagged", "can_pcap"),
        ("nobody", "id"),
        ("unhashed", "password"),
        ("sensing", "enable_sensors"),
        ("twice",),
    ):
        once(lines, "users.toml", *words)
    once(lines, "7 mistakes")
    assert not [line for line in lines if "fine" in line]
    assert "plain" not in "".join(lines).replace("unhashed", "")
    untouched(tmp_path, port)


def test_a_policy_with_mistakes(tmp_path: Path, command: str) -> None:
    """Flags nobody has, unknown keys, no name, and a public call that needs a right."""
    port = free_port()
    config = configure(tmp_path, UNUSED, port=port, users=[ALICE], policy={"files": ["voipmonitor", "extra.toml"]})
    (tmp_path / "extra.toml").write_text(POLICY)
    lines = told(config, command)
    once(lines, "extra.toml", "can_fly")
    once(lines, "extra.toml", "colour")
    once(lines, "extra.toml", ".name")
    once(lines, "extra.toml", "four")
    once(lines, "4 mistakes")
    untouched(tmp_path, port)


def test_users_and_policy_are_read_in_one_go(tmp_path: Path, command: str) -> None:
    """A mistake in each file: both are listed."""
    port = free_port()
    config = configure(tmp_path, UNUSED, port=port, policy={"files": ["voipmonitor", "extra.toml"]})
    (tmp_path / "users.toml").write_text(toml({"user": [{**ALICE, "password": hashed("x"), "ip": ["nowhere"]}]}))
    (tmp_path / "extra.toml").write_text('[[call]]\nname = "one"\npath = "/php/one.php"\nneeds = ["can_fly"]\n')
    lines = told(config, command)
    once(lines, "users.toml", "ip")
    once(lines, "extra.toml", "can_fly")
    untouched(tmp_path, port)


def test_files_without_mistakes(tmp_path: Path) -> None:
    """`check` says that all is well, and makes nothing."""
    port = free_port()
    config = configure(tmp_path, UNUSED, port=port, users=[ALICE])
    done = subprocess.run([PROGRAM, "check", "--config", str(config)], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    untouched(tmp_path, port)
