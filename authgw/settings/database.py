"""The database's URL: what an operator may write, with the files it names made absolute. Never quoted in a message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

from authgw.settings.values import is_loopback, split

SQLITE = "sqlite:///authgw.db"
_EXAMPLE = 'write it like "mariadb://authgw:PASSWORD@db.example.com/authgw", other signs than letters and digits as %2F'
_FILES = {"ssl_ca", "ssl_capath", "ssl_cert", "ssl_key", "sslrootcert", "sslcert", "sslkey", "unix_socket"}
_MYSQL = {"ssl_ca", "ssl_capath", "ssl_cert", "ssl_key", "unix_socket"}
_QUERY: Mapping[str, set[str]] = {
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "postgresql": {"sslmode", "sslrootcert", "sslcert", "sslkey", "host"},
}
_SSLMODES = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}


def url(value: str, folder: Path) -> str:
    """A URL that `authgw.durable` can open. Raises ValueError, which says what to write instead."""
    scheme = value.partition("://")[0]
    if scheme == "sqlite":
        return _file(value, folder)
    if scheme not in _QUERY:
        raise ValueError(f'must begin with sqlite:///, mariadb://, mysql:// or postgresql://; write "{SQLITE}"')
    parts = split(value)
    if parts is None or "#" in value or not value.isascii():
        raise ValueError(f"is not a database URL; {_EXAMPLE}")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if not parts.hostname and not query.keys() & {"unix_socket", "host"}:
        raise ValueError(f"names no server; {_EXAMPLE}")
    if re.fullmatch(r"/[A-Za-z0-9_$-]{1,63}", parts.path) is None:
        raise ValueError(f"must name one database after the server; {_EXAMPLE}")
    _check(query, _QUERY[scheme])
    told = "&".join(f"{key}={quote(_absolute(key, text, folder), safe='/')}" for key, text in query.items())
    return f"{scheme}://{parts.netloc}{parts.path}{'?' if told else ''}{told}"


def facts_url(value: str, folder: Path) -> str:
    """A URL of the product's own database, which is MariaDB or MySQL. As `url`."""
    if value.partition("://")[0] not in ("mysql", "mariadb"):
        raise ValueError('must begin with mysql:// or mariadb://; write "mysql://authgw:PASSWORD@db/voipmonitor"')
    return url(value, folder)


def is_bare(url: str) -> bool:
    """Whether what is asked and answered crosses a network unencrypted, or to whoever answers."""
    parts = urlsplit(url)
    if not parts.hostname or is_loopback(parts.hostname):
        return False
    query = dict(parse_qsl(parts.query))
    if parts.scheme == "postgresql":
        return query.get("sslmode") not in ("verify-ca", "verify-full") and "host" not in query
    return not query.keys() & {"ssl_ca", "ssl_capath", "unix_socket"}


def _file(value: str, folder: Path) -> str:
    _, mark, file = value.partition(":///")
    if not mark or not file or re.search(r"[?#%\x00]", file):
        raise ValueError(f'must name a plain file; write "{SQLITE}" or "sqlite:////var/lib/authgw/authgw.db"')
    return f"sqlite:///{folder / file}"


def _check(query: Mapping[str, str], known: set[str]) -> None:
    unknown = sorted(query.keys() - known)
    if unknown:
        raise ValueError(f"has {', '.join(unknown)} after the ?; known there are {', '.join(sorted(known))}")
    empty = sorted(key for key, text in query.items() if not text)
    if empty:
        raise ValueError(f"has {', '.join(empty)} after the ? without a value; add it")
    if query.get("sslmode", "prefer") not in _SSLMODES:
        raise ValueError('has an unknown sslmode; write "sslmode=verify-full" and sslrootcert')
    if not query.get("host", "/").startswith("/"):
        raise ValueError('has a host after the ? that is no folder; write "host=/run/postgresql", or the server')


def _absolute(key: str, text: str, folder: Path) -> str:
    return str(folder / text) if key in _FILES else text
