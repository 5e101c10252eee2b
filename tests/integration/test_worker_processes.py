"""Several worker processes behind one address: they serve, are replaced, and end together."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from kit.trail import lines
from kit.world import World, world

ALICE = {"username": "alice", "password": "secret", "id": 1, "can_cdr": True}
SQL = "/php/model/sql.php"
COUNTED = {"task": "LISTING", "module": "CDR", "fdatefrom": "2026-11-23T00:00:00", "suppress_results": "1"}
COUNT = 2
AUDITED = {"username": "audited", "password": "secret", "id": 2, "can_cdr": True, "can_pcap": True, "can_audit": 1}


def children(pid: int) -> set[int]:
    """The processes that this one has started and that still run."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {
        int(child) for child in found if Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    }


def runs(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, users=[ALICE, AUDITED], store="redis", gateway={"workers": COUNT}) as found:
        yield found


def ask(place: World, **fields: str) -> httpx2.Response:
    """A request on a connection of its own, which any worker may take."""
    cookie = {"cookie": fields.pop("cookie")} if "cookie" in fields else {}
    with httpx2.Client(base_url=place.url, timeout=20) as client:
        return client.post(SQL, data=fields, headers=cookie)


def login(place: World, user: str = "alice") -> str:
    said = ask(place, module="bypass_login", user=user, **{"pass": "secret"}).json()
    return f"{said['cookie_name']}={said['SID']}"


def test_every_worker_knows_a_session(place: World) -> None:
    """Logged in by one, known to all; logged out by one, unknown to all within a second."""
    assert len(children(place.gateway.process.pid)) == COUNT
    cookie = login(place)
    for _ in range(30):
        assert ask(place, cookie=cookie, **COUNTED).json() == {"total": "235"}
    ask(place, cookie=cookie, module="logout")
    until(lambda: ask(place, cookie=cookie, **COUNTED).status_code == 401, "the session has ended")
    time.sleep(1)  # the promise is a second; after it not one worker may still know it
    assert {ask(place, cookie=cookie, **COUNTED).status_code for _ in range(30)} == {401}


def test_a_worker_that_fails_is_started_anew(place: World) -> None:
    """Killed, it is replaced; what others serve goes on, and sessions are still there."""
    cookie, parent = login(place), place.gateway.process.pid
    before = children(parent)
    os.kill(min(before), signal.SIGKILL)
    until(lambda: len(children(parent)) == COUNT and children(parent) != before, "a new worker")
    for _ in range(10):
        assert ask(place, cookie=cookie, **COUNTED).json() == {"total": "235"}
    assert "started anew" in place.gateway.log.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_their_parent(place: World, number: signal.Signals) -> None:
    """However the parent ends, nobody goes on serving; asked to end in order, it says so with code 0."""
    workers = children(place.gateway.process.pid)
    place.gateway.process.send_signal(number)
    code = place.gateway.process.wait(20)
    assert code == (0 if number is signal.SIGTERM else -number)
    until(lambda: not any(map(runs, workers)), "the workers have ended")
    with pytest.raises(httpx2.ConnectError):
        ask(place, **COUNTED)


def test_every_worker_knows_a_reason_that_was_given(place: World) -> None:
    """Told to one by saveAudit, it counts for the download at all of them: for that call and that session alone, and
    the audit log has it."""
    cookie, other = login(place, "audited"), login(place, "audited")

    def download(call_id: str, cookie: str) -> int:
        with httpx2.Client(base_url=place.url, timeout=20) as client:
            return client.get("/php/pcap.php", params={"id": call_id}, headers={"cookie": cookie}).status_code

    assert download("1", cookie) == 403
    with httpx2.Client(base_url=place.url, timeout=20) as client:
        given = {"task": "saveAudit", "id": "1", "auditReason": "ticket 4711"}
        said = client.post("/php/model/utilities.php", data=given, headers={"cookie": cookie})
    assert said.json() == {"success": True}
    assert [download("1", cookie) for _ in range(12)] == [200] * 12
    assert (download("2", cookie), download("1", other)) == (403, 403)
    assert {line["said"] for line in lines(place.gateway.folder, "download", 12, having="said")} == {"ticket 4711"}
