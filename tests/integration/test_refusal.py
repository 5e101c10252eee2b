"""An upstream that fails in every way, and requests nobody should read: clear refusals, nothing let through."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator

import httpx2
import pytest

from kit.broken import SID, Broken, Seen, broken, says, whole
from kit.gateway import Gateway, gateway

ADMIN = {"username": "admin", "password": "secret", "id": 1, "is_admin": True}
SCOPED = {"username": "scoped", "password": "secret", "id": 2, "can_cdr": True, "can_pcap": True, "number": ["10%"]}
LISTING = {
    "task": "LISTING",
    "module": "CDR",
    "fdatefrom": "2026-11-23T00:00:00",
    "fdateto": "2026-11-24T00:00:00",
}
ROW = {
    "ID": "1",
    "cdr_ID": "1",
    "calldate": "2026-11-23 15:00:00.000",
    "caller": "1001",
    "called": "1002",
    "caller_domain": "a.example",
    "called_domain": "b.example",
    "sipcallerip": "127.0.0.1",
    "sipcalledip": "127.0.0.2",
    "id_sensor": 2,
    "connect_duration": None,
}
ROWS = json.dumps({"success": True, "total": "1", "results": [ROW]}).encode()
LEAK = b"SELECT secret FROM users"
TIMES = {"connect_timeout": "2s", "reply_timeout": "1s", "idle_timeout": "1s"}


@pytest.fixture(scope="module")
def upstream() -> Iterator[Broken]:
    with broken() as found:
        yield found


@pytest.fixture(scope="module")
def served(upstream: Broken, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("refusal")
    with gateway(folder, upstream.url, users=[ADMIN, SCOPED], upstream=TIMES, gateway={"max_body": "64KiB"}) as found:
        yield found


@contextlib.contextmanager
def client_of(served: Gateway, user: str) -> Iterator[httpx2.Client]:
    """A client that has logged in."""
    with httpx2.Client(base_url=served.url, timeout=20) as client:
        fields = {"module": "bypass_login", "user": user, "pass": "secret"}
        answer = client.post("/php/model/sql.php", data=fields).json()
        client.cookies.clear()
        client.headers["cookie"] = f"{answer['cookie_name']}={answer['SID']}"
        yield client


@pytest.fixture(scope="module", params=["admin", "scoped"])
def client(request: pytest.FixtureRequest, served: Gateway) -> Iterator[httpx2.Client]:
    with client_of(served, request.param) as found:
        yield found


def clear(answer: httpx2.Response, statuses: set[int]) -> None:
    """JSON that says no, with a reason and a support code, and nothing of what upstream said."""
    assert answer.status_code in statuses, answer.text
    body = answer.json()
    assert body["success"] is False
    assert "results" not in body
    assert LEAK not in answer.content
    assert b"<html" not in answer.content.lower()
    assert answer.headers["x-request-id"]
    assert_clean(answer)


def assert_clean(answer: httpx2.Response) -> None:
    """No header but the gateway's own and the allowed ones."""
    assert "set-cookie" not in answer.headers
    assert not {"x-powered-by", "x-accel-redirect", "x-sendfile", "refresh"} & set(answer.headers)
    assert "apache" not in answer.headers.get("server", "").lower()
    assert SID not in answer.text + str(answer.headers)


CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
REPLIES: dict[str, bytes] = {
    "cut in the head": b"HTTP/1.1 200 OK\r\nContent-Ty",
    "cut in the body": whole(ROWS)[:-40],
    "cut before the last bracket": whole(ROWS)[:-1],
    "cut in chunks": CHUNKED + b"%x\r\n%s\r\n" % (len(ROWS), ROWS),
    "closed at once": b"",
    "html": whole(b"<html><body>Welcome " + LEAK + b"</body></html>", kind="text/html"),
    "html said to be json": whole(b"<html>" + LEAK + b"</html>"),
    "json and then garbage": whole(ROWS + b"\n" + ROWS),
    "half a json": whole(ROWS[:-20]),
    "an array": whole(b"[1,2,3]"),
    "rows that are no list": whole(b'{"success":true,"total":"1","results":{"0":{}}}'),
    "rows that are no objects": whole(b'{"success":true,"total":"1","results":["x"]}'),
    "status 500": whole(LEAK, status="500 Internal Server Error", kind="text/html"),
    "status 500 with rows": whole(ROWS, status="500 Internal Server Error"),
    "a redirect elsewhere": whole(b"", status="302 Found", more="Location: https://evil.example/\r\n"),
    "not http": b"SSH-2.0-OpenSSH_9.2\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 500\r\n\r\n" + ROWS,
    "length and chunks": CHUNKED[:-2] + b"Content-Length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "empty": whole(b""),
    "access denied": whole(b"access denied", kind="text/html"),
}


