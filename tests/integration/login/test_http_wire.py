"""The http login on the wire: redirects, bounds, time, TLS."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from authgw.contract import Failed, Granted, Rejected
from kit.authority import Authority
from kit.loopback import Asked, Line, reply, serving, until
from kit.portal import GRANT, WHO, always, answer, config, opened
from kit.servers import free_port

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
async def test_a_redirect_is_not_followed(tmp_path: Path, status: str) -> None:
    """A password goes to the configured address only, wherever the service would like to have it."""
    elsewhere: list[Asked] = []
    async with serving(always(reply(json.dumps(GRANT).encode()), elsewhere)) as other:
        to = f"Location: http://127.0.0.1:{other.port}/"
        found = await answer(tmp_path, always(reply(b"", to, status=status)))
    assert isinstance(found, Failed)
    assert "redirects are not followed" in found.reason
    assert elsewhere == []


async def test_a_giant_reply(tmp_path: Path) -> None:
    """A reply without end is given up at its bound; one that stays below is read."""

    async def endless(line: Line) -> None:
        await line.asked()
        await line.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not line.writer.is_closing():
            await line.say(b"10000\r\n" + b" " * 65536 + b"\r\n")
            await asyncio.sleep(0)

    found = await answer(tmp_path, endless)
    assert isinstance(found, Failed)
    assert "more than 262144 bytes" in found.reason
    large = json.dumps(GRANT).encode() + b" " * 200_000
    assert isinstance(await answer(tmp_path, always(reply(large))), Granted)


async def test_a_compressed_reply(tmp_path: Path) -> None:
    """An encoding that nobody asked for is not unpacked."""
    found = await answer(tmp_path, always(reply(json.dumps(GRANT).encode(), "Content-Encoding: gzip")))
    assert isinstance(found, Failed)
    assert "content encoding" in found.reason


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"])
async def test_a_slow_reply(tmp_path: Path, first: bytes) -> None:
    """One limit holds for all of a login: a service that is silent, or drips, has failed when it is over."""

    async def slow(line: Line) -> None:
        await line.asked()
        await line.say(first)
        while first and not line.writer.is_closing():
            await line.say(b" ")
            await asyncio.sleep(0.02)
        await line.gone()

    found = await answer(tmp_path, slow, seconds=0.3)
    assert isinstance(found, Failed)
    assert found.reason.endswith("no answer within seconds = 0.3")
    assert not found.busy


@pytest.mark.parametrize("data", [b"", b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}"])
async def test_an_exchange_that_breaks(tmp_path: Path, data: bytes) -> None:
    """A connection that ends early, or speaks something else, is a failure."""

    async def broken(line: Line) -> None:
        await line.asked()
        await line.say(data)

    found = await answer(tmp_path, broken)
    assert isinstance(found, Failed)
    assert "; see url" in found.reason


async def test_nobody_there(tmp_path: Path) -> None:
    """A service that is down stops no start; each login fails with its address."""
    url = f"http://127.0.0.1:{free_port()}/login"
    async with opened(config(tmp_path, url)) as plugin:
        found = await plugin.login(WHO)
    assert isinstance(found, Failed)
    assert found.reason.startswith(f"http: url {url}: nothing listens there")


async def test_cookies_are_forgotten(tmp_path: Path) -> None:
    """What the service sets at one login does not come with the next; the connection is used again."""
    seen: list[Asked] = []
    async with serving(always(reply(b"null", "Set-Cookie: session=alice; Path=/"), seen)) as server:
        async with opened(config(tmp_path, f"http://127.0.0.1:{server.port}/")) as plugin:
            for _ in range(3):
                await plugin.login(WHO)
        assert server.lines == 1
    assert [asked.headers.get("cookie") for asked in seen] == [None, None, None]


async def test_no_more_connections_than_allowed(tmp_path: Path) -> None:
    """So many at the same time, so many in line; who comes then, and who waited in vain, hears that it is busy."""
    go = asyncio.Event()

    async def held(line: Line) -> None:
        while await line.asked() is not None:
            await go.wait()
            await line.say(reply(b"null"))

    async with serving(held) as server:
        settings = config(tmp_path, f"http://127.0.0.1:{server.port}/", connections=2, waiting=1, seconds=5)
        async with opened(settings) as plugin:
            asked = [asyncio.create_task(plugin.login(WHO)) for _ in range(4)]
            await until(lambda: server.open == 2 and asked[3].done())
            assert server.lines == 2
            go.set()
            found = await asyncio.gather(*asked)
    assert found[:3] == [Rejected("rejected")] * 3
    assert isinstance(found[3], Failed)
    assert found[3].busy


async def test_the_proxy_of_the_environment_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords do not take a way that the environment suggests."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("no_proxy", "")
    assert await answer(tmp_path, always(reply(b"null"))) == Rejected("rejected")


async def test_tls_with_an_authority_of_ones_own(tmp_path: Path) -> None:
    """`ca_file` names who is trusted, and then the service is reached over TLS."""
    own = Authority(tmp_path, "own")
    found = await answer(tmp_path, always(reply(json.dumps(GRANT).encode())), tls=own.server(), ca_file=own.file)
    assert isinstance(found, Granted)


@pytest.mark.parametrize(
    ("trusted", "address", "days", "said"),
    [
        ("other", "127.0.0.1", 1, "ca_file must name that authority's own"),
        (None, "127.0.0.1", 1, "ca_file must name that authority's own"),
        ("own", "127.0.0.1", -1, "certificate has expired"),
        ("own", "192.0.2.1", 1, "certificate is for another name; url must name it"),
    ],
)
async def test_certificates_that_are_not_accepted(
    tmp_path: Path, trusted: str | None, address: str, days: int, said: str
) -> None:
    """From a stranger, expired, or for another host: nothing is sent, and the failure names what to look at."""
    authorities = {name: Authority(tmp_path, name) for name in ("own", "other")}
    seen: list[Asked] = []
    with silence():
        found = await answer(
            tmp_path,
            always(reply(json.dumps(GRANT).encode()), seen),
            tls=authorities["own"].server(address, timedelta(days=days)),
            ca_file=authorities[trusted].file if trusted else None,
        )
    assert isinstance(found, Failed)
    assert said in found.reason
    assert seen == []


@contextmanager
def silence() -> Iterator[None]:
    """The handshakes that fail are what the test wants: the event loop has nothing to say about them."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)
    try:
        yield
    finally:
        loop.set_exception_handler(None)


async def test_plain_text_where_tls_was_meant(tmp_path: Path) -> None:
    """A service without TLS at an https address is a failure, and hears nothing."""
    seen: list[Asked] = []

    async def plain(line: Line) -> None:
        await line.reader.read(1)
        await line.say(reply(json.dumps(GRANT).encode()))

    async with serving(plain) as server, opened(config(tmp_path, f"https://127.0.0.1:{server.port}/")) as plugin:
        found = await plugin.login(WHO)
    assert isinstance(found, Failed)
    assert "no TLS connection" in found.reason
    assert seen == []
