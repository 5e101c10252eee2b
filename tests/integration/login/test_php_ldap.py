"""An operator's own PHP over a directory: several servers, a service bind, a search, a bind as the user; on a real
slapd, through the php login."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from authgw.contract import Credentials, Failed, Granted, Outcome, Rejected
from authgw.testing.login import check
from authgw_plugins.php import Php, PhpConfig
from kit.custom_login import opened
from kit.directory import Site, directory
from kit.servers import free_port, missing, need
from kit.slapd import BASE, GATEWAY, GATEWAY_PASSWORD

pytestmark = pytest.mark.anyio
SCRIPT = (Path(__file__).parents[2] / "data" / "ldap_custom_login.php").read_text("utf-8")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    asked = [need("php"), "-r", 'exit(extension_loaded("ldap") ? 0 : 1);']
    if subprocess.run(asked, check=False).returncode:
        missing("php-ldap is not installed (make test installs it as root on Debian)")
    with directory(tmp_path_factory.mktemp("ldap")) as found:
        yield found


def script(site: Site, servers: Sequence[str]) -> str:
    places = {
        "CA": str(site.server.ca_file), "SERVERS": ", ".join(f"'{url}'" for url in servers), "BASE": BASE,
        "SERVICE": GATEWAY, "SECRET": GATEWAY_PASSWORD,
    }  # fmt: skip
    text = SCRIPT
    for name, value in places.items():
        text = text.replace(f"@{name}@", value)
    return text


def running(site: Site, folder: Path, *servers: str, reuse: int = 1) -> AbstractAsyncContextManager[Php]:
    return opened(folder, script(site, servers or [site.server.ldaps]), reuse=reuse)


async def ask(site: Site, folder: Path, user: str, password: str = "secret", *servers: str) -> Outcome:
    async with running(site, folder, *servers) as plugin:
        return await plugin.login(Credentials(user, password))


@pytest.mark.parametrize("reuse", [1, 50])
async def test_the_promises_of_a_login(site: Site, tmp_path: Path, reuse: int) -> None:
    """The script keeps every promise of the contract, a process for each login or one for many."""
    path = tmp_path / "custom_login.php"
    path.write_text(script(site, [site.server.ldaps]))
    path.chmod(0o600)
    good, bad = Credentials("alice", "secret"), Credentials("alice", "wrong")
    await check(lambda: Php(PhpConfig(script=path, reuse=reuse)), good, bad)


async def test_who_it_is(site: Site, tmp_path: Path) -> None:
    """Number, name and the rights of the groups come out of the directory as PHP wrote them."""
    found = await ask(site, tmp_path, "alice")
    assert isinstance(found, Granted), found
    assert found.rights[0].dictionary == {
        "id": 1001, "username": "alice", "name": "alice", "can_cdr": True, "can_pcap": "1", "enable_sensors": [2, 3],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("user", "password"),
    [("alice", "wrong"), ("nobody", "secret"), ("*", "secret"), ("*)(uid=alice", "secret"), ("nonumber", "secret")],
)
async def test_who_is_rejected(site: Site, tmp_path: Path, user: str, password: str) -> None:
    """A wrong password, a name that is not there or is a filter, and somebody without a number."""
    assert isinstance(await ask(site, tmp_path, user, password), Rejected)


async def test_the_second_server_answers(site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A server that is gone is passed over, and what the script says of it is in the gateway's log."""
    gone = f"ldaps://127.0.0.1:{free_port()}"
    with caplog.at_level("INFO", "authgw.login.php"):
        found = await ask(site, tmp_path, "alice", "secret", gone, site.server.ldaps)
    assert isinstance(found, Granted), found
    assert gone in caplog.text


async def test_no_server_is_a_failure(site: Site, tmp_path: Path) -> None:
    """Where none answers the script throws: a failed login, never a wrong password."""
    found = await ask(site, tmp_path, "alice", "secret", f"ldaps://127.0.0.1:{free_port()}")
    assert isinstance(found, Failed), found
    assert "RuntimeException" in found.reason
