"""The pages between the password and the session, asked over HTTP."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from authgw.intake.request import Body, Request
from authgw.login.factors import who_of
from authgw.login.outcome import Pending
from authgw.session.model import Remote
from kit.codes import code_at
from kit.logins import granted
from kit.sessions import claims
from kit.site import OWN, Site, form_of, post, submit

pytestmark = pytest.mark.anyio
GIVEN = "JBSWY3DPEHPK3PXP"
STEPS = ("code", "recovery", "enrol", "codes", "left")
COOKIE = "authgw-login"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Alice needs a second factor and has none."""
    made = Site(tmp_path, granted(req_2fa=True))
    yield made
    await made.close()


async def enrol(site: Site) -> tuple[str, list[str]]:
    """Through the enrolment with the key that the page shows: the key, and the recovery codes that came."""
    shown = await site.client.get("/authgw/login/enrol")
    found = re.search(r'<span class="code">([A-Z2-7 ]+)</span>', shown.text)
    assert found is not None
    secret = found[1].replace(" ", "")
    reply = await post(site, "enrol", form_of(shown), code=code_at(secret, site.room.clock.now))
    assert (reply.status_code, reply.headers["location"]) == (303, "/authgw/login/codes")
    listed = await site.client.get("/authgw/login/codes")
    return secret, re.findall(r"<li>([0-9a-z]{5}-[0-9a-z]{5})</li>", listed.text)


async def is_nobody(site: Site) -> bool:
    """Whether this browser has no session, and every session there is was not made for it."""
    return (await site.client.get("/authgw/me")).status_code == 401 and await site.room.sessions.listed() == []


async def test_enrolment_from_the_beginning(site: Site) -> None:
    """Password, authenticator, recovery codes: only then there is a session, and it records both factors."""
    reply = await site.login(next="/demo/admin.php?x=1")
    assert (reply.status_code, reply.headers["location"]) == (303, "/authgw/login/enrol")
    assert await is_nobody(site)
    secret, codes = await enrol(site)
    assert len(codes) == 10
    assert await is_nobody(site)
    saved = await site.client.get("/authgw/login/codes.txt")
    assert saved.headers["content-disposition"] == 'attachment; filename="recovery-codes.txt"'
    assert saved.headers["cache-control"] == "private, no-store"
    assert all(code in saved.text for code in codes)
    reply = await submit(site, "codes")
    assert (reply.status_code, reply.headers["location"]) == (303, "/demo/admin.php?x=1")
    assert COOKIE not in site.client.cookies
    [session] = await site.room.sessions.listed()
    assert (session.user, session.factors) == ("alice", ("pwd", "totp"))
    assert secret not in str(site.desk.events) + str(site.desk.notes)


async def test_the_secret_is_shown_and_never_sent_back(site: Site) -> None:
    """Key, QR code and link are on the page; no field of its form carries the secret, and no cookie does."""
    await site.login()
    shown = await site.client.get("/authgw/login/enrol")
    assert re.search(r"<svg [^>]*viewBox", shown.text)
    assert "style=" not in shown.text
    secret = re.search(r'href="otpauth://totp/[^"]*secret=([A-Z2-7]{32})&amp;issuer=[^"]*"', shown.text)
    assert secret is not None
    assert all(secret[1] not in value for value in re.findall(r'value="([^"]*)"', shown.text))
    assert secret[1] not in str(dict(site.client.cookies))
    again = await site.client.get("/authgw/login/enrol")
    assert secret[1] in again.text


async def test_signing_in_with_a_code(site: Site) -> None:
    """The second time a code is asked for; the right one opens a session under a fresh id."""
    await site.login()
    secret, _ = await enrol(site)
    site.room.clock.now += 30
    site.client.cookies.clear()
    site.client.cookies.set("authgw", "A" * 43, domain="127.0.0.1", path="/")
    reply = await site.login()
    assert reply.headers["location"] == "/authgw/login/code"
    reply = await submit(site, "code", code=code_at(secret, site.room.clock.now))
    assert (reply.status_code, reply.headers["location"]) == (303, "/demo/admin.php")
    assert site.client.cookies["authgw"] != "A" * 43
    assert (await site.client.get("/authgw/me")).json()["session"]["factors"] == ["pwd", "totp"]


