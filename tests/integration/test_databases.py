"""The whole gateway on a database server, and while its key is rotated: nothing is lost, what ended stays ended."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

import httpx2
import pytest

from authgw.durable.factors import FactorStore, Stored, Who
from authgw.session import keys
from kit.gateway import PROGRAM, configure, serving
from kit.mariadb import MariaDb, real_mariadb
from kit.postgres import Postgres, real_postgresql
from kit.redis import redis_server
from kit.servers import free_port
from kit.world import lookalike

__all__ = ["real_mariadb", "real_postgresql"]
RIGHTS = {"can_cdr": True, "can_pcap": True, "can_cdr_share_local_public": True}
USERS = [{"username": name, "password": "secret", "id": n, **RIGHTS} for n, name in ((1, "alice"), (2, "bob"))]
LISTING = {"task": "LISTING", "module": "CDR", "fdatefrom": "2026-11-23T00:00:00", "limit": "5"}


def log_in(url: str, user: str) -> dict[str, str]:
    """The cookie header of a new session."""
    fields = {"module": "bypass_login", "user": user, "pass": "secret"}
    answer = httpx2.post(f"{url}/php/model/sql.php", data=fields, timeout=20).json()
    return {"cookie": f"{answer['cookie_name']}={answer['SID']}"}


def status(url: str, cookie: dict[str, str]) -> int:
    return httpx2.post(f"{url}/php/model/sql.php", data=LISTING, headers=cookie, timeout=20).status_code


def shared(url: str) -> str:
    """A public link to a call."""
    params = json.dumps({"cdrId": 14})
    fields = {"task": "getShareURL", "user": "bob", "password": "secret", "params": params}
    answer = httpx2.post(f"{url}/php/api.php", data=fields, timeout=20).json()
    assert answer["success"], answer
    return str(answer["url"])


def opens(link: str) -> int:
    return httpx2.get(link, timeout=20).status_code


def command(config: Path, *words: str) -> str:
    done = subprocess.run([PROGRAM, *words, "--config", str(config)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("kind", ["mariadb", "postgresql"])
def test_the_gateway_on_a_database_server(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Logins, a share link and an ended session outlive a restart; no SQLite file is made, no password logged."""
    server: MariaDb | Postgres = request.getfixturevalue(f"real_{kind}")
    port, database = free_port(), server.fresh()
    with redis_server(tmp_path / "redis") as redis, lookalike(tmp_path / "upstream") as upstream:
        config = configure(
            tmp_path / "gateway",
            upstream,
            port=port,
            users=USERS,
            sessions={"store": redis.url},
            database={"url": database},
        )
        with serving(config, port) as first:
            alice, bob = log_in(first.url, "alice"), log_in(first.url, "bob")
            link = shared(first.url)
            assert (status(first.url, alice), status(first.url, bob), opens(link)) == (200, 200, 200)
            assert command(config, "sessions", "end", "--user", "alice") == "1 session ended\n"
            assert (status(first.url, alice), status(first.url, bob)) == (401, 200)
        with serving(config, port) as second:
            assert (status(second.url, alice), status(second.url, bob), opens(link)) == (401, 200, 200)
            assert status(second.url, log_in(second.url, "alice")) == 200
        assert not list(config.parent.glob("*.db*"))
        assert "p@ss" not in second.log.read_text() + (config.parent / "audit.jsonl").read_text()


def test_a_database_that_is_away_at_the_start(tmp_path: Path) -> None:
    """The gateway says in one line what it cannot reach, without the password, and ends with 1: systemd tries again."""
    url = f"mariadb://authgw:hunter2@127.0.0.1:{free_port()}/authgw"
    config = configure(tmp_path, "http://127.0.0.1:1", port=free_port(), users=USERS, database={"url": url})
    done = subprocess.run([PROGRAM, "serve", "--config", str(config)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("warning")]
    assert line.startswith("authgw: database (")
    assert "hunter2" not in done.stdout + done.stderr


def secrets_of(folder: Path, keep: str = "") -> set[str]:
    """The stored second factors that open with the key file as it is; `keep`: one more before that."""

    async def ask() -> set[str]:
        store = FactorStore(f"sqlite:///{folder / 'authgw.db'}", keys.load(folder / "authgw.key"))
        who = Who("static", "id:1", "alice")
        try:
            if keep:
                await store.add(who, Stored(keep, "totp", "app", keep.encode(), 0, 1, 0), alone=False)
            return {one.secret.decode() for one in await store.of(who)}
        finally:
            await store.close()

    return asyncio.run(ask())


def test_a_rotated_key_loses_nothing(tmp_path: Path) -> None:
    """`keys rotate`, a restart, `keys reseal`: sessions, share links and stored secrets from before go on, and what is
    new is under the new key alone; once the old key is dropped, its sessions and links end, its secrets do not."""
    port = free_port()
    with redis_server(tmp_path / "redis") as redis, lookalike(tmp_path / "upstream") as upstream:
        sessions = {"store": redis.url}
        config = configure(tmp_path / "gateway", upstream, port=port, users=USERS, sessions=sessions)
        with serving(config, port) as first:
            before, old_link = log_in(first.url, "alice"), shared(first.url)
            assert secrets_of(config.parent, keep="before") == {"before"}
            assert "k2 is the current key" in command(config, "keys", "rotate")
            assert (status(first.url, before), opens(old_link)) == (200, 200)
        with serving(config, port) as second:
            after, link = log_in(second.url, "bob"), shared(second.url)
            assert [status(second.url, one) for one in (before, after)] == [200, 200]
            assert [opens(one) for one in (old_link, link)] == [200, 200]
            assert secrets_of(config.parent, keep="between") == {"before", "between"}
            with pytest.raises(AssertionError, match="k1 is needed for 1 stored secret"):
                command(config, "keys", "drop", "k1")
            assert "every stored secret is under k2" in command(config, "keys", "reseal")
        command(config, "keys", "drop", "k1")
        assert secrets_of(config.parent) == {"before", "between"}
        with serving(config, port) as third:
            assert [status(third.url, one) for one in (before, after)] == [401, 200]
            assert [opens(one) for one in (old_link, link)] == [404, 200]


def test_instances_restarted_in_turn_log_nobody_out(tmp_path: Path) -> None:
    """With `keys add` before `keys rotate --to`, a session of either instance is good on the other at every step."""
    ports = (free_port(), free_port())
    with redis_server(tmp_path / "redis") as redis, lookalike(tmp_path / "upstream") as upstream:
        folders = (tmp_path / "one", tmp_path / "two")
        database = {"url": f"sqlite:///{tmp_path / 'shared.db'}"}
        gateway = {"key_file": str(tmp_path / "shared.key")}
        one, two = (
            configure(
                folder, upstream, port=port, users=USERS, sessions={"store": redis.url}, database=database,
                gateway=gateway,
            )
            for folder, port in zip(folders, ports, strict=True)
        )  # fmt: skip
        with serving(one, ports[0]) as here:
            cookies = [log_in(here.url, "alice")]
        for words in (["keys", "add"], ["keys", "rotate", "--to", "k2"]):
            with serving(two, ports[1]) as there:
                command(one, *words)
                with serving(one, ports[0]) as here:
                    for url in (here.url, there.url):
                        cookies.append(log_in(url, "bob"))
                        assert {status(at, cookie) for cookie in cookies for at in (here.url, there.url)} == {200}
