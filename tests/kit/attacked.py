"""A gateway before a tripwire, the people who attack it, and what they share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2

from kit.gateway import Gateway
from kit.raw import Got, ask
from kit.tripwire import Tripwire

PASSWORD = "correct-horse"
FLAGS = {"can_cdr": True, "can_pcap": True, "can_download_audio": True, "can_play_audio": True}
USERS = [
    {"username": "admin", "password": PASSWORD, "id": 1, "is_admin": True},
    {"username": "alice", "password": PASSWORD, "id": 2, **FLAGS, "number": ["10%"]},
    {"username": "bob", "password": PASSWORD, "id": 3, **FLAGS, "number": ["20%"]},
    {"username": "lon", "password": PASSWORD, "id": 4, **FLAGS, "enable_sensors": [2]},
    {"username": "vlan", "password": PASSWORD, "id": 5, **FLAGS, "vlan": [100]},
    {"username": "sharer", "password": PASSWORD, "id": 6, "can_cdr_share_local_public": True, "number": ["10%"]},
]
# Call 1 is Alice's, 2 is Bob's, nobody ever made 9.
MINE, FOREIGN, ABSENT = 1, 2, 9
DAYS = "fdatefrom=2026-11-23T00:00:00&fdateto=2026-11-24T00:00:00"
LISTING = f"/php/model/sql.php?task=LISTING&module=CDR&{DAYS}"
# How the product says no on its two scripts of services, everywhere else it is JSON.
REFUSED = frozenset({400, 401, 403, 404, 405, 413, 414, 415, 431})


@dataclass(frozen=True)
class Site:
    """The gateway and what stands behind it; `cookies`: a script's session of each user."""

    gateway: Gateway
    wire: Tripwire
    cookies: dict[str, str]

    def ask(self, who: str, target: str | bytes, *lines: str | bytes, **more: object) -> Got:
        """A request with the session of `who` ("": of nobody)."""
        return ask(self.gateway.port, target, *lines, cookie=self.cookies.get(who, ""), **more)  # type: ignore[arg-type]

    def post(self, who: str, target: str, body: str, kind: str = "application/x-www-form-urlencoded") -> Got:
        return self.ask(who, target, f"Content-Type: {kind}", method="POST", body=body.encode())

    def sign_in(
        self, user: str, fields: Mapping[str, str] | None = None, cookies: dict[str, str] | None = None
    ) -> httpx2.Response:
        """A browser's login by the page; the answer to the form, its cookies beside."""
        with httpx2.Client(base_url=self.gateway.url, cookies=cookies) as browser:
            page = browser.get("/authgw/login")
            form = re.search(r'name="form" value="([^"]+)"', page.text)
            assert form is not None
            sent = {"form": form[1], "user": user, "password": PASSWORD, **(fields or {})}
            return browser.post("/authgw/login", data=sent, headers={"origin": self.gateway.url})

    def browser(self, user: str) -> str:
        """The cookie header of a browser that has signed in."""
        return "authgw=" + self.sign_in(user).cookies["authgw"]


def login(url: str, user: str, password: str = PASSWORD) -> str:
    fields = {"module": "bypass_login", "user": user, "pass": password}
    said = httpx2.post(url + "/php/model/sql.php", data=fields).json()
    return f"{said['cookie_name']}={said['SID']}"
