"""`authgw check --connect` against real servers: what works is said, what does not is named, nothing is left behind."""

from __future__ import annotations

import asyncio
import re
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import redis
import sqlalchemy as sa

from authgw.cli.connect import tried
from authgw.contract import Failed, Probe
from authgw.durable import engine
from authgw.login.assemble import Chain
from authgw.login.chain import Instance
from authgw.login.rights import Rights
from authgw.settings import load
from kit.gateway import PROGRAM, SERVICE_PASSWORD, configure, write_secret
from kit.logins import Scripted
from kit.mariadb import MariaDb, real_mariadb
from kit.redis import RedisServer, real_redis
from kit.servers import free_port
from kit.slapd import BASE, GATEWAY, GATEWAY_PASSWORD, Slapd, authority, slapd
from kit.world import lookalike

__all__ = ["real_mariadb", "real_redis"]
MAPPING = """
tenant = [{ name = "acme", sensors = [2] }]
role = [{ name = "operator", grants = ["can_cdr"] }]
grant = [{ group = "cn=noc,dc=example,dc=com", role = "operator", tenant = "acme" }]
"""


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with lookalike(tmp_path_factory.mktemp("upstream")) as url:
        yield url


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    folder = tmp_path_factory.mktemp("slapd")
    with slapd(folder / "slapd", [], authority(folder)) as server:
        yield server


class Site:
    """A configuration in a folder, and the command on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, upstream: str, *, password: str = SERVICE_PASSWORD, **sections: Any) -> tuple[int, dict[str, str]]:
        """The exit code, and `ok` or `FAIL` with what was said for each setting that was tried."""
        write_secret(self.folder / "mapping.toml", MAPPING)
        write_secret(self.folder / "ldap.password", GATEWAY_PASSWORD)
        config = configure(self.folder, upstream, port=1, users=[], **sections)
        write_secret(self.folder / "upstream.password", password)
        command = [PROGRAM, "check", "--connect", "--config", str(config)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=90)
        lines = re.findall(r"^(ok  |FAIL)  (\S+) (.*) \(\d+ ms\)$", done.stdout + done.stderr, re.MULTILINE)
        assert lines, done.stdout + done.stderr
        return done.returncode, {what.rstrip(":"): f"{state.strip()} {said}" for state, what, said in lines}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    tmp_path.mkdir(exist_ok=True)
    return Site(tmp_path)


def ldap(server: Slapd, **more: Any) -> dict[str, Any]:
    return {
        "plugin": "ldap",
        "servers": [server.ldaps],
        "ca_file": str(server.ca_file),
        "base_dn": BASE,
        "bind_dn": GATEWAY,
        "bind_password_file": "ldap.password",
        "mapping": "mapping.toml",
        **more,
    }


def test_everything_answers(
    site: Site, upstream: str, directory: Slapd, real_redis: RedisServer, real_mariadb: MariaDb
) -> None:
    """Each backend has a line with what was seen; store, database and folder are afterwards as they were."""
    store = redis.Redis.from_url(real_redis.url)
    store.flushall()
    database = real_mariadb.fresh()
    login = {"chain": ["static", "corp"]}
    code, said = site.run(
        upstream,
        sessions={"store": real_redis.url},
        database={"url": database},
        login=login,
        login_corp=ldap(directory),
    )
    assert code == 0
    assert list(said) == ["sessions.store", "database.url", "upstream.url", "audit.file", "login.static", "login.corp"]
    assert all(one.startswith("ok ") for one in said.values()), said
    assert said["sessions.store"].endswith("written, read back, expired")
    assert said["database.url"].endswith("connected; empty: the tables are made at the first start")
    assert said["upstream.url"].endswith("the service account logged in")
    assert said["login.corp"].endswith(f"{directory.ldaps}: reached by TLS, bound as {GATEWAY}, base_dn found")
    assert "p%40ss" not in "".join(said.values())
    assert store.dbsize() == 0
    own = engine.make(database, pooled=False)
    assert sa.inspect(own).get_table_names() == []
    made = {path.name for path in site.folder.iterdir()}
    assert made == {"authgw.toml", "users.toml", "upstream.password", "mapping.toml", "ldap.password"}


def test_everything_is_away(site: Site, directory: Slapd) -> None:
    """Each backend that cannot be reached has a line that names its setting, all within the time they have."""
    dead = f"127.0.0.1:{free_port()}"
    began = time.monotonic()
    code, said = site.run(
        f"http://{dead}",
        sessions={"store": f"redis://:hunter2@{dead}/0"},
        database={"url": f"mariadb://authgw:hunter2@{dead}/authgw"},
        audit={"file": "absent/audit.jsonl"},
        login={"chain": ["static", "corp"]},
        login_corp=ldap(directory, servers=[f"ldaps://{dead}"]),
    )
    assert code == 1
    assert time.monotonic() - began < 30
    for what in ("sessions.store", "database.url", "upstream.url", "audit.file", "login.corp"):
        assert said[what].startswith("FAIL"), said
    assert said["login.static"].startswith("ok")
    assert "; see sessions.store" in said["sessions.store"]
    assert "; see database.url" in said["database.url"]
    assert "; see upstream.url" in said["upstream.url"]
    assert "hunter2" not in "".join(said.values())


def test_what_answers_and_does_not_serve(
    site: Site, upstream: str, directory: Slapd, real_redis: RedisServer, real_mariadb: MariaDb
) -> None:
    """A wrong password of the service account, a certificate of nobody's, a base that is not there, a wrong database
    account: each says which setting to look at."""
    write_secret(site.folder / "wrong.password", "wrong")
    wrong_account = real_mariadb.fresh().replace("//authgw:", "//nobody:")
    own = authority(site.folder, "stranger")
    logins = {
        "login_bound": ldap(directory, bind_password_file="wrong.password"),
        "login_based": ldap(directory, base_dn="dc=elsewhere,dc=com"),
        "login_trusted": ldap(directory, ca_file=str(own.file)),
    }
    code, said = site.run(
        upstream,
        sessions={"store": real_redis.url},
        database={"url": wrong_account},
        login={"chain": ["static", "bound", "based", "trusted"]},
        password=SERVICE_PASSWORD + "x",
        **logins,
    )
    assert code == 1
    assert said["sessions.store"].startswith("ok")
    assert "Access denied" in said["database.url"]
    assert "see upstream.url, username and password_file" in said["upstream.url"]
    assert "bind_dn, bind_password_file: the directory does not take this name" in said["login.bound"]
    assert "base_dn: there is no dc=elsewhere,dc=com" in said["login.based"]
    assert "ca_file must name that authority's own" in said["login.trusted"]


def test_a_service_is_reached_without_a_login(site: Site, upstream: str) -> None:
    """The http login's service is asked for nothing; a script says that it was opened."""
    write_secret(site.folder / "portal.secret", "0123456789abcdef-shared")
    (site.folder / "custom_login.py").write_text("def custom_login(user, password):\n    return None\n")
    (site.folder / "custom_login.py").chmod(0o600)
    code, said = site.run(
        upstream,
        login={"chain": ["static", "portal", "script"]},
        login_portal={"plugin": "http", "url": f"{upstream}/php/nowhere", "secret_file": "portal.secret"},
        login_script={"script": "custom_login.py"},
    )
    assert (code, said["sessions.store"]) == (0, "ok memory://: inside the process, nothing to reach")
    assert re.match(r"ok http://127.0.0.1:\d+/php/nowhere: reached \(status \d+ to a HEAD\)", said["login.portal"])
    assert said["login.script"].startswith("ok")


