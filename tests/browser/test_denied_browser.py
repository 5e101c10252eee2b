"""The page that denies something, with a real browser: on a phone, in both languages, with and without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from kit import axe
from kit.chromium import chromium, picture
from kit.world import World, world

pytestmark = pytest.mark.browser
ALICE = {"username": "alice", "password": "correct horse", "id": 101, "can_cdr": True, "enable_sensors": [2]}
SAID = {
    "en": ("This is not open to you", "download captures (PCAP) (can_pcap)", "The administrator types:"),
    "cs": ("Sem nemáte přístup", "stahovat záznamy paketů (PCAP) (can_pcap)", "Správce zadá:"),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("denied"), users=[ALICE]) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("language", ["en", "cs"])
@pytest.mark.parametrize("width", [320, 1280])
def test_what_it_says(site: World, browser: Browser, width: int, language: str, scripts: bool) -> None:
    """What is missing, the code and the operator's command for it; axe finds nothing, nothing is cut off sideways."""
    context = browser.new_context(java_script_enabled=scripts, viewport={"width": width, "height": 640})
    context.add_cookies([{"name": "authgw-language", "value": language, "url": site.url}])
    page = context.new_page()
    page.goto(site.url + "/authgw/login?next=/php/pcap.php?id=1")
    page.locator("#user").fill("alice")
    page.locator("#password").fill("correct horse")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    heading, missing, command = SAID[language]
    expect(page.get_by_role("heading")).to_have_text(heading)
    expect(page.get_by_role("definition").first).to_have_text(missing)
    code = page.locator("span.code").inner_text()
    assert re.fullmatch("[0-9a-f]{12}", code)
    expect(page.get_by_text(command)).to_contain_text(f"authgw explain --config authgw.toml --code {code}")
    if scripts:
        assert axe.both_themes(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        picture(page, f"denied-{width}-{language}")
    page.get_by_role("button").first.click()
    expect(page).to_have_url(site.url + "/authgw/account")
    context.close()
