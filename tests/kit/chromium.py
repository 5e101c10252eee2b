"""Debian's Chromium for tests, and pictures of what it shows."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from kit.servers import need

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_OUT = Path(__file__).parents[1] / "out"


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    program = need("chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield started
        started.close()


def picture(page: Page, name: str) -> None:
    """The whole page in both themes as tests/out/NAME-light.png and NAME-dark.png, for people to look at."""
    _OUT.mkdir(exist_ok=True)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.screenshot(path=_OUT / f"{name}-{theme}.png", full_page=True)
