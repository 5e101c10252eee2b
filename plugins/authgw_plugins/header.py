"""The `header` login: a proxy in front has identified the person (Kerberos, SAML, client certificates) and says so.

    [login.proxy]
    plugin = "header"
    addresses = ["10.0.0.5"]                # of the proxy; nobody else is believed
    user_header = "X-Remote-User"
    groups_header = "X-Remote-Groups"
    mapping = "mapping.toml"

Believed is the peer of the connection itself, never an X-Forwarded-For. The proxy must take these headers away from
what clients send, as it does when it sets them. A header that comes twice is no login, for nobody knows whose each is.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import ClassVar

from pydantic import Field, field_validator

from authgw import contract
from authgw.contract import (
    Compare,
    ConfigError,
    Credentials,
    Failed,
    Identity,
    MappingFile,
    NotMine,
    Outcome,
    Rejected,
    mapped,
)

MAX_VALUE = 8192
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_LARGEST_ID = 2**63 - 1
# What the gateway, or the way there, gives a meaning of its own.
_TAKEN = frozenset(
    {"authorization", "cookie", "host", "forwarded", "x-forwarded-for", "x-forwarded-host", "user-agent"}
)
log = logging.getLogger("authgw.login.header")


class HeaderConfig(contract.Config):
    """`addresses`: of the proxy, or networks. `separator` stands between groups in one header.

    `id_header` holds everybody's own number; without it the id is 63 bits of the SHA-256 of the user's name.
    """

    addresses: tuple[str, ...] = Field(min_length=1, max_length=64)
    user_header: str = "X-Remote-User"
    groups_header: str = "X-Remote-Groups"
    name_header: str | None = None
    id_header: str | None = None
    separator: str = Field(default=",", min_length=1, max_length=1)
    mapping: Path

    @field_validator("addresses")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            if _network(each).prefixlen == 0:
                raise ValueError(f"{each} is everybody; name the proxy's own address")
        return value

    @field_validator("user_header", "groups_header", "name_header", "id_header")
    @classmethod
    def _names(cls, value: str | None) -> str | None:
        if value is not None and (not _NAME.fullmatch(value) or value.lower() in _TAKEN):
            raise ValueError("is no header for this; write a name like X-Remote-User")
        return value


class Header:
    """Nothing is asked of anybody."""

    Config: ClassVar[type[contract.Config]] = HeaderConfig

    def __init__(self, config: HeaderConfig) -> None:
        self._config = config
        self._networks = tuple(map(_network, config.addresses))
        self._mapping: MappingFile | None = None
        self._told = False

    async def open(self) -> None:
        self._mapping = await asyncio.to_thread(MappingFile, self._config.mapping, Compare.TEXT)

    async def close(self) -> None:
        """Nothing is open."""

    def version(self) -> str:
        return self._mapping.version() if self._mapping else ""

    async def login(self, credentials: Credentials) -> Outcome:
        """Passwords are the proxy's business."""
        return NotMine()

    async def refresh(self, identity: Identity) -> Outcome:
        """Only the proxy knows, and only when the person comes by."""
        return NotMine()

    async def fronted(self, peer: str, headers: Sequence[tuple[str, str]]) -> Outcome:
        config = self._config
        names = (config.user_header, config.groups_header, config.name_header, config.id_header)
        mine = {name.lower() for name in names if name}
        given = [(name, value) for name, value in headers if name in mine]
        if not given:
            return NotMine()
        if not self._is_believed(peer):
            self._tell(peer)
            return NotMine()
        values = dict(given)
        if len(values) != len(given):
            return Rejected("one of the headers came twice")
        try:
            return self._person({name: _text(value) for name, value in values.items()})
        except ValueError as error:
            return Rejected(str(error))
        except ConfigError as error:
            return Failed(f"mapping: {error}")

    def _person(self, values: dict[str, str]) -> Outcome:
        config = self._config
        user = values.get(config.user_header.lower(), "")
        if not user:
            return NotMine()
        name = values.get((config.name_header or "").lower(), "")
        groups = values.get(config.groups_header.lower(), "").split(config.separator)
        identity = Identity(user, self._number(values, user), name[:256])
        if self._mapping is None:
            return Failed("was not opened")
        return mapped(self._mapping.current(), identity, [group.strip() for group in groups if group.strip()])

    def _number(self, values: dict[str, str], user: str) -> int:
        if self._config.id_header is None:
            return (int.from_bytes(hashlib.sha256(user.encode()).digest()[:8], "big") >> 1) or 1
        text = values.get(self._config.id_header.lower(), "")
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
        if not 0 < number <= _LARGEST_ID:
            raise ValueError(f"{self._config.id_header} holds no positive whole number")
        return number

    def _is_believed(self, peer: str) -> bool:
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return any((mapped or address) in network for network in self._networks)

    def _tell(self, peer: str) -> None:
        """Once: whoever can reach the gateway could fill the log."""
        if not self._told:
            self._told = True
            log.warning("headers that say who somebody is came from %.64s, which is not in addresses: ignored", peer)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError(f"{text[:64]!r} is no address or network") from None


def _text(value: str) -> str:
    """A header's bytes as UTF-8, in one line. Raises ValueError."""
    try:
        text = value.encode("latin-1").decode().strip()
    except UnicodeError:
        raise ValueError("one of the headers is not UTF-8") from None
    if len(value) > MAX_VALUE or not text.isprintable():
        raise ValueError("one of the headers is too long, or holds what cannot be printed")
    return text
