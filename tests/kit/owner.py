"""The owner of an account at a browser, over HTTP alone: signs in, goes to pages, sends the forms that they show."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import httpx2

NAVIGATION = {
    "accept": "text/html,application/xhtml+xml",
    "sec-fetch-dest": "document",
    "sec-fetch-mode": "navigate",
    "sec-fetch-site": "same-origin",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
}
ACCOUNT = "/authgw/account"


class Owner:
    """`url`: the gateway's. Every request is a navigation, unless its `headers` say otherwise."""

    def __init__(self, url: str, user: str, password: str, **more: Any) -> None:
        self.user, self.password = user, password
        self.http = httpx2.Client(base_url=url, timeout=30, **more)

    def __enter__(self) -> Owner:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def get(self, path: str, **headers: str) -> httpx2.Response:
        return self.http.get(path, headers=NAVIGATION | _spelt(headers))

    def post(self, path: str, fields: dict[str, str], **headers: str) -> httpx2.Response:
        return self.http.post(path, data=fields, headers=NAVIGATION | _spelt(headers))

    def form(self, path: str) -> str:
        """The hidden field that a page's form carries."""
        return hidden(self.get(path).text)

    def sign_in(self, password: str | None = None) -> httpx2.Response:
        form = self.form("/authgw/login")
        return self.post("/authgw/login", {"form": form, "user": self.user, "password": password or self.password})

    def confirm(self, password: str | None = None, next: str = "") -> httpx2.Response:
        """Prove it once more, on the page for that."""
        form = self.form(ACCOUNT + "/confirm")
        fields = {"form": form, "next": next, "password": self.password if password is None else password}
        return self.post(ACCOUNT + "/confirm", fields)

    def token(self, name: str = "nightly", kind: str = "full", days: str = "90", *flags: str) -> str:
        """A new token, made as people make one."""
        assert self.confirm(next=ACCOUNT + "/tokens/new").status_code == 303
        fields = {"form": self.form(ACCOUNT + "/tokens/new"), "name": name, "kind": kind, "days": days}
        reply = self.post(ACCOUNT + "/tokens/new", fields | {f"flag_{flag}": "1" for flag in flags})
        assert reply.status_code == 200, reply.text
        found = re.search(r"agw_[0-9A-Za-z]{43}", reply.text)
        assert found is not None
        return found[0]


def hidden(html: str, name: str = "form") -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', html)
    assert found is not None, html
    return unescape(found[1])


def _spelt(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
