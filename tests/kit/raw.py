"""Requests byte by byte: for what no HTTP client would send."""

from __future__ import annotations

import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class Got:
    """An answer as it came; `status` 0: the connection ended without one."""

    status: int
    head: str
    body: bytes

    def header(self, name: str) -> str | None:
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name:
                return value.strip()
        return None


def exchange(port: int, data: bytes, seconds: float = 10.0) -> bytes:
    """Send these bytes, end the sending side, and give back all that comes until the other side ends."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.settimeout(seconds)
        try:
            connection.sendall(data)
            found = b""
            while part := connection.recv(65536):
                found += part
        except ConnectionError:
            pass
        return found


def ask(
    port: int,
    target: str | bytes,
    *lines: str | bytes,
    method: str = "GET",
    host: str | None = "gw",
    body: bytes = b"",
    cookie: str = "",
) -> Got:
    """One request, its target and header lines exactly as given, on a connection of its own."""
    where = target if isinstance(target, bytes) else target.encode("latin-1")
    heads = [method.encode() + b" " + where + b" HTTP/1.1"]
    heads += [b"Host: " + host.encode("latin-1")] if host is not None else []
    heads += [b"Cookie: " + cookie.encode()] if cookie else []
    heads += [line if isinstance(line, bytes) else line.encode("latin-1") for line in lines]
    heads += [b"Content-Length: %d" % len(body)] if body else []
    return answer(exchange(port, b"\r\n".join([*heads, b"Connection: close", b"", body])))


def answer(data: bytes) -> Got:
    head, _, body = data.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
    return Got(status, head.decode("latin-1"), body)
