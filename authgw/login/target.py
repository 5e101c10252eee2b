"""Where to go after the login: one strict function, so that `next` never leads to another site.

What browsers, proxies and frameworks make of an odd address differs; so only plain ones pass. A path begins with one
slash and holds no empty and no dot segments, no backslash, no control character and none of these in escaped form.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

MAX_LENGTH = 2048
# The characters of a path (RFC 3986, 3.3) and of a query (3.4); escapes that could turn into structure are left out.
_ESCAPE = r"%(?:[013-9A-Fa-f][0-9A-Fa-f]|2[0-46-9A-Da-d])"
_PATH = re.compile(rf"/(?:(?:[A-Za-z0-9!$&'()*+,;=:@._~-]|{_ESCAPE})+(?:/|$))*")
_QUERY = re.compile(r"(?:[A-Za-z0-9!$&'()*+,;=:@._~/?-]|%[0-9A-Fa-f]{2})*")
_HARMFUL = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff]|5[Cc])")
_DOTS = re.compile(r"/\.{1,2}(?:/|$)")
_LOOPS = ("/authgw/login", "/authgw/logout", "/authgw/logged-out", "/authgw/oidc/", "/authgw/static/")


def safe_target(wanted: object, default: str) -> str:
    """`wanted` where it is a plain absolute path on this site, else `default`."""
    if not isinstance(wanted, str) or not 0 < len(wanted) <= MAX_LENGTH:
        return default
    path, mark, query = wanted.partition("?")
    if _PATH.fullmatch(path) is None or _DOTS.search(path) or _HARMFUL.search(path):
        return default
    if mark and (_QUERY.fullmatch(query) is None or _controls(query)):
        return default
    return wanted if _is_utf8(path) and not path.startswith(_LOOPS) else default


def _is_utf8(path: str) -> bool:
    try:
        unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        return False
    return True


def _controls(query: str) -> bool:
    return re.search(r"%(?:[01][0-9A-Fa-f]|7[Ff])", query) is not None
