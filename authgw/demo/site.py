"""What the look-alike's scripts share: the records, the sessions, the service account, and how they answer."""

from __future__ import annotations

import hmac
import itertools
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from authgw.demo.php import Asked, dumps
from authgw.demo.records import Records

VERSION = 240034
JSON = b"application/json"
HTML = b"text/html; charset=UTF-8"
# Sessions kept at once; over it the oldest ends, as PHP's garbage collection would have it.
SESSIONS = 10_000
# Share links kept at once; over it the oldest ends.
SHARES = 10_000
# Rows of single calls kept ready, about 5 KB each.
SINGLES = 5_000
_SID = re.compile(r"[A-Za-z0-9,-]{1,256}")

_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(?::\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::\d{1,5})?")


class Body(msgspec.Struct, frozen=True):
    """An answer held in memory. `headers` are (lower-case name, value) pairs beside the usual ones."""

    body: bytes
    type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()
    status: int = 200


class File(msgspec.Struct, frozen=True):
    """An answer from a file, with Range support. `name`: offered as a download under that name."""

    path: Path
    type: str
    name: str = ""


Answer = Body | File


class Share(msgspec.Struct, frozen=True):
    """What a share link opens. `login`: for sessions only; `rtp`: with audio and whole captures; `history`: the SIP
    history and nothing else."""

    calls: tuple[int, ...]
    login: bool = False
    rtp: bool = False
    history: bool = False


class Site(msgspec.Struct, frozen=True):
    """One running look-alike. `warnings`: every n-th LISTING has a PHP warning in front, 0 for never.

    Active calls are objects, or under `active_rows` rows below one of names; under `active_numbers` their IPv4
    addresses are numbers. `paused`: the active calls that are not recorded. `sections`: records other than calls, by
    module of sql.php.
    """

    records: Records
    user: str
    password: str
    base: str
    warnings: int
    active_rows: bool = False
    active_numbers: bool = False
    sections: Mapping[str, Sequence[Mapping[str, Any]]] = {}
    paused: set[int] = set()
    sessions: dict[str, str] = {}
    singles: dict[int, bytes] = {}
    shares: dict[str, Share] = {}
    listings: Iterator[int] = msgspec.field(default_factory=lambda: itertools.count(1))

    @property
    def cookie(self) -> str:
        """The session cookie's name: PHPSESSID, or PHPSESSID-demo for a GUI in /demo."""
        return "PHPSESSID" + self.base.replace("/", "-")

    def set_cookie(self, sid: str) -> tuple[bytes, bytes]:
        """The header that sets it; PHP takes over a well-formed id of the client's, and makes one up for the rest."""
        sid = sid if _SID.fullmatch(sid) else secrets.token_hex(13)
        return b"set-cookie", f"{self.cookie}={sid}; path={self.base or '/'}".encode()

    def knows(self, user: str, password: str) -> bool:
        """Whether these are the credentials of the service account."""
        same_user = hmac.compare_digest(user.encode(), self.user.encode())
        return hmac.compare_digest(password.encode(), self.password.encode()) and same_user

    def begin(self, user: str) -> str:
        """A new session; its id."""
        while len(self.sessions) >= SESSIONS:
            del self.sessions[next(iter(self.sessions))]
        sid = secrets.token_hex(13)
        self.sessions[sid] = user
        return sid

    def share(self, what: Share) -> str:
        """A new link's token."""
        while len(self.shares) >= SHARES:
            del self.shares[next(iter(self.shares))]
        token = secrets.token_hex(20)
        self.shares[token] = what
        return token

    def address(self, asked: Asked) -> str:
        """Where the client reaches this GUI, as the product takes it from the request."""
        host = asked.host if _HOST.fullmatch(asked.host) else "localhost"
        return f"http://{host}{self.base}"

    def live(self, asked: Asked) -> bool:
        """Whether the request comes with a session of somebody who has logged in."""
        return asked.sid in self.sessions


Script = Callable[[Site, Asked], Answer]


def json_body(value: Any) -> Body:
    """An answer as json_encode writes it."""
    return Body(dumps(value))


def failure(error: Any) -> Body:
    """The product's refusal: status 200 all the same."""
    return json_body({"success": False, "error": error})


def no_session() -> Body:
    """What is said to whoever has not logged in."""
    return failure({"type": "no_session"})


def denied() -> Body:
    """sql.php's answer to what it does not do for this user."""
    return Body(b"access denied", HTML)


def unknown_call(call: int) -> Body:
    """No such call."""
    return failure(f"cdr id {call} does not exist")


def guarded(script: Script) -> Script:
    """The script, for live sessions only."""

    def answer(site: Site, asked: Asked) -> Answer:
        return script(site, asked) if site.live(asked) else no_session()

    return answer
