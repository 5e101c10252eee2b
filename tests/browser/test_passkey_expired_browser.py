"""An expired password changed with a passkey in a real browser, and what the page says where no script runs."""

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
OLD, NEW = "correct horse", "battery staple 22"
USERS: tuple[dict[str, Any], ...] = tuple(
    {"username": name, "password": OLD, "id": 600 + at, "is_admin": True, "req_2fa": True}
    for at, name in enumerate(("alice", "bob"))
)
CODE = "Code from your authenticator app, or a recovery code"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Under a host with a name, which passkeys need."""
    port = free_port()
    where = {"public_url": f"http://localhost:{port}"}
    with world(tmp_path_factory.mktemp("expired"), users=USERS, port=port, gateway=where) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def page_of(browser: Browser, site: World, *, scripts: bool = True) -> Page:
    return browser.new_context(
        viewport={"width": 320, "height": 640},
        java_script_enabled=scripts,
        base_url=f"http://localhost:{site.gateway.port}",
    ).new_page()


def sign_in(page: Page, user: str) -> None:
    page.goto("/authgw/login")
    page.locator("#user").fill(user)
    page.locator("#password").fill(OLD)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def enrolled(page: Page, site: World, user: str) -> Device:
    """A passkey is made at the first login; then the password expires."""
    device = Device(page)
    sign_in(page, user)
    page.get_by_role("button", name="Create a passkey").click()
    page.get_by_role("button", name="I have saved them, continue").click()
    expect(page).to_have_url(re.compile("/admin.php$"))
    file = site.gateway.folder / "users.toml"
    file.write_text(file.read_text().replace(f'username = "{user}"', f'username = "{user}"\npassword_expired = true'))
    page.goto("about:blank")  # nothing of the page that was open is asked for without its cookies
    page.context.clear_cookies()
    return device


def fill(page: Page) -> None:
    page.get_by_label("Current password").fill(OLD)
    page.get_by_label("New password", exact=True).fill(NEW)
    page.get_by_label("New password again").fill(NEW)


def test_changed_with_a_passkey(site: World, browser: Browser) -> None:
    """The code is left empty, the device is asked instead, and the login goes on; nothing is complained of."""
    page = page_of(browser, site)
    device = enrolled(page, site, "alice")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    sign_in(page, "alice")
    expect(page.get_by_text("Leave this empty to use your passkey")).to_be_visible()
    assert axe.both_themes(page) == []
    picture(page, "password-expired-passkey-320-en")
    fill(page)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/authgw/login/code$"))
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(re.compile("/admin.php$"))
    assert complaints == []
    assert len(device.credentials()) == 1


def test_where_no_device_answers(site: World, browser: Browser) -> None:
    """The page says that the passkey was not used and keeps what was typed; a wrong code is sent without asking the
    device. Without scripts the code is all there is, and the page says why."""
    page = page_of(browser, site)
    device = enrolled(page, site, "bob")
    device.refuse()
    sign_in(page, "bob")
    fill(page)
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("The passkey was not used.")).to_be_visible()
    expect(page.get_by_label("New password again")).to_have_value(NEW)
    page.get_by_label(CODE).fill("aaaaa-aaaaa")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("alert").first).to_contain_text("recovery code")
    plain = page_of(browser, site, scripts=False)
    sign_in(plain, "bob")
    expect(plain.get_by_label(CODE)).to_be_visible()
    expect(plain.get_by_text("Passkeys need JavaScript")).to_be_visible()
    expect(plain.get_by_text("Leave this empty")).to_be_hidden()
    page.context.close()
    plain.context.close()
