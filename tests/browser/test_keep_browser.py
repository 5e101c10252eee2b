""" "Keep me signed in" with a real browser: ticked by keyboard, on a phone, with and without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from kit import axe
from kit.chromium import chromium, picture
from kit.sso import Site, site

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    options = {"sso": {"title": "Example SSO"}}
    with site(tmp_path_factory.mktemp("keep-pages"), options, sessions={"remember": "30d"}) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=request.param, viewport={"width": 320, "height": 640})
    yield context.new_page()
    context.close()


def expires(page: Page) -> Any:
    """When the browser lets the session's cookie go, seconds since 1970; -1: when it is closed."""
    (cookie,) = [one for one in page.context.cookies() if one["name"] == "authgw"]
    return cookie["expires"]


def test_ticked_with_the_keyboard(kept: Site, page: Page) -> None:
    """Name, password, tick, and in: the browser keeps the cookie, and the account page says so."""
    page.goto(kept.url + "/authgw/login?next=/authgw/account")
    page.keyboard.type("break-glass")
    page.keyboard.press("Tab")
    page.keyboard.type("local-secret")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Keep me signed in on this device")).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page).to_have_url(kept.url + "/authgw/account")
    expect(page.get_by_role("region", name="Where you are signed in")).to_contain_text("kept signed in")
    assert expires(page) > 0


def test_by_a_provider(kept: Site, page: Page) -> None:
    """The link below the provider's button leads there and back, and the browser keeps the cookie."""
    page.goto(kept.url + "/authgw/login")
    page.get_by_role("link", name="Sign in with Example SSO and stay signed in").click()
    page.locator("input[name=login]").fill("sub-alice")
    page.locator("input[name=password]").fill("any")
    page.locator("button[type=submit]").click()
    expect(page).to_have_url(kept.url + "/admin.php")
    assert expires(page) > 0


@pytest.mark.parametrize("language", ["en", "cs"])
@pytest.mark.parametrize("width", [320, 1280])
def test_it_can_be_read(kept: Site, browser: Browser, width: int, language: str) -> None:
    """axe finds nothing on login and account page in either theme, nothing is cut off sideways; pictures are kept."""
    context = browser.new_context(viewport={"width": width, "height": 700})
    context.add_cookies([{"name": "authgw-language", "value": language, "url": kept.url}])
    page = context.new_page()
    for name, path in (("login", "/authgw/login?next=/authgw/account"), ("account", "/authgw/account")):
        page.goto(kept.url + path)
        assert axe.both_themes(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        picture(page, f"keep-{name}-{width}-{language}")
        if name == "login":
            page.locator("#user").fill("break-glass")
            page.locator("#password").fill("local-secret")
            page.locator("#keep").check()
            with page.expect_navigation():
                page.locator("#password").press("Enter")
    context.close()
