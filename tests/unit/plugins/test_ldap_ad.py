"""What is particular to Active Directory, by a session that answers as one does: chains of groups, words of refusal."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from authgw.contract import Failed, Granted, Identity, Outcome, Rejected
from authgw_plugins import ldap_groups
from authgw_plugins.ldap import Ldap
from authgw_plugins.ldap_config import LdapConfig
from authgw_plugins.ldap_directory import Session, Unanswered
from authgw_plugins.ldap_policy import Bound
from authgw_plugins.ldap_values import Entry

BASE = "dc=example,dc=com"
# S-1-5-21-1-2-3-1105 and, of the same domain, group 513.
DOMAIN = bytes([1, 5, 0, 0, 0, 0, 0, 5]) + b"".join(n.to_bytes(4, "little") for n in (21, 1, 2, 3))
SID, USERS_SID = DOMAIN + (1105).to_bytes(4, "little"), DOMAIN + (513).to_bytes(4, "little")
ALICE = f"CN=Alice (Ops),{BASE}"
USERS = f"CN=Domain Users,{BASE}"
ENTRY = Entry(ALICE, {"samaccountname": (b"alice",), "objectsid": (SID,), "primarygroupid": (b"513",)})
CHAIN = "member:1.2.840.113556.1.4.1941:="
AD = "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data {}, v2580"


class Answering:
    """Filters and what they find; the code and the message of every bind."""

    url = "ldaps://dc1.example.com"

    def __init__(self, found: dict[str, list[str]], bind: tuple[int, str] = (0, ""), entries: int = 1) -> None:
        self.found = found
        self.answer = bind
        self.entries = [ENTRY] * entries

    def all(self, base: str, filter: str) -> list[str]:
        return self.found.get(filter, [])

    def two(self, base: str, filter: str, attributes: list[str]) -> list[Entry]:
        assert filter == "(&(&(objectCategory=person)(objectClass=user))(sAMAccountName=alice))"
        return self.entries

    def bind(self, dn: str, password: str) -> Bound:
        return Bound(*self.answer)

    def bind_service(self) -> None:
        return None


FOUND = {
    f"({CHAIN}CN=Alice \\28Ops\\29,{BASE})": [f"CN=noc,{BASE}", f"CN=all,{BASE}"],
    "(objectSid=" + "".join(f"\\{octet:02x}" for octet in USERS_SID) + ")": [USERS],
    f"({CHAIN}{USERS})": [f"CN=everybody,{BASE}", f"cn=ALL,{BASE}"],
}


def groups(session: Answering) -> list[str]:
    ways = frozenset({"in-chain"})
    return ldap_groups.groups(cast(Session, session), ldap_groups.Search(BASE, ways, 8, "sAMAccountName"), ENTRY)


def test_groups_by_the_chain_rule() -> None:
    """Groups at every depth come in one answer; the primary group, which nobody lists, is found by its identifier."""
    expected = [f"cn={name},{BASE}" for name in ("all", "domain users", "everybody", "noc")]
    assert sorted(name.lower() for name in groups(Answering(FOUND))) == expected


def test_too_many_groups() -> None:
    """Somebody in more groups than can be looked at is a failure, not a part of them."""
    many = {filter: [f"CN={n},{BASE}" for n in range(2001)] for filter in list(FOUND)[:1]}
    with pytest.raises(Unanswered, match="2000"):
        groups(Answering(many))


async def login(folder: Path, session: Answering) -> Outcome:
    mapping = folder / "mapping.toml"
    mapping.write_text(
        '[[tenant]]\nname = "t"\nsensors = [1]\n[[role]]\nname = "r"\ngrants = ["can_cdr"]\n'
        f'[[grant]]\ngroup = "cn=NOC,{BASE}"\nrole = "r"\ntenant = "t"\n'
    )
    (folder / "password").write_text("gateway-secret\n")
    config = LdapConfig(
        servers=("ldaps://dc1.example.com",),
        preset="ad",
        base_dn=BASE,
        bind_dn="gateway@example.com",
        bind_password_file=folder / "password",
        mapping=mapping,
    )
    plugin = Ldap(config, now=lambda: 1_700_000_000.0)
    await plugin.open()
    try:
        return plugin._login(cast(Session, session), "alice", "secret")
    finally:
        await plugin.close()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("code", "data", "kind", "word"),
    [
        (49, "52e", Rejected, "wrong password"),
        (49, "525", Rejected, "wrong password"),
        (49, "533", Rejected, "disabled"),
        (49, "701", Rejected, "expired"),
        (49, "775", Rejected, "locked"),
        (51, "0", Failed, "51"),
        (53, "0", Failed, "53"),
    ],
)
async def test_refusals(tmp_path: Path, code: int, data: str, kind: type, word: str) -> None:
    """What the directory says with a refusal is in the log; a directory that is busy has not refused."""
    found = await login(tmp_path, Answering(FOUND, (code, AD.format(data))))
    assert type(found) is kind
    assert isinstance(found, Rejected | Failed)
    assert word in found.reason


@pytest.mark.anyio
@pytest.mark.parametrize("data", ["532", "773"])
async def test_an_expired_password(tmp_path: Path, data: str) -> None:
    """These two words come with the right password only: the person is told, and has no session."""
    found = await login(tmp_path, Answering(FOUND, (49, AD.format(data))))
    assert isinstance(found, Granted)
    assert found.rights[0].dictionary["password_expired"] is True


@pytest.mark.anyio
async def test_the_number_is_that_of_the_account(tmp_path: Path) -> None:
    """The last number of the security identifier is the id."""
    found = await login(tmp_path, Answering(FOUND))
    assert isinstance(found, Granted)
    assert found.identity == Identity("alice", 1105, "", "t")
    assert [right.label for right in found.rights] == ["mapping.toml grant[1] r@t"]


@pytest.mark.anyio
async def test_two_of_one_name(tmp_path: Path) -> None:
    """Two accounts of one name are a failure that names the setting."""
    found = await login(tmp_path, Answering(FOUND, entries=2))
    assert isinstance(found, Failed)
    assert "user_filter" in found.reason