def test_a_database_in_use_is_not_changed(site: Site, upstream: str, real_mariadb: MariaDb) -> None:
    """A database with tables is written for a moment and left as it was; one of a newer version is refused."""
    database = real_mariadb.fresh()
    own = engine.make(database, pooled=False)
    with own.begin() as connection:
        for statement in (
            "CREATE TABLE authgw_schema (part VARCHAR(32) PRIMARY KEY, version INTEGER NOT NULL)",
            "INSERT INTO authgw_schema VALUES ('epochs', 1), ('elsewhere', 7)",
        ):
            connection.exec_driver_sql(statement)
    code, said = site.run(upstream, database={"url": database})
    assert (code, said["database.url"].rpartition(": ")[2]) == (0, "connected, read and written")
    with own.begin() as connection:
        assert {tuple(row) for row in connection.exec_driver_sql("SELECT * FROM authgw_schema")} == {
            ("epochs", 1),
            ("elsewhere", 7),
        }
        connection.exec_driver_sql("UPDATE authgw_schema SET version = 9 WHERE part = 'epochs'")
    assert sa.inspect(own).get_table_names() == ["authgw_schema"]
    code, said = site.run(upstream, database={"url": database})
    assert code == 1
    assert "tables of epochs are of version 9" in said["database.url"]


class Probing(Scripted):
    """A login whose one probe the test gives."""

    def __init__(self, run: Callable[[], Awaitable[str | Failed]]) -> None:
        super().__init__(None)
        self.run = run

    def probes(self) -> Sequence[Probe]:
        return [Probe("it", self.run)]


async def hangs() -> str:
    await asyncio.Event().wait()
    return "never"


async def raises() -> str:
    raise ValueError("hunter2")


async def fails() -> Failed:
    return Failed("servers: none")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("run", "said"), [(hangs, "no answer within 0.2 s"), (raises, "raised ValueError"), (fails, "servers: none")]
)
async def test_a_probe_is_bounded(tmp_path: Path, run: Callable[[], Awaitable[Any]], said: str) -> None:
    """One that hangs, one that breaks and one that says no are failures, and what was raised is not quoted."""
    settings = load(configure(tmp_path, f"http://127.0.0.1:{free_port()}", port=1, users=[]), {})
    chain = Chain((Instance("own", Probing(run)),), Rights({}, strict=False))
    last = [one async for one in tried(settings, chain, 0.2)][-1]
    assert (last.what, last.fine) == ("login.own it", False)
    assert last.said.startswith(said)
    assert "hunter2" not in str(last)
