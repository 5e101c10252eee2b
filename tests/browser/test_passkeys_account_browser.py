"""Passkeys on the account page in a real browser, with the virtual authenticator of the Chrome DevTools Protocol."""

from __future__ import annotations

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
PASSWORD = "correct horse"
USERS: tuple[dict[str, Any], ...] = tuple(
    {"username": name, "password": PASSWORD, "id": 500 + at, "is_admin": True}
    for at, name in enumerate(("alice", "bob", "carol", "dan"))
)
ACCOUNT = "/authgw/account"
PASSKEY = ACCOUNT + "/factors/passkey"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Under a host with a name, which passkeys need."""
    port = free_port()
    where = {"public_url": f"http://localhost:{port}"}
    with world(tmp_path_factory.mktemp("passkeys"), users=USERS, port=port, gateway=where) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def page_of(browser: Browser, site: World, *, scripts: bool = True, **more: Any) -> Page:
    return browser.new_context(
        viewport={"width": 320, "height": 640},
        java_script_enabled=scripts,
        base_url=f"http://localhost:{site.gateway.port}",
        **more,
    ).new_page()


def sign_in(page: Page, user: str) -> None:
    page.goto(f"/authgw/login?next={ACCOUNT}")
    page.locator("#user").fill(user)
    page.locator("#password").fill(PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def to_the_form(page: Page) -> None:
    """From the account page, over the password once more, to where a passkey is added."""
    page.get_by_role("button", name="Add a passkey").click()
    page.locator("#password").fill(PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page).to_have_url(f"{page.url.partition('/authgw')[0]}{PASSKEY}")


def looks_well(page: Page, name: str) -> None:
    """axe finds nothing in either theme, and nothing is cut off sideways."""
    assert axe.both_themes(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    picture(page, name)


def test_added_by_keyboard_and_proved(site: World, browser: Browser) -> None:
    """Two passkeys are added under names of one's own, the second after a proof by the first; nothing is complained
    of on the way, and every page can be read."""
    page = page_of(browser, site)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    device = Device(page)
    sign_in(page, "alice")
    to_the_form(page)
    looks_well(page, "account-passkey-320-en")
    page.get_by_label("A name that tells you which one it is").fill("Laptop")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    [credential] = device.credentials()
    assert credential["rpId"] == "localhost"
    page.goto(f"{ACCOUNT}/confirm?next={PASSKEY}")
    looks_well(page, "account-confirm-passkey-320-en")
    page.get_by_role("button", name="Use a passkey").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("A name that tells you which one it is")).to_have_value("Passkey")
    device.change()
    page.get_by_label("A name that tells you which one it is").fill("Key on my ring")
    page.get_by_role("button", name="Create a passkey").click()
    factors = page.get_by_role("region", name="Second factor")
    expect(factors.get_by_role("listitem")).to_have_count(2)
    expect(factors).to_contain_text("Laptop")
    expect(factors).to_contain_text("Key on my ring")
    assert len(device.credentials()) == 1
    page.get_by_role("button", name="Remove: Laptop").click()
    expect(factors.get_by_role("listitem")).to_have_count(1)
    assert complaints == []
    page.context.close()


def test_a_proof_by_passkey_alone(site: World, browser: Browser) -> None:
    """In a session that has proved nothing the passkey opens what the password would; refused, one is told and the
    other ways are there."""
    page = page_of(browser, site)
    device = Device(page)
    sign_in(page, "bob")
    to_the_form(page)
    page.get_by_role("button", name="Create a passkey").click()
    page.get_by_role("button", name="Back to your account").click()
    page.context.clear_cookies()
    sign_in(page, "bob")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"**{ACCOUNT}")
    page.get_by_role("button", name="Make a token").click()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Make a token")).to_be_visible()
    device.rewind()
    page.goto(f"{ACCOUNT}/confirm")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("This passkey was not accepted.")
    looks_well(page, "account-confirm-refused-320-en")
    device.refuse()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.locator("[data-trouble]")).to_contain_text("The passkey was not used.")
    expect(page.get_by_role("button", name="Use a passkey")).to_be_enabled()
    expect(page.locator("#password")).to_be_visible()
    page.context.close()


def test_without_scripts_and_in_czech(site: World, browser: Browser) -> None:
    """Where no script runs no button pretends to work, and the page says what is needed; in Czech too."""
    page = page_of(browser, site, scripts=False)
    sign_in(page, "carol")
    to_the_form(page)
    expect(page.get_by_role("button", name="Create a passkey")).to_have_count(0)
    expect(page.get_by_text("Passkeys need JavaScript in this browser.")).to_be_visible()
    page.context.close()
    page = page_of(browser, site)
    Device(page)
    sign_in(page, "carol")
    to_the_form(page)
    page.context.add_cookies([{"name": "authgw-language", "value": "cs", "url": page.url}])
    page.goto(PASSKEY)
    expect(page.get_by_role("heading", name="Přidat přístupový klíč")).to_be_visible()
    looks_well(page, "account-passkey-320-cs")
    page.context.close()


def test_no_other_script_of_this_origin(site: World, browser: Browser) -> None:
    """On the page that may run passkey.js, a script of the GUI, which is of the same origin, does not run."""
    page = page_of(browser, site)
    sign_in(page, "dan")
    to_the_form(page)
    told = page.evaluate(
        """() => new Promise((done) => {
          document.addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective));
          const script = document.createElement("script");
          script.onload = () => done("RAN"); script.src = "/js/gui.js"; document.head.append(script);
        })"""
    )
    assert told == "script-src-elem"
    page.context.close()
