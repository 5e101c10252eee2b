"""Where a redirect of the GUI leads, seen from outside, pure."""

from __future__ import annotations

import re
from urllib.parse import unquote, urljoin, urlsplit

from authgw.errors import UpstreamError
from authgw.reasons import Reason
from authgw.upstream.wire import Base

PLAIN = re.compile(r"[\x21\x23-\x5b\x5d\x5f\x61-\x7a\x7e]+")
CODED_SLASH = re.compile(r"%(?:2f|5c|00)", re.IGNORECASE)


def public(location: str, asked: str, base: Base, public_url: str) -> str:
    """The same place below `public_url`. `asked`: the decoded path below the base path, as in `Call.path`.

    Anything that does not lie inside the upstream's base path, or could be read in two ways, raises UPSTREAM_REDIRECT.
    """
    if not PLAIN.fullmatch(location) or location.count("#") > 1:
        raise _elsewhere()
    origin = f"{'https' if base.tls else 'http'}://{base.authority}"
    try:
        parts = urlsplit(urljoin(f"{origin}{base.path}{asked if asked.startswith('/') else '/'}", location))
        port = parts.port
    except ValueError:
        raise _elsewhere() from None
    default = 443 if base.tls else 80
    here = (parts.scheme, parts.hostname, port or default) == (
        "https" if base.tls else "http",
        base.host.lower(),
        base.port,
    )
    if not here or parts.username is not None or parts.password is not None:
        raise _elsewhere()
    path = parts.path or "/"
    if not _inside(path, base.path):
        raise _elsewhere()
    query = f"?{parts.query}" if parts.query else ""
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return public_url.rstrip("/") + (path[len(base.path) :] or "/") + query + fragment


def _inside(path: str, base_path: str) -> bool:
    """Below the base path, however dots are written; a doubled or encoded slash is nobody's path."""
    if path != base_path and not path.startswith(base_path + "/"):
        return False
    if CODED_SLASH.search(path) or "//" in path:
        return False
    return not any(unquote(part) in (".", "..") for part in path.split("/"))


def _elsewhere() -> UpstreamError:
    return UpstreamError(Reason.UPSTREAM_REDIRECT, "a redirect to somewhere else than the GUI")