@pytest.mark.parametrize(
    ("steps", "said"),
    [(None, "This code is not right."), (5, "the clock of your device is wrong"), (0, "This code was used already.")],
)
async def test_wrong_codes_are_told_apart(tmp_path: Path, steps: int | None, said: str) -> None:
    """Wrong, right at another time, used: each says what to do, keeps the page, and opens nothing."""
    site = Site(tmp_path, granted(secret=GIVEN))
    now = site.room.clock.now
    if steps == 0:
        await site.login()
        await submit(site, "code", code=code_at(GIVEN, now))
        site.client.cookies.clear()
    await site.login()
    reply = await submit(site, "code", code="000000" if steps is None else code_at(GIVEN, now + 30 * steps))
    assert reply.status_code == 401
    assert 'role="alert"' in reply.text
    assert said in reply.text
    assert (await site.client.get("/authgw/me")).status_code == 401
    await site.close()


async def test_too_many_wrong_codes(tmp_path: Path) -> None:
    """The fifth wrong code ends the attempt; the right code is of no use to it then."""
    site = Site(tmp_path, granted(secret=GIVEN))
    await site.login()
    for _ in range(4):
        assert (await submit(site, "code", code="000000")).status_code == 401
    last = await submit(site, "code", code="000000")
    assert "Sign in again from the beginning." in last.text
    assert COOKIE not in site.client.cookies
    assert (await site.client.get("/authgw/login/code")).headers["location"] == "/authgw/login"
    assert await is_nobody(site)
    assert await site.desk.throttle.failures("alice") == 5
    await site.close()


async def test_a_pause_costs_no_try(tmp_path: Path) -> None:
    """While the name has to wait nothing is judged: the page says how long, and the attempt stays."""
    site = Site(tmp_path, granted(secret=GIVEN))
    await site.login()
    for _ in range(5):
        await site.desk.throttle.failed("alice", "203.0.113.9")
    reply = await submit(site, "code", code=code_at(GIVEN, site.room.clock.now))
    assert (reply.status_code, reply.headers["retry-after"]) == (429, "1")
    site.room.clock.now += 2
    reply = await submit(site, "code", code=code_at(GIVEN, site.room.clock.now))
    assert reply.headers["location"] == "/demo/admin.php"
    await site.close()


async def test_a_recovery_code(site: Site) -> None:
    """It opens the way once, says how many are left, and the session records it."""
    await site.login()
    _, codes = await enrol(site)
    for number, typed in enumerate((codes[0], codes[0], codes[1])):
        site.client.cookies.clear()
        await site.login()
        assert "Use a recovery code instead" in (await site.client.get("/authgw/login/code")).text
        reply = await submit(site, "recovery", code=typed)
        if number == 1:
            assert "was used already" in reply.text
            assert "script-src" not in reply.headers["content-security-policy"]
            continue
        assert reply.headers["location"] == "/authgw/login/left"
        assert (await site.client.get("/authgw/me")).status_code == 401
        assert f"left: {9 if number == 0 else 8}" in (await site.client.get("/authgw/login/left")).text
        assert (await submit(site, "left")).headers["location"] == "/demo/admin.php"
    assert {one.factors for one in await site.room.sessions.listed()} == {("pwd", "recovery")}


