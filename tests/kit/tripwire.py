"""An upstream that writes down every byte it is asked with and says `TRIP`: whatever reaches it is seen."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

SID = "upstream-session-0815"
LOGIN = json.dumps(
    {"SID": SID, "cookie_name": "PHPSESSID", "success": True, "_vm_version": 1, "_debug": False}
).encode()
SENSORS: list[dict[str, Any]] = [
    {"id": "12", "id_sensor": 2, "name": "lon"},
    {"id": "13", "id_sensor": 3, "name": "par"},
]
PCAP = b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00" + bytes(8) + b"\xff\xff\x00\x00\x01\x00\x00\x00"


def call(id: int, caller: str, called: str, sensor: int = 2, **more: Any) -> dict[str, Any]:
    """A row as LISTING and SINGLEROW give it."""
    return {
        "ID": str(id),
        "cdr_ID": str(id),
        "calldate": f"2026-11-23 15:00:{id % 60:02d}.000",
        "caller": caller,
        "called": called,
        "caller_domain": "a.example",
        "called_domain": "b.example",
        "sipcallerip": "127.0.0.1",
        "sipcalledip": "127.0.0.2",
        "id_sensor": sensor,
        "connect_duration": 5,
        "fbasename": f"call-{id}@example",
        "vlan": 100,
        **more,
    }


@dataclass(frozen=True)
class Seen:
    """One request, whole: `target` is path and query as they stood in the request line."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def fields(self) -> dict[str, str]:
        """Query and urlencoded body; the later of two wins, as in PHP."""
        pairs = parse_qsl(urlsplit(self.target).query, keep_blank_values=True)
        return dict([*pairs, *parse_qsl(self.body.decode("latin-1"), keep_blank_values=True)])

    @property
    def everything(self) -> str:
        """All of it as one text, to look for what must not be in it."""
        heads = "\n".join(f"{name}: {value}" for name, value in self.headers)
        return f"{self.method} {self.target}\n{heads}\n\n{self.body.decode('latin-1')}"

    @property
    def is_own(self) -> bool:
        """A question that the gateway asks by itself: its login, the sensors, the facts of a call."""
        asked = (self.fields.get("task", ""), self.fields.get("module", ""))
        return asked[1] == "bypass_login" or asked in {("LISTING", "sensors"), ("SINGLEROW", "CDR")}


Reply = bytes | Callable[[socket.socket], None]


@dataclass
class Tripwire:
    """`calls` are its records. `odd` may answer otherwise: bytes, or a function that has the connection to itself."""

    url: str
    calls: dict[int, dict[str, Any]] = field(default_factory=dict)
    odd: Callable[[Seen], Reply | None] = lambda _seen: None
    log: list[Seen] = field(default_factory=list)

    @property
    def seen(self) -> list[Seen]:
        """What was passed on from clients."""
        return [seen for seen in self.log if not seen.is_own]

    def forget(self) -> None:
        self.log.clear()
        self.odd = lambda _seen: None


def whole(body: bytes, kind: str = "application/json", *, status: str = "200 OK", more: str = "") -> bytes:
    """A well-formed reply. `more`: further header lines, each ending in CRLF."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode("latin-1") + body


def rows(found: list[dict[str, Any]], total: int | None = None) -> bytes:
    document = {"success": True, "total": str(len(found) if total is None else total), "results": found}
    return whole(json.dumps(document).encode())


@contextlib.contextmanager
def tripwire() -> Iterator[Tripwire]:
    """One on a free loopback port."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        wire = Tripwire(f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread = threading.Thread(target=_accept, args=(listener, wire), daemon=True)
        thread.start()
        try:
            yield wire
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def _accept(listener: socket.socket, wire: Tripwire) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(connection, wire), daemon=True).start()


def _serve(connection: socket.socket, wire: Tripwire) -> None:
    with connection, contextlib.suppress(OSError):
        connection.settimeout(60)
        rest = b""
        while True:
            seen, rest = _request(connection, rest)
            if seen is None:
                return
            wire.log.append(seen)
            reply = wire.odd(seen)
            if reply is None:
                reply = _usual(seen, wire)
            if callable(reply):
                reply(connection)
                return
            connection.sendall(reply)


def _usual(seen: Seen, wire: Tripwire) -> bytes:
    asked = seen.fields
    task, module = asked.get("task"), asked.get("module")
    if module == "bypass_login":
        return whole(LOGIN)
    if seen.path == "/php/model/sql.php" and (task, module) == ("LISTING", "sensors"):
        return whole(json.dumps({"success": True, "total": "2", "results": SENSORS}).encode())
    if seen.path == "/php/model/sql.php" and (task, module) == ("SINGLEROW", "CDR"):
        found = wire.calls.get(int(asked["ID"]))
        return rows([found] if found else [])
    if seen.path == "/php/model/sql.php" and (task, module) == ("LISTING", "CDR"):
        return _listing(asked, wire)
    if seen.path == "/php/pcap.php":
        return whole(PCAP, "application/vnd.tcpdump.pcap", more='ETag: "1"\r\n')
    return whole(b"TRIP " + seen.path.encode(), "text/html")


def _listing(asked: dict[str, str], wire: Tripwire) -> bytes:
    sensors = {int(row["id"]): row["id_sensor"] for row in SENSORS}
    wanted = {sensors[int(id)] for id in asked["fsensor_id"].split(",")} if asked.get("fsensor_id") else None
    found = [row for row in wire.calls.values() if wanted is None or row["id_sensor"] in wanted]
    if asked.get("suppress_results") == "1":
        return whole(json.dumps({"total": str(len(found))}).encode())
    start, limit = int(asked.get("start", 0)), int(asked.get("limit", 30))
    return rows(found[start : start + limit], len(found))


def _request(connection: socket.socket, data: bytes) -> tuple[Seen | None, bytes]:
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return None, b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = tuple((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:]))
    length = int(dict(headers).get("content-length", "0"))
    while len(body) < length:
        body += connection.recv(65536)
    method, target, _ = lines[0].split(" ")
    return Seen(method, target, headers, body[:length]), body[length:]
