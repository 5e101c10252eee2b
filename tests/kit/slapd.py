"""OpenLDAP's slapd of a test's own: a plain process on free loopback ports, with TLS from an authority of the test."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ldap3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kit.gateway import write_secret
from kit.servers import free_port, need, running

BASE = "dc=example,dc=com"
GATEWAY = f"cn=gateway,{BASE}"
GATEWAY_PASSWORD = "gateway-secret"
_ROOT = f"cn=root,{BASE}"
_ROOT_PASSWORD = "root-secret"

Entries = Sequence[tuple[str, Mapping[str, Any]]]

_CONF = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload ppolicy
pidfile {folder}/slapd.pid
argsfile {folder}/slapd.args
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
database mdb
maxsize 67108864
suffix "{base}"
rootdn "{root}"
rootpw {password}
directory {folder}/data
limits dn.exact="{gateway}" size.soft=500 size.hard=500 size.prtotal=unlimited
index objectClass,uid,member,memberUid eq
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{gateway}" read by self read by anonymous auth by * none
{overlay}
"""
_POLICY = f"overlay ppolicy\nppolicy_default cn=policy,{BASE}\nppolicy_use_lockout"
# Lets the root write what only the server writes otherwise: since when a password is there (draft-zeilenga-ldap-relax).
_RELAX = "1.3.6.1.4.1.4203.666.5.12"
_OVERLAY = "overlay memberof\nmemberof-group-oc groupOfNames\nmemberof-member-ad member"


@dataclass(frozen=True)
class Authority:
    """Who signs the certificates. `file` is what a client trusts."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    file: Path


@dataclass(frozen=True)
class Slapd:
    """A running server. `ldaps` names the host as the good certificate does."""

    ldap: str
    ldaps: str
    ca_file: Path


def authority(folder: Path, name: str = "authority") -> Authority:
    """A new one, its certificate in `folder`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    made = _certificate(subject, subject, key, key, 30, x509.BasicConstraints(ca=True, path_length=0), [])
    file = folder / f"{name}.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return Authority(key, made, file)


def certify(folder: Path, by: Authority, *, host: str = "127.0.0.1", days: int = 30) -> None:
    """server.pem and server.key for an address or a name; negative `days`: it ended so long ago."""
    key = ec.generate_private_key(ec.SECP256R1())
    try:
        names: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address(host))]
    except ValueError:
        names = [x509.DNSName(host)]
    constraints = x509.BasicConstraints(ca=False, path_length=None)
    made = _certificate(_name("directory"), by.certificate.subject, key, by.key, days, constraints, names)
    (folder / "server.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    (folder / "server.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    )


@contextlib.contextmanager
def slapd(
    folder: Path, entries: Entries, by: Authority, *, member_of: bool = True, policy: bool = False, **certificate: Any
) -> Iterator[Slapd]:
    """A server that holds the base, the gateway's account and `entries`. `policy`: its passwords are under one, the
    entry cn=policy. `certificate`: see `certify`."""
    program = need("slapd")
    (folder / "data").mkdir(parents=True)
    certify(folder, by, **certificate)
    conf = folder / "slapd.conf"
    overlay = (_OVERLAY if member_of else "") + (f"\n{_POLICY}" if policy else "")
    write_secret(
        conf,
        _CONF.format(folder=folder, base=BASE, root=_ROOT, password=_ROOT_PASSWORD, gateway=GATEWAY, overlay=overlay),
    )
    plain, tls = free_port(), free_port()
    urls = f"ldap://127.0.0.1:{plain}/ ldaps://127.0.0.1:{tls}/"
    with running([program, "-d", "0", "-f", str(conf), "-h", urls], plain, folder / "slapd.log"):
        _fill(plain, entries)
        yield Slapd(f"ldap://127.0.0.1:{plain}", f"ldaps://127.0.0.1:{tls}", by.file)


def person(uid: str, number: int | None, password: str = "secret", **more: Any) -> dict[str, Any]:
    """The attributes of an inetOrgPerson; with a number, of a posixAccount and shadowAccount too."""
    found: dict[str, Any] = {
        "objectClass": ["inetOrgPerson"],
        "uid": uid,
        "cn": uid,
        "sn": uid,
        "userPassword": password,
    }
    if number is not None:
        found["objectClass"] += ["posixAccount", "shadowAccount"]
        found |= {"uidNumber": number, "gidNumber": 100, "homeDirectory": "/nowhere"}
    return found | more


def _fill(port: int, entries: Entries) -> None:
    """By the protocol, not by slapadd: so that the overlay sees every membership."""
    service = {"objectClass": ["applicationProcess", "simpleSecurityObject"], "userPassword": GATEWAY_PASSWORD}
    base = {"objectClass": ["dcObject", "organization"], "o": "Example", "dc": "example"}
    target = ldap3.Server("127.0.0.1", port, get_info=ldap3.NONE)
    connection = ldap3.Connection(target, _ROOT, _ROOT_PASSWORD, auto_bind=True, check_names=False)
    try:
        for dn, attributes in [(BASE, base), (GATEWAY, service), *entries]:
            relaxed = [(_RELAX, True, None)] if "pwdChangedTime" in attributes else None
            assert connection.add(dn, attributes=dict(attributes), controls=relaxed), (dn, connection.result)
    finally:
        connection.unbind()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    by: ec.EllipticCurvePrivateKey,
    days: int,
    constraints: x509.BasicConstraints,
    names: list[x509.GeneralName],
) -> x509.Certificate:
    now = datetime.now(UTC)
    end = now + timedelta(days=days)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, end) - timedelta(days=1))
        .not_valid_after(end)
        .add_extension(constraints, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    )
    if constraints.ca:
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(usage, critical=True)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(by, hashes.SHA256())
