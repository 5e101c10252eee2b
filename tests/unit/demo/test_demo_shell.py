"""The GUI's page in a real browser: filtered calls and active calls by address."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from kit.gateway import SERVICE_PASSWORD
from kit.servers import need
from kit.world import lookalike

pytestmark = pytest.mark.browser
CALL_ID = "4944a73d-0f14cffc@127.0.10.18"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page of a browser that is logged in to a look-alike in the folder /demo."""
    program = need("chromium")
    with lookalike(tmp_path_factory.mktemp("shell"), base="/demo") as url, sync_playwright() as playwright:
        query = {"module": "bypass_login", "user": "authgw", "pass": SERVICE_PASSWORD}
        login = httpx2.get(f"{url}/php/model/sql.php", params=query).json()
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(base_url=url + "/")
        context.add_cookies([{"name": login["cookie_name"], "value": login["SID"], "url": url}])
        yield context.new_page()
        browser.close()


@pytest.mark.parametrize("loose", [f'{{fcallid:"{CALL_ID}"}}', f'{{"fcallid":"{CALL_ID}"}}'])
def test_a_filter_in_the_address(page: Page, loose: str) -> None:
    """cdr_filter, with or without quotes around its names, shows the calls that it leaves."""
    page.goto(f"admin.php?cdr_filter={loose}")
    expect(page.locator("#total")).to_have_text("1")
    expect(page.locator("#rows tr")).to_contain_text("call 14")


def test_active_calls(page: Page) -> None:
    """The direct link to active calls shows them without the menu, and that they are replayed."""
    page.goto("index.php?activecalls=1&hidegrid=1&hidemenu=1")
    expect(page.locator("#rows tr")).to_have_count(131)
    expect(page.locator("h1")).to_have_text("Active calls 131")
    expect(page.locator("#notice")).to_contain_text("replayed")
    for hidden in ("header", "#filter", "nav"):
        expect(page.locator(hidden)).to_be_hidden()