@pytest.mark.parametrize("name", sorted(REPLIES))
def test_a_reply_that_cannot_be_understood_is_a_clear_error(client: httpx2.Client, upstream: Broken, name: str) -> None:
    """Cut off, HTML, garbage, wrong statuses: 502 in JSON, never rows, never upstream's own words."""
    upstream.misbehave = says(REPLIES[name])
    clear(client.post("/php/model/sql.php", data=LISTING), {502})
    clear(client.post("/php/model/sql.php", data={**LISTING, "suppress_results": "1"}), {502})


@pytest.mark.parametrize("name", sorted(REPLIES))
def test_a_broken_look_up_opens_nothing(served: Gateway, upstream: Broken, name: str) -> None:
    """A scoped user's call by id, when the question whose call it is cannot be answered: never the capture."""
    upstream.misbehave = says(REPLIES[name])
    with client_of(served, "scoped") as client:
        for path, fields in (
            ("/php/pcap.php", {"id": "7"}),
            ("/php/pcap2text.php", {"action": "brief_data", "id": "7"}),
        ):
            clear(client.get(path, params=fields), {502})


def test_the_row_of_another_call_opens_nothing(served: Gateway, upstream: Broken) -> None:
    """A look-up that is answered with a visible call's row, which is not the one that was asked for."""
    upstream.misbehave = says(whole(ROWS))
    with client_of(served, "scoped") as client:
        clear(client.get("/php/pcap.php", params={"id": "8"}), {404, 502})


def test_a_slow_upstream_is_a_timeout(client: httpx2.Client, upstream: Broken) -> None:
    """No reply within the configured time: 504."""
    upstream.misbehave = upstream.holds
    clear(client.post("/php/model/sql.php", data=LISTING), {504})


def test_an_upstream_that_stops_in_mid_reply_is_a_timeout(client: httpx2.Client, upstream: Broken) -> None:
    """Half a reply and then silence: an error, never half the rows."""

    def half(connection: socket.socket, seen: Seen) -> None:
        connection.sendall(whole(ROWS)[:-30])
        upstream.holds(connection, seen)

    upstream.misbehave = half
    clear(client.post("/php/model/sql.php", data=LISTING), {502, 504})


