"""`authgw sessions` beside a gateway: a real Redis, a configuration file, what is printed and how the command ends."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from click.testing import CliRunner, Result

from authgw.account.token import Kind as TokenKind
from authgw.cli.main import main
from authgw.durable.tokens import Tokens
from authgw.session import store
from authgw.session.model import Kind, Session
from kit.redis import RedisServer, real_redis
from kit.servers import free_port
from kit.sessions import Clock, Room, claims

__all__ = ["real_redis"]
T = TypeVar("T")
Started = tuple[str, Session]


class Place:
    """A folder with a configuration, and the store it names."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.config = folder / "authgw.toml"
        self.config.write_text(
            f"""
            [gateway]
            listen = "127.0.0.1:8080"
            public_url = "http://127.0.0.1:8080"
            [upstream]
            url = "http://127.0.0.1:8081"
            identity = "none"
            [sessions]
            store = "{url}"
            [login]
            chain = ["static"]
            [login.static]
            users = "users.toml"
            """
        )

    def run(self, *arguments: str) -> Result:
        command, *rest = arguments
        return CliRunner().invoke(main, ["sessions", command, "--config", str(self.config), *rest])

    def room(self, work: Callable[[Room], Awaitable[T]]) -> T:
        """What the gateway's own code says, on the same store, key file and database."""

        async def ask() -> T:
            redis = store.connect(self.url)
            room = Room(redis, self.folder, Clock(time.time() - 5))
            try:
                return await work(room)
            finally:
                await room.close()
                await redis.aclose()

        return asyncio.run(ask())

    def is_alive(self, started: Started) -> bool:
        return self.room(lambda room: room.sessions.find(started[0])) is not None


@pytest.fixture
def place(tmp_path: Path, real_redis: RedisServer) -> Place:
    place = Place(tmp_path, real_redis.url)
    place.room(lambda room: room.redis.flushall())
    return place


@pytest.fixture
def people(place: Place) -> dict[str, Started]:
    """alice twice (two login instances), bob of another tenant."""

    async def start(room: Room) -> dict[str, Started]:
        started = {"alice": await room.start("alice", 1, tenant="acme")}
        room.clock.now += 0.5
        started["alice at corp"] = await room.start("alice", 5, login="corp", tenant="acme")
        room.clock.now += 0.5
        started["bob"] = await room.start("bob", 2, kind=Kind.API, tenant="umbrella")
        return started

    return place.room(start)


def test_list_as_a_table(place: Place, people: dict[str, Started]) -> None:
    """One line a session under a line of headings, oldest first, with the handle and never the id."""
    result = place.run("list")
    assert result.exit_code == 0
    head, *rows = result.stdout.splitlines()
    assert head.split() == ["ID", "USER", "LOGIN", "TENANT", "KIND", "FACTORS", "ADDRESS", "STARTED", "SEEN", "KEPT"]
    for row, (_, session) in zip(rows, people.values(), strict=True):
        who = session.claims
        expected = [session.handle, who.user, who.login, who.tenant, session.kind.value, "pwd", "192.0.2.7"]
        assert row.split()[:7] == expected
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", word) for row in rows for word in row.split()[7:9])
    assert [row.split()[9] for row in rows] == ["-"] * 3
    assert not any(sid in result.output for sid, _ in people.values())


def test_list_as_json(place: Place, people: dict[str, Started]) -> None:
    """Programs get a JSON list with times as numbers."""
    found = json.loads(place.run("list", "--json").stdout)
    assert [one["handle"] for one in found] == [session.handle for _, session in people.values()]
    _, bob = people["bob"]
    assert found[2] == {
        "handle": bob.handle,
        "user": "bob",
        "id": 2,
        "login": "static",
        "tenant": "umbrella",
        "kind": "api",
        "factors": ["pwd"],
        "address": "192.0.2.7",
        "agent": "Mozilla/5.0 (test)",
        "started": bob.started,
        "seen": bob.seen,
        "kept": False,
    }


def test_list_narrowed(place: Place, people: dict[str, Started]) -> None:
    """By user or by tenant; the user's name is read as a login would read it."""
    assert len(json.loads(place.run("list", "--json", "--user", " alice ").stdout)) == 2
    assert len(json.loads(place.run("list", "--json", "--tenant", "umbrella").stdout)) == 1
    assert json.loads(place.run("list", "--json", "--user", "nobody").stdout) == []
    assert len(place.run("list", "--user", "nobody").stdout.splitlines()) == 1
    for narrowed, code in ((["--user", "alice"], 0), (["--user", "nobody"], 1), (["--tenant", "none"], 1), ([], 0)):
        assert place.run("list", *narrowed).exit_code == code


