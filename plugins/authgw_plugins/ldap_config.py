"""The settings of the `ldap` login, every mistake told before anything is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

import msgspec
from ldap3.core.exceptions import LDAPException
from ldap3.operation.search import parse_filter
from ldap3.utils.dn import parse_dn
from pydantic import Field, field_validator, model_validator

from authgw import contract
from authgw_plugins.ldap_values import server

Way = Literal["memberOf", "member", "uniqueMember", "memberUid", "in-chain"]


class Preset(msgspec.Struct, frozen=True):
    """What a kind of directory calls things, where the settings say nothing."""

    user_attribute: str
    user_filter: str
    id: str
    groups: tuple[str, ...]


PRESETS = {
    "openldap": Preset("uid", "(objectClass=*)", "uidNumber", ("memberOf", "member", "uniqueMember", "memberUid")),
    "ad": Preset("sAMAccountName", "(&(objectCategory=person)(objectClass=user))", "objectSid", ("in-chain",)),
}


class LdapConfig(contract.Config):
    """[login.NAME] of a directory. Times in whole seconds; what is None comes from the preset.

    `tls`: "verify" wants ldaps://, or ldap:// on this machine; "starttls" encrypts ldap://; "none" leaves it open.
    Either `bind_dn` and `bind_password_file` (an account that may search), or `user_dn` ("uid={user},ou=people,…").
    `id`: the attribute that holds everybody's own number; of entryUUID and objectGUID, 63 bits of the SHA-256 are it.
    `nested`: how many groups deep a group may lie in others.
    """

    servers: tuple[str, ...] = Field(min_length=1, max_length=16)
    tls: Literal["verify", "starttls", "none"] = "verify"
    ca_file: Path | None = None
    preset: Literal["openldap", "ad"] = "openldap"
    base_dn: str
    bind_dn: str | None = None
    bind_password_file: Path | None = None
    user_dn: str | None = None
    user_attribute: str | None = Field(default=None, pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")
    user_filter: str | None = None
    id: str | None = Field(default=None, pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")
    groups: tuple[Way, ...] | None = Field(default=None, min_length=1)
    group_base_dn: str | None = None
    nested: int = Field(default=8, ge=0, le=32)
    mapping: Path
    connect_timeout: int = Field(default=3, ge=1, le=9)
    receive_timeout: int = Field(default=4, ge=1, le=9)
    timeout: float = Field(default=9.0, gt=0, le=9.5)
    threads: int = Field(default=4, ge=1, le=64)
    waiting: int = Field(default=64, ge=0, le=10_000)

    @field_validator("servers")
    @classmethod
    def _servers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for url in value:
            server(url)
        return value

    @field_validator("base_dn", "group_base_dn", "user_dn")
    @classmethod
    def _names(cls, value: str | None) -> str | None:
        try:
            if value is not None:
                parse_dn(value.replace("{user}", "x"))
        except LDAPException:
            raise ValueError("is no distinguished name; write it like dc=example,dc=com") from None
        return value

    @field_validator("user_filter")
    @classmethod
    def _filter(cls, value: str | None) -> str | None:
        try:
            if value is not None:
                parse_filter(value, None, False, False, None, False)
        except Exception:
            raise ValueError("is no search filter; write it like (objectClass=person)") from None
        return value

    @model_validator(mode="after")
    def _together(self) -> Self:
        for each in map(server, self.servers):
            if self.tls == "verify" and not each.tls and not each.is_loopback:
                raise ValueError(
                    f'servers: {each.url} would carry passwords in the open; write ldaps://, or tls = "starttls", '
                    'or, where nobody else can listen, tls = "none"'
                )
        if self.user_dn is not None and self.bind_dn is not None:
            raise ValueError("user_dn: takes the place of bind_dn; take one of them out")
        if self.user_dn is not None and self.user_dn.count("{user}") != 1:
            raise ValueError("user_dn: must hold {user} once, as in uid={user},ou=people,dc=example,dc=com")
        if self.user_dn is None and not (self.bind_dn and self.bind_password_file):
            raise ValueError("bind_dn and bind_password_file: an account that may search is needed, or user_dn")
        return self

    def chosen(self, name: str) -> Any:
        """The setting, or the preset's value of it."""
        value = getattr(self, name)
        return value if value is not None else getattr(PRESETS[self.preset], name)
