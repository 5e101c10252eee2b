"""WebSockets through the gateway: opened where an operator's policy names them, for whom it names, and no longer."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.sync.client import ClientConnection, connect

from kit.attacked import FLAGS, PASSWORD, Site, login
from kit.gateway import Gateway, gateway
from kit.owner import ACCOUNT, Owner, hidden
from kit.tripwire import SID, Reply, Seen, Tripwire, tripwire

POLICY = """
[[call]]
name     = "live"
path     = "/live/socket"
needs    = ["can_cdr"]
unscoped = true
params   = { channel = "uint" }
reply    = "websocket"
"""
USERS = [
    {"username": "all", "password": PASSWORD, "id": 1, **FLAGS},
    {"username": "alice", "password": PASSWORD, "id": 2, **FLAGS, "number": ["10%"]},
    {"username": "none", "password": PASSWORD, "id": 3, "can_pcap": True},
]
LIVE = "/live/socket?channel=7"


def echo(seen: Seen) -> Reply | None:
    """A GUI that repeats what it is told; `bye` makes it close."""
    if ("upgrade", "websocket") not in seen.headers:
        return None

    def speak(connection: socket.socket) -> None:
        protocol = ServerProtocol()
        head = "".join(f"{name}: {value}\r\n" for name, value in seen.headers)
        protocol.receive_data(f"GET {seen.target} HTTP/1.1\r\n{head}\r\n".encode())
        while True:
            for event in protocol.events_received():
                if isinstance(event, Request):
                    protocol.send_response(protocol.accept(event))
                elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                    protocol.send_text(event.data)
                    if event.data == b"bye":
                        protocol.send_close(4001)
                elif isinstance(event, Frame) and event.opcode is Opcode.BINARY:
                    protocol.send_binary(event.data)
            for data in protocol.data_to_send():
                connection.sendall(data)
            data = b"" if protocol.close_expected() else connection.recv(65536)
            if not data:
                return
            protocol.receive_data(data)

    return speak


@pytest.fixture
def door(tmp_path: Path) -> Iterator[tuple[Gateway, Tripwire]]:
    (tmp_path / "sockets.toml").write_text(POLICY)
    with tripwire() as wire:
        wire.odd = echo
        files = {"files": ["voipmonitor", "sockets.toml"]}
        with gateway(tmp_path, wire.url, users=USERS, policy=files) as found:
            yield found, wire


def browser(found: Gateway, wire: Tripwire, user: str) -> str:
    """The cookie of a browser that has logged in on the page."""
    return Site(found, wire, {}).browser(user)


def opened(found: Gateway, cookie: str, target: str = LIVE, origin: str | None = None) -> ClientConnection:
    url = found.url.replace("http://", "ws://") + target
    headers = {"Cookie": cookie} if cookie else {}
    return connect(url, additional_headers=headers, origin=origin, compression=None, proxy=None)  # type: ignore[arg-type]


def refused(found: Gateway, cookie: str, target: str = LIVE, origin: str | None = None) -> int:
    with pytest.raises(InvalidStatus) as error:
        opened(found, cookie, target, origin)
    return error.value.response.status_code


def test_messages_pass_both_ways(door: tuple[Gateway, Tripwire]) -> None:
    """Texts and bytes come back as they were; the GUI is asked with the service account's session and no cookie of
    ours; its closing is the client's."""
    found, wire = door
    cookie = login(found.url, "all")
    with opened(found, cookie) as client:
        for message in ("hello", "ž" * 1000, b"\x00\xff", ""):
            client.send(message)
            assert client.recv(10) == message
        client.send("bye")
        assert client.recv(10) == "bye"
        with pytest.raises(ConnectionClosed):
            client.recv(10)
        assert client.close_code == 4001
    asked = next(seen for seen in wire.log if seen.path == "/live/socket")
    assert dict(asked.headers)["cookie"] == f"PHPSESSID={SID}"
    assert cookie.partition("=")[2] not in asked.everything
    assert asked.target == LIVE


def test_it_is_judged_like_any_call(door: tuple[Gateway, Tripwire]) -> None:
    """No session, no flag, a row scope, a field that is not typed so or unknown, another path: refused, and the GUI
    hears nothing of it."""
    found, wire = door
    whole = login(found.url, "all")
    assert refused(found, "") == 401
    assert refused(found, f"PHPSESSID={'x' * 43}") == 401
    assert refused(found, login(found.url, "none")) == 403
    assert refused(found, login(found.url, "alice")) == 403
    assert refused(found, whole, "/live/socket?channel=x") == 400
    assert refused(found, whole, "/live/socket?other=1") == 400
    assert refused(found, whole, "/live/other") == 403
    assert refused(found, whole, "/live/%2e%2e/admin.php") == 403
    assert refused(found, whole, "/php/pcap.php?id=1") == 403
    assert refused(found, whole, "/authgw/console") == 403
    assert not wire.seen
    kept = [json.loads(line) for line in (found.folder / "audit.jsonl").read_text().splitlines()]
    assert {line["reason"] for line in kept if line["event"] == "refusal"} >= {"no_session", "missing_flag"}


