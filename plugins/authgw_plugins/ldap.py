"""The `ldap` login: people of Active Directory, OpenLDAP and their kin, their groups mapped to rights.

    [login.corp]
    plugin = "ldap"
    servers = ["ldaps://dc1.example.com", "ldaps://dc2.example.com"]
    preset = "openldap"
    base_dn = "dc=example,dc=com"
    bind_dn = "cn=gateway,dc=example,dc=com"
    bind_password_file = "ldap.password"
    mapping = "mapping.toml"

The person is looked up, then the password is tried by a bind under the name found. A name that is not there is not
this login's; two entries of one name are a failure. A directory that does not answer holds up a few threads at most.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, TypeVar

import msgspec
from ldap3.core import results

from authgw import contract
from authgw.contract import (
    ConfigError,
    Credentials,
    Failed,
    Identity,
    Known,
    MappingFile,
    NotMine,
    Outcome,
    Probe,
    Problem,
    Rejected,
    mapped,
)
from authgw_plugins import ldap_entry, ldap_groups, ldap_probe
from authgw_plugins.ldap_config import LdapConfig
from authgw_plugins.ldap_directory import Directory, Session, Unanswered
from authgw_plugins.ldap_values import Entry, escaped, in_name, server
from authgw_plugins.workers import Busy, Workers

MAX_USER = 256
MAX_PASSWORD = 1024
_WRONG = frozenset(
    {
        results.RESULT_INVALID_CREDENTIALS,
        results.RESULT_INAPPROPRIATE_AUTHENTICATION,
        results.RESULT_NO_SUCH_OBJECT,
        results.RESULT_INVALID_DN_SYNTAX,
        results.RESULT_CONSTRAINT_VIOLATION,
    }
)
# What Active Directory adds to "invalid credentials" when they were right (Win32 error codes, hexadecimal).
_AD_DATA = re.compile(r"\bdata ([0-9a-fA-F]{3}),")
_AD_EXPIRED = frozenset({"532", "773"})
_AD_REFUSED = {"530": "not at this time", "531": "not from here", "533": "disabled", "701": "expired", "775": "locked"}
T = TypeVar("T")


class Ldap:
    """Asks the directory at every login; nothing is remembered but which servers answered."""

    Config: ClassVar[type[contract.Config]] = LdapConfig

    def __init__(self, config: LdapConfig, *, now: Callable[[], float] = time.time) -> None:
        self._config = config
        self._now = now
        self._workers = Workers("authgw-ldap", config.threads, config.waiting)
        self._directory: Directory | None = None
        self._mapping: MappingFile | None = None
        self._attribute = str(config.chosen("user_attribute"))
        self._id = str(config.chosen("id"))
        self._filter = str(config.chosen("user_filter"))
        base = config.group_base_dn or config.base_dn
        ways = frozenset(config.chosen("groups"))
        self._groups = ldap_groups.Search(base, ways, config.nested, self._attribute)

    async def open(self) -> None:
        """Reads the files. The directory is not asked yet: that it is down now must not keep others out."""
        problems: list[Problem] = []
        config = self._config
        service: tuple[str, str] | None = None
        try:
            self._mapping = await asyncio.to_thread(MappingFile, config.mapping)
        except ConfigError as error:
            problems += error.problems
        try:
            if config.bind_dn and config.bind_password_file:
                service = (config.bind_dn, await asyncio.to_thread(_secret, config.bind_password_file))
        except ConfigError as error:
            problems += error.problems
        try:
            self._directory = Directory(
                [server(url) for url in config.servers],
                start_tls=config.tls == "starttls",
                ca_file=config.ca_file,
                connect_timeout=config.connect_timeout,
                receive_timeout=config.receive_timeout,
                service=service,
            )
        except OSError as error:
            why = getattr(error, "reason", None) or error.strerror
            problems.append(
                Problem(
                    "ca_file",
                    str(config.ca_file),
                    f"cannot be used ({why}); name a PEM file with the certificates to trust",
                )
            )
        if problems:
            raise ConfigError(problems)

    async def close(self) -> None:
        self._workers.close()

    async def login(self, credentials: Credentials) -> Outcome:
        user, password = credentials.user, credentials.password
        if not isinstance(user, str) or not user.strip() or len(user) > MAX_USER or "\0" in user:
            return NotMine()
        # A bind with an empty password succeeds as anybody (RFC 4513 5.1.2), and some servers end it at a NUL.
        if not isinstance(password, str) or not password.strip() or "\0" in password or len(password) > MAX_PASSWORD:
            return Rejected("no password that could be anybody's")
        return await self._asked(lambda session: self._login(session, user, password))

    async def refresh(self, identity: Identity) -> Outcome:
        """By the account that may search; a login that binds directly cannot ask without the password."""
        if self._config.user_dn is not None or len(identity.user) > MAX_USER or "\0" in identity.user:
            return NotMine()
        return await self._asked(lambda session: self._refresh(session, identity))

    async def explain(self, user: str, groups: Sequence[str] | None) -> Known | None:
        """As `refresh`, with the groups and the mapping they were held against."""
        mapping = self._mapping.current() if self._mapping else None
        if self._config.user_dn is None and len(user) <= MAX_USER and "\0" not in user:
            known = await self._asked(lambda session: self._explain(session, user, groups))
            if isinstance(known, Known) and not (groups is not None and isinstance(known.outcome, NotMine)):
                return known
            if isinstance(known, Failed):
                return Known(known, groups=groups, mapping=mapping)
        if groups is None or mapping is None:
            return None
        return Known(mapped(mapping, Identity(user, 1), groups), "nobody, id 1 stands for his", groups, mapping)

    def probes(self) -> Sequence[Probe]:
        """Every server, whether it would be asked or not: how it is reached, the bind, the base of searches."""
        directory = self._directory
        return [] if directory is None else ldap_probe.probes(directory, self._config, self._workers)

    def version(self) -> str:
        return self._mapping.version() if self._mapping else ""

    async def _asked(self, question: Callable[[Session], T]) -> T | Failed:
        directory = self._directory
        if directory is None:
            return Failed("was not opened")

        def ask() -> T:
            with directory.session(self._config.timeout) as session:
                return question(session)

        try:
            async with asyncio.timeout(self._config.timeout):
                return await self._workers.run(ask)
        except TimeoutError:
            return Failed(f"servers: no answer within {self._config.timeout:g} s")
        except Busy as error:
            return Failed(str(error), busy=True)
        except Unanswered as error:
            return Failed(str(error))

    def _login(self, session: Session, user: str, password: str) -> Outcome:
        if self._config.user_dn is not None:
            return self._direct(session, self._config.user_dn, user, password)
        entry = self._find(session, user)
        if entry is None:
            # The same questions for those who are not there, so that time does not tell; the password stays here.
            session.bind(f"cn=nobody-{secrets.token_hex(8)},{self._config.base_dn}", secrets.token_hex(16))
            return NotMine()
        if isinstance(entry, Failed):
            return entry
        tried = self._try(session, entry.dn, password)
        if isinstance(tried, Rejected | Failed):
            return tried
        session.bind_service()
        return self._known(session, entry, user, expired=tried).outcome

    def _direct(self, session: Session, template: str, user: str, password: str) -> Outcome:
        dn = template.replace("{user}", in_name(user))
        tried = self._try(session, dn, password)
        if isinstance(tried, Rejected | Failed):
            return tried
        entry = None if tried else session.read(dn, self._filter, self._attributes())
        if entry is None:
            return Failed(f"{session.url}: user_dn: {dn[:300]!r} cannot read its own entry by {self._filter}")
        return self._known(session, entry, user, expired=False).outcome

    def _refresh(self, session: Session, identity: Identity) -> Outcome:
        entry = self._find(session, identity.user)
        if entry is None:
            return Rejected("no longer in the directory") if identity.id else NotMine()
        if isinstance(entry, Failed):
            return entry
        outcome = self._known(session, entry, identity.user, expired=False).outcome
        if isinstance(outcome, contract.Granted) and identity.id not in (0, outcome.identity.id):
            return Rejected("has another id now")
        return outcome

    def _explain(self, session: Session, user: str, groups: Sequence[str] | None) -> Known:
        entry = self._find(session, user)
        if entry is None or isinstance(entry, Failed):
            return Known(entry or NotMine(), f"{session.url}, below {self._config.base_dn}, by {self._wanted(user)}")
        known = self._known(session, entry, user, expired=False, groups=groups)
        return msgspec.structs.replace(known, found=f"{entry.dn} at {session.url}")

    def _find(self, session: Session, user: str) -> Entry | Failed | None:
        found = session.two(self._config.base_dn, self._wanted(user), self._attributes())
        if len(found) > 1:
            names = " and ".join(repr(entry.dn[:200]) for entry in found)
            return Failed(f"{session.url}: user_filter: {names} have the same {self._attribute}; make it find one")
        return found[0] if found else None

    def _wanted(self, user: str) -> str:
        return f"(&{self._filter}({self._attribute}={escaped(user)}))"

    def _try(self, session: Session, dn: str, password: str) -> Rejected | Failed | bool:
        """The bind's verdict; where the password is right, whether it has expired."""
        bound = session.bind(dn, password)
        code, message = bound.code, bound.message
        if code == results.RESULT_SUCCESS or (code == results.RESULT_INVALID_CREDENTIALS and bound.expired):
            return bound.expired
        data = _AD_DATA.search(message) if self._config.preset == "ad" else None
        told = data[1].lower() if data else ""
        if code == results.RESULT_INVALID_CREDENTIALS and told in _AD_EXPIRED:
            return True
        if code in _WRONG:
            return Rejected(_AD_REFUSED.get(told, "wrong password"))
        return Failed(f"{session.url}: the bind of {dn[:200]!r} answered {code}: {message[:200]}")

    def _known(
        self, session: Session, entry: Entry, user: str, *, expired: bool, groups: Sequence[str] | None = None
    ) -> Known:
        """What somebody whose password was right may do. `groups`: instead of his own."""
        now = self._now()
        why = ldap_entry.unusable(entry, now)
        if why is not None:
            return Known(Rejected(why))
        number = ldap_entry.id_of(entry, self._id)
        if isinstance(number, str):
            return Known(Failed(f"{session.url}: id: {number}; name an attribute that everybody has one of"))
        identity = Identity(
            ldap_entry.user_name(entry, self._attribute, user),
            number,
            ldap_entry.display_name(entry),
            password_changed_at=ldap_entry.password_changed_at(entry),
        )
        expired = expired or ldap_entry.password_expired(entry, now)
        gates = {"password_expired": True} if expired else {}
        if groups is None:
            groups = ldap_groups.groups(session, self._groups, entry)
        if self._mapping is None:
            return Known(Failed("not opened"))
        try:
            mapping = self._mapping.current()
        except ConfigError as error:
            return Known(Failed(f"mapping: {error}"), groups=groups)
        return Known(mapped(mapping, identity, groups, **gates), groups=groups, mapping=mapping)

    def _attributes(self) -> list[str]:
        return list(dict.fromkeys([self._attribute, self._id, *ldap_entry.ATTRIBUTES]))


def _secret(path: Path) -> str:
    """The one line of a file of a secret."""
    try:
        with path.open("rb") as file:
            text = file.read(4097).removesuffix(b"\n").removesuffix(b"\r").decode()
    except (OSError, UnicodeDecodeError) as error:
        message = f"cannot be read: {getattr(error, 'strerror', None) or 'no UTF-8'}"
        raise ConfigError([Problem("bind_password_file", str(path), message)]) from None
    if not text or len(text) > 4096 or any(mark in text for mark in "\r\n\0"):
        raise ConfigError([Problem("bind_password_file", str(path), "must hold the password in one line, no more")])
    return text