async def test_fifty_posts_of_one_attempt(tmp_path: Path) -> None:
    """Fifty posts of the same form and the right code at the same moment: one session."""
    site = Site(tmp_path, granted(secret=GIVEN))
    await site.login()
    form = form_of(await site.client.get("/authgw/login/code"))
    code, cookies = code_at(GIVEN, site.room.clock.now), {"cookie": f"{COOKIE}={site.client.cookies[COOKIE]}"}

    async def once() -> int:
        fields, headers = {"form": form, "code": code}, {**OWN, **cookies}
        async with httpx2.AsyncClient(transport=site.client._transport, base_url=site.client.base_url) as client:
            return (await client.post("/authgw/login/code", data=fields, headers=headers)).status_code

    found = await asyncio.gather(*(once() for _ in range(50)))
    assert found.count(303) == 1
    assert len(await site.room.sessions.listed()) == 1
    await site.close()


@pytest.mark.parametrize("step", STEPS)
async def test_no_step_without_an_attempt(site: Site, step: str) -> None:
    """Without the attempt's cookie every page leads to the login, and every form ends there."""
    shown = await site.client.get(f"/authgw/login/{step}")
    assert (shown.status_code, shown.headers["location"]) == (303, "/authgw/login")
    if step == "codes":
        assert (await site.client.get("/authgw/login/codes.txt")).headers["location"] == "/authgw/login"
    sent = await post(site, step, "1.x", code="000000")
    assert sent.status_code == 401
    assert "Sign in again." in sent.text


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("stage", ["enrol", "codes", "code", "left"])
async def test_no_step_out_of_order(site: Site, stage: str, step: str) -> None:
    """At each stage the page and the form of every other step lead back to the stage (CVE-2026-94218, -49448): no
    way around, and a step that is not the own one changes nothing. An empty form is no answer to any."""
    await site.login()
    if stage != "enrol":
        _, codes = await enrol(site)
        if stage != "codes":
            site.client.cookies.clear()
            await site.login()
        if stage == "left":
            await submit(site, "recovery", code=codes[0])
    own = {stage, "recovery"} if stage == "code" else {stage}
    form = form_of(await site.client.get(f"/authgw/login/{stage}"))
    if step in own:
        for fields in ({}, {"form": ""}, {"form": "1.x", "code": "000000"}):
            reply = await site.client.post(f"/authgw/login/{step}", data=fields, headers=OWN)
            assert reply.headers["location"] == f"/authgw/login/{stage}"
        return
    for reply in (await site.client.get(f"/authgw/login/{step}"), await post(site, step, form, code="000000")):
        assert (reply.status_code, reply.headers["location"]) == (303, f"/authgw/login/{stage}")
    for method in ("PUT", "PATCH", "DELETE"):
        assert (await site.client.request(method, f"/authgw/login/{step}")).status_code == 405
    assert await is_nobody(site)


