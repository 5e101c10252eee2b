"""What guards an account, changed by its owner in a real browser: an app, recovery codes, the password; and out."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from kit import axe
from kit.chromium import chromium, picture
from kit.codes import code_at
from kit.world import World, world

pytestmark = pytest.mark.browser
ACCOUNT = "/authgw/account"
OLD, NEW = "correct horse", "battery staple 22"
WAYS = (("scripts-en", True, "en"), ("scripts-cs", True, "cs"), ("plain-en", False, "en"), ("plain-cs", False, "cs"))
USERS: tuple[dict[str, Any], ...] = tuple(
    {"username": name, "password": OLD, "id": 600 + at, "is_admin": True} for at, (name, _, _) in enumerate(WAYS)
)
Look = Callable[[str], None]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("walk"), users=USERS, throttle={"address_failures": 10_000}) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def send(page: Page, **fields: str) -> None:
    """Fill fields in by their ids, send the form of the last one, and see what comes."""
    for id, value in fields.items():
        page.locator(f"#{id}").fill(value)
    with page.expect_navigation():
        page.locator(f"#{list(fields)[-1]}").press("Enter")


def press(page: Page, action: str) -> None:
    """The button of the form that is sent to this address below the account page."""
    with page.expect_navigation():
        page.locator(f'form[action="{ACCOUNT}{action}"] button').first.click()


@pytest.mark.parametrize(("user", "scripts", "language"), WAYS, ids=[name for name, _, _ in WAYS])
def test_all_that_guards_it(site: World, browser: Browser, user: str, scripts: bool, language: str) -> None:
    """Each page on the way, on a phone: axe finds nothing in either theme, nothing is cut off sideways."""
    context = browser.new_context(java_script_enabled=scripts, viewport={"width": 320, "height": 640})
    context.add_cookies([{"name": "authgw-language", "value": language, "url": site.url}])
    page = context.new_page()

    def look(name: str) -> None:
        expect(page.locator("html")).to_have_attribute("lang", language)
        if scripts:
            assert axe.both_themes(page) == [], name
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, name
            picture(page, f"walk-{name}-{language}")

    page.goto(f"{site.url}/authgw/login?next={ACCOUNT}")
    send(page, user=user, password=OLD)
    secret = _app(page, look)
    _codes(page, look, secret)
    _password(page, look)
    press(page, "/factors/remove")
    expect(page).to_have_url(re.compile(f"{ACCOUNT}/confirm"))
    send(page, password=NEW)
    press(page, "/factors/remove")
    expect(page.locator("#factors + p")).to_be_visible()
    page.goto(site.url + "/authgw/logout")
    look("logout")
    page.get_by_role("button").first.click()
    expect(page).to_have_url(site.url + "/authgw/logged-out")
    look("logged-out")
    context.close()


def _app(page: Page, look: Look) -> str:
    """An authenticator app is set up, over a wrong code; its secret."""
    page.locator(f'a[href="{ACCOUNT}/factors/app"]').click()
    look("confirm")
    send(page, password="wrong")
    look("confirm-wrong")
    send(page, password=OLD)
    secret = str(page.locator(".code").inner_text()).replace(" ", "")
    look("app")
    send(page, code="000000")
    expect(page.get_by_role("alert")).to_be_visible()
    look("app-wrong")
    send(page, code=code_at(secret, time.time()))
    expect(page.locator("ol.codes li")).to_have_count(10)
    look("codes")
    page.locator(f'.actions a[href="{ACCOUNT}"]').click()
    expect(page.locator('section[aria-labelledby="factors"] li')).to_have_count(1)
    look("account")
    return secret


def _codes(page: Page, look: Look, secret: str) -> None:
    """New recovery codes in the place of the old ones."""
    press(page, "/factors/codes")
    expect(page.locator("ol.codes li")).to_have_count(10)
    page.goto(page.url.partition("/authgw")[0] + ACCOUNT + "/confirm")
    look("confirm-code")
    # The code of the last half minute has been used; the next one is taken as well.
    send(page, code=code_at(secret, time.time() + 30))
    expect(page).to_have_url(re.compile(ACCOUNT + "$"))


def _password(page: Page, look: Look) -> None:
    """A new password, over one that is too short."""
    page.locator(f'a[href="{ACCOUNT}/password"]').click()
    look("password")
    send(page, password=OLD, new="short", again="short")
    expect(page.get_by_role("alert")).to_be_visible()
    look("password-short")
    send(page, password=OLD, new=NEW, again=NEW)
    expect(page).to_have_url(re.compile(ACCOUNT + "/password/changed$"))
    look("password-changed")
    page.get_by_role("button").first.click()
    expect(page).to_have_url(re.compile(ACCOUNT + "$"))
