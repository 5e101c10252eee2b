"""The ldap login and its servers: certificates, servers that are gone, that hang, that answer nonsense."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from authgw.contract import Credentials, Failed, Granted
from kit.directory import ENTRIES, Site, directory
from kit.servers import free_port
from kit.slapd import GATEWAY_PASSWORD, authority, slapd

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with directory(tmp_path_factory.mktemp("ldap")) as found:
        yield found


@pytest.mark.parametrize(
    ("certificate", "word"),
    [
        ({"days": -2}, "certificate has expired"),
        ({"host": "other.example.com"}, "servers must name it as the certificate does"),
        ({}, ""),
    ],
    ids=["expired", "wrong host", "good"],
)
async def test_certificates(site: Site, tmp_path: Path, certificate: dict[str, Any], word: str) -> None:
    """LDAPS and StartTLS trust a certificate of this authority, of today and of this host, and no other."""
    with slapd(tmp_path / "slapd", ENTRIES, site.authority, **certificate) as server:
        for more in ({"servers": [server.ldaps]}, {"servers": [server.ldap], "tls": "starttls"}):
            found = await site.ask("alice", **more)
            if not word:
                assert isinstance(found, Granted)
                continue
            assert isinstance(found, Failed), found
            assert word in found.reason
            assert more["servers"][0] in found.reason


async def test_a_foreign_authority(site: Site, tmp_path: Path) -> None:
    """A certificate of another authority is refused, and without ca_file so is ours: it is in no system's store."""
    for ca_file in (authority(tmp_path, "other").file, None):
        found = await site.ask("alice", ca_file=ca_file)
        assert isinstance(found, Failed)
        assert "ca_file must name that authority's own" in found.reason


async def test_a_server_without_starttls_gets_no_password(site: Site) -> None:
    """Where StartTLS is refused nothing goes on in the open."""
    heard: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(4096))
        # extendedResp: protocolError (2), no name, no message.
        writer.write(bytes.fromhex("300c02010178070a010204000400"))
        heard.append(await reader.read(4096))
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as stripped:
        port = stripped.sockets[0].getsockname()[1]
        found = await site.ask("alice", servers=[f"ldap://127.0.0.1:{port}"], tls="starttls")
    assert isinstance(found, Failed)
    assert GATEWAY_PASSWORD.encode() not in b"".join(heard)
    assert b"1.3.6.1.4.1.1466.20037" in heard[0]


async def test_the_second_server_answers(site: Site) -> None:
    """A server that is gone is passed over, and remembered so that the next login asks the living one first."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        gone = f"ldaps://127.0.0.1:{free_port()}"
        hung = f"ldaps://127.0.0.1:{silent.getsockname()[1]}"
        async with site.login(servers=[gone, hung, site.server.ldaps], connect_timeout=1, receive_timeout=1) as plugin:
            assert isinstance(await plugin.login(Credentials("alice", "secret")), Granted)
            silent.settimeout(0)
            silent.accept()[0].close()
            assert isinstance(await plugin.login(Credentials("alice", "secret")), Granted)
            with pytest.raises(BlockingIOError):
                silent.accept()


async def test_a_dead_directory_keeps_few_waiting(site: Site) -> None:
    """A server that hangs has as many threads as it is given and one time-out; then it is left alone for a moment."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        hung = f"ldaps://127.0.0.1:{silent.getsockname()[1]}"
        async with site.login(servers=[hung], receive_timeout=1, threads=1, waiting=0) as plugin:
            first = asyncio.create_task(plugin.login(Credentials("alice", "secret")))
            await asyncio.sleep(0)
            busy = await plugin.login(Credentials("bob", "secret"))
            assert isinstance(busy, Failed)
            assert busy.busy
            assert not first.done()
            assert isinstance(await first, Failed)
            silent.accept()[0].close()
            silent.settimeout(0)
            again = await plugin.login(Credentials("alice", "secret"))
            assert isinstance(again, Failed)
            assert not again.busy
            assert hung in again.reason
            with pytest.raises(BlockingIOError):
                silent.accept()


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x30\x84\xff\xff\xff\xff", b"\x30\x03\x02\x01\x01"]
)
async def test_garbage_is_a_failure(site: Site, answer: bytes) -> None:
    """A server that answers nonsense, or hangs up, is a failure that names it."""

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        url = f"ldap://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        found = await site.ask("alice", servers=[url], receive_timeout=1)
    assert isinstance(found, Failed)
    assert url in found.reason
