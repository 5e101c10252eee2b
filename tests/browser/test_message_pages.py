"""The pages that say one thing when something is wrong, with a real browser: in both languages, with and without
scripts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from kit import axe
from kit.chromium import chromium, picture
from kit.gateway import Gateway, gateway
from kit.servers import free_port

pytestmark = pytest.mark.browser
ALICE = {"username": "alice", "password": "correct horse", "id": 101, "is_admin": True}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose GUI is down."""
    with gateway(tmp_path_factory.mktemp("messages"), f"http://127.0.0.1:{free_port()}", users=[ALICE]) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(params=[(True, "en"), (True, "cs"), (False, "en"), (False, "cs")], ids=lambda one: f"{one[1]}-{one[0]}")
def page(request: pytest.FixtureRequest, site: Gateway, browser: Browser) -> Iterator[Page]:
    scripts, language = request.param
    context = browser.new_context(java_script_enabled=scripts, viewport={"width": 320, "height": 640})
    context.add_cookies([{"name": "authgw-language", "value": language, "url": site.url}])
    yield context.new_page()
    context.close()


def sign_in(page: Page, site: Gateway) -> None:
    page.goto(site.url + "/authgw/login")
    page.locator("#user").fill("alice")
    page.locator("#password").fill("correct horse")
    with page.expect_navigation():
        page.keyboard.press("Enter")


@pytest.mark.parametrize(
    ("name", "path", "known", "says"),
    [
        ("trouble", "/admin.php", True, ("This does not work right now", "Teď to nefunguje")),
        ("request", "/authgw/login?user[]=x", False, ("The request cannot be read", "Nesrozumitelný požadavek")),
        ("missing", "/authgw/static/none.css", False, ("Not found", "Nenalezeno")),
    ],
)
def test_what_they_say(
    site: Gateway, page: Page, request: pytest.FixtureRequest, name: str, path: str, known: bool, says: tuple[str, str]
) -> None:
    """Heading and sentence in the reader's language; axe finds nothing in either theme, nothing is cut off sideways."""
    scripts, language = request.node.callspec.params["page"]
    if known:
        sign_in(page, site)
    page.goto(site.url + path)
    expect(page.get_by_role("heading")).to_have_text(says[language == "cs"])
    if scripts:
        assert axe.both_themes(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        picture(page, f"message-{name}-{language}")


def test_a_session_that_is_over(site: Gateway, page: Page, request: pytest.FixtureRequest) -> None:
    """A form of the GUI that is sent after the session's end says to sign in, and the way there is a link."""
    scripts, language = request.node.callspec.params["page"]
    page.set_content(f'<form method="post" action="{site.url}/admin.php"><button>go</button></form>')
    with page.expect_navigation():
        page.get_by_role("button").click()
    expect(page.get_by_role("heading")).to_have_text(("Please sign in", "Přihlaste se prosím")[language == "cs"])
    if scripts:
        assert axe.both_themes(page) == []
        picture(page, f"message-session-{language}")
    page.get_by_role("button").first.click()
    expect(page.locator("#user")).to_be_focused()
