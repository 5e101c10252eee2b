"""Signing in at a provider with a real browser, and out again: the whole walk, with and without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from kit import axe
from kit.chromium import chromium, picture
from kit.sso import Site, site

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def sso(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    options = {"sso": {"title": "Example SSO"}, "other": {"title": "Příklad"}}
    with site(tmp_path_factory.mktemp("sso-pages"), options) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def scripts(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def page(browser: Browser, scripts: bool) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=scripts, viewport={"width": 320, "height": 640})
    yield context.new_page()
    context.close()


@pytest.fixture
def looked_at(browser: Browser) -> Iterator[Page]:
    """A page that axe can look at."""
    context = browser.new_context(viewport={"width": 320, "height": 640})
    yield context.new_page()
    context.close()


def at_the_provider(site: Site, page: Page, user: str, login: str = "sso") -> None:
    """What the person does over there, on the provider's own form."""
    expect(page).to_have_url(re.compile(re.escape(site.providers[login].url) + "/interaction/"))
    page.locator("input[name=login]").fill(user)
    page.locator("input[name=password]").fill("any")
    page.locator("button[type=submit]").click()


def test_in_and_out(sso: Site, page: Page) -> None:
    """From a page of the GUI to the provider, back to that page, out here, out there, and back to our last page."""
    page.goto(sso.url + "/admin.php")
    page.get_by_role("button", name="Sign in with Example SSO").click()
    at_the_provider(sso, page, "sub-alice")
    expect(page).to_have_url(sso.url + "/admin.php")
    page.goto(sso.url + "/authgw/logout")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile(re.escape(sso.providers["sso"].url) + "/session/end"))
    page.get_by_role("button", name="Yes, sign me out").click()
    expect(page).to_have_url(sso.url + "/authgw/logged-out")
    page.goto(sso.url + "/admin.php")
    expect(page).to_have_url(sso.url + "/authgw/login?next=%2Fadmin.php")


def test_the_second_time_nobody_is_asked(sso: Site, page: Page) -> None:
    """Somebody whom the provider knows already comes in by the button alone."""
    page.goto(sso.url + "/authgw/oidc/sso/login")
    at_the_provider(sso, page, "sub-alice")
    page.context.clear_cookies(name="authgw")
    page.goto(sso.url + "/authgw/login")
    page.get_by_role("button", name="Sign in with Example SSO").click()
    expect(page).to_have_url(sso.url + "/admin.php")


def test_two_tabs(sso: Site, page: Page) -> None:
    """Logins that were begun in two tabs of one browser both come to their end."""
    second = page.context.new_page()
    page.goto(sso.url + "/authgw/oidc/sso/login?next=%2Fadmin.php%3Fa%3D1")
    second.goto(sso.url + "/authgw/oidc/other/login?next=%2Fadmin.php%3Fa%3D2")
    at_the_provider(sso, page, "sub-alice")
    expect(page).to_have_url(sso.url + "/admin.php?a=1")
    at_the_provider(sso, second, "sub-bob", "other")
    expect(second).to_have_url(sso.url + "/admin.php?a=2")


def test_back_and_again(sso: Site, page: Page) -> None:
    """The answer of a provider is used up: opened again it signs nobody in, and says how to go on."""
    answers: list[str] = []
    page.on("request", lambda request: answers.append(request.url) if "/callback?" in request.url else None)
    page.goto(sso.url + "/authgw/oidc/sso/login")
    at_the_provider(sso, page, "sub-alice")
    expect(page).to_have_url(sso.url + "/admin.php")
    page.context.clear_cookies(name="authgw")
    page.goto(answers[-1])
    expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
    page.get_by_role("button", name="Try again with Example SSO").click()
    expect(page).to_have_url(sso.url + "/admin.php")


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "https://evil.example", "/authgw/logout"])
def test_a_browser_never_leaves(sso: Site, page: Page, target: str) -> None:
    """Whatever stands in `next`, the browser ends on our own origin, at the GUI."""
    page.goto(sso.url + "/authgw/oidc/sso/login?next=" + target)
    at_the_provider(sso, page, "sub-alice")
    expect(page).to_have_url(sso.url + "/admin.php")


def test_nothing_is_wrong_with_the_pages(sso: Site, looked_at: Page) -> None:
    """axe finds nothing on the login page with its buttons, on a refusal, and on the page on the way out."""
    page = looked_at
    page.goto(sso.url + "/authgw/login")
    assert axe.both_themes(page) == []
    picture(page, "login-sso")
    page.goto(sso.url + "/authgw/oidc/sso/callback?state=none")
    assert axe.both_themes(page) == []
    picture(page, "sso-refused")
    page.goto(sso.url + "/authgw/oidc/sso/login")
    at_the_provider(sso, page, "sub-carol")
    expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
    assert axe.both_themes(page) == []


def test_the_page_on_the_way_out(sso: Site, page: Page, scripts: bool) -> None:
    """It says what happens, and holds still for nobody: where it leads is a link too."""
    page.goto(sso.url + "/authgw/oidc/sso/login")
    at_the_provider(sso, page, "sub-alice")
    expect(page).to_have_url(sso.url + "/admin.php")
    page.goto(sso.url + "/authgw/logout")
    # Nothing to show: the browser stays where it is.
    page.route("**/session/end**", lambda route: route.fulfill(status=204))
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="You are signed out here")).to_be_visible()
    expect(page.get_by_role("button", name="Sign out at Example SSO")).to_be_visible()
    if scripts:
        assert axe.both_themes(page) == []
        picture(page, "sso-leaving")
