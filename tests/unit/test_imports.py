"""What a worker has in memory when it starts: libraries come with the part of the site that needs them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from kit.gateway import configure

ROOT = Path(__file__).resolve().parents[2]

BUILT = """
import asyncio, os, sys
from pathlib import Path
from authgw.app import create
from authgw.cli import main, serve
from authgw.settings import load

async def built():
    gateway = await create(settings)
    await gateway.open()
    await gateway.close()

settings = load(Path(sys.argv[1]), os.environ)
if settings.gateway.workers > 1:
    serve.preload(settings)
before = set(sys.modules)
asyncio.run(built())
if settings.gateway.workers > 1:
    print(*sorted(set(sys.modules) - before))
    sys.exit()
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""

# Each is for one kind of login, one page or one kind of store.
RARE = {
    "the pages": {"jinja2"},
    "enrolling a second factor": {"segno", "xml"},
    "passkeys": {"webauthn", "cbor2"},
    "WebSockets": {"websockets"},
    "the ldap login": {"ldap3", "pyasn1"},
    "the oidc login": {"authlib", "joserfc", "httpx2"},
    "other databases": {"pymysql", "psycopg"},
}
IN_PROCESS = {"fakeredis", "lupa"}


def loaded(folder: Path, **sections: Any) -> set[str]:
    """The packages that a new process has imported when the gateway of these settings is built and open."""
    user = {"username": "alice", "password": "alice-password", "id": 1, "can_cdr": True}
    config = configure(folder, "http://127.0.0.1:9", port=8080, users=[user], **sections)
    command = [sys.executable, "-c", BUILT, str(config)]
    return set(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())


def test_a_small_site_imports_no_library_of_what_it_has_not(tmp_path: Path) -> None:
    """Users in a file, API calls: none of the libraries of other logins, of pages or of WebSockets is in memory."""
    found = loaded(tmp_path)
    assert {"authgw", "redis", "sqlalchemy", "authgw_plugins"} <= found
    assert {what: names & found for what, names in RARE.items() if names & found} == {}


def test_the_store_inside_the_process_is_imported_for_itself_alone(tmp_path: Path) -> None:
    """With sessions in Redis, the library that imitates Redis is not there; with sessions in the process it is."""
    assert not IN_PROCESS & loaded(tmp_path / "redis", sessions={"store": "redis://127.0.0.1:9/0"})
    assert loaded(tmp_path / "memory") >= IN_PROCESS


def test_websockets_come_with_a_policy_that_names_one(tmp_path: Path) -> None:
    """The library is there as soon as one call of the catalogue is a WebSocket."""
    entry = '[[call]]\nname = "live"\npath = "/live"\nunscoped = true\nneeds = ["can_cdr"]\nreply = "websocket"\n'
    (tmp_path / "live.toml").write_text(entry)
    assert "websockets" in loaded(tmp_path, policy={"files": ["voipmonitor", "live.toml"]})


def test_workers_import_nothing_that_they_could_share(tmp_path: Path) -> None:
    """With several workers their parent has what they need: of what each imports by itself nothing is large."""
    redis = {"store": "redis://127.0.0.1:9/0"}
    later = loaded(tmp_path, sessions=redis, gateway={"workers": 2})
    packages = {name.partition(".")[0] for name in later} - sys.stdlib_module_names
    assert not packages & {"authgw", "authgw_plugins", "sqlalchemy", "jinja2", "ldap3", "uvloop"}, later


def test_commands_are_listed_without_the_gateway(tmp_path: Path) -> None:
    """`authgw --help` answers at once: none of what only a running gateway needs is imported for it."""
    script = "import sys, authgw.cli.main as m\ntry: m.main(['--help'])\nfinally: print('|', *sys.modules)"
    command = [sys.executable, "-c", script]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = {name.partition(".")[0] for name in said.rpartition("|")[2].split()}
    assert "click" in found
    assert not found & {"pydantic", "sqlalchemy", "redis", "starlette", "uvicorn", "uvloop", "msgspec"}