def test_an_upstream_that_is_down(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nobody listens: the gateway is ready all the same, lets people in, and answers 502."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with gateway(tmp_path_factory.mktemp("down"), f"http://127.0.0.1:{port}", users=[ADMIN]) as served:
        with client_of(served, "admin") as client:
            clear(client.post("/php/model/sql.php", data=LISTING), {502})
            clear(client.get("/php/pcap.php", params={"id": "1"}), {502})
        assert httpx2.get(f"{served.url}/authgw/healthz").status_code == 200
        assert httpx2.get(f"{served.url}/authgw/readyz").status_code == 503


def test_a_warning_before_the_json_is_read_over(client: httpx2.Client, upstream: Broken) -> None:
    """PHP's warnings stand before the JSON: the rows come, the warning does not."""
    upstream.misbehave = says(whole(b"\nWarning: Undefined index in /var/www/html/x.php on line 3\n" + ROWS))
    answer = client.post("/php/model/sql.php", data=LISTING)
    assert answer.status_code == 200, answer.text
    assert int(answer.json()["total"]) == 1
    assert [row["ID"] for row in answer.json()["results"]] == ["1"]
    assert b"Warning" not in answer.content


def test_upstreams_own_headers_never_pass(client: httpx2.Client, upstream: Broken) -> None:
    """Set-Cookie, Server, X-Powered-By, X-Accel-Redirect and the like end at the gateway, on rows and on streams."""
    more = (
        f"Set-Cookie: PHPSESSID={SID}; path=/\r\nServer: Apache/2.4\r\nX-Powered-By: PHP/8.2\r\n"
        "X-Accel-Redirect: /etc/passwd\r\nX-Sendfile: /etc/passwd\r\nRefresh: 0; url=https://evil.example\r\n"
        "Access-Control-Allow-Origin: *\r\nCache-Control: public, max-age=99\r\nX-Other: 1\r\n"
    )
    upstream.misbehave = says(whole(ROWS, more=more))
    for answer in (
        client.post("/php/model/sql.php", data=LISTING),
        client.get("/php/pcap.php", params={"id": "1"}),
        client.get("/php/apilicensecheck.php", params={"task": "licenseCheck"}),
    ):
        assert_clean(answer)
        assert "x-other" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["cache-control"] == "private, no-store"


def test_a_capture_cut_off_is_seen_to_be_cut_off(served: Gateway, upstream: Broken) -> None:
    """A stream that upstream breaks off ends as a broken one, not as a complete file."""
    reply = whole(b"\xd4\xc3\xb2\xa1" + b"x" * 200_000, kind="application/octet-stream")

    def breaks_off(connection: socket.socket, seen: Seen) -> None:
        connection.sendall(whole(ROWS) if seen.path.endswith("sql.php") else reply[:100_000])

    upstream.misbehave = breaks_off
    with client_of(served, "admin") as client, pytest.raises(httpx2.TransportError):
        client.get("/php/pcap.php", params={"id": "1"})


def test_what_no_gateway_should_read(client: httpx2.Client, upstream: Broken) -> None:
    """Too large 413, too deep and malformed 400; nothing of it goes upstream; the next request works."""
    upstream.misbehave = says(whole(ROWS))
    deep = '{"task":"getVoipCalls","params":' + "[" * 5000 + "]" * 5000 + "}"
    json_type = {"content-type": "application/json"}
    seen = len(upstream.seen)
    for status, path, content, headers in (
        (413, "/php/api.php", b"x" * 100_000, {"content-type": "application/x-www-form-urlencoded"}),
        (400, "/php/api.php", deep.encode(), json_type),
        (400, "/php/api.php", b'{"task":"getVoipCalls","task":"listCdrIds"}', json_type),
        (400, "/php/api.php", b'{"task":', json_type),
        (400, "/php/api.php", b'{"task":"getVoipCalls","params":{"startTime":NaN}}', json_type),
        (400, "/php/api.php", b"\xff\xfe{}", json_type),
        (400, "/php/model/sql.php", b"task=LISTING&task=DELETE&module=CDR", {}),
        (400, "/php/model/sql.php", b"task=LISTING&module[]=CDR", {}),
        (400, "/php/model/sql.php?task=LISTING", b"task=SINGLEROW&module=CDR", {}),
        (400, "/php/model/sql.php?task=%00", b"", {}),
        (400, "/php%2fmodel/sql.php", b"", {}),
        (400, "/php/model/sql.php%00", b"", {}),
    ):
        form = {"content-type": "application/x-www-form-urlencoded"}
        answer = client.post(path, content=content, headers=headers or form)
        assert answer.status_code == status, (path, content[:80], answer.status_code, answer.text)
        assert answer.headers["x-request-id"]
        assert_clean(answer)
    assert len(upstream.seen) == seen
    assert client.post("/php/model/sql.php", data=LISTING).status_code == 200


RAW = {
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "no host": b"GET /php/pcap.php?id=1 HTTP/1.1\r\n\r\n",
    "length and chunks": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
    "a length with a sign": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nabcde",
    "a bare line feed in a name": b"GET / HTTP/1.1\r\nHost: a\r\nX\n: 1\r\n\r\n",
    "no http at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "a bad chunk": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
}


@pytest.mark.parametrize("name", sorted(RAW))
def test_bytes_that_are_no_request(served: Gateway, upstream: Broken, name: str) -> None:
    """What cannot be framed in one way is refused with 4xx or the connection is closed; upstream hears nothing."""
    seen = len(upstream.seen)
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        connection.sendall(RAW[name])
        connection.shutdown(socket.SHUT_WR)
        said = b""
        while part := connection.recv(65536):
            said += part
    assert said == b"" or said.startswith(b"HTTP/1.1 4"), said[:200]
    assert len(upstream.seen) == seen
    assert httpx2.get(f"{served.url}/authgw/healthz").status_code == 200
