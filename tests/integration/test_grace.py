"""The store gone, and what `outage = "grace:…"` lets known sessions do meanwhile."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import httpx2

from kit.gateway import configure, serving
from kit.redis import redis_server
from kit.servers import free_port
from kit.world import lookalike

ALICE = {"username": "alice", "password": "secret", "id": 1, "can_cdr": True, "can_write_cdr": True}
LISTING = {"task": "LISTING", "module": "CDR", "fdatefrom": "2026-11-23T00:00:00", "suppress_results": "1"}


def test_known_sessions_go_on_reading(tmp_path: Path) -> None:
    """Known sessions go on reading and change nothing; unknown ones and new logins are refused with 503."""
    port, redis_port = free_port(), free_port()
    with lookalike(tmp_path / "upstream") as upstream, contextlib.ExitStack() as store:
        store.enter_context(redis_server(tmp_path / "redis", port=redis_port))
        sessions = {"store": f"redis://127.0.0.1:{redis_port}/0", "outage": "grace:60s"}
        config = configure(tmp_path / "gateway", upstream, port=port, users=[ALICE], sessions=sessions)
        with serving(config, port) as served, httpx2.Client(base_url=served.url, timeout=20) as client:
            fields = {"module": "bypass_login", "user": "alice", "pass": "secret"}
            sql = "/php/model/sql.php"
            cookie = {"cookie": f"PHPSESSID={client.post(sql, data=fields).json()['SID']}"}
            before = client.post(sql, data=LISTING, headers=cookie)
            assert before.json() == {"total": "235"}
            store.close()
            assert client.post(sql, data=LISTING, headers=cookie).json() == before.json()
            params = json.dumps({"typeDelete": "cdr", "ids": [1]})
            change = {"task": "delete_cdr", "module": "CDR", "params": params}
            assert client.post(sql, data=change, headers=cookie).status_code == 503
            stranger = {"cookie": f"PHPSESSID={'x' * 43}"}
            assert client.post(sql, data=LISTING, headers=stranger).status_code == 503
            assert client.post(sql, data=fields).status_code == 503
