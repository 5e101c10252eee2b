"""Passkeys on the pages between the password and the session, asked over HTTP."""

from __future__ import annotations

import base64
import html
import json
import re
from pathlib import Path

import httpx2
import pytest

from authgw.login.factors import who_of
from kit.authenticator import Authenticator
from kit.logins import granted
from kit.sessions import claims
from kit.site import ORIGIN, Site, form_of, post, submit

pytestmark = pytest.mark.anyio
GIVEN = "JBSWY3DPEHPK3PXP"
SCRIPT = f"; script-src {ORIGIN}/authgw/static/passkey.js"


async def test_a_passkey_on_the_pages(tmp_path: Path) -> None:
    """Enrolled in place of an app, then asked for: each answer is for the challenge of its page, and for no other. Only
    the pages that ask for passkeys may run our script."""
    site, device = Site(tmp_path, granted(req_2fa=True)), Authenticator()

    async def challenge(step: str) -> bytes:
        shown = await site.client.get(f"/authgw/login/{step}")
        assert SCRIPT in shown.headers["content-security-policy"]
        options = re.search(r'data-options="([^"]+)"', shown.text)
        assert options is not None
        said = json.loads(html.unescape(options[1]))["challenge"]
        return base64.urlsafe_b64decode(said + "=" * (-len(said) % 4))

    async def answer(step: str, to: str, made: str) -> httpx2.Response:
        return await post(site, to, form_of(await site.client.get(f"/authgw/login/{step}")), answer=made)

    await site.login()
    old = await challenge("enrol")
    refused = await answer("enrol", "enrol-passkey", device.create(b"another"))
    assert SCRIPT in refused.headers["content-security-policy"]
    assert "This passkey was not accepted." in refused.text
    assert await challenge("enrol") != old
    reply = await answer("enrol", "enrol-passkey", device.create(await challenge("enrol")))
    assert reply.headers["location"] == "/authgw/login/codes"
    assert "script-src" not in (await site.client.get("/authgw/login/codes")).headers["content-security-policy"]
    assert (await submit(site, "codes")).headers["location"] == "/demo/admin.php"
    site.client.cookies.clear()
    await site.login()
    shown = await site.client.get("/authgw/login/code")
    assert 'name="code"' not in shown.text
    device.count = 3
    proof = device.get(await challenge("code"))
    assert (await answer("code", "passkey", device.get(old))).status_code == 401
    assert (await answer("code", "passkey", proof)).status_code == 401
    proof = device.get(await challenge("code"))
    assert (await answer("code", "passkey", proof)).headers["location"] == "/demo/admin.php"
    assert (await site.client.get("/authgw/me")).json()["session"]["factors"] == ["pwd", "passkey"]
    await site.close()


@pytest.mark.parametrize(("step", "stage"), [("passkey", "enrol"), ("enrol-passkey", "code")])
async def test_no_passkey_out_of_order(tmp_path: Path, step: str, stage: str) -> None:
    """Nobody enrols a passkey where one has to be proved, nor the other way round."""
    site = Site(tmp_path, granted(**({"req_2fa": True} if stage == "enrol" else {"secret": GIVEN})))
    await site.login()
    form = form_of(await site.client.get(f"/authgw/login/{stage}"))
    reply = await post(site, step, form, answer=Authenticator().create(b"x"))
    assert (reply.status_code, reply.headers["location"]) == (303, f"/authgw/login/{stage}")
    assert await site.desk.factors.listed(who_of(claims("alice", 101, "corp"))) == ()
    await site.close()