async def test_another_sites_form(tmp_path: Path) -> None:
    """A form that another site makes the browser send proves nothing, and does not end the attempt."""
    site = Site(tmp_path, granted(secret=GIVEN))
    await site.login()
    form = form_of(await site.client.get("/authgw/login/code"))
    fields = {"form": form, "code": code_at(GIVEN, site.room.clock.now)}
    reply = await site.client.post(
        "/authgw/login/code", data=fields, headers={"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
    )
    assert reply.headers["location"] == "/authgw/login/code"
    assert await is_nobody(site)
    assert (await post(site, "code", form, code=fields["code"])).headers["location"] == "/demo/admin.php"
    await site.close()


async def test_an_attempt_is_no_session_and_ends(site: Site) -> None:
    """Its token opens nothing as a session, each step has a new one, and after ten minutes it is over."""
    await site.login()
    first = site.client.cookies[COOKIE]
    assert (await site.client.get("/authgw/me", headers={"cookie": f"authgw={first}"})).status_code == 401
    await enrol(site)
    assert site.client.cookies[COOKIE] != first
    old = await site.client.get("/authgw/login/enrol", headers={"cookie": f"{COOKIE}={first}"})
    assert old.headers["location"] == "/authgw/login"
    site.room.clock.now += 600
    assert (await site.client.get("/authgw/login/codes")).headers["location"] == "/authgw/login"
    assert await is_nobody(site)


async def test_signing_in_anew_ends_the_attempt_before(tmp_path: Path) -> None:
    """One browser has one attempt: the token of the one before opens nothing."""
    site = Site(tmp_path, granted(secret=GIVEN))
    await site.login()
    first = site.client.cookies[COOKIE]
    await site.login()
    old = await site.client.get("/authgw/login/code", headers={"cookie": f"{COOKIE}={first}"})
    assert old.headers["location"] == "/authgw/login"
    await site.close()


async def test_blocked_meanwhile(tmp_path: Path) -> None:
    """Whoever is blocked between the password and the code is told so, and gets no session."""
    site = Site(tmp_path, granted(secret=GIVEN))
    await site.login()
    site.desk.plugin.later = granted(secret=GIVEN, blocked=True, blocked_reason="unpaid <bill>")
    reply = await submit(site, "code", code=code_at(GIVEN, site.room.clock.now))
    assert reply.status_code == 401
    assert "Your account is blocked." in reply.text
    assert "unpaid &lt;bill&gt;" in reply.text
    assert await is_nobody(site)
    await site.close()


async def test_somebody_from_a_provider(tmp_path: Path) -> None:
    """Who comes without a password is asked for his factor too; the session knows both, and the provider's part."""
    site = Site(tmp_path, granted())
    asked = granted(secret=GIVEN)
    remote = Remote("subject-1", "session-1", 5.0, b"refresh token")
    asked = msgspec.structs.replace(asked, identity=msgspec.structs.replace(asked.identity, remote=remote))
    verdict = await site.desk.front.arrived(asked, "corp", "192.0.2.7", origin="redirect")
    assert isinstance(verdict, Pending)
    request = Request("GET", False, "/authgw/oidc/corp/callback", {}, Body.NONE, {}, {}, "192.0.2.7")
    answer = await site.steps.begin(request, verdict, "/demo/admin.php?x=1", False)
    assert dict(answer.headers)["location"] == "/authgw/login/code"
    token = (
        next(value for name, value in answer.headers if value.startswith(f"{COOKIE}=")).split(";")[0].partition("=")[2]
    )
    site.client.cookies.set(COOKIE, token, domain="127.0.0.1", path="/")
    reply = await submit(site, "code", code=code_at(GIVEN, site.room.clock.now))
    assert reply.headers["location"] == "/demo/admin.php?x=1"
    session = await site.room.sessions.find(site.client.cookies["authgw"])
    assert session is not None
    assert (session.factors, session.remote) == (("redirect", "totp"), remote)
    await site.close()


async def test_many_claims(tmp_path: Path) -> None:
    """A user with thousands of number patterns has an attempt like anybody else."""
    numbers = [f"+4420{n:08d}%" for n in range(10_000)]
    site = Site(tmp_path, granted(secret=GIVEN, number=numbers))
    await site.login()
    reply = await submit(site, "code", code=code_at(GIVEN, site.room.clock.now))
    assert reply.headers["location"] == "/demo/admin.php"
    await site.close()


@pytest.mark.parametrize("language", ["en", "cs"])
async def test_the_readers_language(site: Site, language: str) -> None:
    """Every page in both languages, the name escaped."""
    site.client.headers["accept-language"] = language
    await site.login()
    said: dict[str, Any] = {"en": "Set up a second factor", "cs": "Nastavení druhého faktoru"}
    assert said[language] in (await site.client.get("/authgw/login/enrol")).text


async def test_factors_are_kept_by_id(site: Site) -> None:
    """What the pages enrolled is found under login and id, with its use noted."""
    await site.login()
    await enrol(site)
    [factor] = await site.desk.factors.listed(who_of(claims("alice", 101, "corp")))
    assert (factor.kind, factor.created, factor.used) == ("totp", int(site.room.clock.now), 0)
