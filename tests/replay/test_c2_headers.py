"""Headers that say who one is, cookies that cannot be read, and requests that hide another one."""

from __future__ import annotations

import json

import httpx2
import pytest

from kit.attacked import MINE, PASSWORD, REFUSED, Site
from kit.raw import exchange
from kit.tripwire import SID

OWN_PCAP = f"/php/pcap.php?id={MINE}"
IDENTITY = [
    *("X-Auth-User: admin", "X.Auth.User: admin", "X_Auth_User: admin", "x-auth-user : admin", "X-Remote-User: admin"),
    *("X-Forwarded-User: admin", "Remote-User: admin", "X-Original-URL: /admin.php", "X-Rewrite-URL: /upgrade.php"),
    *("X-HTTP-Method-Override: DELETE", "X-Forwarded-For: 10.0.0.1", "Forwarded: for=10.0.0.1", "X-Real-IP: 10.0.0.1"),
    *("Authorization: Basic YWRtaW46YWRtaW4=", "Proxy-Authorization: x", "X-Accel-Redirect: /x", "Referer: http://x"),
    *("Via: 1.1 x", "TE: trailers", "Cf-Connecting-Ip: 1.2.3.4", "Accept-Encoding: br", "If-Modified-Since: never"),
]
PASSED = {"host", "accept", "accept-language", "user-agent", "accept-encoding", "cookie", "range", "if-range"}
PASSED |= {"if-none-match", "content-type", "content-length"}


@pytest.mark.parametrize("line", IDENTITY)
def test_only_known_headers_reach_the_gui(site: Site, line: str) -> None:
    """CVE-2026-88011, CVE-2022-39201: no spelling of a header that names a user, an address or a path passes."""
    got = site.ask("alice", OWN_PCAP, line)
    if got.status != 200:
        assert got.status == 400
        assert site.wire.seen == []
        return
    (seen,) = site.wire.seen
    assert {name for name, _ in seen.headers} <= PASSED
    value = line.partition(":")[2].strip()
    assert value not in seen.everything
    assert dict(seen.headers)["cookie"] == f"PHPSESSID={SID}"


def test_connection_takes_nothing_away(site: Site) -> None:
    """CVE-2024-45410, CVE-2026-29054: naming the gateway's own headers hop-by-hop does not remove them."""
    assert site.ask("alice", OWN_PCAP, "Connection: close, cookie, host, X-Auth-User").status == 200
    (seen,) = site.wire.seen
    assert dict(seen.headers)["cookie"] == f"PHPSESSID={SID}"


@pytest.mark.parametrize("path", ["/php/api.php", "/admin.php", "/php/pcap.php?id=1", "/authgw/login", "*"])
def test_other_methods(site: Site, path: str) -> None:
    """CVE-2017-6413: OPTIONS, TRACE and the like reach nothing, whatever they claim."""
    for method in ("OPTIONS", "TRACE", "PUT", "DELETE", "PATCH", "PROPFIND", "CONNECT", "get"):
        got = site.ask("alice", path, "X-Auth-User: admin", "Origin: http://evil", method=method)
        assert got.status in REFUSED, (method, got)
        assert got.header("access-control-allow-origin") is None
    assert site.wire.seen == []


@pytest.mark.parametrize(
    "cookie",
    [
        *("PHPSESSID", "PHPSESSID=", "PHPSESSID=x", ";;=", "=" * 100, "PHPSESSID=" + "a" * 8192, "PHPSESSID=\xff\xfe"),
        *('PHPSESSID="{sid}"', "PHPSESSID={sid}x", "PHPSESSID=%20{sid}", "phpsessid={sid}", "PHPSESSID[]={sid}"),
        *("authgw={sid}", "__Host-authgw={sid}", "authgw-attempt={sid}", "PHPSESSID.={sid}", "PHP SESSID={sid}"),
    ],
)
def test_a_malformed_cookie_is_no_session(site: Site, cookie: str) -> None:
    """CVE-2026-25748: a cookie that is not exactly one names nobody, and the GUI is not asked."""
    sid = site.cookies["alice"].partition("=")[2]
    got = site.ask("", OWN_PCAP, b"Cookie: " + cookie.replace("{sid}", sid).encode("latin-1"))
    assert got.status in {400, 401, 431}, got
    assert site.wire.seen == []


