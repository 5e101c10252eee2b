"""The pages for signing in and out, asked over HTTP on a real session room."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from authgw.errors import StoreError, UpstreamError
from authgw.reasons import Reason
from authgw.session.model import Kind
from kit.logins import by_password, granted
from kit.site import ORIGIN, OWN, Site

pytestmark = pytest.mark.anyio
SCRIPT = re.compile(r'<script src="/authgw/static/([a-z]+)\.js\?v=[0-9a-f]{16}" defer></script>')


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    made = Site(tmp_path, by_password(alice="right", bob="other"))
    yield made
    await made.client.aclose()
    await made.room.epochs.close()


async def test_a_person_logs_in(site: Site) -> None:
    """The right password gives a session cookie and leads to the start page below the base path."""
    reply = await site.login()
    assert (reply.status_code, reply.headers["location"]) == (303, "/demo/admin.php")
    given = reply.headers.get_list("set-cookie")
    sid = next(line for line in given if line.startswith("authgw="))
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in sid.split(";")}
    assert any(line.startswith("authgw-attempt=;") for line in given)
    session = await site.room.sessions.find(site.client.cookies["authgw"])
    assert session is not None
    assert (session.kind, session.claims.user, session.factors) == (Kind.BROWSER, "alice", ("pwd",))


async def test_where_it_leads(site: Site) -> None:
    """The login leads back to the page that was asked for, and never to another site."""
    assert (
        (await site.login(next="/demo/admin.php?cdr_filter=%7B%7D")).headers["location"].endswith("?cdr_filter=%7B%7D")
    )
    for evil in ("//evil.example", "https://evil.example", "/\\evil.example", "/%5cevil"):
        assert (await site.login(next=evil)).headers["location"] == "/demo/admin.php"
    form = await site.client.get("/authgw/login?next=//evil.example")
    assert "evil.example" not in form.text


async def test_a_wrong_password(site: Site) -> None:
    """A wrong password shows the form with an alert that says what to do; the name stays, the password does not."""
    reply = await site.login(password="hunter2<b>", user="al<i>ce")
    assert reply.status_code == 401
    assert 'role="alert"' in reply.text
    assert "Invalid username or password." in reply.text
    assert 'value="al&lt;i&gt;ce"' in reply.text
    assert "hunter2" not in reply.text
    assert "authgw" not in site.client.cookies


@pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}])
async def test_nobody_is_logged_in_by_another_site(site: Site, headers: dict[str, str]) -> None:
    """A form that this browser was not given, or that another site sends, logs nobody in and asks no plugin."""
    other = Site(site.room.folder, granted())
    forms = [await other.form(), "", "1.x"]
    if headers:
        forms = [await site.form()]
    for form in forms:
        fields = {"form": form, "user": "alice", "password": "right"}
        reply = await site.client.post("/authgw/login", data=fields, headers=headers)
        assert reply.status_code == 400
        assert "sign in again here" in reply.text
    assert not site.desk.plugin.asked
    assert "authgw" not in site.client.cookies
    await other.client.aclose()


async def test_no_cookie_no_login(site: Site) -> None:
    """Without the attempt's cookie its form is worth nothing."""
    form = await site.form()
    site.client.cookies.clear()
    reply = await site.client.post("/authgw/login", data={"form": form, "user": "alice", "password": "right"})
    assert reply.status_code == 400


async def test_a_fresh_session_each_time(site: Site) -> None:
    """Logging in again gives a new id, also over one planted before; the old session is over."""
    site.client.cookies.set("authgw", "A" * 43, domain="127.0.0.1", path="/")
    await site.login()
    first = site.client.cookies["authgw"]
    assert first != "A" * 43
    await site.login("bob", "other")
    second = site.client.cookies["authgw"]
    assert second != first
    assert await site.room.sessions.find(first) is None
    session = await site.room.sessions.find(second)
    assert session is not None
    assert session.claims.user == "bob"


async def test_the_attempt_is_no_session(site: Site) -> None:
    """The attempt's cookie as a session cookie, and a form's value, open nothing."""
    form = await site.form()
    for value in (site.client.cookies["authgw-attempt"], form):
        reply = await site.client.get("/authgw/me", headers={"cookie": f"authgw={value}"})
        assert reply.status_code == 401


