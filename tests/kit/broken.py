"""An upstream that misbehaves on command: on raw sockets, because no server would send what it sends."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

SID = "upstream-session-4711"
LOGIN = f'{{"SID":"{SID}","cookie_name":"PHPSESSID","success":true,"_vm_version":240034,"_debug":false}}'.encode()
SENSORS = b'{"success":true,"total":"1","results":[{"id":"12","id_sensor":2,"name":"lon","db_password":"db-1"}]}'


@dataclass(frozen=True)
class Seen:
    """A request as it came: its path, its fields (query and form, first values), its head."""

    path: str
    fields: dict[str, str]
    head: str


Misbehave = Callable[[socket.socket, Seen], None]


def whole(body: bytes, *, status: str = "200 OK", kind: str = "application/json", more: str = "") -> bytes:
    """A well-formed reply. `more`: further header lines, each ending in CRLF."""
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode("latin-1")
        + body
    )


def says(reply: bytes) -> Misbehave:
    """Sends these bytes; the connection is closed afterwards."""
    return lambda connection, seen: connection.sendall(reply)


@dataclass
class Broken:
    """A running one. `misbehave` may be replaced at any time; logins and the list of sensors always work.

    `seen` are the other requests. `stop` is set at the end: a behaviour that holds a connection waits for it.
    """

    url: str
    misbehave: Misbehave
    seen: list[Seen] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def holds(self, connection: socket.socket, seen: Seen) -> None:
        """Says nothing."""
        self.stop.wait(60)


@contextlib.contextmanager
def broken() -> Iterator[Broken]:
    """The upstream on a free loopback port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        upstream = Broken(f"http://127.0.0.1:{listener.getsockname()[1]}", says(whole(b"{}")))
        thread = threading.Thread(target=_accept, args=(listener, upstream), daemon=True)
        thread.start()
        try:
            yield upstream
        finally:
            upstream.stop.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def _accept(listener: socket.socket, upstream: Broken) -> None:
    threads: list[threading.Thread] = []
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            break
        threads.append(threading.Thread(target=_serve, args=(connection, upstream), daemon=True))
        threads[-1].start()
    for thread in threads:
        thread.join(10)


def _serve(connection: socket.socket, upstream: Broken) -> None:
    """Answer until a misbehaviour has been shown: after that the connection is closed."""
    with connection, contextlib.suppress(OSError):
        connection.settimeout(60)
        while (seen := _request(connection)) is not None:
            if seen.fields.get("module") == "bypass_login":
                connection.sendall(whole(LOGIN))
            elif seen.fields.get("module") == "sensors":
                connection.sendall(whole(SENSORS))
            else:
                upstream.seen.append(seen)
                upstream.misbehave(connection, seen)
                return


def _request(connection: socket.socket) -> Seen | None:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return None
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    lengths = [line.partition(":")[2] for line in lines if line.lower().startswith("content-length:")]
    while len(body) < int(lengths[0] if lengths else 0):
        body += connection.recv(65536)
    target = urlsplit(lines[0].split(" ")[1])
    pairs = {**parse_qs(target.query), **parse_qs(body.decode("latin-1"))}
    return Seen(target.path, {name: values[0] for name, values in pairs.items()}, head.decode("latin-1"))
