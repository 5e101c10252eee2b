"""The product's own words about sessions, pure: logging in by `bypass_login`, and how "no session" looks."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

import msgspec

from authgw.errors import UpstreamError
from authgw.reasons import Reason

LOGIN_PATH = "/php/model/sql.php"
# A refusal is small; a longer reply is never looked at.
PEEK = 4096
NO_SESSION = frozenset({"no_session", "kill_session"})
# PHP's session ids (session.sid_length 22 to 256), and a cookie name that cannot break out of the header.
SID = re.compile(r"[A-Za-z0-9,-]{8,256}")
COOKIE_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
# The only words of the product that may appear in a log line: anything else might repeat what was sent.
TEXTS = frozenset(
    {
        "Invalid username or password.",
        "Your account is blocked.",
        "Your remote address not allowed in your account.",
    }
)
LOGIN_PAGES = frozenset({"login", "login.php"})
START_PAGES = LOGIN_PAGES | {"", "index.php"}
MAX_LINES = 16


class _LoggedIn(msgspec.Struct):
    sid: str = msgspec.field(name="SID")
    cookie_name: str
    success: bool


class _Refused(msgspec.Struct):
    success: bool
    error: msgspec.Raw = msgspec.Raw(b"null")


class _Kind(msgspec.Struct):
    type: str


def documents(body: bytes) -> list[bytes]:
    """Where a JSON object may begin: at the start, or at a line of its own behind PHP's warnings."""
    lines = body.split(b"\n", MAX_LINES)
    return [rest for n in range(len(lines)) if (rest := b"\n".join(lines[n:]).strip()).startswith(b"{")]


def cookie(status: int, body: bytes) -> str:
    """The `name=value` of the session that the login's reply opens. Anything doubtful: UPSTREAM_LOGIN."""
    if status == 200:
        for document in documents(body):
            try:
                found = msgspec.json.decode(document, type=_LoggedIn)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
            if found.success and SID.fullmatch(found.sid) and COOKIE_NAME.fullmatch(found.cookie_name):
                return f"{found.cookie_name}={found.sid}"
    raise UpstreamError(Reason.UPSTREAM_LOGIN, _why(status, body))


def is_no_session(body: bytes) -> bool:
    """Does this whole reply say that there is no session, and nothing else?"""
    if b"_session" not in body:
        return False
    for document in documents(body):
        refused = _refused(document)
        if refused is None or refused.success:
            continue
        try:
            return msgspec.json.decode(refused.error, type=_Kind).type in NO_SESSION
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return False


def is_login_page(location: str, base_path: str, asked: str) -> bool:
    """Does a redirect lead from the path `asked` to where people log in? One start page may well lead to another."""
    path = urlsplit(location).path
    if path.startswith(base_path + "/"):
        path = path[len(base_path) + 1 :]
    path = path.removeprefix("./")
    if asked.removeprefix("/") in START_PAGES:
        return path in LOGIN_PAGES and path != asked.removeprefix("/")
    return path in START_PAGES


@lru_cache(256)  # there are few types, and every reply has one
def may_be_refusal(content_type: str) -> bool:
    """Only text and JSON are looked into; a capture or a recording streams untouched."""
    kind = content_type.partition(";")[0].strip().lower()
    return not kind or kind.startswith("text/") or kind.endswith(("json", "javascript"))


def _refused(document: bytes) -> _Refused | None:
    try:
        return msgspec.json.decode(document, type=_Refused)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _why(status: int, body: bytes) -> str:
    if status != 200:
        return f"the service account's login was answered with status {status}"
    for document in documents(body):
        refused = _refused(document)
        if refused is None or refused.success:
            continue
        try:
            text = msgspec.json.decode(refused.error, type=str)
        except (msgspec.DecodeError, UnicodeDecodeError):
            text = ""
        return (
            f"the GUI refused the service account: {text}" if text in TEXTS else "the GUI refused the service account"
        )
    return "the service account's login was answered with something else than a session"
