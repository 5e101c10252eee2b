"""One code, many instances: gateways that share key file, store and database let one code pass once."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from kit.codes import code_at
from kit.gateway import Gateway, configure, gateway, serving
from kit.redis import redis_server
from kit.servers import free_port

GIVEN = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
INSTANCES, TRIES = 4, 50
PATIENT = {"user_failures": 1000, "address_failures": 1000, "pair_failures": 1000, "max_bad_login_attempt": 100}
USERS: tuple[dict[str, Any], ...] = ({"username": "alice", "password": "right", "id": 101, "secret": GIVEN},)


@pytest.fixture(scope="module")
def gateways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Gateway]]:
    """Four of them, on one Redis and one database; failures make nobody wait here."""
    folder = tmp_path_factory.mktemp("race")
    with redis_server(folder / "redis") as redis, contextlib.ExitStack() as stack:
        found = []
        for number in range(INSTANCES):
            port, place = free_port(), folder / str(number)
            config = configure(
                place,
                "http://127.0.0.1:9",
                port=port,
                users=USERS,
                sessions={"store": redis.url},
                throttle=PATIENT,
                database={"url": f"sqlite:///{folder}/authgw.db"},
            )
            if number:
                shutil.copy(folder / "0" / "authgw.key", place / "authgw.key")
            found.append(stack.enter_context(serving(config, port)))
        yield found


def test_one_code_passes_once(gateways: list[Gateway]) -> None:
    """Fifty logins with one right code at the same moment, over four instances: one session, 49 times "used already"
    (CVE-2026-107276), and the trails of all instances together tell the same."""
    told = raced([each.url for each in gateways])
    only_one(told, [line for each in gateways for line in events(each.folder)])


def test_one_code_passes_once_over_workers(tmp_path: Path) -> None:
    """The same at one address, behind which four workers of one gateway answer."""
    with redis_server(tmp_path / "redis") as redis:
        more: dict[str, Any] = {
            "gateway": {"workers": INSTANCES},
            "sessions": {"store": redis.url},
            "throttle": PATIENT,
        }
        with gateway(tmp_path / "gateway", "http://127.0.0.1:9", users=USERS, **more) as one:
            told = raced([one.url])
            only_one(told, events(one.folder))


def raced(urls: Sequence[str]) -> Counter[tuple[int, str]]:
    """What fifty logins with the code of this moment are answered, all sent at once."""
    fields = {"module": "bypass_login", "user": "alice", "pass": "right", "otp": code_at(GIVEN, time.time())}

    def login(number: int) -> tuple[int, str]:
        url = urls[number % len(urls)]
        reply = httpx2.post(f"{url}/php/model/sql.php", data=fields, timeout=120)
        return reply.status_code, reply.json().get("error", "")

    with ThreadPoolExecutor(TRIES) as pool:
        return Counter(pool.map(login, range(TRIES)))


def only_one(told: Counter[tuple[int, str]], lines: Sequence[dict[str, Any]]) -> None:
    """One session, everybody else was told why not, and the trail has one proof and one login."""
    used = (401, "2FA PIN code verification failed. This code was used already; wait for the next one.")
    # Where too many wait in line for one name, some are sent away at once: nothing was judged then.
    waiting = (429, "Too many failed logins. Try again later.")
    assert told[(200, "")] == 1, told
    assert set(told) <= {(200, ""), used, waiting}
    proved = [line for line in lines if line["event"] == "factor" and line["outcome"] == "proved"]
    granted = [line for line in lines if line["event"] == "login" and line["outcome"] == "granted"]
    assert len(proved) == len(granted) == 1
    assert granted[0]["factors"] == ["pwd", "totp"]


def events(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "audit.jsonl").read_text().splitlines()]


def test_a_code_is_used_everywhere(gateways: list[Gateway]) -> None:
    """A code that was good on one instance is used on every other one; the next one is good there."""
    later = code_at(GIVEN, time.time() + 30)
    fields = {"module": "bypass_login", "user": "alice", "pass": "right", "code2fa": later}
    told = [httpx2.post(f"{each.url}/php/model/sql.php", data=fields, timeout=120).status_code for each in gateways]
    assert told == [200, 401, 401, 401]
    for each in gateways:
        text = (each.folder / "audit.jsonl").read_text() + each.log.read_text()
        assert GIVEN not in text
        assert later not in text
