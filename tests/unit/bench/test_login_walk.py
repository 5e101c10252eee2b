"""How the bench gets a session of a peer that logs people in: walked like a browser, or the peer is named absent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bench.place import Absent, Place
from bench.pomerium import pomerium
from bench.sso import cookies


class Gate(BaseHTTPRequestHandler):
    """A peer that believes to be asked by https, with its login under another name."""

    def do_GET(self) -> None:
        name, port = self.headers["Host"].split(":")
        known = self.headers.get("Cookie", "")
        if self.path == "/way-in":
            self._to(f"https://127.0.0.1:{port}/back", "there=1; Secure" if name == "localhost" else "")
        elif self.path == "/back":
            self._to(f"https://127.0.0.1:{port}/allowed", "_session=abc; Secure; Path=/")
        elif "_session=abc" in known:
            self.send_response(204)
            self.end_headers()
        else:
            self._to(f"https://localhost:{port}/way-in", "_csrf=x")

    def _to(self, where: str, cookie: str) -> None:
        self.send_response(302)
        self.send_header("Location", where)
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Gate) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_a_login_by_https_is_walked_without_tls(port: int) -> None:
    """Redirects to https go by http, secure cookies along; what is kept is the session of the peer's own name."""
    assert cookies(port) == "_session=abc"


def pomerium_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Place:
    binary = tmp_path / "bin" / "pomerium"
    binary.parent.mkdir()
    binary.write_text(f"#!/bin/sh\n{script}\n")
    binary.chmod(0o755)
    monkeypatch.setenv("PATH", f"{binary.parent}:/usr/bin:/bin")
    return Place(tmp_path, 1, 2, "http://127.0.0.1:3")


def test_a_pomerium_that_does_not_start_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its own last words; it is given its configuration as a file."""
    place = pomerium_there(tmp_path, monkeypatch, 'grep -q oidc "$2" && echo "no envoy here" && exit 1')
    with pytest.raises(Absent, match="it did not start: no envoy here"), pomerium(place):
        pass


def test_without_pomerium_it_is_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not on the path: named, with what has it."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    with pytest.raises(Absent, match="no pomerium on the path"), pomerium(Place(tmp_path, 1, 2, "")):
        pass
