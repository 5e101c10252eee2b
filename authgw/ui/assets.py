"""The files that pages need, served by the gateway itself under addresses that change with their content."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import msgspec

_FOLDER = Path(__file__).parent / "static"
_TYPES = {
    "authgw.css": "text/css",
    "capslock.js": "text/javascript",
    "icon.svg": "image/svg+xml",
    "passkey.js": "text/javascript",
    "vendor/pico.min.css": "text/css",
}
PREFIX = "/authgw/static/"


class Asset(msgspec.Struct, frozen=True):
    """A file as it is served. `address` carries a piece of its hash, so that it may be kept for a year."""

    name: str
    body: bytes
    content_type: str
    address: str
    etag: str


@cache
def all_assets() -> dict[str, Asset]:
    """Every file there is, by name; what is not in here does not exist."""
    found = {}
    for name, content_type in _TYPES.items():
        body = (_FOLDER / name).read_bytes()
        digest = hashlib.sha256(body).hexdigest()[:16]
        kind = f"{content_type}; charset=utf-8"
        found[name] = Asset(name, body, kind, f"{PREFIX}{name}?v={digest}", f'"{digest}"')
    return found


def address(name: str) -> str:
    return all_assets()[name].address


def sources(origin: str, *names: str) -> str:
    """Scripts by their full addresses, as a content security policy names them: the GUI's are of our origin too."""
    return " ".join(f"{origin}{PREFIX}{name}" for name in names)
