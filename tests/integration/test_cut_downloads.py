"""What the audit trail says of a download that does not come to its end."""

from __future__ import annotations

import contextlib
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx2
import pytest

from kit.attacked import MINE, PASSWORD, USERS, login
from kit.gateway import Gateway, gateway
from kit.trail import lines
from kit.tripwire import Seen, call, tripwire

PIECE = bytes(1 << 16)


def endless(connection: socket.socket) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 999999999999\r\n\r\n"
    with contextlib.suppress(OSError):
        connection.sendall(head)
        while True:
            connection.sendall(PIECE)


@pytest.fixture
def door(tmp_path: Path) -> Iterator[tuple[Gateway, str]]:
    """A gateway before a GUI whose captures have no end, and alice's cookie."""
    with tripwire() as wire:
        wire.calls = {MINE: call(MINE, "1001", "1002")}

        def odd(seen: Seen) -> object:
            return endless if seen.path == "/php/pcap.php" or "getPCAP" in seen.everything else None

        wire.odd = odd  # type: ignore[assignment]
        with gateway(tmp_path, wire.url, users=USERS) as found:
            yield found, login(found.url, "alice")


def asked(cookie: str) -> str:
    return f"GET /php/pcap.php?id={MINE} HTTP/1.1\r\nHost: gw\r\nCookie: {cookie}\r\n\r\n"


@contextlib.contextmanager
def downloading(found: Gateway, request: str) -> Iterator[socket.socket]:
    """A client that has read a megabyte of a capture."""
    with socket.create_connection(("127.0.0.1", found.port), timeout=20) as client:
        client.sendall(request.encode())
        left = 1 << 20
        while left > 0:
            piece = client.recv(1 << 16)
            assert piece
            left -= len(piece)
        yield client


def test_who_leaves_took_what_he_took(door: tuple[Gateway, str]) -> None:
    """A download that its client breaks off is recorded with the bytes that went out till then."""
    found, cookie = door
    with downloading(found, asked(cookie)):
        pass
    said = lines(found.folder, "download")[0]
    assert (said["status"], said["calls"]) == (499, [MINE])
    assert said["bytes"] >= 1 << 20


def test_the_end_of_the_gateway_is_told(door: tuple[Gateway, str]) -> None:
    """A download that the gateway's own end breaks off is recorded as cut, and the log has no traceback of it."""
    found, cookie = door
    with downloading(found, asked(cookie)):
        found.process.send_signal(signal.SIGTERM)
        assert found.process.wait(20) is not None
    said = lines(found.folder, "download")[0]
    assert said["cut"] == "stopped"
    assert said["bytes"] >= 1 << 20
    log = found.log.read_text()
    assert "the gateway stops" in log
    assert "Traceback" not in log


def test_a_session_that_ends_ends_its_downloads(door: tuple[Gateway, str]) -> None:
    """Logged out elsewhere while a capture streams: the download breaks off within a second and is recorded as cut."""
    found, cookie = door
    with downloading(found, asked(cookie)) as client:
        httpx2.get(f"{found.url}/php/model/sql.php?module=logout", headers={"cookie": cookie})
        ended = time.monotonic()
        with contextlib.suppress(OSError):
            while client.recv(1 << 20):
                assert time.monotonic() - ended < 5
        # A second for the promise, another one for what was under way in the buffers and a busy machine.
        assert time.monotonic() - ended < 2
    said = lines(found.folder, "download")[0]
    assert (said["cut"], said["calls"]) == ("no_session", [MINE])


def test_a_password_that_no_longer_holds_ends_its_downloads(door: tuple[Gateway, str]) -> None:
    """CVE-2025-29928: blocked while a capture streams to a script that brought user and password: it breaks off."""
    found, _ = door
    fields = {"task": "getPCAP", "user": "alice", "password": PASSWORD, "params": f'{{"cdrId":{MINE}}}'}
    with downloading(found, f"GET /php/api.php?{urlencode(fields)} HTTP/1.1\r\nHost: gw\r\n\r\n") as client:
        users = found.folder / "users.toml"
        users.write_text(users.read_text().replace('username = "alice"', 'username = "alice"\nblocked = true'))
        blocked = time.monotonic()
        with contextlib.suppress(OSError):
            while client.recv(1 << 20):
                assert time.monotonic() - blocked < 5
        assert time.monotonic() - blocked < 2
    said = lines(found.folder, "download")[0]
    assert (said["user"], said["cut"], said["calls"]) == ("alice", "no_session", [MINE])
