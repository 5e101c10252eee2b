"""Signing in with a real browser: with the keyboard alone, on a phone, in the dark, with and without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from kit import axe
from kit.chromium import chromium, picture
from kit.world import World, world

pytestmark = pytest.mark.browser
USERS: tuple[dict[str, Any], ...] = (
    {"username": "alice", "password": "correct horse", "id": 101, "can_cdr": True, "is_admin": True},
    {"username": "bob", "password": "correct horse", "id": 102, "blocked": True, "blocked_reason": "left"},
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("browser"), users=USERS, throttle={"address_failures": 10_000}) as found:
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


def sign_in(page: Page, user: str, password: str) -> None:
    """What hands on a keyboard do: the name's field has the focus when the page opens."""
    expect(page.locator("#user")).to_be_focused()
    page.keyboard.type(user)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")


def test_in_and_out_with_the_keyboard(site: World, page: Page) -> None:
    """From a page of the GUI to the login, back to that page, and out again, without touching the mouse."""
    page.goto(site.url + "/admin.php")
    expect(page).to_have_url(site.url + "/authgw/login?next=%2Fadmin.php")
    sign_in(page, "alice", "correct horse")
    expect(page).to_have_url(site.url + "/admin.php")
    page.goto(site.url + "/authgw/logout")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(site.url + "/authgw/logged-out")
    page.goto(site.url + "/admin.php")
    expect(page).to_have_url(site.url + "/authgw/login?next=%2Fadmin.php")


def test_a_wrong_password_and_then_the_right_one(site: World, page: Page) -> None:
    """The alert is announced, the name is kept, the focus waits in the password's field, and trying again works."""
    page.goto(site.url + "/authgw/login")
    sign_in(page, "alice", "wrong")
    expect(page.get_by_role("alert")).to_contain_text("Invalid username or password.")
    expect(page.get_by_label("Username")).to_have_value("alice")
    expect(page.get_by_label("Password")).to_be_focused()
    expect(page.get_by_label("Password")).to_have_value("")
    page.keyboard.type("correct horse")
    page.keyboard.press("Enter")
    expect(page).to_have_url(site.url + "/admin.php")


# A key as it comes with Caps Lock on; no keyboard is there to press it on.
PRESSED = """([selector, on]) => document.querySelector(selector).dispatchEvent(
  new KeyboardEvent("keydown", {key: "a", bubbles: true, modifierCapsLock: on}))"""


def test_caps_lock(site: World, browser: Browser) -> None:
    """Caps Lock is told of beside the password, where readers hear of it, in both languages; not beside the name."""
    context = browser.new_context(viewport={"width": 320, "height": 640})
    page = context.new_page()
    page.goto(site.url + "/authgw/login")
    hint = page.get_by_role("status")
    page.evaluate(PRESSED, ["#user", True])
    expect(hint).to_have_text("")
    page.locator("#password").focus()
    expect(hint).to_have_text("Caps Lock is on.")
    assert axe.both_themes(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    picture(page, "login-caps")
    page.evaluate(PRESSED, ["#password", False])
    expect(hint).to_have_text("")
    context.add_cookies([{"name": "authgw-language", "value": "cs", "url": site.url}])
    page.reload()
    page.locator("#password").focus()
    page.evaluate(PRESSED, ["#password", True])
    expect(hint).to_have_text("Je zapnutý Caps Lock.")
    context.close()


def test_no_other_script_of_this_origin(site: World, browser: Browser) -> None:
    """On the page that may run capslock.js, a script of the GUI, which is of the same origin, does not run."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(site.url + "/authgw/login")
    told = page.evaluate(
        """() => new Promise((done) => {
          document.addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective));
          const script = document.createElement("script");
          script.onload = () => done("RAN"); script.src = "/js/gui.js"; document.head.append(script);
        })"""
    )
    assert told == "script-src-elem"
    context.close()


def test_the_reason_of_a_block(site: World, page: Page) -> None:
    """Whoever is blocked reads why, after the right password."""
    page.goto(site.url + "/authgw/login")
    sign_in(page, "bob", "correct horse")
    expect(page.get_by_role("alert")).to_contain_text("Reason given: left")


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "https://evil.example", "/%09/evil.example"])
def test_a_browser_never_leaves(site: World, page: Page, target: str) -> None:
    """Whatever stands in `next`, the browser ends on our own origin."""
    page.goto(site.url + "/authgw/login?next=" + target)
    sign_in(page, "alice", "correct horse")
    expect(page).to_have_url(site.url + "/admin.php")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_it_can_be_read(site: World, browser: Browser, scheme: Any, width: int) -> None:
    """In both themes, on a phone and on a desk, nothing is cut off sideways, and text stands out from its ground."""
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 700})
    page = context.new_page()
    failed: list[str] = []
    page.on("console", lambda message: failed.append(message.text) if message.type == "error" else None)
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.goto(site.url + "/authgw/login")
    sign_in(page, "nobody", "wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for selector in ("h1", "label", ".alert p", "button", ".product", "input"):
        assert page.evaluate(CONTRAST, selector) >= 4.5, selector
    # The one error the browser reports is the answer itself: 401.
    assert [text for text in failed if "401" not in text] == []
    context.close()


def test_axe_finds_nothing(site: World, browser: Browser) -> None:
    """Signing in, with an alert and without, and signing out: nothing that axe-core knows is wrong in either theme."""
    context = browser.new_context(viewport={"width": 320, "height": 640})
    page = context.new_page()
    page.goto(site.url + "/authgw/login")
    assert axe.both_themes(page) == []
    sign_in(page, "alice", "wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    assert axe.both_themes(page) == []
    picture(page, "login-wrong")
    page.keyboard.type("correct horse")
    page.keyboard.press("Enter")
    expect(page).to_have_url(site.url + "/admin.php")
    for path in ("/authgw/logout", "/authgw/logged-out"):
        page.goto(site.url + path)
        assert axe.both_themes(page) == [], path
    context.close()


def test_the_focus_can_be_seen(site: World, page: Page) -> None:
    """Every stop of the Tab key has a visible outline."""
    page.goto(site.url + "/authgw/login")
    for role, name in (("textbox", "Username"), ("textbox", "Password"), ("button", "Sign in")):
        stop = page.get_by_role(role, name=name)  # type: ignore[arg-type]
        expect(stop).to_be_focused()
        expect(stop).not_to_have_css("outline-style", "none")
        page.keyboard.press("Tab")


# Contrast of an element's text against the first ground behind it that is not transparent (WCAG 2.2, 1.4.3).
CONTRAST = """selector => {
  const element = document.querySelector(selector);
  const parse = text => text.match(/[0-9.]+/g).map(Number);
  const light = rgb => rgb.slice(0, 3).map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  let ground = element, colour = [0, 0, 0, 0];
  while (ground && (colour.length === 4 && colour[3] === 0)) {
    colour = parse(getComputedStyle(ground).backgroundColor);
    ground = ground.parentElement;
  }
  if (colour.length === 4 && colour[3] === 0) {
    colour = parse(getComputedStyle(document.documentElement).backgroundColor);
  }
  const one = light(parse(getComputedStyle(element).color)), other = light(colour);
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}"""
