"""The ldap login against a real slapd: people, groups, names that break filters, servers that do not answer."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from authgw.contract import Credentials, Failed, Granted, Identity, NotMine, Outcome, Rejected
from authgw.testing.login import check
from authgw_plugins.ldap import Ldap
from authgw_plugins.ldap_config import LdapConfig
from kit.gateway import write_secret
from kit.servers import free_port
from kit.slapd import BASE, GATEWAY, GATEWAY_PASSWORD, Authority, Slapd, authority, person, slapd

pytestmark = pytest.mark.anyio
PEOPLE, GROUPS = f"ou=people,{BASE}", f"ou=groups,{BASE}"
NOW = 20_000 * 86_400.0  # a day of 2024
NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "una", "late", "soon", "zero", "stale")


def who(name: str) -> str:
    return f"uid={name},{PEOPLE}"


def group(name: str, kind: str = "groupOfNames", **members: Any) -> tuple[str, dict[str, Any]]:
    return f"cn={name},{GROUPS}", {"objectClass": [kind], **members}


SHADOW: dict[str, dict[str, Any]] = {
    "late": {"shadowExpire": 20_000},
    "soon": {"shadowExpire": 20_001},
    "zero": {"shadowExpire": 0},
    "stale": {"shadowLastChange": 19_900, "shadowMax": 30},
}
ENTRIES = [
    (PEOPLE, {"objectClass": ["organizationalUnit"]}),
    (GROUPS, {"objectClass": ["organizationalUnit"]}),
    *[(who(name), person(name, 1000 + at, **SHADOW.get(name, {}))) for at, name in enumerate(NAMES, 1)],
    (who("*)(uid\\=*"), person("*)(uid=*", 1101)),
    (f"uid=\\5c2a,{PEOPLE}", person("\\2a", 1102)),
    (f"cn=Smith\\, Jo,{PEOPLE}", person("smith", 1103, cn="Smith, Jo")),
    (who("nonumber"), person("nonumber", None)),
    (who("twin"), person("twin", 1201)),
    (f"uid=twin,{GROUPS}", person("twin", 1202)),
    group("noc", member=[who("alice"), *map(who, ("late", "soon", "zero", "stale", "nonumber", "twin"))]),
    group("noc-x", member=[who("bob")]),
    group("Ops\\, EU", member=[who("carol"), f"cn=Smith\\, Jo,{PEOPLE}", who("*)(uid=*"), f"uid=\\5c2a,{PEOPLE}"]),
    group("inner", member=[who("dave")]),
    group("middle", member=[f"cn=inner,{GROUPS}"]),
    group("outer", member=[f"cn=middle,{GROUPS}"]),
    group("round-a", member=[who("erin")]),
    group("round-b", member=[f"cn=round-a,{GROUPS}"]),
    group("unix", "posixGroup", gidNumber=500, memberUid=["frank"]),
    group("unique", "groupOfUniqueNames", uniqueMember=[who("una")]),
]
MAPPING = """
[[tenant]]
name = "acme"
sensors = [2, 3]
[[tenant]]
name = "all"
sensors = "all"
[[role]]
name = "operator"
grants = ["can_cdr"]
[[role]]
name = "admin"
grants = ["is_admin"]
""" + "".join(
    f"""
