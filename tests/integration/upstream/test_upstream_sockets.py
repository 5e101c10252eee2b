"""WebSockets to the GUI: over TLS as the settings say, to where they are told and nowhere else, and not for ever."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from authgw.errors import UpstreamError
from authgw.reasons import Reason
from authgw.settings import load
from authgw.upstream.assemble import upstream_of
from authgw.upstream.websocket import Dialler, dialler_of
from kit.authority import Authority
from kit.loopback import Line, serving

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """One loop is enough: the protocol is the library's."""
    return "asyncio"


@asynccontextmanager
async def dialler(folder: Path, url: str, **files: Path) -> AsyncIterator[Dialler]:
    """As the configuration makes it."""
    named = "".join(f'{name} = "{path}"\n' for name, path in files.items())
    path = folder / "authgw.toml"
    path.write_text(
        '[gateway]\npublic_url = "http://127.0.0.1:8080"\n'
        f'[upstream]\nurl = "{url}"\nidentity = "none"\nconnect_timeout = "200ms"\n{named}[login]\nchain = ["static"]\n'
    )
    settings = load(path, {})
    upstream = upstream_of(settings)
    yield dialler_of(settings, upstream)
    await upstream.close()


async def said(found: Dialler) -> str | bytes:
    """What an echo says to a word."""
    async with found.open("/live", (("a", "b c"),), ()) as connection:
        await connection.send("word")
        return await connection.recv()


async def why_not(found: Dialler) -> Reason:
    with pytest.raises(UpstreamError) as refused:
        await said(found)
    return refused.value.reason


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def test_over_tls_both_sides_are_verified(tmp_path: Path) -> None:
    """With the authority and the client's certificate it opens; without either, or under another name, it does not."""
    (tmp_path / "ours").mkdir()
    authority, ours = Authority(tmp_path, "gui"), Authority(tmp_path / "ours", "ours")
    ours.server()
    own = tmp_path / "ours" / "server.pem"
    context = authority.server()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(ours.file)
    async with serve(echo, "127.0.0.1", 0, ssl=context) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        url, renamed = f"https://127.0.0.1:{port}", f"https://localhost:{port}"
        async with dialler(tmp_path, url, ca_file=authority.file, certificate_file=own) as found:
            assert await said(found) == "word"
        async with dialler(tmp_path, url, certificate_file=own) as found:
            assert await why_not(found) is Reason.UPSTREAM_UNREACHABLE
        async with dialler(tmp_path, url, ca_file=authority.file) as found:
            assert await why_not(found) is Reason.UPSTREAM_UNREACHABLE
        async with dialler(tmp_path, renamed, ca_file=authority.file, certificate_file=own) as found:
            assert await why_not(found) is Reason.UPSTREAM_UNREACHABLE


async def test_a_handshake_that_nobody_answers(tmp_path: Path) -> None:
    """It has the time of a connection, and the reason of one."""
    async with serving(Line.gone) as server, dialler(tmp_path, f"http://127.0.0.1:{server.port}") as found:
        assert await why_not(found) is Reason.UPSTREAM_CONNECT_TIMEOUT


async def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    """The GUI's way to somewhere else is a refusal: nobody else gets the service account's cookie."""
    asked = asyncio.Event()

    async def elsewhere(line: Line) -> None:
        asked.set()

    async with serving(elsewhere) as other:
        moved = f"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:{other.port}/\r\nContent-Length: 0\r\n\r\n"

        async def talk(line: Line) -> None:
            request = await line.asked()
            assert request is not None
            assert request.target == "/live?a=b+c"
            await line.say(moved.encode())

        async with serving(talk) as server, dialler(tmp_path, f"http://127.0.0.1:{server.port}") as found:
            assert await why_not(found) is Reason.UPSTREAM_STATUS
    assert not asked.is_set()
