"""What goes to a directory and comes from it: servers, entries, and values inside filters and names. Pure."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

Attributes = Mapping[str, Sequence[bytes]]


class Entry(msgspec.Struct, frozen=True):
    """One entry. `values`: attribute names in lower case, values as the directory keeps them."""

    dn: str
    values: Attributes

    def texts(self, name: str) -> list[str]:
        """The values of an attribute that are UTF-8."""
        found = []
        for value in self.values.get(name.lower(), ()):
            with contextlib.suppress(UnicodeDecodeError):
                found.append(value.decode())
        return found


class Server(msgspec.Struct, frozen=True):
    """`url` as configured."""

    url: str
    host: str
    port: int
    tls: bool

    @property
    def is_loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def server(url: str) -> Server:
    """`ldaps://HOST[:PORT]` or `ldap://HOST[:PORT]`. Raises `ValueError`."""
    parts = urlsplit(url)
    if parts.scheme not in ("ldap", "ldaps") or not parts.hostname or parts.username is not None:
        raise ValueError(f"{url[:200]!r} is no server; write ldaps://HOST or ldaps://HOST:PORT")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(f"{url[:200]!r} has something behind the host; the base goes into base_dn")
    return Server(url, parts.hostname, parts.port or (636 if parts.scheme == "ldaps" else 389), parts.scheme == "ldaps")


def escaped(value: str | bytes) -> str:
    """A value inside a filter (RFC 4515): everything but letters, digits and a few marks as its octets.

    Raises `TypeError` for anything but text and bytes: a list would come through other escapings as it is.
    """
    if not isinstance(value, str | bytes):
        raise TypeError(f"a {type(value).__name__} is no value of a filter")
    octets = value.encode() if isinstance(value, str) else value
    return "".join(chr(o) if re.fullmatch(rb"[A-Za-z0-9 .,@=_-]", bytes([o])) else f"\\{o:02x}" for o in octets)


def in_name(value: str) -> str:
    """A value inside a distinguished name (RFC 4514): everything but letters, digits and a few marks as its octets."""
    return "".join(
        chr(octet) if re.fullmatch(rb"[A-Za-z0-9._-]", bytes([octet])) else f"\\{octet:02x}" for octet in value.encode()
    )
