"""The ldap login against a real slapd: people, groups, names that break filters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from authgw.contract import Credentials, Failed, Granted, Identity, NotMine, Rejected
from authgw.testing.login import check
from authgw_plugins.ldap import Ldap
from kit.directory import GROUPS, PEOPLE, Site, directory, group, who
from kit.servers import free_port
from kit.slapd import BASE, person, slapd

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with directory(tmp_path_factory.mktemp("ldap")) as found:
        yield found


async def test_the_promises_of_a_login(site: Site) -> None:
    """With a directory behind it, the plugin keeps every promise of the contract."""
    await check(lambda: Ldap(site.config()), Credentials("alice", "secret"), Credentials("alice", "wrong"))


async def test_bind_and_search(site: Site) -> None:
    """Number, names, tenant and one labelled dictionary per line come from the entry and the mapping."""
    found = await site.ask("ALICE")
    assert isinstance(found, Granted), found
    assert found.identity == Identity("alice", 1001, "alice", "acme")
    (right,) = found.rights
    assert right.label == "mapping.toml grant[1] operator@acme"
    assert right.dictionary == {"id": 1001, "username": "alice", "can_cdr": True, "enable_sensors": [2, 3]}


@pytest.mark.parametrize(
    ("user", "verdict"),
    [
        ("alice", "grant[1]"),
        ("bob", "Rejected"),  # his group's name only begins like a mapped one
        ("carol", "grant[2]"),
        ("smith", "grant[2]"),
        ("*)(uid=*", "grant[2]"),
        ("\\2a", "grant[2]"),
        ("dave", "grant[3]"),
        ("erin", "grant[4]"),
        ("frank", "grant[5]"),
        ("una", "grant[6]"),
        ("late", "Rejected"),
        ("soon", "grant[1]"),
        ("zero", "Rejected"),
        ("stale", "grant[1]"),
        ("nonumber", "Failed"),
        ("twin", "Failed"),
        ("*", "NotMine"),
        ("ali*", "NotMine"),
        ("*)(|(uid=*", "NotMine"),
        ("\\61lice", "NotMine"),
        ("x" * 10_240, "NotMine"),
        ("alice\0", "NotMine"),
    ],
)
async def test_who_gets_what(site: Site, user: str, verdict: str) -> None:
    """Each person gets the line of his own group and no other, whatever his name does to filters."""
    found = await site.ask(user)
    labels = [right.label.split()[1] for right in found.rights] if isinstance(found, Granted) else []
    assert (labels or [type(found).__name__]) == [verdict], found


@pytest.mark.parametrize(("user", "setting"), [("nonumber", "id: uidNumber"), ("twin", "user_filter")])
async def test_failures_name_the_setting(site: Site, user: str, setting: str) -> None:
    """Whoever reads the log learns which server and which setting to look at."""
    found = await site.ask(user)
    assert isinstance(found, Failed)
    assert setting in found.reason
    assert site.server.ldaps in found.reason


@pytest.mark.parametrize("password", ["wrong", "secret ", "", " ", "\0secret", "secret\0", "s" * 10_240])
async def test_wrong_passwords(site: Site, password: str) -> None:
    """Only the password itself is right; what a directory would take for anonymous never gets there."""
    assert isinstance(await site.ask("alice", password), Rejected)


async def test_an_empty_password_is_not_sent(site: Site) -> None:
    """Empty and NUL passwords are refused although no server is there to refuse them."""
    dead = f"ldap://127.0.0.1:{free_port()}"
    for password in ("", "  ", "\0"):
        assert isinstance(await site.ask("alice", password, servers=[dead]), Rejected)


async def test_an_expired_password_shuts_the_gate(site: Site) -> None:
    """A password older than shadowMax is right, and marked as expired."""
    found = await site.ask("stale")
    assert isinstance(found, Granted)
    assert found.rights[0].dictionary["password_expired"] is True
    assert found.identity.password_changed_at == 19_900 * 86_400.0


async def test_an_id_of_the_entrys_own(site: Site) -> None:
    """entryUUID gives everybody a positive number of his own, the same each time."""
    first, again, other = [await site.ask(user, id="entryUUID") for user in ("alice", "alice", "nonumber")]
    assert isinstance(first, Granted)
    assert isinstance(again, Granted)
    assert isinstance(other, Granted)
    assert first.identity.id == again.identity.id != other.identity.id
    assert 0 < first.identity.id < 2**63


async def test_nesting_ends_where_it_is_told(site: Site) -> None:
    """Groups in groups count to the depth that is set: dave is three deep."""
    assert isinstance(await site.ask("dave", nested=1), Rejected)
    assert isinstance(await site.ask("dave", nested=2), Granted)


@pytest.mark.parametrize("way", ["memberOf", "member"])
async def test_groups_by_one_way_alone(site: Site, way: str) -> None:
    """memberOf of the entries and a search for members find the same groups, nested ones too."""
    for user in ("alice", "carol", "dave", "erin"):
        assert isinstance(await site.ask(user, groups=[way]), Granted), user
    assert isinstance(await site.ask("frank", groups=[way]), Rejected)


async def test_cyclic_groups_end(site: Site, tmp_path: Path) -> None:
    """Two groups inside each other are two groups."""
    entries = [
        (PEOPLE, {"objectClass": ["organizationalUnit"]}),
        (GROUPS, {"objectClass": ["organizationalUnit"]}),
        (who("erin"), person("erin", 1)),
        group("round-a", member=[who("erin"), f"cn=round-b,{GROUPS}", f"cn=round-a,{GROUPS}"]),
        group("round-b", member=[f"cn=round-a,{GROUPS}"]),
    ]
    with slapd(tmp_path / "slapd", entries, site.authority) as server:
        for ways in (["memberOf"], ["member"]):
            found = await site.ask("erin", servers=[server.ldaps], groups=ways, nested=32)
            assert isinstance(found, Granted), ways


async def test_direct_bind(site: Site) -> None:
    """Without a service account the person binds under a name made from the template, escaped."""
    direct: dict[str, Any] = {
        "bind_dn": None,
        "bind_password_file": None,
        "user_dn": f"uid={{user}},{PEOPLE}",
        "groups": ["memberOf"],
    }
    found = await site.ask("alice", **direct)
    assert isinstance(found, Granted), found
    assert found.identity.id == 1001
    assert isinstance(await site.ask("*)(uid=*", **direct), Granted)
    for user, password in (("alice", "wrong"), (f"alice,{PEOPLE}", "secret"), ("nobody", "secret")):
        assert isinstance(await site.ask(user, password, **direct), Rejected)
    async with site.login(**direct) as plugin:
        assert isinstance(await plugin.refresh(found.identity), NotMine)


async def test_refresh(site: Site) -> None:
    """The service account tells whether somebody is still who he was."""
    async with site.login() as plugin:
        assert isinstance(await plugin.refresh(Identity("alice", 1001)), Granted)
        assert isinstance(await plugin.refresh(Identity("alice", 7)), Rejected)
        assert isinstance(await plugin.refresh(Identity("gone", 7)), Rejected)
        assert isinstance(await plugin.refresh(Identity("late", 1008)), Rejected)


@pytest.mark.parametrize(
    ("more", "setting"),
    [
        ({"base_dn": "dc=nowhere,dc=com"}, "base_dn"),
        ({"bind_dn": f"cn=stranger,{BASE}"}, "bind_dn"),
        ({"group_base_dn": f"ou=none,{BASE}"}, "group_base_dn"),
    ],
)
async def test_wrong_settings_are_failures(site: Site, more: dict[str, Any], setting: str) -> None:
    """A setting that the directory does not know lets nobody in and is named."""
    found = await site.ask("alice", **more)
    assert isinstance(found, Failed)
    assert setting in found.reason
