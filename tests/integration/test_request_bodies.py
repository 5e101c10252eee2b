"""Request bodies from a client's socket to the GUI's: what is said before them, of them, and behind them."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from kit.attacked import FLAGS, PASSWORD, login
from kit.gateway import Gateway, gateway
from kit.raw import answer, exchange
from kit.tripwire import Tripwire, tripwire, whole

USERS = [{"username": "all", "password": PASSWORD, "id": 1, **FLAGS}]
FORM = b"task=LISTING&module=CDR&fdatefrom=2026-11-23T00:00:00&fdateto=2026-11-24T00:00:00"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LIMIT = 64 * 1024


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Tripwire, bytes]]:
    """The gateway, its GUI, and the head of a call up to what says how long its body is."""
    folder = tmp_path_factory.mktemp("bodies")
    with tripwire() as wire, gateway(folder, wire.url, users=USERS, gateway={"max_body": "64KiB"}) as found:
        cookie = login(found.url, "all")
        head = f"POST /php/model/sql.php HTTP/1.1\r\nHost: gw\r\nCookie: {cookie}\r\n"
        yield found, wire, head.encode() + b"Content-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture
def door(running: tuple[Gateway, Tripwire, bytes]) -> tuple[Gateway, Tripwire, bytes]:
    running[1].forget()
    return running


def port(found: Gateway) -> int:
    return int(found.url.rpartition(":")[2])


def reason(found: Gateway) -> str:
    """Of the last refusal."""
    lines = map(json.loads, (found.folder / "audit.jsonl").read_text().splitlines())
    return [str(line["reason"]) for line in lines if line["event"] == "refusal"][-1]


def test_an_expecting_client_is_told_to_go_on(door: tuple[Gateway, Tripwire, bytes]) -> None:
    """A client that waits for 100 hears it, once, before it sends; the GUI gets the whole body at once, and nothing
    is expected of it."""
    found, wire, head = door
    with socket.create_connection(("127.0.0.1", port(found)), timeout=10) as client:
        client.sendall(head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(FORM))
        assert client.recv(1000) == CONTINUE
        assert not wire.seen
        client.sendall(FORM)
        assert client.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
    (seen,) = wire.seen
    names = [name for name, _ in seen.headers]
    assert "expect" not in names
    assert "transfer-encoding" not in names
    assert dict(seen.headers)["content-length"] == str(len(seen.body))


def test_a_body_that_is_too_large_is_never_asked_for(door: tuple[Gateway, Tripwire, bytes]) -> None:
    """Its length is known beforehand: 413 instead of 100, and the connection ends, so that a body that comes all the
    same is no request."""
    found, wire, head = door
    expecting = head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % (LIMIT + 1)
    said = exchange(port(found), expecting + b"GET /php/pcap.php?id=1 HTTP/1.1\r\nHost: gw\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 413 ")
    assert said.count(b"HTTP/1.1") == 1
    assert reason(found) == "body_too_large"
    assert not wire.seen


def test_chunks_without_end_are_refused(door: tuple[Gateway, Tripwire, bytes]) -> None:
    """Where only the chunks tell: 413 as soon as they are too many."""
    found, wire, head = door
    chunk = b"%x\r\n%b\r\n" % (LIMIT // 2, b"a" * (LIMIT // 2))
    said = exchange(port(found), head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 3 + b"0\r\n\r\n")
    assert answer(said).status == 413
    assert not wire.seen


@pytest.mark.parametrize("status", ["417 Expectation Failed", "413 Content Too Large", "100 Continue"])
def test_a_gui_that_refuses_a_body(door: tuple[Gateway, Tripwire, bytes], status: str) -> None:
    """Its refusal is not the client's to act on, for the body that it got is the gateway's own: 502 with a reason, and
    a client that expected 100 has heard it. An interim reply alone is none."""
    found, wire, head = door
    odd = whole(b"SELECT secret", "text/html", status=status) if status[0] == "4" else f"HTTP/1.1 {status}\r\n\r\n"
    wire.odd = lambda seen: (
        None if seen.is_own else odd if isinstance(odd, bytes) else lambda c: c.sendall(odd.encode())
    )
    expecting = head + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(FORM)
    said = exchange(port(found), expecting + FORM)
    assert said.startswith(CONTINUE)
    refused = answer(said.removeprefix(CONTINUE))
    assert refused.status == 502
    assert b"SELECT" not in refused.body
    assert reason(found) == ("upstream_status" if status[0] == "4" else "upstream_cut")


def test_interim_replies_of_the_gui_go_no_further(door: tuple[Gateway, Tripwire, bytes]) -> None:
    """100 and 103 that nobody expected are read over: the client hears the answer alone."""
    found, wire, head = door
    interim = CONTINUE + b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    wire.odd = lambda seen: None if seen.is_own else interim + whole(b'{"success":true,"total":"0","results":[]}')
    said = exchange(port(found), head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(FORM) + FORM)
    assert said.startswith(b"HTTP/1.1 200 OK\r\n")
    assert said.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("trailer", [b"Cookie: PHPSESSID=x\r\n", b"X-Forwarded-For: 10.0.0.1\r\n", b"x: y\r\n"])
def test_fields_behind_a_body_are_refused(door: tuple[Gateway, Tripwire, bytes], trailer: bytes) -> None:
    """Trailers are 400 with the reason in words; the GUI hears nothing of such a call, nor of what follows it."""
    found, wire, head = door
    chunks = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n" % (len(FORM), FORM)
    said = exchange(port(found), head + chunks + trailer + b"\r\n" + head + b"Content-Length: 0\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1") == 1
    assert b"trailers" in said
    assert not wire.seen