def test_an_unreadable_forwarded_for_skips_nothing(site: Site) -> None:
    """CVE-2024-47070, CVE-2023-36456: odd X-Forwarded-For lines leave the password to be checked, and the address."""
    for line in ("a", "::::", "1.2.3.4:99999", ", " * 2000, "127.0.0.1, 10.0.0.9"):
        fields = f"module=bypass_login&user=nobody-{len(line)}&pass=wrong"
        kind = "Content-Type: application/x-www-form-urlencoded"
        more = (kind, f"X-Forwarded-For: {line}")
        got = site.ask("", "/php/model/sql.php", *more, method="POST", body=fields.encode())
        assert got.status == 401, got
    lines = (site.gateway.folder / "audit.jsonl").read_text().splitlines()[-5:]
    assert {json.loads(each)["address"] for each in lines} == {"127.0.0.1"}


def test_nothing_of_ours_reaches_the_gui(site: Site) -> None:
    """CVE-2022-31130, CVE-2023-1387: neither session ids nor names nor passwords of users go upstream or back."""
    fields = {"user": "alice", "password": PASSWORD, "auditReason": "because", "task": "getVoipCalls"}
    url = site.gateway.url + "/php/api.php"
    params = '{"startTime":"2026-11-23"}'
    answers = [
        httpx2.get(url, params={**fields, "params": params}),
        httpx2.post(url, data={**fields, "params": params}),
        httpx2.post(url, json={**fields, "params": json.loads(params)}),
        httpx2.post(url, files={name: (None, text) for name, text in {**fields, "params": params}.items()}),
    ]
    assert len(site.wire.seen) == len(answers)
    for answer in answers:
        assert SID not in answer.text
    site.ask("alice", OWN_PCAP)
    for cookie in site.cookies.values():
        sid = cookie.partition("=")[2]
        assert all(sid not in seen.everything for seen in site.wire.log)
    for seen in site.wire.log:
        assert "alice" not in seen.everything
        assert PASSWORD not in seen.everything
        assert "because" not in seen.everything


def test_secrets_are_in_no_file(site: Site) -> None:
    """Passwords and session ids, also those that stand where they do not belong, are in neither log nor audit trail."""
    odd = "hunter2-in-the-wrong-place"
    asked = [f"/php/pcap.php?id=1&password={odd}", f"/index.php?user=alice&password={odd}", f"/admin.php?pass={odd}"]
    asked += [f"/php/api.php?task=getPCAP&user=alice&password={odd}", f"/php/api.php?task=x&user=a&password={odd}"]
    asked += [
        f"/php/model/sql.php?module=bypass_login&user=alice&pass={odd}",
        f"/php/model/sql.php?module=x&pass={odd}",
    ]
    asked += [f"/php/model/sql.php?module=bypass_login&user=nobody&pass={odd}%26{odd}=1&x&{odd}", f"/{odd}?x#{odd}"]
    for target in asked[:-1]:
        for who in ("", "alice"):
            got = site.ask(who, target, "Accept: text/html")
            assert odd not in got.head, target
            assert odd.encode() not in got.body, target
    written = (site.gateway.folder / "audit.jsonl").read_text() + site.gateway.log.read_text()
    assert odd not in written
    assert PASSWORD not in written
    assert all(cookie.partition("=")[2] not in written for cookie in site.cookies.values())


