"""The second factor in a real browser: enrolling, coming back with a code or a recovery code.

On a phone, in the dark, with the keyboard alone, with and without scripts.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from kit import axe
from kit.chromium import chromium, picture
from kit.codes import code_at
from kit.world import World, world

pytestmark = pytest.mark.browser
GIVEN = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NAMES = ("scripts", "plain", "axe-light", "narrow", "czech")
USERS: tuple[dict[str, Any], ...] = (
    *(
        {"username": name, "password": "right", "id": 200 + at, "can_cdr": True, "is_admin": True, "req_2fa": True}
        for at, name in enumerate(NAMES)
    ),
    *(
        {"username": name, "password": "right", "id": 300 + at, "can_cdr": True, "is_admin": True, "secret": GIVEN}
        for at, name in enumerate(("given-scripts", "given-plain"))
    ),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    throttle = {"address_failures": 10_000, "user_failures": 50, "max_bad_login_attempt": 100}
    with world(tmp_path_factory.mktemp("factor"), users=USERS, throttle=throttle) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def context(browser: Browser, *, scripts: bool = True, language: str = "en", width: int = 320) -> BrowserContext:
    return browser.new_context(
        java_script_enabled=scripts, viewport={"width": width, "height": 640}, locale=language, accept_downloads=True
    )


def sign_in(page: Page, site: World, user: str) -> None:
    """Name and password from the keyboard; the browser is on the next step's page then."""
    page.goto(site.url + "/authgw/login")
    expect(page.locator("#user")).to_be_focused()
    page.keyboard.type(user)
    page.keyboard.press("Tab")
    page.keyboard.type("right")
    page.keyboard.press("Enter")
    expect(page).not_to_have_url(re.compile(r"/authgw/login$"))


def key_on(page: Page) -> str:
    """The key as a person copies it from the page."""
    return str(page.locator(".code").inner_text()).replace(" ", "")


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the focus is on what has this name; AssertionError where the keyboard does not get there."""
    for _ in range(20):
        if page.evaluate(FOCUSED) == [name, True]:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {name!r}")


# The name of what has the focus, and whether that can be seen.
FOCUSED = """() => {
  const here = document.activeElement;
  const name = here.labels && here.labels.length ? here.labels[0].textContent : here.textContent;
  return [name.trim(), getComputedStyle(here).outlineStyle !== "none"];
}"""


@pytest.mark.parametrize("user", ["scripts", "plain"])
def test_a_whole_life_with_the_keyboard(site: World, browser: Browser, user: str) -> None:
    """Enrol, keep the codes, come back with a recovery code: no mouse, and the same without scripts."""
    opened = context(browser, scripts=user == "scripts")
    page = opened.new_page()
    sign_in(page, site, user)
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("QR code"))).to_be_visible()
    assert (page.get_by_text("open in the app").get_attribute("href") or "").startswith("otpauth://totp/")
    secret = key_on(page)
    tab_to(page, "The code that the app shows now")
    page.keyboard.type("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This code is not right.")
    assert key_on(page) == secret
    expect(page.get_by_label("The code that the app shows now")).to_be_focused()
    page.keyboard.type(code_at(secret, time.time()))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    codes = page.locator("ol.codes li").all_inner_texts()
    assert len(codes) == 10
    with page.expect_download() as saved:
        page.get_by_text("Download as a text file").click()
    assert all(code in saved.value.path().read_text() for code in codes)
    tab_to(page, "I have saved them, continue")
    page.keyboard.press("Enter")
    expect(page).to_have_url(site.url + "/admin.php")
    opened.clear_cookies()
    sign_in(page, site, user)
    expect(page.get_by_label("Code from your authenticator app")).to_be_focused()
    tab_to(page, "Use a recovery code instead")
    page.keyboard.press("Enter")
    expect(page.get_by_label("One of your recovery codes")).to_be_focused()
    page.keyboard.type(codes[3].upper())
    page.keyboard.press("Enter")
    expect(page.get_by_text("Recovery codes left: 9.")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_url(site.url + "/admin.php")
    opened.close()


@pytest.mark.parametrize("user", ["given-scripts", "given-plain"])
def test_a_code_of_the_dictionarys_secret(site: World, browser: Browser, user: str) -> None:
    """Nothing to enrol: the code of the secret that the dictionary has opens the way, once, without scripts too."""
    opened = context(browser, scripts=user == "given-scripts")
    page = opened.new_page()
    code = code_at(GIVEN, time.time())
    sign_in(page, site, user)
    expect(page.get_by_text("Use a recovery code instead")).not_to_be_visible()
    page.keyboard.type(f"{code[:3]} {code[3:]}")
    page.keyboard.press("Enter")
    expect(page).to_have_url(site.url + "/admin.php")
    opened.clear_cookies()
    sign_in(page, site, user)
    page.keyboard.type(code)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This code was used already.")
    page.keyboard.type(code_at(GIVEN, time.time() + 150))
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("the clock of your device is wrong")
    opened.close()


@pytest.mark.parametrize(("user", "language"), [("axe-light", "en"), ("czech", "cs")])
def test_every_page_can_be_read(site: World, browser: Browser, user: str, language: str) -> None:
    """Each page of the way, in both languages and themes, 320 px wide: axe finds nothing, nothing is cut off, and the
    browser has nothing to complain about; a picture of each is kept."""
    opened = context(browser, language=language)
    page = opened.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)

    def look(name: str) -> None:
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, name
        assert axe.both_themes(page) == [], name
        assert page.evaluate("document.documentElement.lang") == language
        picture(page, f"factor-{name}-{language}")

    sign_in(page, site, user)
    look("enrol")
    secret = key_on(page)
    for typed in ("000000", code_at(secret, time.time())):
        page.locator("#code").fill(typed)
        page.keyboard.press("Enter")
        expect(page.locator(".alert" if typed == "000000" else "ol.codes")).to_be_visible()
        look("enrol-wrong" if typed == "000000" else "codes")
    codes = page.locator("ol.codes li").all_inner_texts()
    page.locator("button").click()
    expect(page).to_have_url(site.url + "/admin.php")
    opened.clear_cookies()
    sign_in(page, site, user)
    look("code")
    page.locator("#code").fill("000000")
    page.keyboard.press("Enter")
    expect(page.locator(".alert")).to_be_visible()
    look("code-wrong")
    page.goto(site.url + "/authgw/login/recovery")
    look("recovery")
    page.locator("#code").fill(codes[0])
    page.keyboard.press("Enter")
    expect(page).to_have_url(site.url + "/authgw/login/left")
    look("left")
    opened.clear_cookies()
    sign_in(page, site, user)
    for left in range(4, -1, -1):
        page.locator("#code").fill("000000")
        page.keyboard.press("Enter")
        if left:
            expect(page.locator("#code")).to_have_value("")
    expect(page.locator("#code")).to_have_count(0)
    look("over")
    assert [line for line in complaints if "401" not in line] == []
    opened.close()
