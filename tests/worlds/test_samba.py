"""The ldap login's preset for Active Directory against a Samba domain controller."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from authgw.contract import Credentials, Failed, Granted, Outcome, Rejected
from authgw.testing.login import check
from authgw_plugins.ldap import Ldap
from authgw_plugins.ldap_config import LdapConfig
from kit.gateway import write_secret
from kit.samba import BASE, DISABLED, PASSWORD, USERS, Samba, samba
from kit.slapd import authority

pytestmark = pytest.mark.anyio
COMMA = f"CN=Smith\\, Jo,{USERS}"
# 1 January 2001, counted as Windows does.
LONG_AGO = 126_227_808_000_000_000
MAPPED = ("CN=noc,CN=Users", "cn=Ops\\2c EU,CN=Users", "CN=outer,cn=users", "CN=Domain Users,CN=Users")
MAPPING = """
[[tenant]]
name = "acme"
sensors = [2, 3]
[[role]]
name = "operator"
grants = ["can_cdr"]
""" + "".join(
    f"""
[[grant]]
group = '{name},{BASE}'
role = "operator"
tenant = "acme"
"""
    for name in MAPPED
)


@dataclass(frozen=True)
class Site:
    server: Samba
    folder: Path

    def config(self, **more: Any) -> LdapConfig:
        stated = {
            "servers": [self.server.ldaps], "ca_file": self.server.ca_file, "preset": "ad", "base_dn": BASE,
            "bind_dn": "gateway@ad.example.com", "bind_password_file": self.folder / "ldap.password",
            "mapping": self.folder / "mapping.toml",
        }  # fmt: skip
        return LdapConfig.model_validate({**stated, **more})

    @contextlib.asynccontextmanager
    async def login(self, **more: Any) -> AsyncIterator[Ldap]:
        plugin = Ldap(self.config(**more))
        await plugin.open()
        try:
            yield plugin
        finally:
            await plugin.close()

    async def ask(self, user: str, password: str = PASSWORD, **more: Any) -> Outcome:
        async with self.login(**more) as plugin:
            return await plugin.login(Credentials(user, password))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("ad")
    write_secret(folder / "ldap.password", PASSWORD)
    write_secret(folder / "mapping.toml", MAPPING)
    with samba(folder / "samba", authority(folder)) as server:
        server.person("gateway")
        alice, bob, dave = server.person("alice", displayName="Alice A."), server.person("bob"), server.person("dave")
        smith = server.person("smith", COMMA)
        off = server.person("off", userAccountControl=DISABLED)
        late = server.person("late", accountExpires=str(LONG_AGO))
        fresh = server.person("fresh")
        server.change(fresh, "pwdLastSet", 0)
        server.group("noc", alice, off, late, fresh)
        server.group("noc-x", bob)
        server.group("Ops\\, EU", smith)
        inner = server.group("inner", dave)
        server.group("outer", server.group("middle", inner))
        yield Site(server, folder)


def labels(found: Outcome) -> list[str]:
    assert isinstance(found, Granted), found
    return [right.label.split()[1] for right in found.rights]


async def test_the_promises_of_a_login(site: Site) -> None:
    """With Active Directory behind it, the plugin keeps every promise of the contract."""
    await check(lambda: Ldap(site.config()), Credentials("alice", PASSWORD), Credentials("alice", "Wr0ng-secret"))


@pytest.mark.parametrize(
    ("user", "lines"),
    [("alice", [1]), ("ALICE", [1]), ("smith", [2]), ("dave", [3]), ("bob", [])],
)
async def test_who_gets_what(site: Site, user: str, lines: list[int]) -> None:
    """Direct, nested and comma-named groups count, and the primary group that no entry lists; names that only begin
    alike do not."""
    assert labels(await site.ask(user)) == [f"grant[{line}]" for line in [*lines, 4]]


async def test_who_it_is(site: Site) -> None:
    """The number is the last one of the security identifier, the name the directory's, the age of the password told."""
    one, other = await site.ask("alice"), await site.ask("bob")
    assert isinstance(one, Granted), one
    assert isinstance(other, Granted), other
    assert (one.identity.user, one.identity.name) == ("alice", "Alice A.")
    assert 1000 < one.identity.id != other.identity.id > 1000
    assert (one.identity.password_changed_at or 0) > 1_600_000_000


@pytest.mark.parametrize("password", ["Wr0ng-secret", "us3r-secret", PASSWORD + " ", ""])
async def test_wrong_passwords(site: Site, password: str) -> None:
    """Only the password itself is right; an empty one is not sent."""
    assert isinstance(await site.ask("alice", password), Rejected)


@pytest.mark.parametrize(("user", "word"), [("off", "disabled"), ("late", "expired")])
async def test_accounts_that_may_not_be_used(site: Site, user: str, word: str) -> None:
    """A disabled account and one past its end are rejected with the right password, and the log says why."""
    found = await site.ask(user)
    assert isinstance(found, Rejected), found
    assert word in found.reason


async def test_a_password_that_must_be_changed(site: Site) -> None:
    """It is right, and marked as expired; a wrong one is wrong."""
    found = await site.ask("fresh")
    assert isinstance(found, Granted), found
    assert all(right.dictionary["password_expired"] is True for right in found.rights)
    assert isinstance(await site.ask("fresh", "Wr0ng-secret"), Rejected)


@pytest.mark.parametrize("user", ["*", "ali*", "*)(sAMAccountName=*", "nobody", "alice\\00"])
async def test_names_that_are_nobodys(site: Site, user: str) -> None:
    """What is a filter elsewhere is a name here, and nobody's."""
    assert type(await site.ask(user)).__name__ == "NotMine"


async def test_refresh(site: Site) -> None:
    """Whoever has been disabled since is turned away; the others keep their rights."""
    async with site.login() as plugin:
        found = await plugin.login(Credentials("dave", PASSWORD))
        assert isinstance(found, Granted), found
        assert await plugin.refresh(found.identity) == found
        site.server.change(f"CN=dave,{USERS}", "userAccountControl", DISABLED)
        assert isinstance(await plugin.refresh(found.identity), Rejected)


async def test_a_service_account_with_a_wrong_password(site: Site, tmp_path: Path) -> None:
    """Is a failure that names the settings."""
    write_secret(tmp_path / "wrong", "Wr0ng-secret")
    found = await site.ask("alice", bind_password_file=tmp_path / "wrong")
    assert isinstance(found, Failed), found
    assert "bind_password_file" in found.reason
