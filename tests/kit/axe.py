"""axe-core on a page of a running browser: what it finds wrong for people who read with ears, keyboard or zoom.

page.goto(site.url + "/authgw/login")
assert axe.both_themes(page) == []
"""

from __future__ import annotations

import hashlib
import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page

_FOLDER = Path(__file__).parents[1] / "data" / "axe"
_THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# Every rule of WCAG 2.2 A and AA, and axe's own good practice.
_RUN = """() => axe.run(document, {resultTypes: ["violations", "incomplete"]}).then(found => [
  ...found.violations, ...found.incomplete.filter(each => each.id !== "color-contrast")
].map(each => each.id + ": " + each.help + ": " + each.nodes.map(node => node.target.join(" ")).join(", ")))"""


@cache
def program() -> str:
    """axe-core as it was published; AssertionError where a file is not what axe.lock records."""
    for each in tomllib.loads((_FOLDER / "axe.lock").read_text())["file"]:
        assert hashlib.sha256((_FOLDER / each["name"]).read_bytes()).hexdigest() == each["sha256"], each["name"]
    return (_FOLDER / "axe.min.js").read_text("utf-8")


def findings(page: Page) -> list[str]:
    """What axe finds on the page as it stands: `RULE: what is wrong: where`. The browser must run scripts.

    Evaluated by the test, not loaded by the page: its content security policy stays as it is.
    """
    page.evaluate(program())
    found: list[str] = page.evaluate(_RUN)
    return found


def both_themes(page: Page) -> list[str]:
    """The same in the light and in the dark theme, each line led by the theme's name.

    Without motion: colours that still fade from one theme to the other are none that anybody reads.
    """
    found = []
    for theme in _THEMES:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        found += [f"{theme}: {line}" for line in findings(page)]
    return found
