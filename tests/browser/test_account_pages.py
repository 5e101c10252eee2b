"""The account pages with a real browser: with scripts and without, on a phone, in both themes; and a hostile script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from kit import axe
from kit.chromium import chromium, picture
from kit.world import World, world

pytestmark = pytest.mark.browser
PASSWORD, CHANGED = "correct horse", "battery staple 22"
ALICE: dict[str, Any] = {
    "username": "alice", "password": PASSWORD, "id": 101, "name": "Alice Adams", "can_cdr": True, "can_pcap": True,
    "enable_sensors": [2, 3], "number": ["+4420%", "!+442079460950"],
}  # fmt: skip
USERS = (
    ALICE,
    {"username": "admin", "password": PASSWORD, "id": 1, "is_admin": True},
    *(
        {"username": name, "password": PASSWORD, "id": 102 + at, "can_cdr": True, "password_expired": True}
        for at, name in enumerate(("gone-scripts", "gone-plain", "gone-en", "gone-cs"))
    ),
)
PAGES = ("", "/confirm", "/tokens/new", "/factors/app", "/password", "/password/changed")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("account"), users=USERS, throttle={"address_failures": 10_000}) as found:
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
    """On a phone, with and without scripts; with them the browser has nothing to complain about."""
    context = browser.new_context(java_script_enabled=scripts, viewport={"width": 320, "height": 640})
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    # A form that is sent back is answered 400 or 401, which a browser reports as well.
    assert [text for text in complaints if "400" not in text and "401" not in text] == []


def sign_in(page: Page, site: World, user: str = "alice", password: str = PASSWORD) -> None:
    page.goto(site.url + "/authgw/login?next=/authgw/account")
    page.get_by_label("Username").fill(user)
    page.get_by_label("Password").fill(password)
    enter(page)


def confirm(page: Page) -> None:
    page.locator("#password").fill(PASSWORD)
    enter(page)


def enter(page: Page) -> None:
    """Send the form, and see what comes."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_a_token_from_the_first_click_to_the_first_call(site: World, page: Page) -> None:
    """Prove it again, make a token for one right, use it, see it used, revoke it, and it is dead."""
    sign_in(page, site)
    page.get_by_role("button", name="Make a token").click()
    confirm(page)
    expect(page).to_have_url(site.url + "/authgw/account/tokens/new")
    page.get_by_label("A name that tells you what it is for").fill("night report")
    page.get_by_label("only the rights chosen below").check()
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose at least one right")
    page.get_by_label("see calls").check()
    page.get_by_role("button", name="Make the token").click()
    token = page.locator("#token").inner_text()
    assert re.fullmatch(r"agw_[0-9A-Za-z]{43}", token)
    asked = {"task": "listCdrIds", "params": '{"offset":0,"size":1}'}
    headers = {"authorization": f"Bearer {token}"}
    assert httpx2.post(site.url + "/php/api.php", data=asked, headers=headers).status_code == 200
    page.get_by_role("button", name="Back to your account").click()
    expect(page.locator("body")).not_to_contain_text(token)
    expect(page.get_by_role("region", name="Tokens for scripts")).to_contain_text("see calls")
    page.get_by_role("button", name="Revoke the token night report").click()
    expect(page.locator("body")).not_to_contain_text("night report")
    assert httpx2.post(site.url + "/php/api.php", data=asked, headers=headers).status_code == 401


def test_rights_sessions_language(site: World, page: Page) -> None:
    """One's rights are told in words, the session of a script can be ended, and the language chosen stays."""
    sid = httpx2.get(
        site.url + "/php/model/sql.php", params={"module": "bypass_login", "user": "alice", "pass": PASSWORD}
    ).json()["SID"]
    sign_in(page, site)
    expect(page.get_by_text("You are signed in as alice (Alice Adams).", exact=True)).to_be_visible()
    rights = page.get_by_role("region", name="What you may do")
    expect(rights).to_contain_text("numbers +4420%, but never +442079460950")
    expect(rights).to_contain_text("calls from sensors")
    expect(rights).to_contain_text("download captures (PCAP)")
    sessions = page.get_by_role("region", name="Where you are signed in")
    expect(sessions).to_contain_text("Chrome on Linux")
    expect(sessions).to_contain_text("this one")
    page.get_by_role("button", name="End all other sessions").click()
    expect(sessions.get_by_role("listitem")).to_have_count(1)
    gone = httpx2.get(site.url + "/php/pcap.php?id=1", headers={"cookie": f"PHPSESSID={sid}"})
    assert gone.status_code == 401
    page.get_by_label("Language", exact=True).select_option("cs")
    page.get_by_label("Theme", exact=True).select_option("dark")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Váš účet")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("link", name="Odhlásit se").click()
    expect(page.get_by_role("heading", name="Odhlášení")).to_be_visible()


