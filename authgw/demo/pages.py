"""The GUI: one page of HTML that loads everything by LISTING, and its files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from authgw.demo.php import Asked
from authgw.demo.site import HTML, Answer, Body, Site

SHELL = Path(__file__).parent / "shell"
TYPES = {".css": b"text/css; charset=UTF-8", ".js": b"text/javascript; charset=UTF-8", ".svg": b"image/svg+xml"}


def static() -> Mapping[str, Body]:
    """The page's own files, by path."""
    found = (path for path in sorted(SHELL.rglob("*")) if path.suffix in TYPES)
    return {f"/{path.relative_to(SHELL).as_posix()}": Body(path.read_bytes(), TYPES[path.suffix]) for path in found}


FILES = static()
PAGE = Body((SHELL / "index.html").read_bytes(), HTML)


def page(site: Site, asked: Asked) -> Answer:
    """The page itself holds no data, so it needs no session; what it asks for does. `logout` ends the session."""
    if "logout" in asked.fields:
        site.sessions.pop(asked.sid, None)
    return PAGE