def test_show(place: Place, people: dict[str, Started]) -> None:
    """One session with everything it may do, as text and as JSON."""
    _, bob = people["bob"]
    text = place.run("show", "--id", bob.handle)
    assert text.exit_code == 0
    for word in (bob.handle, "bob", "umbrella", "Mozilla/5.0 (test)", "can_pcap", "+4420%"):
        assert word in text.stdout
    found = json.loads(place.run("show", "--json", "--id", bob.handle).stdout)
    assert found["handle"] == bob.handle
    assert found["claims"]["grants"][0]["flags"] == sorted(claims().grants[0].flags)
    unknown = place.run("show", "--id", "0" * 32)
    assert (unknown.exit_code, unknown.stdout) == (1, "")


@pytest.mark.parametrize(
    ("arguments", "ended"),
    [
        (["--user", "alice"], {"alice", "alice at corp"}),
        (["--user", "alice", "--login", "corp"], {"alice at corp"}),
        (["--tenant", "umbrella"], {"bob"}),
        (["--user", "nobody"], set()),
    ],
)
def test_end(place: Place, people: dict[str, Started], arguments: list[str], ended: set[str]) -> None:
    """Exactly the named sessions end, felt by the gateway at once, and the number is told; none is exit code 1."""
    result = place.run("end", *arguments)
    assert result.exit_code == (0 if ended else 1)
    assert result.stdout == f"{len(ended)} session{'' if len(ended) == 1 else 's'} ended\n"
    assert {name for name, started in people.items() if not place.is_alive(started)} == ended


def test_end_by_id(place: Place, people: dict[str, Started]) -> None:
    """The id that `list` shows ends that session; an unknown one is a failure (1)."""
    handle = people["bob"][1].handle
    assert place.run("end", "--id", handle).exit_code == 0
    assert not place.is_alive(people["bob"])
    assert place.is_alive(people["alice"])
    assert place.run("end", "--id", handle).exit_code == 1


def test_end_of_tokens_alone(place: Place) -> None:
    """Whoever has no session but tokens: they end, their number is told, and only the second time there is nothing."""

    async def make(room: Room) -> None:
        tokens = Tokens(f"sqlite:///{room.folder / 'authgw.db'}", room.keys, room.epochs, room.clock)
        for user, tenant in (("carol", "acme"), ("carol", "acme"), ("dave", "umbrella")):
            who = claims(user, 7, tenant=tenant)
            assert await tokens.make(who, (), name="nightly", kind=TokenKind.FULL, flags=(), seconds=3600.0, most=9)
        await tokens.close()

    place.room(make)
    for arguments, said in ((["--user", "carol"], "2 tokens ended"), (["--tenant", "umbrella"], "1 token ended")):
        result = place.run("end", *arguments)
        assert (result.exit_code, result.stdout) == (0, f"0 sessions ended\n{said}\n")
        again = place.run("end", *arguments)
        assert (again.exit_code, again.stdout) == (1, "0 sessions ended\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["end"],
        ["end", "--user", "alice", "--tenant", "acme"],
        ["end", "--id", "x", "--user", "alice"],
        ["end", "--user", ""],
        ["end", "--tenant", "acme", "--login", "static"],
        ["show"],
        ["list", "extra"],
    ],
)
def test_unusable_arguments(place: Place, people: dict[str, Started], arguments: list[str]) -> None:
    """What is not exactly one question ends with 2 and ends nobody."""
    assert place.run(*arguments).exit_code == 2
    assert all(place.is_alive(started) for started in people.values())


@pytest.mark.parametrize("arguments", [["list"], ["show", "--id", "x"], ["end", "--user", "alice"]])
def test_a_store_inside_the_process(tmp_path: Path, arguments: list[str]) -> None:
    """With memory:// every command says that it cannot see those sessions, and ends with 2; no file is made."""
    place = Place(tmp_path, "memory://")
    result = place.run(*arguments)
    assert result.exit_code == 2
    assert "memory://" in result.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["authgw.toml"]


def test_a_store_that_is_gone(tmp_path: Path, place: Place) -> None:
    """No Redis: the error is told on one line, with 1, and not as an empty list."""
    gone = Place(tmp_path, f"redis://127.0.0.1:{free_port()}/0")
    for arguments in (["list", "--json"], ["end", "--user", "alice"]):
        result = gone.run(*arguments)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "session store" in result.stderr


def test_without_the_key_file(tmp_path: Path, real_redis: RedisServer) -> None:
    """An absent key file is a mistake in the configuration (2): a new one would open nothing."""
    result = Place(tmp_path, real_redis.url).run("list")
    assert result.exit_code == 2
    assert "authgw.key" in result.stderr
    assert not (tmp_path / "authgw.key").exists()


def test_a_terminal_is_not_told_what_to_do(place: Place) -> None:
    """Escape sequences in what clients sent are shown as replacement characters."""

    async def start(room: Room) -> Started:
        who = claims("\x1b[31mmallory\x9b2J", 9)
        return await room.sessions.start(who, Kind.API, address="\x07", agent="\x1b]0;x\n\x07", factors=("pwd",))

    _, session = place.room(start)
    for result in (place.run("list"), place.run("show", "--id", session.handle)):
        assert result.exit_code == 0
        assert "mallory" in result.stdout
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", result.stdout)
