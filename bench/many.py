"""How the cost of a call grows with the sessions that are alive: a thousand of them in turn, against one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from bench.loads import PASSED, PASSWORD
from bench.ours import authgw, session
from bench.process import memory_mb
from bench.rows import Row
from bench.world import World
from bench.wrk import saturated

COUNT = 1000
# Each has a number of his own, so that none has more sessions than one may have.
ANYBODY = 'def custom_login(user, password):\n    return {"id": int(user), "username": user, "can_cdr": 1}\n'
IN_TURN = """
    cookies = cookies or {COOKIES}
    at = ((at or 0) % #cookies) + 1
    return wrk.format("GET", nil, {["Cookie"] = cookies[at]})
"""


def sessions(here: World, rounds: int, seconds: int) -> Iterator[Row]:
    """CPU of a pass-through call and memory, with one session and with `COUNT`, all in Redis."""
    room = here.place.room("authgw-sessions")
    script = room / "custom_login.py"
    script.write_text(ANYBODY)
    script.chmod(0o600)
    people = [{"username": "nobody", "password": PASSWORD, "id": 1}]
    login: dict[str, Any] = {"login": {"chain": ["script", "static"]}, "login_script": {"script": script.name}}
    with authgw(here.place, room.name, "", store=here.redis_url, people=people, enter=False, **login) as (peer, _):
        for count in (1, COUNT):
            cookies = [session(peer.port, str(number)) for number in range(1, count + 1)]
            text = "{" + ",".join(f'"{cookie}"' for cookie in cookies) + "}"
            load = msgspec.structs.replace(PASSED, user=None, lua=IN_TURN.replace("{COOKIES}", text))
            saturated(peer, load, seconds, 0, here)
            for turn in range(rounds):
                row = saturated(peer, load, seconds, turn, here)
                pss, rss = memory_mb(peer.roots)
                values = {**row.values, "pss_mb": pss, "rss_mb": rss}
                yield Row("sessions", "authgw", f"{count:,}", turn, values)
