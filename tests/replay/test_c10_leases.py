"""The few sessions of the service account: whoever fails, stalls or leaves gives back the one he had."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import httpx2
import pytest

from kit.attacked import LISTING, MINE, USERS, Site, login
from kit.gateway import gateway
from kit.tripwire import Seen, call, tripwire, whole

POOL = 2
PCAP = f"/php/pcap.php?id={MINE}"


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A gateway with two service sessions, and little patience with its clients and with long searches."""
    times = {"pool": POOL, "reply_timeout": "20s", "idle_timeout": "20s"}
    with tripwire() as wire:
        more = {"gateway": {"body_timeout": "1s"}, "policy": {"scan_days": 0, "scan_timeout": "2s"}}
        folder = tmp_path_factory.mktemp("narrow")
        with gateway(folder, wire.url, users=USERS, upstream=times, **more) as found:  # type: ignore[arg-type]
            yield Site(found, wire, {name: login(found.url, name) for name in ("alice", "lon", "vlan", "admin")})


@pytest.fixture
def site(narrow: Site) -> Site:
    narrow.wire.forget()
    narrow.wire.calls = {MINE: call(MINE, "1001", "1002")}
    return narrow


@contextlib.contextmanager
def clients(site: Site, count: int, target: str) -> Iterator[list[socket.socket]]:
    """Connections that have asked and read nothing."""
    asked = f"GET {target} HTTP/1.1\r\nHost: gw\r\nCookie: {site.cookies['alice']}\r\n\r\n".encode()
    with contextlib.ExitStack() as stack:
        found = []
        for _ in range(count):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", site.gateway.port))
            connection.sendall(asked)
            found.append(connection)
        yield found


def all_free(site: Site) -> None:
    """Every session of the pool answers, at once."""
    site.wire.odd = lambda _seen: None
    with ThreadPoolExecutor(POOL) as pool:
        assert list(pool.map(lambda _: site.ask("admin", LISTING).status, range(POOL * 2))) == [200] * POOL * 2


def test_who_reads_nothing_is_given_up(site: Site) -> None:
    """Clients that ask for large files and take nothing of them stall nobody else for long."""

    def endless(connection: socket.socket) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 999999999\r\n\r\n"
        connection.sendall(head)
        while True:
            connection.sendall(bytes(1 << 20))

    asked = threading.Semaphore(0)

    def odd(seen: Seen) -> object:
        if seen.path != "/php/pcap.php":
            return None
        asked.release()
        return endless

    site.wire.odd = odd  # type: ignore[assignment]
    with clients(site, POOL, PCAP):
        assert all(asked.acquire(timeout=5) for _ in range(POOL))
        all_free(site)


def test_who_leaves_is_not_waited_for(site: Site) -> None:
    """Clients that leave while the GUI thinks give their sessions back at once."""
    asked, over = threading.Semaphore(0), threading.Event()

    def odd(seen: Seen) -> object:
        if seen.path != "/php/pcap.php":
            return None
        asked.release()
        return lambda _connection: over.wait(30)

    site.wire.odd = odd  # type: ignore[assignment]
    with clients(site, POOL, PCAP):
        assert all(asked.acquire(timeout=5) for _ in range(POOL))
    try:
        with httpx2.Client(timeout=5, headers={"cookie": site.cookies["admin"]}) as client:
            assert client.get(site.gateway.url + LISTING).status_code == 200
    finally:
        over.set()
    all_free(site)


BROKEN = {
    "cut in the head": b"HTTP/1.1 200 OK\r\nContent-Ty",
    "cut in the body": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
    "nothing": b"",
    "no http": b"SSH-2.0\r\n",
    "no json": whole(b"<html>"),
    "another status": whole(b"{}", status="500 Oops"),
    "no session": whole(b'{"success":false,"error":{"type":"no_session"}}'),
    "elsewhere": whole(b"", status="302 Found", more="Location: http://evil.example/\r\n"),
    "to its login": whole(b"", status="302 Found", more="Location: index.php\r\n"),
    "gzip that is none": whole(b"xxxx", more="Content-Encoding: gzip\r\n"),
    "two types": whole(b"{}", more="Content-Type: text/html\r\n"),
}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_every_failure_gives_its_session_back(site: Site, name: str) -> None:
    """However a reply breaks, as often as there are sessions and more, all of them are there afterwards."""

    def odd(seen: Seen) -> object:
        return None if seen.is_own else lambda connection: connection.sendall(BROKEN[name])

    site.wire.odd = odd  # type: ignore[assignment]
    params = quote(json.dumps([{"cdrId": MINE, "zip": True}]))
    for target in (PCAP, LISTING, "/admin.php", f"/php/api.php?task=getPCAP&params={params}", "/x.js"):
        for _ in range(POOL + 1):
            site.ask("alice", target)
    all_free(site)


def test_a_long_search_ends(site: Site) -> None:
    """Look-ups for the rows of any list are bounded by time, and the sessions are free again afterwards."""
    many = [{"cdrId": str(id), "caller": "1001", "called": "2", "connect_duration": 1} for id in range(100, 3000)]
    over = threading.Event()

    def odd(seen: Seen) -> object:
        if seen.fields.get("task") == "getVoipCalls":
            return whole(json.dumps(many).encode())
        return (lambda _connection: over.wait(30)) if seen.fields.get("task") == "SINGLEROW" else None

    site.wire.odd = odd  # type: ignore[assignment]
    params = quote('{"startTime":"2026-11-23"}')
    try:
        got = site.ask("lon", f"/php/api.php?task=getVoipCalls&params={params}")
    finally:
        over.set()
    assert (got.status, b"scan_timeout" in got.body) == (504, True), got
    all_free(site)


def test_readiness_asks_once(site: Site) -> None:
    """Anybody may ask whether the gateway is ready: the GUI is asked once for all of them, and its address not told."""
    assert site.ask("", "/authgw/readyz").status == 200
    site.wire.odd = lambda seen: (
        whole(b"{}", status="500 Oops") if seen.path == "/admin.php" else whole(b"<", "text/html")
    )
    before = len(site.wire.log)
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda _: site.ask("", "/authgw/readyz"), range(24)))
    assert len(site.wire.log) - before <= 24
    port = site.wire.url.rpartition(":")[2].encode()
    assert all(port not in got.body for got in found)
    all_free(site)
