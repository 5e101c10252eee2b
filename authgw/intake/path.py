"""The path: decoded once, and only if every reader would understand it alike."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from authgw.intake.request import Refused
from authgw.reasons import Reason

_PLAIN = re.compile(rb"/[A-Za-z0-9_./-]*")
_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_ENCODED_SLASH = re.compile(rb"%(?:2[fF]|5[cC]|00)")
# Space and what is neither reserved nor rewritten by some server: `%` would be a second decoding, `;` begins
# a path parameter elsewhere, `?` and `#` end the path for some readers, `:` names a stream on some disks.
_ALLOWED = re.compile(r"[A-Za-z0-9/_.~!$&'()+,=@ \u00a0-\U0010ffff-]*")
_SHORT = 128
_PATH_INFO = re.compile(r"\.(?:php[0-9]?|phtml|phar)/", re.IGNORECASE)


def normalise(raw: bytes) -> str | Refused:
    """As `normalised`; what it made of short paths is remembered, for most that are asked for are few."""
    return _remembered(raw) if len(raw) <= _SHORT else normalised(raw)


def normalised(raw: bytes) -> str | Refused:
    """The decoded absolute path of a request line, slashes merged and dots resolved.

    Refused: no leading slash (also the absolute form `http://…`), a broken or double percent-encoding, control
    bytes, backslash, NUL, encoded slashes, invalid UTF-8, `;`, a segment that ends in a dot or a space, dots above
    the root, and anything behind a script's name (PATH_INFO).
    """
    if _PLAIN.fullmatch(raw) and b"//" not in raw and b"/." not in raw and b"./" not in raw and raw[-1:] != b".":
        path = raw.decode("ascii")
        return _path_info() if _PATH_INFO.search(path) else path
    return _unusual(raw)


_remembered = lru_cache(1024)(normalised)


def _unusual(raw: bytes) -> str | Refused:
    if not raw.startswith(b"/"):
        return _malformed("the path does not begin with a slash")
    if _PERCENT.search(raw):
        return _malformed("a percent sign without two hexadecimal digits")
    if _ENCODED_SLASH.search(raw):
        return _malformed("an encoded slash, backslash or NUL")
    try:
        path = unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        return _malformed("the path is not UTF-8")
    if not _ALLOWED.fullmatch(path):
        return _malformed("a character that has no place in a path")
    # Before dots are resolved: `/api.php/..` has been PATH_INFO for some reader on the way.
    if _PATH_INFO.search(path):
        return _path_info()
    return _resolve(path)


def _resolve(path: str) -> str | Refused:
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment in ("", "."):
            continue
        if segment == "..":
            if not kept:
                return _malformed("dots lead above the root")
            kept.pop()
        elif segment[-1] in ". ":
            return _malformed("a segment ends in a dot or a space")
        else:
            kept.append(segment)
    directory = segments[-1] in ("", ".", "..") and kept
    return "/" + "/".join(kept) + ("/" if directory else "")


def _malformed(detail: str) -> Refused:
    return Refused(Reason.PATH_MALFORMED, 400, f"path: {detail}")


def _path_info() -> Refused:
    return Refused(Reason.PATH_INFO, 400, "path: something follows the name of a script")
