"""Lists of half a gigabyte: made by the GUI on the fly, narrowed on the way, never held."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kit.attacked import DAYS, FLAGS, PASSWORD, login
from kit.gateway import Gateway, gateway
from kit.tripwire import Reply, Seen, tripwire

MEGABYTES = 500
USERS = [
    {"username": "all", "password": PASSWORD, "id": 1, **FLAGS},
    {"username": "alice", "password": PASSWORD, "id": 2, **FLAGS, "number": ["10%"]},
]
MINE, FOREIGN = b'"caller":"1001"', b'"caller":"2001"'
PADDING = "Example Phone/4.2 },{ ] " * 16
LISTING = f"/php/model/sql.php?task=LISTING&module=CDR&{DAYS}&limit=5000"
VOIP_CALLS = "/php/api.php?task=getVoipCalls&params=" + "%7B%22startTime%22:%222026-11-01%22%7D"


PAGED = 5000
"""Rows of the list that is given in pages, as many as a user with row scope may ask for at once; large ones."""
LARGE_ROW = 280


def row(number: int, id_name: str, times: int = 1) -> bytes:
    caller = "1001" if number % 2 else "2001"
    fields = {id_name: number + 1, "caller": caller, "called": "555", "connect_duration": 3, "a_ua": PADDING * times}
    return json.dumps(fields, separators=(",", ":")).encode()


class Gui:
    """Answers LISTING and getVoipCalls with as many megabytes as it is told."""

    def __init__(self) -> None:
        self.megabytes = MEGABYTES
        self.tail = b"]"
        self.sent = 0
        self.paged = False
        self.asked_at: list[int] = []

    def odd(self, seen: Seen) -> Reply | None:
        asked = seen.fields
        if asked.get("task") == "getVoipCalls":
            return lambda connection: self._send(connection, b"[", "cdrId", self.tail)
        if (asked.get("task"), asked.get("module")) == ("LISTING", "CDR"):
            if self.paged:
                return self._page(int(asked["start"]), int(asked["limit"]))
            start = b'{"success":true,"_sql":"SELECT 1","total":"700000","results":['
            return lambda connection: self._send(connection, start, "ID", b'],"_debug":"x","after":1}')
        return None

    def _page(self, start: int, limit: int) -> Reply:
        self.asked_at.append(start)
        rows = b",".join(row(number, "ID", LARGE_ROW) for number in range(start, min(start + limit, PAGED)))
        body = b'{"success":true,"total":"%d","results":[%b]}' % (PAGED, rows)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        return head + body

    def _send(self, connection: socket.socket, start: bytes, id_name: str, end: bytes) -> None:
        block = b",".join(row(number, id_name) for number in range((1 << 20) // len(row(1, id_name))))
        with contextlib.suppress(OSError):
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" + start
            )
            for number in range(self.megabytes):
                connection.sendall(b"," + block if number else block)
                self.sent += 1
            connection.sendall(end)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)


@pytest.fixture
def door(tmp_path: Path) -> Iterator[tuple[Gateway, Gui]]:
    with tripwire() as wire:
        gui = Gui()
        wire.odd = gui.odd
        with gateway(tmp_path, wire.url, users=USERS) as found:
            yield found, gui


class Answer:
    """What was read of one answer, never all of it at once."""

    def __init__(self) -> None:
        self.head = self.first = self.last = b""
        self.size = self.mine = self.foreign = 0
        self.seconds = 0.0
        self.whole = False


def ask(found: Gateway, cookie: str, target: str) -> Answer:
    """Read to its end; chunks are counted with their frames, which hold none of what is looked for."""
    answer = Answer()
    with socket.create_connection(("127.0.0.1", found.port), timeout=120) as client:
        began = time.monotonic()
        client.sendall(f"GET {target} HTTP/1.1\r\nHost: gw\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n".encode())
        carried = b""
        while piece := client.recv(1 << 20):
            if not answer.size:
                answer.seconds = time.monotonic() - began
                answer.first = piece[:2000]
            answer.size += len(piece)
            data = carried + piece
            answer.mine += data.count(MINE)
            answer.foreign += data.count(FOREIGN)
            carried = data[-(len(MINE) - 1) :]
            answer.last = (answer.last + piece)[-2000:]
    answer.whole = answer.last.endswith(b"0\r\n\r\n")
    return answer


class Memory:
    """The most memory that a process was seen to use while this is entered, in MB over what it used before."""

    def __init__(self, pid: int) -> None:
        self._file = Path(f"/proc/{pid}/status")
        self._before = self._now()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.grown = 0.0

    def _now(self) -> float:
        return (
            int(next(line for line in self._file.read_text().splitlines() if line.startswith("VmRSS")).split()[1])
            / 1024
        )

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            self.grown = max(self.grown, self._now() - self._before)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._over.set()
        self._thread.join()


def rows_in_all(id_name: str) -> int:
    return MEGABYTES * ((1 << 20) // len(row(1, id_name)))


def test_a_bare_list_of_half_a_gigabyte_is_narrowed_in_bounded_memory(door: tuple[Gateway, Gui]) -> None:
    """getVoipCalls: each of the user's rows, none of the others', at most 64 MB over idle, the first byte early."""
    found, gui = door
    cookie = login(found.url, "alice")
    with Memory(found.process.pid) as memory:
        answer = ask(found, cookie, VOIP_CALLS)
    assert gui.sent == MEGABYTES
    assert (answer.whole, answer.foreign) == (True, 0)
    assert answer.mine == MEGABYTES * sum(n % 2 for n in range(rows_in_all("cdrId") // MEGABYTES))
    assert memory.grown <= 64, f"{memory.grown:.0f} MB"


def test_a_listing_of_half_a_gigabyte_passes_in_bounded_memory(door: tuple[Gateway, Gui]) -> None:
    """LISTING without row scope: every row, and not the fields that tell of SQL, before the rows or behind them."""
    found, gui = door
    cookie = login(found.url, "all")
    with Memory(found.process.pid) as memory:
        answer = ask(found, cookie, LISTING)
    assert gui.sent == MEGABYTES
    assert answer.whole
    assert answer.mine + answer.foreign == rows_in_all("ID")
    assert b'{"success":true,"total":"700000","results":[' in answer.first
    assert b'"after":1}' in answer.last
    assert b"SELECT" not in answer.first + answer.last
    assert b"_debug" not in answer.last
    assert memory.grown <= 64, f"{memory.grown:.0f} MB"


def test_a_large_page_is_scanned_while_it_goes_out(door: tuple[Gateway, Gui]) -> None:
    """LISTING under a row scope, half a gigabyte in few rows: each of the user's, none of the others', their number
    behind them, at most 64 MB over idle. Fewer rows are asked for at once after the first try."""
    found, gui = door
    gui.paged = True
    cookie = login(found.url, "alice")
    with Memory(found.process.pid) as memory:
        answer = ask(found, cookie, LISTING)
    assert (answer.whole, answer.mine, answer.foreign) == (True, PAGED // 2, 0)
    assert b'{"success":true,"results":[{"ID":2,' in answer.first
    assert b'],"total":"%d"}' % (PAGED // 2) in answer.last
    assert answer.size > MEGABYTES // 2 << 20
    assert gui.asked_at == [0, 0, *range(0, PAGED, 15)]
    assert memory.grown <= 64, f"{memory.grown:.0f} MB"


def test_a_list_without_end_is_never_shown_as_whole(door: tuple[Gateway, Gui]) -> None:
    """What breaks off or goes wrong in the middle breaks the answer off, and the audit log is not silent about it."""
    found, gui = door
    cookie = login(found.url, "alice")
    gui.megabytes = 8
    for tail in (b"", b'],"sql":1', b",{]"):
        gui.tail = tail
        answer = ask(found, cookie, VOIP_CALLS)
        assert not answer.whole
        assert answer.foreign == 0


def test_an_answer_begins_before_its_list_has_ended(door: tuple[Gateway, Gui]) -> None:
    """The first byte comes when a few megabytes are in, not after half a gigabyte."""
    found, gui = door
    cookie = login(found.url, "alice")
    with socket.create_connection(("127.0.0.1", found.port), timeout=60) as client:
        client.sendall(f"GET {VOIP_CALLS} HTTP/1.1\r\nHost: gw\r\nCookie: {cookie}\r\n\r\n".encode())
        assert client.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
        assert gui.sent < MEGABYTES / 2
