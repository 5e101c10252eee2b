""" "Keep me signed in" on the pages: offered only where it is configured, and only by the person's own tick."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from kit.codes import code_at
from kit.logins import by_password, granted
from kit.site import Site, submit

pytestmark = pytest.mark.anyio
GIVEN = "JBSWY3DPEHPK3PXP"
DAY = 86_400


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    made = Site(tmp_path, by_password(alice="right"), remember=30 * DAY)
    yield made
    await made.close()


def max_age(reply: httpx2.Response) -> str | None:
    """How long the browser keeps the session's cookie: None until it is closed."""
    line = next(line for line in reply.headers.get_list("set-cookie") if line.startswith("authgw="))
    return next((part.removeprefix(" Max-Age=") for part in line.split(";") if part.startswith(" Max-Age=")), None)


async def kept(site: Site) -> list[bool]:
    return [one.kept for one in await site.room.sessions.listed()]


async def test_by_a_tick(site: Site) -> None:
    """Ticked, cookie and session last 30 days; without the tick the browser's end and half an hour end them."""
    assert 'type="checkbox"' in (await site.client.get("/authgw/login")).text
    reply = await site.login(keep="1")
    assert (max_age(reply), await kept(site)) == (str(30 * DAY), [True])
    assert (await site.client.get("/authgw/me")).json()["session"]["kept"] is True
    site.room.clock.now += 29 * DAY
    assert (await site.client.get("/authgw/me")).status_code == 200
    site.client.cookies.clear()
    reply = await site.login()
    assert (max_age(reply), await kept(site)) == (None, [True, False])


async def test_off_unless_configured(tmp_path: Path) -> None:
    """Where it is not configured nothing offers it, and a field that says so all the same changes nothing."""
    site = Site(tmp_path, by_password(alice="right"))
    assert "keep" not in (await site.client.get("/authgw/login")).text
    reply = await site.login(keep="1")
    assert (max_age(reply), await kept(site)) == (None, [False])
    await site.close()


async def test_a_wrong_password_keeps_the_tick(site: Site) -> None:
    """The form comes back as it was sent; an address that says so ticks nothing."""
    assert re.search(r'id="keep"[^>]* checked', (await site.login(password="wrong", keep="1")).text)
    assert not re.search(r'id="keep"[^>]* checked', (await site.login(password="wrong")).text)
    assert not re.search(r'id="keep"[^>]* checked', (await site.client.get("/authgw/login?keep=1")).text)


async def test_over_the_second_factor(tmp_path: Path) -> None:
    """The choice of the first step holds at the last one, over a wrong code too, and no later field adds it."""
    site = Site(tmp_path, granted(secret=GIVEN), remember=30 * DAY)
    for first, later in (("1", {}), ("", {"keep": "1"})):
        site.client.cookies.clear()
        site.room.clock.now += 90
        assert (await site.login(**({"keep": first} if first else {}))).headers["location"] == "/authgw/login/code"
        assert "keep" not in (await site.client.get("/authgw/login/code")).text
        assert (await submit(site, "code", code="000000", **later)).status_code == 401
        reply = await submit(site, "code", code=code_at(GIVEN, site.room.clock.now), **later)
        assert max_age(reply) == (str(30 * DAY) if first else None)
    assert await kept(site) == [True, False]
    await site.close()


async def test_over_the_enrolment(tmp_path: Path) -> None:
    """Setting up a factor and looking at the recovery codes loses nothing of it."""
    site = Site(tmp_path, granted(req_2fa=True), remember=30 * DAY)
    await site.login(keep="1")
    shown = re.search(r'<span class="code">([A-Z2-7 ]+)</span>', (await site.client.get("/authgw/login/enrol")).text)
    assert shown is not None
    code = code_at(shown[1].replace(" ", ""), site.room.clock.now)
    assert (await submit(site, "enrol", code=code)).headers["location"] == "/authgw/login/codes"
    reply = await submit(site, "codes")
    assert (max_age(reply), await kept(site)) == (str(30 * DAY), [True])
    await site.close()
