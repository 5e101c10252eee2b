"""Templates, refusal pages and files."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

import jinja2
import pytest

import authgw.ui
from authgw.reasons import Reason
from authgw.ui import assets, page
from authgw.ui.texts import Texts, reader

ROOM = Path(authgw.ui.__file__).parent
HOSTILE = '"><svg onload=alert(1)>'


def test_vendored_files_are_what_they_were() -> None:
    """Each file that others wrote has the hash that is recorded for it, and none is there unrecorded."""
    folder = ROOM / "static" / "vendor"
    locked = {each["name"]: each for each in tomllib.loads((folder / "vendor.lock").read_text())["file"]}
    assert {path.name for path in folder.iterdir()} == {*locked, "vendor.lock"}
    for name, each in locked.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == each["sha256"]
        assert re.fullmatch(r"\d+\.\d+\.\d+", each["version"])


def test_addresses_change_with_the_content() -> None:
    """A file's address holds a piece of its hash, so that an old copy is never shown after an update."""
    for name, asset in assets.all_assets().items():
        digest = hashlib.sha256((ROOM / "static" / name).read_bytes()).hexdigest()
        assert asset.address == f"/authgw/static/{name}?v={digest[:16]}"


def test_a_forgotten_value_is_an_error() -> None:
    """A page that lacks a value is not shown half empty."""
    with pytest.raises(jinja2.UndefinedError):
        page.render("message.html", Texts("en"), heading="x")


def test_no_language_no_matter() -> None:
    """A language we do not speak is English."""
    assert b'<html lang="en"' in page.render("logged_out.html", Texts("tlh"))


@pytest.mark.parametrize("language", ["", "cs"])
def test_a_missing_right(language: str) -> None:
    """A denial names the missing right in words and as spelt, whom to ask, the support code, and a way to sign out."""
    answer = page.refusal_page(403, Reason.MISSING_FLAG, "no grant has can_pcap", "abc123", Texts(language))
    text = answer.body.decode()
    assert answer.status == 403
    assert "can_pcap" in text
    assert ("záznamy paketů" if language else "download captures") in text
    assert ("správce" if language else "administrator") in text
    assert "abc123" in text
    assert 'href="/authgw/logout"' in text


def test_absent_is_always_the_same() -> None:
    """A page for what does not exist is byte for byte the same, whatever was asked for, and carries no code."""
    one = page.refusal_page(404, Reason.NOT_FOUND, "cdr id 7 does not exist", "abc123", Texts("en"))
    other = page.refusal_page(404, Reason.NOT_FOUND, "no match cdr", "def456", Texts("en"))
    assert one == other
    assert b"abc123" not in one.body


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 502, 503])
@pytest.mark.parametrize("reason", [Reason.MISSING_FLAG, Reason.SCAN_TOO_WIDE, Reason.INTERNAL, Reason.PARAM_TYPE])
def test_nothing_gets_out_of_a_text(status: int, reason: Reason) -> None:
    """Whatever stands in a detail, it stays text."""
    answer = page.refusal_page(status, reason, HOSTILE + " can_cdr" + HOSTILE, HOSTILE, reader(HOSTILE, {}))
    assert b"<svg" not in answer.body
    assert dict(answer.headers)["content-security-policy"] == page.POLICY


@pytest.mark.parametrize(
    ("status", "reason", "said", "unsaid"),
    [
        (400, Reason.SCAN_TOO_WIDE, "at most 31 days", "code here"),
        (502, Reason.UPSTREAM_REPLY_TIMEOUT, "no usable answer", "at most 31 days"),
        (503, Reason.STORE_UNAVAILABLE, "Sessions cannot be read", "at most 31 days"),
        (500, Reason.INTERNAL, "The log has more about it", "at most 31 days"),
        (504, Reason.SCAN_TIMEOUT, "at most 31 days", "The log has more about it"),
        (403, Reason.PAGES_NOT_SERVED, "Scripts that use the Web API work", "cannot be narrowed"),
        (403, Reason.REASON_DEMANDED, "a reason for each download", "The gateway refused"),
    ],
)
def test_what_helps_is_told(status: int, reason: Reason, said: str, unsaid: str) -> None:
    """Particulars that help the reader are shown, those of our own insides are not."""
    text = page.refusal_page(status, reason, "at most 31 days", "abc123", Texts("en")).body.decode()
    assert said in text
    assert unsaid not in text


def test_pages_without_script_or_inline_style() -> None:
    """No template holds a script but those of our own files, an inline style or handler, or another site's address."""
    ours = re.compile(r"""<script src="\{\{ asset\('[a-z]+\.js'\) \}\}" defer></script>""")
    for template in (ROOM / "templates").iterdir():
        text = ours.sub("", template.read_text())
        assert not re.search(r"<script|<style|style=|\son[a-z]+=|https?:|//[a-z]", text), template.name


def test_the_style_loads_nothing_else() -> None:
    """The style sheets refer to no other site; pictures in them are inside."""
    for name in ("authgw.css", "vendor/pico.min.css"):
        text = assets.all_assets()[name].body.decode()
        assert all(url.startswith(("data:", "'data:", '"data:')) for url in re.findall(r"url\(([^)]*)", text))
        assert "@import" not in text


@pytest.mark.parametrize(("status", "id", "shown"), [(403, "abc123", True), (403, "", False), (500, "abc123", False)])
def test_the_operators_command(status: int, id: str, shown: bool) -> None:
    """A denial names the command that looks its code up; without a code nobody is told to pass one on."""
    text = page.refusal_page(status, Reason.LIMITED, "", id, Texts("en")).body.decode()
    assert ("authgw explain --config authgw.toml --code abc123" in text) is shown
    assert ("pass on the support code" in text) is shown