async def test_the_products_cookie_opens_no_page(site: Site) -> None:
    """A session made for scripts is nobody on these pages, whatever name its cookie has."""
    sid, _ = await site.room.start(kind=Kind.API)
    for name in ("PHPSESSID", "PHPSESSID-demo", "authgw"):
        assert (await site.client.get("/authgw/me", headers={"cookie": f"{name}={sid}"})).status_code == 401


@pytest.mark.parametrize(
    ("dictionary", "said"),
    [
        ({"blocked": 1, "blocked_reason": "unpaid <bill>"}, ["Your account is blocked.", "unpaid &lt;bill&gt;"]),
        ({"password_expired": 1}, ["Your password has expired."]),
        ({"enable_login_ip": "10.0.0.1"}, ["Your remote address not allowed in your account."]),
        ({"can_cdr": "maybe"}, ["cannot be used", "administrator"]),
    ],
)
async def test_gates_on_the_page(tmp_path: Path, dictionary: dict[str, Any], said: list[str]) -> None:
    """Whoever may not come in is told why and whom to ask, and gets no session."""
    site = Site(tmp_path, granted(**dictionary))
    reply = await site.login()
    assert reply.status_code == 401
    assert all(text in reply.text for text in said)
    assert await site.room.sessions.listed() == []
    await site.client.aclose()
    await site.room.epochs.close()


async def test_when_to_retry(site: Site) -> None:
    """Whoever failed too often is told for how long to wait, in the page and in Retry-After."""
    for n in range(10):
        reply = await site.login(password=f"wrong{n}")
        site.desk.clock.now += 20
    reply = await site.login()
    assert (reply.status_code, reply.headers["retry-after"]) == (429, "880")
    assert "Try again in 15 min." in reply.text


