"""A Samba domain controller of a test's own: Active Directory's LDAP on the loopback of a network of its own.

Its ports cannot be chosen: `make worlds` runs the tests in a network namespace in which nobody else listens.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ldap3
import pytest

from kit.servers import need, running
from kit.slapd import Authority, certify

REALM, BASE = "AD.EXAMPLE.COM", "DC=ad,DC=example,DC=com"
USERS = f"CN=Users,{BASE}"
ADMINISTRATOR, ADMIN_PASSWORD = "Administrator@ad.example.com", "Adm1n-secret"
PASSWORD = "Us3r-secret"
# [MS-ADTS] 2.2.16: a normal account, one that is disabled.
NORMAL, DISABLED = 0x200, 0x202
_CONF = """
[global]
server role = active directory domain controller
server services = ldap
realm = {realm}
workgroup = EXAMPLE
netbios name = DC1
interfaces = lo
bind interfaces only = yes
private dir = {folder}/private
state directory = {folder}/state
cache directory = {folder}/cache
lock directory = {folder}
pid directory = {folder}
ncalrpc dir = {folder}/ncalrpc
binddns dir = {folder}/bind-dns
log file = {folder}/log
tls keyfile = {keys}/server.key
tls certfile = {keys}/server.pem
tls cafile = {authority}
"""


@dataclass(frozen=True)
class Samba:
    """A running domain controller, and a connection as its administrator."""

    ldaps: str
    ca_file: Path
    admin: Any

    def add(self, dn: str, attributes: Mapping[str, Any]) -> None:
        assert self.admin.add(dn, attributes=dict(attributes)), (dn, self.admin.result)

    def change(self, dn: str, name: str, *values: Any) -> None:
        assert self.admin.modify(dn, {name: [(ldap3.MODIFY_REPLACE, list(values))]}), (dn, self.admin.result)

    def person(self, name: str, dn: str | None = None, **more: Any) -> str:
        """An account with a password that may log in; its name."""
        dn = dn or f"CN={name},{USERS}"
        secret = f'"{PASSWORD}"'.encode("utf-16-le")
        account = {"objectClass": "user", "sAMAccountName": name, "unicodePwd": secret, "userAccountControl": NORMAL}
        self.add(dn, {**account, **more})
        return dn

    def group(self, name: str, *members: str) -> str:
        dn = f"CN={name},{USERS}"
        account = "".join(sign for sign in name if sign.isalnum() or sign == "-")
        self.add(dn, {"objectClass": "group", "sAMAccountName": account, "member": list(members)})
        return dn


@contextlib.contextmanager
def samba(folder: Path, by: Authority) -> Iterator[Samba]:
    """A new domain, of which only LDAP is served."""
    if any(name != "lo" for _, name in socket.if_nameindex()):
        pytest.skip("a domain controller wants a network of its own: run make worlds")
    program, tool = need("samba"), need("samba-tool")
    folder.mkdir(parents=True)
    certify(folder, by)
    (folder / "server.key").chmod(0o600)
    home = folder / "dc"
    command = [
        tool, "domain", "provision", f"--targetdir={home}", f"--realm={REALM}", "--domain=EXAMPLE",
        f"--adminpass={ADMIN_PASSWORD}", "--server-role=dc", "--dns-backend=NONE", "--host-name=dc1",
        "--host-ip=127.0.0.1", "--option=interfaces=lo", "--option=bind interfaces only=yes",
    ]  # fmt: skip
    with (folder / "provision.log").open("wb") as out:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=300, check=False)
    assert done.returncode == 0, (folder / "provision.log").read_text()[-2000:]
    conf = folder / "smb.conf"
    conf.write_text(_CONF.format(realm=REALM, folder=home, keys=folder, authority=by.file))
    command = [program, "-i", "-M", "single", "-s", str(conf), "--debug-stdout"]
    with running(command, 636, folder / "samba.log"):
        target = ldap3.Server("127.0.0.1", 636, use_ssl=True, get_info=ldap3.NONE)
        admin = ldap3.Connection(target, ADMINISTRATOR, ADMIN_PASSWORD, auto_bind=True, check_names=False)
        try:
            yield Samba("ldaps://127.0.0.1:636", by.file, admin)
        finally:
            admin.unbind()
