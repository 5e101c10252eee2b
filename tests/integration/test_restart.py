"""A gateway that dies and comes back, a store that does: who was in stays in, who was not does not get in."""

from __future__ import annotations

import contextlib
import signal
from pathlib import Path

import httpx2
import pytest

from kit.gateway import configure, serving
from kit.redis import redis_server
from kit.servers import free_port
from kit.world import lookalike

USERS = [
    {"username": "acme", "password": "secret", "id": 1, "can_cdr": True, "can_pcap": True, "domain": ["acme.example"]},
    {"username": "other", "password": "secret", "id": 2, "can_cdr": True, "enable_sensors": [3]},
]
LISTING = {
    "task": "LISTING",
    "module": "CDR",
    "fdatefrom": "2026-11-23T00:00:00",
    "fdateto": "2026-11-24T00:00:00",
    "limit": "500",
}


def log_in(url: str, user: str) -> dict[str, str]:
    """The cookie header of a new session."""
    fields = {"module": "bypass_login", "user": user, "pass": "secret"}
    answer = httpx2.post(f"{url}/php/model/sql.php", data=fields, timeout=20).json()
    return {"cookie": f"{answer['cookie_name']}={answer['SID']}"}


def rows(url: str, cookie: dict[str, str]) -> httpx2.Response:
    return httpx2.post(f"{url}/php/model/sql.php", data=LISTING, headers=cookie, timeout=20)


def test_sessions_outlive_the_gateway(tmp_path: Path) -> None:
    """Killed in the middle of work and started again on the same store: the same session id shows the same rows."""
    port = free_port()
    with redis_server(tmp_path / "redis") as redis, lookalike(tmp_path / "upstream") as upstream:
        config = configure(tmp_path / "gateway", upstream, port=port, users=USERS, sessions={"store": redis.url})
        with serving(config, port) as first:
            cookies = {user: log_in(first.url, user) for user in ("acme", "other")}
            before = {user: rows(first.url, cookie).json() for user, cookie in cookies.items()}
            assert before["acme"] != before["other"]
            with httpx2.stream("GET", f"{first.url}/php/pcap.php?id=14", headers=cookies["acme"]) as _:
                first.process.send_signal(signal.SIGKILL)
                assert first.process.wait(10) == -signal.SIGKILL
            with pytest.raises(httpx2.TransportError):
                rows(first.url, cookies["acme"])
        with serving(config, port) as second:
            assert {user: rows(second.url, cookie).json() for user, cookie in cookies.items()} == before
            assert rows(second.url, {"cookie": "PHPSESSID=" + "A" * 43}).status_code == 401
            out = {"module": "logout"}
            httpx2.post(f"{second.url}/php/model/sql.php", data=out, headers=cookies["acme"], timeout=20)
            assert rows(second.url, cookies["acme"]).status_code == 401
            assert rows(second.url, cookies["other"]).json() == before["other"]


def test_another_key_file_opens_no_session(tmp_path: Path) -> None:
    """What one gateway sealed means nothing to one that has another key."""
    with redis_server(tmp_path / "redis") as redis, lookalike(tmp_path / "upstream") as upstream:
        first, second = free_port(), free_port()
        store = {"store": redis.url}
        one = configure(tmp_path / "one", upstream, port=first, users=USERS, sessions=store)
        two = configure(tmp_path / "two", upstream, port=second, users=USERS, sessions=store)
        with serving(one, first) as here, serving(two, second) as there:
            cookie = log_in(here.url, "acme")
            assert rows(here.url, cookie).status_code == 200
            assert rows(there.url, cookie).status_code == 401


def test_no_store_no_session(tmp_path: Path) -> None:
    """The store gone: known sessions and new logins are refused with 503; back again, the session lives on."""
    port, redis_port = free_port(), free_port()
    folder = tmp_path / "redis"
    store = contextlib.ExitStack()
    with lookalike(tmp_path / "upstream") as upstream, store:
        store.enter_context(redis_server(folder, port=redis_port, persist=True))
        sessions = {"store": f"redis://127.0.0.1:{redis_port}/0"}
        config = configure(tmp_path / "gateway", upstream, port=port, users=USERS, sessions=sessions)
        with serving(config, port) as served:
            cookie = log_in(served.url, "acme")
            before = rows(served.url, cookie).json()
            store.close()
            fields = {"module": "bypass_login", "user": "acme", "pass": "secret"}
            login = httpx2.post(f"{served.url}/php/model/sql.php", data=fields, timeout=20)
            for answer in (rows(served.url, cookie), login):
                assert answer.status_code == 503
                assert answer.json()["success"] is False
            assert rows(served.url, cookie).headers["retry-after"]
            with redis_server(folder, port=redis_port, persist=True):
                assert rows(served.url, cookie).json() == before
