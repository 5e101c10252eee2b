"""Clients that begin a large download and then read nothing: what each of them costs the gateway."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.attacked import MINE, USERS, login
from kit.gateway import Gateway, gateway
from kit.tripwire import Seen, call, tripwire

CLIENTS = 150
# What lies in user space on both sides together, and what Python needs beside it. It was 1.1 MB, then 106 KB.
KILOBYTES_EACH = 64
PIECE = bytes(1 << 18)


class Gui:
    """Its captures have no end. `sent`: bytes that were taken from it."""

    def __init__(self) -> None:
        self.sent = 0
        self._lock = threading.Lock()

    def odd(self, seen: Seen) -> object:
        return self._endless if seen.path == "/php/pcap.php" else None

    def _endless(self, connection: socket.socket) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 999999999999\r\n\r\n"
        with contextlib.suppress(OSError):
            connection.sendall(head)
            while count := connection.send(PIECE):
                with self._lock:
                    self.sent += count

    def until_it_rests(self) -> None:
        seen, still = -1, 0
        while still < 5:
            still = still + 1 if self.sent == seen else 0
            seen = self.sent
            time.sleep(0.1)  # until nothing moves any more


@pytest.fixture
def door(tmp_path: Path) -> Iterator[tuple[Gateway, Gui, str]]:
    with tripwire() as wire:
        gui = Gui()
        wire.calls = {MINE: call(MINE, "1001", "1002")}
        wire.odd = gui.odd  # type: ignore[assignment]
        with gateway(tmp_path, wire.url, users=USERS, upstream={"pool": CLIENTS}) as found:
            yield found, gui, login(found.url, "alice")


def resting(found: Gateway, cookie: str, stack: contextlib.ExitStack) -> None:
    """A client who has read the head of a capture and no more."""
    client = stack.enter_context(socket.socket())
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    client.settimeout(20)
    client.connect(("127.0.0.1", found.port))
    client.sendall(f"GET /php/pcap.php?id={MINE} HTTP/1.1\r\nHost: gw\r\nCookie: {cookie}\r\n\r\n".encode())
    assert client.recv(1024).startswith(b"HTTP/1.1 200 ")


def private_kilobytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("RssAnon")).split()[1])


def test_clients_that_rest_hold_little_each(door: tuple[Gateway, Gui, str]) -> None:
    """A hundred and fifty captures that nobody reads on keep no more than 64 KB each of the gateway's memory."""
    found, gui, cookie = door
    with contextlib.ExitStack() as stack:
        resting(found, cookie, stack)
        gui.until_it_rests()
        before = private_kilobytes(found.process.pid)
        for _ in range(CLIENTS - 1):
            resting(found, cookie, stack)
        gui.until_it_rests()
        each = (private_kilobytes(found.process.pid) - before) / (CLIENTS - 1)
    assert each <= KILOBYTES_EACH, f"{each:.0f} KB each"