[[grant]]
group = '{group}'
role = "operator"
tenant = "acme"
"""
    for group in (
        f"CN=NOC,OU=Groups,{BASE}",
        f"cn=ops\\2c eu, ou=groups, {BASE}",
        f"cn=outer,{GROUPS}",
        f"cn=round-b,{GROUPS}",
        f"cn=unix,{GROUPS}",
        f"cn=unique,{GROUPS}",
    )
)


@dataclass(frozen=True)
class Site:
    """One server, who signed for it, and a folder with the gateway's files."""

    server: Slapd
    authority: Authority
    folder: Path

    def config(self, **more: Any) -> LdapConfig:
        stated = {
            "servers": [self.server.ldaps],
            "ca_file": self.server.ca_file,
            "base_dn": BASE,
            "bind_dn": GATEWAY,
            "bind_password_file": self.folder / "ldap.password",
            "mapping": self.folder / "mapping.toml",
        }
        return LdapConfig.model_validate({**stated, **more})

    @contextlib.asynccontextmanager
    async def login(self, **more: Any) -> AsyncIterator[Ldap]:
        plugin = Ldap(self.config(**more), now=lambda: NOW)
        await plugin.open()
        try:
            yield plugin
        finally:
            await plugin.close()

    async def ask(self, user: str, password: str = "secret", **more: Any) -> Outcome:
        async with self.login(**more) as plugin:
            return await plugin.login(Credentials(user, password))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("ldap")
    write_secret(folder / "ldap.password", GATEWAY_PASSWORD)
    write_secret(folder / "mapping.toml", MAPPING)
    by = authority(folder)
    with slapd(folder / "slapd", ENTRIES, by) as server:
        yield Site(server, by, folder)


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
    ("certificate", "word"),
    [({"days": -2}, "expired"), ({"host": "other.example.com"}, "mismatch"), ({}, "")],
    ids=["expired", "wrong host", "good"],
)
async def test_certificates(site: Site, tmp_path: Path, certificate: dict[str, Any], word: str) -> None:
    """LDAPS and StartTLS trust a certificate of this authority, of today and of this host, and no other."""
    with slapd(tmp_path / "slapd", ENTRIES, site.authority, **certificate) as server:
        for more in ({"servers": [server.ldaps]}, {"servers": [server.ldap], "tls": "starttls"}):
            found = await site.ask("alice", **more)
            if not word:
                assert isinstance(found, Granted)
                continue
            assert isinstance(found, Failed), found
            assert word in found.reason
            assert more["servers"][0] in found.reason
            assert "ca_file" in found.reason


async def test_a_foreign_authority(site: Site, tmp_path: Path) -> None:
    """A certificate of another authority is refused, and without ca_file so is ours: it is in no system's store."""
    for ca_file in (authority(tmp_path, "other").file, None):
        found = await site.ask("alice", ca_file=ca_file)
        assert isinstance(found, Failed)
        assert "CERTIFICATE_VERIFY_FAILED" in found.reason


async def test_a_server_without_starttls_gets_no_password(site: Site) -> None:
    """Where StartTLS is refused nothing goes on in the open."""
    heard: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(4096))
        # extendedResp: protocolError (2), no name, no message.
        writer.write(bytes.fromhex("300c02010178070a010204000400"))
        heard.append(await reader.read(4096))
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as stripped:
        port = stripped.sockets[0].getsockname()[1]
        found = await site.ask("alice", servers=[f"ldap://127.0.0.1:{port}"], tls="starttls")
    assert isinstance(found, Failed)
    assert GATEWAY_PASSWORD.encode() not in b"".join(heard)
    assert b"1.3.6.1.4.1.1466.20037" in heard[0]


async def test_the_second_server_answers(site: Site) -> None:
    """A server that is gone is passed over, and remembered so that the next login asks the living one first."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        gone = f"ldaps://127.0.0.1:{free_port()}"
        hung = f"ldaps://127.0.0.1:{silent.getsockname()[1]}"
        async with site.login(servers=[gone, hung, site.server.ldaps], connect_timeout=1, receive_timeout=1) as plugin:
            assert isinstance(await plugin.login(Credentials("alice", "secret")), Granted)
            silent.settimeout(0)
            silent.accept()[0].close()
            assert isinstance(await plugin.login(Credentials("alice", "secret")), Granted)
            with pytest.raises(BlockingIOError):
                silent.accept()


async def test_a_dead_directory_keeps_few_waiting(site: Site) -> None:
    """A server that hangs has as many threads as it is given and one time-out; then it is left alone for a moment."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        hung = f"ldaps://127.0.0.1:{silent.getsockname()[1]}"
        async with site.login(servers=[hung], receive_timeout=1, threads=1, waiting=0) as plugin:
            first = asyncio.create_task(plugin.login(Credentials("alice", "secret")))
            await asyncio.sleep(0)
            busy = await plugin.login(Credentials("bob", "secret"))
            assert isinstance(busy, Failed)
            assert busy.busy
            assert not first.done()
            assert isinstance(await first, Failed)
            silent.accept()[0].close()
            silent.settimeout(0)
            again = await plugin.login(Credentials("alice", "secret"))
            assert isinstance(again, Failed)
            assert not again.busy
            assert hung in again.reason
            with pytest.raises(BlockingIOError):
                silent.accept()


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x30\x84\xff\xff\xff\xff", b"\x30\x03\x02\x01\x01"]
)
async def test_garbage_is_a_failure(site: Site, answer: bytes) -> None:
    """A server that answers nonsense, or hangs up, is a failure that names it."""

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        url = f"ldap://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        found = await site.ask("alice", servers=[url], receive_timeout=1)
    assert isinstance(found, Failed)
    assert url in found.reason


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
