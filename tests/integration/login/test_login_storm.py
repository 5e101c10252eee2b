"""Everybody logs in at once, with passwords that are hashed as real ones are; who is in already goes on working."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from authgw_plugins.passwords import hashed
from kit.world import World, world

SQL = "/php/model/sql.php"
COUNTED = {"task": "LISTING", "module": "CDR", "fdatefrom": "2026-11-23T00:00:00", "suppress_results": "1"}
PASSWORD = "correct horse"
THREADS, WAITING = 1, 28
LOGINS = 60
CALLS = 30


@pytest.fixture
def place(tmp_path: Path) -> Iterator[World]:
    strong = hashed(PASSWORD)
    users = [{"username": f"user{at}", "password": strong, "id": at + 1, "can_cdr": True} for at in range(LOGINS + 1)]
    with world(tmp_path, users=users, login_static={"threads": THREADS, "waiting": WAITING}) as found:
        yield found


def login(place: World, number: int, together: threading.Barrier | None = None) -> httpx2.Response:
    """On a connection of its own."""
    with httpx2.Client(base_url=place.url, timeout=60) as client:
        if together is not None:
            together.wait(60)
        return client.post(SQL, data={"module": "bypass_login", "user": f"user{number}", "pass": PASSWORD})


def test_calls_are_answered_during_a_storm_of_logins(place: World) -> None:
    """All calls of somebody who is in are answered before the storm is over; of the logins those pass that find a
    place in line, and the others are told that it is too much, and when to come again."""
    said = login(place, 0).json()
    cookie = {"cookie": f"{said['cookie_name']}={said['SID']}"}
    together = threading.Barrier(LOGINS + 1)
    with (
        ThreadPoolExecutor(LOGINS) as crowd,
        httpx2.Client(base_url=place.url, timeout=60, headers=cookie) as client,
    ):
        storm: list[Future[httpx2.Response]] = [crowd.submit(login, place, at, together) for at in range(1, LOGINS + 1)]
        together.wait(60)
        for _ in range(CALLS):
            assert client.post(SQL, data=COUNTED).json() == {"total": "235"}
        assert not all(each.done() for each in storm), "the storm was over before the calls were answered"
        answers = [each.result() for each in storm]
    granted = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert all(answer.json()["success"] for answer in granted)
    assert granted
    assert refused
    for answer in refused:
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json() == {"success": False, "error": "Too many logins at once. Try again later."}
    assert login(place, 1).status_code == 200, "who comes again gets in"