async def test_no_store(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the store gone the page says so with 503; nobody is logged in."""

    async def gone(*_: Any, **__: Any) -> Any:
        raise StoreError("gone")

    monkeypatch.setattr(site.room.sessions, "start", gone)
    reply = await site.login()
    assert (reply.status_code, "authgw" in site.client.cookies) == (503, False)
    monkeypatch.setattr(site.room.sessions, "find", gone)
    reply = await site.client.get("/authgw/me", headers={"cookie": "authgw=" + "A" * 43})
    assert reply.status_code == 503
    assert reply.headers["x-request-id"] in reply.text


async def test_logging_out(site: Site) -> None:
    """The button ends the session and takes the cookie away; the trail says who left."""
    await site.login()
    sid = site.client.cookies["authgw"]
    page = await site.client.get("/authgw/logout")
    assert "<button" in page.text
    assert await site.room.sessions.find(sid) is not None
    reply = await site.client.post("/authgw/logout", headers=OWN)
    assert (reply.status_code, reply.headers["location"]) == (303, "/authgw/logged-out")
    assert await site.room.sessions.find(sid) is None
    assert "authgw" not in site.client.cookies
    assert site.trail.lines[0][0] == "logout"
    assert site.trail.lines[0][1]["user"] == "alice"
    assert "signed out" in (await site.client.get("/authgw/logged-out")).text


@pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}])
async def test_nobody_is_logged_out_by_another_site(site: Site, headers: dict[str, str]) -> None:
    """A request to log out that our own page did not send shows the button instead."""
    await site.login()
    reply = await site.client.post("/authgw/logout", headers=headers)
    assert reply.status_code == 403
    assert await site.room.sessions.find(site.client.cookies["authgw"]) is not None


async def test_who_i_am(site: Site) -> None:
    """The portrait names the user, his rights in words and his own sensors; no id of the session, no token."""
    sid, _ = await site.room.start()
    reply = await site.client.get("/authgw/me", headers={"cookie": f"authgw={sid}"})
    said = reply.json()
    assert (said["user"], said["tenant"], said["operator"]) == ("alice", "acme", False)
    assert said["sensors"] == [{"number": 2, "name": "London"}, {"number": 3, "name": "Prague"}]
    assert said["grants"][0]["may"] == ["see calls", "download captures (PCAP)"]
    assert said["preferences"] == {"uc_lang": "en"}
    assert sid not in reply.text
    assert "secret site" not in reply.text
    site.sensors = UpstreamError(Reason.UPSTREAM_UNREACHABLE, "down")
    reply = await site.client.get("/authgw/me", headers={"cookie": f"authgw={sid}"})
    assert reply.json()["sensors"][0] == {"number": 2, "name": ""}


async def test_nobody(site: Site) -> None:
    """Without a session /authgw/me is 401 in JSON."""
    reply = await site.client.get("/authgw/me")
    assert (reply.status_code, reply.json()) == (401, {"error": "no_session"})


@pytest.mark.parametrize("path", ["/authgw/login", "/authgw/logged-out", "/authgw/me", "/authgw/logout"])
async def test_headers_of_every_page(site: Site, path: str) -> None:
    """No page is cached, framed or sniffed, or loads anything from elsewhere; the one script is that of the login."""
    await site.login()
    reply = await site.client.get(path)
    assert reply.headers["cache-control"] == "private, no-store"
    assert reply.headers["x-content-type-options"] == "nosniff"
    if reply.headers["content-type"].startswith("text/html"):
        policy = dict(part.strip().split(" ", 1) for part in reply.headers["content-security-policy"].split(";"))
        script = {"script-src": f"{ORIGIN}/authgw/static/capslock.js"} if path == "/authgw/login" else {}
        assert policy == script | {
            "default-src": "'none'",
            "style-src": "'self'",
            "img-src": "'self' data:",
            "form-action": "'self'",
            "frame-ancestors": "'none'",
            "base-uri": "'none'",
        }
        assert reply.headers["referrer-policy"] == "no-referrer"
        scripts, shown = SCRIPT.findall(reply.text), SCRIPT.sub("", reply.text)
        assert scripts == ["capslock"] * len(script)
        assert not re.search(r"<script|style=|\son\w+=|javascript:|https?://", shown)


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("POST", "/authgw/login", b"user=a&user=b", 400),
        ("POST", "/authgw/login", b"user=%00", 400),
        ("POST", "/authgw/login", b"x" * 70_000, 413),
        ("POST", "/authgw/login", b"", 400),
        ("GET", "/authgw/login?user[]=x", b"", 400),
        ("POST", "/authgw/me", b"", 405),
        ("PUT", "/authgw/login", b"", 405),
        ("DELETE", "/authgw/logout", b"", 405),
    ],
)
async def test_odd_requests(site: Site, method: str, path: str, content: bytes, status: int) -> None:
    """What cannot be read in one way, is too large or comes by another method is refused with a status of its own."""
    headers = {"content-type": "application/x-www-form-urlencoded"} if content else {}
    reply = await site.client.request(method, path, content=content, headers=headers)
    assert reply.status_code == status
    assert not site.desk.plugin.asked


@pytest.mark.parametrize(
    "name", ["..%2fpage.py", "vendor/../../page.py", "none.css", "vendor/vendor.lock", "", "%2e%2e/"]
)
async def test_no_other_files(site: Site, name: str) -> None:
    """Below /authgw/static/ there is what pages need and nothing else."""
    assert (await site.client.get(f"/authgw/static/{name}")).status_code == 404


async def test_files_of_the_page(site: Site) -> None:
    """Everything a page refers to is there, may be kept for a year, and is not sent twice."""
    page = await site.client.get("/authgw/login")
    addresses = re.findall(r'(?:href|src)="(/authgw/static/[^"]+)"', page.text)
    assert len(addresses) == 4
    for address in addresses:
        reply = await site.client.get(address)
        assert reply.status_code == 200
        assert "immutable" in reply.headers["cache-control"]
        again = await site.client.get(address, headers={"if-none-match": reply.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


async def test_two_sessions_in_one_request(site: Site) -> None:
    """Cookies that name two live sessions are refused instead of chosen between."""
    one, _ = await site.room.start()
    other, _ = await site.room.start("bob", 102)
    for path in ("/authgw/me", "/authgw/login", "/authgw/logout"):
        reply = await site.client.get(path, headers={"cookie": f"authgw={one}; authgw={other}"})
        assert reply.status_code == 400


async def test_the_language_of_the_reader(site: Site) -> None:
    """The page speaks the reader's language and says which one that is."""
    reply = await site.client.get("/authgw/login", headers={"accept-language": "cs-CZ,cs;q=0.9,en;q=0.5"})
    assert '<html lang="cs"' in reply.text
    assert "Přihlášení" in reply.text
    reply = await site.client.get("/authgw/login", headers={"accept-language": "de"})
    assert '<html lang="en"' in reply.text
