"""One gateway before a tripwire for all replays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kit.attacked import FOREIGN, MINE, USERS, Site, login
from kit.gateway import gateway
from kit.tripwire import call, tripwire


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with tripwire() as wire:
        folder = tmp_path_factory.mktemp("replay")
        times = {"pages": "all", "reply_timeout": "4s", "idle_timeout": "4s"}
        policy = {"scan_days": 0}
        sessions = {"per_user": 200}
        with gateway(folder, wire.url, users=USERS, upstream=times, policy=policy, sessions=sessions) as found:
            yield Site(found, wire, {user["username"]: login(found.url, str(user["username"])) for user in USERS})  # type: ignore[misc]


@pytest.fixture
def site(running: Site) -> Site:
    """The site with three calls and an empty log."""
    running.wire.forget()
    running.wire.calls = {
        MINE: call(MINE, "1001", "1002"),
        FOREIGN: call(FOREIGN, "2001", "2002", sensor=3),
        3: call(3, "1003", "2001"),
    }
    return running