def smuggled(cookie: str) -> dict[str, bytes]:
    """Requests with a second one inside, for whoever reads the first one's length otherwise."""
    inner = f"GET {OWN_PCAP} HTTP/1.1\r\nHost: gw\r\nCookie: {cookie}\r\n\r\n".encode()
    head = b"POST /php/model/sql.php HTTP/1.1\r\nHost: gw\r\nConnection: close\r\n"
    head += b"Content-Type: application/x-www-form-urlencoded\r\n"
    empty, size = b"0\r\n\r\n", b"Content-Length: %d\r\n" % (5 + len(inner))
    chunked = b"Transfer-Encoding: chunked\r\n"
    return {
        "CL.TE": head + size + chunked + b"\r\n" + empty + inner,
        "TE.CL": head + chunked + b"Content-Length: 4\r\n\r\n" + empty + inner,
        "TE.TE": head + chunked + b"Transfer-Encoding: identity\r\n\r\n" + empty + inner,
        "unknown coding": head + b"Transfer-Encoding: xchunked\r\n\r\n" + empty + inner,
        "chunked, identity": head + b"Transfer-Encoding: chunked, identity\r\n\r\n" + empty + inner,
        "two lengths": head + b"Content-Length: 0\r\n" + size + b"\r\n" + inner,
        "length +0": head + b"Content-Length: +0\r\n\r\n" + inner,
        "length 0x0": head + b"Content-Length: 0x0\r\n\r\n" + inner,
        "length list": head + b"Content-Length: 0, 0\r\n\r\n" + inner,
        "space before colon": head + b"Transfer-Encoding : chunked\r\n\r\n" + empty + inner,
        "vertical tab": head + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + empty + inner,
        "folded": head + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + empty + inner,
        "bare LF": head.replace(b"\r\n", b"\n") + b"Content-Length: 0\n\n" + inner,
        "bare CR": head + b"X: a\rTransfer-Encoding: chunked\r\n\r\n" + empty + inner,
        "chunk extension LF": head + chunked + b"\r\n0;\n" + inner,
        "bad chunk end": head + chunked + b"\r\n1\r\nAXX0\r\n\r\n" + inner,
        "chunk LF": head + chunked + b"\r\n0\n\n" + inner,
        "HTTP/1.0 chunked": head.replace(b"1.1", b"1.0", 1) + chunked + b"\r\n" + empty + inner,
        "overflowing chunk": head + chunked + b"\r\nFFFFFFFFFFFFFFFFFF\r\n" + inner,
        "too large": head + b"Content-Length: 99999999\r\n\r\n" + inner,
        "upgrade": head + b"Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n" + inner,
        "behind a last request": b"GET /authgw/healthz HTTP/1.1\r\nHost: gw\r\nConnection: close\r\n\r\n" + inner,
        "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + inner,
    }


@pytest.mark.parametrize("name", sorted(smuggled("")))
def test_no_request_hides_in_another(site: Site, name: str) -> None:
    """CVE-2025-43859, CVE-2024-32638: of a request with doubtful framing nothing behind it is ever read."""
    said = exchange(site.gateway.port, smuggled(site.cookies["alice"])[name])
    assert said.count(b"HTTP/1.1 ") <= 1
    assert site.wire.seen == []


def test_a_shared_verdict_needs_the_same_password(site: Site) -> None:
    """CVE-2026-71326: of two calls at once, the one with the wrong password gets nothing of the right one's."""
    url = site.gateway.url + "/php/api.php"
    asked = {"task": "getPCAP", "user": "bob", "params": '{"cdrId":2}'}
    assert httpx2.post(url, data={**asked, "password": PASSWORD}).status_code == 200
    for wrong in (PASSWORD + " ", PASSWORD.upper(), PASSWORD[:-1], "\x1fx"):
        assert httpx2.post(url, data={**asked, "password": wrong}).status_code in {400, 401}
    assert httpx2.post(url, data={**asked, "user": "alice", "password": PASSWORD}).status_code == 404
