"""People and groups that a directory login is tried with, on a slapd of the tests' own."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from authgw.contract import Credentials, Outcome
from authgw_plugins.ldap import Ldap
from authgw_plugins.ldap_config import LdapConfig
from kit.gateway import write_secret
from kit.slapd import BASE, GATEWAY, GATEWAY_PASSWORD, Authority, Slapd, authority, person, slapd

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


@contextlib.contextmanager
def directory(folder: Path) -> Iterator[Site]:
    """All of it, in a folder that is empty."""
    write_secret(folder / "ldap.password", GATEWAY_PASSWORD)
    write_secret(folder / "mapping.toml", MAPPING)
    by = authority(folder)
    with slapd(folder / "slapd", ENTRIES, by) as server:
        yield Site(server, by, folder)