def test_a_browser_opens_it_under_our_own_origin_alone(door: tuple[Gateway, Tripwire]) -> None:
    """The browser's cookie goes along from every site's pages: another Origin, or none, opens nothing."""
    found, wire = door
    cookie = browser(found, wire, "all")
    for origin in (None, "https://evil.example", "null", found.url + ".evil.example", "https://127.0.0.1:8080"):
        assert refused(found, cookie, origin=origin) == 403
    assert not wire.seen
    with opened(found, cookie, origin=found.url) as client:
        client.send("hello")
        assert client.recv(10) == "hello"


def test_it_ends_with_its_session(door: tuple[Gateway, Tripwire]) -> None:
    """Logged out elsewhere: the open WebSocket is closed within a second, without a message from the client."""
    found, _ = door
    cookie = login(found.url, "all")
    with opened(found, cookie) as client:
        client.send("hello")
        assert client.recv(10) == "hello"
        httpx2.get(f"{found.url}/php/model/sql.php?module=logout", headers={"cookie": cookie})
        ended = time.monotonic()
        with pytest.raises(ConnectionClosed):
            client.recv(10)
        assert time.monotonic() - ended < 1.5
        assert client.close_code == 1008


def test_it_ends_with_its_token(door: tuple[Gateway, Tripwire]) -> None:
    """CVE-2025-29928: opened with an API token, it is closed within a second after the token is revoked; the trail says
    who opened it, with which token."""
    found, _ = door
    with Owner(found.url, "all", PASSWORD) as owner:
        assert owner.sign_in().status_code == 303
        token = owner.token()
        url = found.url.replace("http://", "ws://") + LIVE
        with connect(url, additional_headers={"Authorization": f"Bearer {token}"}, proxy=None) as client:
            client.send("hello")
            assert client.recv(10) == "hello"
            id = hidden(owner.get(ACCOUNT).text.partition('id="tokens"')[2], "id")
            assert owner.post(ACCOUNT + "/tokens/revoke", {"form": owner.form(ACCOUNT), "id": id}).status_code == 303
            ended = time.monotonic()
            with pytest.raises(ConnectionClosed):
                client.recv(10)
            assert time.monotonic() - ended < 1.5
            assert client.close_code == 1008
    kept = [json.loads(line) for line in (found.folder / "audit.jsonl").read_text().splitlines()]
    (line,) = [line for line in kept if line["event"] == "websocket"]
    assert (line["user"], line["call"], line["token"]) == ("all", "live", f"{id} nightly")
    assert token not in json.dumps(kept)


def test_a_plain_request_opens_nothing(door: tuple[Gateway, Tripwire]) -> None:
    """The same address without the handshake is refused, and the GUI is not asked."""
    found, wire = door
    answer = httpx2.get(found.url + LIVE, headers={"cookie": login(found.url, "all")})
    assert answer.status_code == 405
    assert not wire.seen


def test_a_gui_that_opens_none(door: tuple[Gateway, Tripwire]) -> None:
    """What the GUI does not open is 502; the service account's session is free again afterwards."""
    found, wire = door
    cookie = login(found.url, "all")
    wire.odd = lambda _seen: None
    for _ in range(12):
        assert refused(found, cookie) == 502
    wire.odd = echo
    with opened(found, cookie) as client:
        client.send("hello")
        assert client.recv(10) == "hello"


def silent(connection: socket.socket) -> None:
    """Says nothing until the other side has gone."""
    connection.recv(1)


def test_a_gui_that_says_nothing(tmp_path: Path) -> None:
    """Silence is 504, and while it lasts a user who has too many hears 503; each has its own reason in the trail."""
    (tmp_path / "sockets.toml").write_text(POLICY)
    with tripwire() as wire, ThreadPoolExecutor(2) as threads:
        wire.odd = lambda seen: None if seen.is_own else silent
        more = {"pool": 1, "connect_timeout": "1500ms", "reply_timeout": "300ms"}
        files = {"files": ["voipmonitor", "sockets.toml"]}
        with gateway(tmp_path, wire.url, users=USERS, policy=files, upstream=more) as found:
            cookie = login(found.url, "all")
            asked = [threads.submit(refused, found, cookie) for _ in range(2)]
            assert sorted(each.result() for each in asked) == [503, 504]
            lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
            reasons = {line["reason"] for line in lines if line["event"] == "refusal"}
            assert reasons == {"upstream_busy", "upstream_connect_timeout"}


def test_without_a_policy_there_are_none(tmp_path: Path) -> None:
    """The shipped policy names no WebSocket: the handshake is not even spoken."""
    with tripwire() as wire:
        wire.odd = echo
        with gateway(tmp_path, wire.url, users=USERS) as found:
            cookie = login(found.url, "all")
            with contextlib.suppress(InvalidStatus), opened(found, cookie):
                raise AssertionError("it was opened")
            assert not wire.seen
