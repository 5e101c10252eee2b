"""Passkeys in a real browser, with the virtual authenticator of the Chrome DevTools Protocol."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from kit import axe
from kit.chromium import chromium, picture
from kit.device import Device
from kit.servers import free_port
from kit.world import World, world

pytestmark = pytest.mark.browser
USERS: tuple[dict[str, Any], ...] = tuple(
    {"username": name, "password": "right", "id": 400 + at, "can_cdr": True, "is_admin": True, "req_2fa": True}
    for at, name in enumerate(("alice", "bob", "carol"))
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Under a host with a name, which passkeys need."""
    port = free_port()
    where = {"public_url": f"http://localhost:{port}"}
    with world(tmp_path_factory.mktemp("passkey"), users=USERS, port=port, gateway=where) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def page_of(browser: Browser, *, scripts: bool = True) -> Page:
    return browser.new_context(viewport={"width": 320, "height": 640}, java_script_enabled=scripts).new_page()


def sign_in(page: Page, site: World, user: str) -> None:
    page.goto(f"http://localhost:{site.gateway.port}/authgw/login")
    expect(page.locator("#user")).to_be_focused()
    page.keyboard.type(user)
    page.keyboard.press("Tab")
    page.keyboard.type("right")
    page.keyboard.press("Enter")
    expect(page).not_to_have_url(re.compile(r"/authgw/login$"))


def enrol(page: Page) -> None:
    button = page.get_by_role("button", name="Create a passkey")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    page.get_by_role("button", name="I have saved them, continue").click()
    expect(page).to_have_url(re.compile("/admin.php$"))


def test_made_proved_and_copied(site: World, browser: Browser) -> None:
    """A passkey is made at the first login and proves the second one; a copy whose count is behind is refused."""
    page = page_of(browser)
    device = Device(page)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    sign_in(page, site, "alice")
    assert axe.both_themes(page) == []
    picture(page, "passkey-enrol")
    enrol(page)
    [credential] = device.credentials()
    assert credential["rpId"] == "localhost"
    page.context.clear_cookies()
    sign_in(page, site, "alice")
    assert axe.both_themes(page) == []
    picture(page, "passkey-code")
    expect(page.get_by_label("Code from your authenticator app")).to_have_count(0)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(re.compile("/admin.php$"))
    assert complaints == []
    device.rewind()
    page.context.clear_cookies()
    sign_in(page, site, "alice")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("This passkey was not accepted.")
    page.context.close()


def test_a_device_that_does_not_answer(site: World, browser: Browser) -> None:
    """Where no device has the passkey the page says so and stays; the other ways are still there."""
    page = page_of(browser)
    device = Device(page)
    sign_in(page, site, "bob")
    enrol(page)
    device.refuse()
    page.context.clear_cookies()
    sign_in(page, site, "bob")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("The passkey was not used.")
    expect(page.get_by_role("button", name="Use a passkey")).to_be_enabled()
    assert axe.both_themes(page) == []
    picture(page, "passkey-trouble")
    expect(page.get_by_text("Use a recovery code instead")).to_be_visible()
    page.context.close()


def test_without_scripts(site: World, browser: Browser) -> None:
    """Where no script runs no button pretends to work; the app can be enrolled as ever."""
    page = page_of(browser, scripts=False)
    sign_in(page, site, "carol")
    expect(page.get_by_role("button", name="Create a passkey")).to_have_count(0)
    expect(page.get_by_text("Passkeys need JavaScript")).to_be_visible()
    expect(page.get_by_label("The code that the app shows now")).to_be_visible()
    page.context.close()