def test_an_expired_password(site: World, page: Page, scripts: bool) -> None:
    """Who signs in with a password that has expired chooses a new one and goes on, by keyboard alone."""
    sign_in(page, site, "gone-scripts" if scripts else "gone-plain")
    expect(page.get_by_role("alert")).to_contain_text("Choose a new one to sign in.")
    expect(page.get_by_label("Current password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    for _ in range(2):
        page.keyboard.press("Tab")
        page.keyboard.type(CHANGED)
    page.keyboard.press("Enter")
    expect(page).to_have_url(site.url + "/authgw/account")


@pytest.mark.parametrize("language", ["en", "cs"])
@pytest.mark.parametrize("width", [320, 1280])
def test_they_can_be_read(site: World, browser: Browser, width: int, language: str) -> None:
    """axe finds nothing on any page in either theme, nothing is cut off sideways; pictures are kept."""
    context = browser.new_context(viewport={"width": width, "height": 700}, locale="en")
    context.add_cookies([{"name": "authgw-language", "value": language, "url": site.url}])
    page = context.new_page()
    page.goto(site.url + "/authgw/login?next=/authgw/account/confirm")
    page.locator("#user").fill("alice")
    confirm(page)
    confirm(page)
    page.goto(site.url + "/authgw/account/tokens/new")
    page.locator("#name").fill(f"picture {width} {language}")
    enter(page)
    shown = [("token", None), *((path.strip("/").replace("/", "-") or "account", path) for path in PAGES)]
    for name, path in shown:
        if path is not None:
            page.goto(f"{site.url}/authgw/account{path}")
        assert axe.both_themes(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        picture(page, f"account-{name}-{width}-{language}")
    context.close()


@pytest.mark.parametrize("language", ["en", "cs"])
def test_the_expired_page_can_be_read(site: World, browser: Browser, language: str) -> None:
    """The form for who signs in with an expired password, and what it says of passwords that differ; Caps Lock is told
    of beside the field that has the focus."""
    context = browser.new_context(viewport={"width": 320, "height": 640})
    context.add_cookies([{"name": "authgw-language", "value": language, "url": site.url}])
    page = context.new_page()
    page.goto(site.url + "/authgw/login")
    page.locator("#user").fill(f"gone-{language}")
    confirm(page)
    for name, typed in (("expired", ""), ("expired-differ", CHANGED)):
        if typed:
            for field, value in (("#password", PASSWORD), ("#new", typed), ("#again", PASSWORD)):
                page.locator(field).fill(value)
            enter(page)
        page.locator("#new").focus()
        page.evaluate(PRESSED)
        expect(page.get_by_role("status").filter(has_text="Caps Lock")).to_have_count(1)
        assert axe.both_themes(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        picture(page, f"password-{name}-320-{language}")
    context.close()


PRESSED = """() => document.activeElement.dispatchEvent(
  new KeyboardEvent("keydown", {key: "a", bubbles: true, modifierCapsLock: true}))"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_chosen_theme_wins(site: World, browser: Browser, theme: str) -> None:
    """The theme that was chosen is shown whatever the system prefers, and axe finds nothing in it."""
    other: Any = "light" if theme == "dark" else "dark"
    context = browser.new_context(color_scheme=other, reduced_motion="reduce")
    context.add_cookies([{"name": "authgw-theme", "value": theme, "url": site.url}])
    page = context.new_page()
    sign_in(page, site, "alice", "wrong")
    assert axe.findings(page) == []
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    light = sum(map(int, re.findall(r"\d+", ground)[:3])) > 3 * 127
    assert light is (theme == "light")
    context.close()


SCRIPT = """async ([url]) => {
  const told = [];
  const say = async (name, act) => {
    try { told.push(name + ": " + await act()); } catch (error) { told.push(name + ": " + error.name); }
  };
  const read = async (reply) => (await reply).text().then(text => /name="form"/.test(text) ? "READ" : "nothing");
  await say("fetch", () => read(fetch(url)));
  await say("navigate", () => read(fetch(url, {mode: "same-origin", headers: {"Sec-Fetch-Dest": "document"}})));
  await say("xhr", () => new Promise((done) => {
    const xhr = new XMLHttpRequest();
    xhr.open("GET", url); xhr.onload = () => done(/name="form"/.test(xhr.responseText) ? "READ" : "nothing");
    xhr.onerror = () => done("nothing"); xhr.send();
  }));
  await say("frame", () => new Promise((done) => {
    const frame = document.createElement("iframe");
    frame.onload = () => {
      let html = ""; try { html = frame.contentDocument.documentElement.innerHTML; } catch (error) {}
      done(/name="form"/.test(html) ? "READ" : "nothing");
    };
    frame.src = url; document.body.append(frame);
  }));
  await say("window", async () => {
    const opened = window.open(url);
    for (let n = 0; n < 20; n++) {
      await new Promise(next => setTimeout(next, 100));
      let html = ""; try { html = opened.document.documentElement.innerHTML; } catch (error) {}
      if (/name="form"/.test(html)) return "READ";
    }
    return "nothing";
  });
  return told;
}"""


def test_a_script_that_slipped_into_the_gui(site: World, browser: Browser) -> None:
    """A script on a page of the GUI, while a proof is fresh, reads no form by fetch, frame or window; what it sends
    blindly makes no token."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(site.url + "/authgw/login?next=/authgw/account/confirm")
    page.get_by_label("Username").fill("admin")
    confirm(page)
    confirm(page)
    page.goto(site.url + "/admin.php")
    expect(page).to_have_url(site.url + "/admin.php")
    # The GUI's page with its content security policy out of the way, as a script that is in it already has it.
    told = page.evaluate(SCRIPT, [site.url + "/authgw/account/tokens/new"])
    assert len(told) == 5
    assert not [line for line in told if "READ" in line]
    page.evaluate(
        """url => { const form = document.createElement("form"); form.method = "post"; form.action = url;
        for (const [name, value] of Object.entries({name: "stolen", kind: "full", days: "9", form: "1.x"})) {
          const field = document.createElement("input"); field.name = name; field.value = value; form.append(field); }
        document.body.append(form); form.submit(); }""",
        site.url + "/authgw/account/tokens/new",
    )
    expect(page.get_by_role("heading", name="Nothing was changed")).to_be_visible()
    page.goto(site.url + "/authgw/account")
    expect(page.locator("body")).not_to_contain_text("stolen")
    context.close()
