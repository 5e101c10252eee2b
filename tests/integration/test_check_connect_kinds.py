"""`authgw check --connect` where something is wrong on the way: each kind of failure is told in words."""

from __future__ import annotations

import contextlib
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from authgw.cli.connect import tried
from authgw.login import assemble
from authgw.settings import load
from kit.authority import Authority
from kit.gateway import configure, write_secret
from kit.loopback import Line, reply, serving
from kit.servers import free_port

pytestmark = pytest.mark.anyio
MAPPING = """
tenant = [{ name = "acme", sensors = [2] }]
role = [{ name = "operator", grants = ["can_cdr"] }]
grant = [{ group = "noc", role = "operator", tenant = "acme" }]
"""
Talk = Callable[[Line], Awaitable[None]]


async def hang(line: Line) -> None:
    await line.gone()


async def babble(line: Line) -> None:
    await line.say(b"* OK what is this?\r\n\r\n")


async def page(line: Line) -> None:
    await line.asked()
    await line.say(reply(b"<html>It works!</html>"))


async def told(folder: Path, url: str = "http://127.0.0.1:9", **sections: Any) -> dict[str, str]:
    """What is said of each backend that cannot be used."""
    write_secret(folder / "mapping.toml", MAPPING)
    write_secret(folder / "some.secret", "0123456789abcdef-shared")
    settings = load(configure(folder, url, port=1, users=[], **sections), {})
    chain = await assemble.opened(settings)
    try:
        found = [one async for one in tried(settings, chain, 8.0)]
    finally:
        await chain.close()
    return {one.what.partition(" ")[0]: one.said for one in found if not one.fine}


def logins(port: int, ca_file: Path, tls: bool) -> dict[str, Any]:
    """A directory, a provider and a service at one port, each with time-outs of a second."""
    host, mark = f"127.0.0.1:{port}", "s" if tls else ""
    own = {"ca_file": str(ca_file)}
    return {
        "login": {"chain": ["static", "corp", "sso", "portal"]},
        "login_corp": own
        | {
            "plugin": "ldap",
            "servers": [f"ldap{mark}://{host}"],
            "base_dn": "dc=example,dc=com",
            "bind_dn": "cn=gateway,dc=example,dc=com",
            "bind_password_file": "some.secret",
            "mapping": "mapping.toml",
            "connect_timeout": 1,
            "receive_timeout": 1,
        },
        "login_sso": own
        | {
            "plugin": "oidc",
            "issuer": f"http{mark}://{host}",
            "client_id": "authgw",
            "client_secret_file": "some.secret",
            "mapping": "mapping.toml",
            "seconds": 1,
        },
        "login_portal": own
        | {"plugin": "http", "url": f"http{mark}://{host}/login", "secret_file": "some.secret", "seconds": 1},
    }


@contextlib.asynccontextmanager
async def at(talk: Talk | None, tls: ssl.SSLContext | None) -> AsyncIterator[int]:
    """A port where somebody talks so, or nobody."""
    if talk is None:
        yield free_port()
        return
    async with serving(talk, tls) as server:
        yield server.port


KINDS: dict[str, tuple[Talk | None, bool, str]] = {
    "wrong authority": (hang, True, "ca_file must name that authority's own"),
    "expired": (hang, True, "its certificate has expired; renew that of the host in {}"),
    "other host": (hang, True, "its certificate is for another name; {} must name it"),
    "nobody there": (None, True, "nothing listens there; see {}: the host, the port, and whether it runs"),
    "no TLS": (babble, True, "no TLS connection; see {}: is that its port for TLS?"),
    "silence": (hang, False, ""),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_what_to_do(tmp_path: Path, kind: str) -> None:
    """Directory, provider and service: the line begins with the login's name, and names the setting of that plugin; no
    class of any library is in it."""
    talk, tls, words = KINDS[kind]
    ours, others = (Authority(tmp_path, name) for name in ("ours", "others"))
    ends = timedelta(days=-2 if kind == "expired" else 2)
    host = "127.0.0.2" if kind == "other host" else "127.0.0.1"
    context = ours.server(host, ends) if tls and talk is hang else None
    trusted = others if kind == "wrong authority" else ours
    async with at(talk, context) as port:
        found = await told(tmp_path, **logins(port, trusted.file, tls))
    places = {"login.corp": "servers", "login.sso": "issuer", "login.portal": "url"}
    waits = {"login.corp": "connect_timeout and receive_timeout", "login.sso": "seconds", "login.portal": "seconds"}
    for login, place in places.items():
        said = found[login]
        assert (words.format(place) or waits[login]) in said, said
        assert not re.search(r"[a-z][A-Z]\w*(Error|Exception)|Error\b", said), said


@pytest.mark.parametrize(
    ("talk", "words"), [(babble, "another protocol; see issuer"), (page, "is no JSON")], ids=["babble", "page"]
)
async def test_answers_that_are_nonsense(tmp_path: Path, talk: Talk, words: str) -> None:
    """What is neither a directory nor a provider is said to be none; a service only shows at a login what it is."""
    ca_file = Authority(tmp_path, "ours").file
    async with at(talk, None) as port:
        found = await told(tmp_path, **logins(port, ca_file, False))
    assert words in found["login.sso"]
    assert "see servers" in found["login.corp"]


@pytest.mark.parametrize(
    ("talk", "store", "database"),
    [
        (None, "nothing listens there; see sessions.store: ", "nothing listens there; see database.url: "),
        (hang, "no answer in time; see sessions.store", "; see database.url"),
        (babble, "another protocol; see sessions.store", ""),
    ],
    ids=["nobody there", "silence", "nonsense"],
)
async def test_store_and_database(tmp_path: Path, talk: Talk | None, store: str, database: str) -> None:
    """A Redis and a MariaDB that cannot be asked are told of in the same words, and no password is."""
    async with at(talk, None) as port:
        url = f"mariadb://authgw:hunter2@127.0.0.1:{port}/authgw"
        sections: dict[str, Any] = {"database": {"url": url}} if database else {}
        found = await told(tmp_path, sessions={"store": f"redis://:hunter2@127.0.0.1:{port}/0"}, **sections)
    assert store in found["sessions.store"]
    assert database in found.get("database.url", "")
    assert not re.search(r"Error\b|hunter2", " ".join(found.values()))


async def test_the_gui(tmp_path: Path) -> None:
    """So is the GUI: nobody there, and a certificate of nobody's."""
    assert (await told(tmp_path, f"http://127.0.0.1:{free_port()}"))["upstream.url"].startswith("nothing listens there")
    async with at(hang, Authority(tmp_path, "ours").server()) as port:
        found = await told(tmp_path, f"https://127.0.0.1:{port}")
    assert "upstream.ca_file must name that authority's own" in found["upstream.url"]
