"""The ldap login against a slapd whose passwords are under a policy, with more groups than a page and a referral."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from authgw.contract import Granted, Outcome, Rejected
from authgw_plugins.ldap_directory import PAGE
from kit.directory import GROUPS, MAPPING, PEOPLE, Site, group, who
from kit.gateway import write_secret
from kit.servers import free_port
from kit.slapd import BASE, GATEWAY_PASSWORD, authority, person, slapd

pytestmark = pytest.mark.anyio


def days_ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")


POLICY: dict[str, Any] = {
    "objectClass": ["device", "pwdPolicy"], "pwdAttribute": "userPassword", "pwdMaxAge": 30 * 86_400,
    "pwdLockout": "TRUE", "pwdMaxFailure": 3, "pwdMustChange": "TRUE",
}  # fmt: skip
# Three more logins after the password has expired.
GRACE = {**POLICY, "pwdGraceAuthNLimit": 3}
NAMES = ("fresh", "old", "grace", "reset", "barred", "guessed")
MORE: dict[str, dict[str, Any]] = {
    "fresh": {"pwdChangedTime": days_ago(1)},
    "old": {"pwdChangedTime": days_ago(31)},
    "grace": {"pwdChangedTime": days_ago(31), "pwdPolicySubentry": f"cn=grace,{BASE}"},
    "reset": {"pwdChangedTime": days_ago(1), "pwdReset": "TRUE"},
    "barred": {"pwdChangedTime": days_ago(1), "pwdAccountLockedTime": "000001010000Z"},
    "guessed": {"pwdChangedTime": days_ago(1)},
}
# More groups than a server gives at once; the mapped one comes after them.
MANY = [group(f"g{n:04}", member=[who("fresh")]) for n in range(PAGE + 50)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("policy")
    write_secret(folder / "ldap.password", GATEWAY_PASSWORD)
    write_secret(folder / "mapping.toml", MAPPING)
    nobody_there = f"ldap://127.0.0.1:{free_port()}/{PEOPLE}"
    entries = [
        (f"cn=policy,{BASE}", {"cn": "policy", **POLICY}),
        (f"cn=grace,{BASE}", {"cn": "grace", **GRACE}),
        (PEOPLE, {"objectClass": ["organizationalUnit"]}),
        (GROUPS, {"objectClass": ["organizationalUnit"]}),
        *[(who(name), person(name, 1000 + at, **MORE[name])) for at, name in enumerate(NAMES, 1)],
        *MANY,
        group("noc", member=[who(name) for name in NAMES]),
        (f"ou=away,{PEOPLE}", {"objectClass": ["referral", "extensibleObject"], "ou": "away", "ref": nobody_there}),
    ]
    by = authority(folder)
    with slapd(folder / "slapd", entries, by, policy=True) as server:
        yield Site(server, by, folder)


def expired(found: Outcome) -> bool:
    assert isinstance(found, Granted), found
    return bool(found.rights[0].dictionary.get("password_expired", False))


@pytest.mark.parametrize(("user", "gate"), [("fresh", False), ("old", True), ("grace", True), ("reset", True)])
async def test_the_age_of_a_password(site: Site, user: str, gate: bool) -> None:
    """Young: a login. Too old, on its last logins, or set by somebody else: right, and marked as expired."""
    assert expired(await site.ask(user)) is gate


@pytest.mark.parametrize("user", ["old", "grace", "reset", "fresh"])
async def test_a_wrong_password_tells_no_age(site: Site, user: str) -> None:
    """Whose password has expired is told to nobody else."""
    assert await site.ask(user, "wrong") == Rejected("wrong password")


async def test_who_is_locked_for_good(site: Site) -> None:
    """An administrator's lock is a rejection, with the right password too."""
    assert isinstance(await site.ask("barred"), Rejected)


async def test_who_is_locked_by_guesses(site: Site) -> None:
    """After three wrong passwords the directory itself says no to the right one."""
    for _ in range(3):
        assert isinstance(await site.ask("guessed", "wrong"), Rejected)
    assert isinstance(await site.ask("guessed"), Rejected)


async def test_more_groups_than_a_page(site: Site) -> None:
    """Groups beyond the first page count: the mapped one is the last."""
    found = await site.ask("fresh", groups=["member"])
    assert isinstance(found, Granted), found
    assert [right.label.split()[1] for right in found.rights] == ["grant[1]"]


async def test_referrals_are_not_followed(site: Site) -> None:
    """A referral below the base is passed over: whoever it names gets no password and holds nobody up."""
    assert expired(await site.ask("fresh", timeout=2, connect_timeout=1, receive_timeout=1)) is False
    found = await site.ask("fresh", base_dn=f"ou=away,{PEOPLE}")
    assert "referral" in repr(found)
