"""Somebody with a browser's cookies and an authenticator app, on the pages of a running gateway."""

from __future__ import annotations

import re
import time
from types import TracebackType

import httpx2

from kit.codes import code_at

OWN = {"sec-fetch-site": "same-origin"}


class Person:
    """Asks the pages as a browser does, without following where they lead."""

    def __init__(self, url: str) -> None:
        self.http = httpx2.Client(base_url=url, headers=OWN, timeout=20)

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.http.close()

    @staticmethod
    def now() -> float:
        return time.time()

    def submit(self, path: str, **fields: str) -> httpx2.Response:
        """The form of a page, filled in and sent."""
        shown = self.http.get(path)
        found = re.search(r'name="form" value="([^"]+)"', shown.text)
        assert found is not None, (shown.status_code, shown.text)
        return self.http.post(path, data={"form": found[1], **fields})

    def login(self, user: str, password: str) -> str:
        """Where the right password leads."""
        reply = self.submit("/authgw/login", user=user, password=password)
        assert reply.status_code == 303, reply.text
        return str(reply.headers["location"])

    def enrol(self) -> str:
        """Through the enrolment until the session stands; the secret that the page showed."""
        shown = self.http.get("/authgw/login/enrol")
        found = re.search(r'<span class="code">([A-Z2-7 ]+)</span>', shown.text)
        assert found is not None, shown.text
        secret = found[1].replace(" ", "")
        reply = self.submit("/authgw/login/enrol", code=code_at(secret, self.now()))
        assert reply.headers["location"] == "/authgw/login/codes", reply.text
        self.submit("/authgw/login/codes")
        return secret

    def status(self) -> int:
        """200 while there is a session, 401 afterwards."""
        return self.http.get("/authgw/me").status_code

    def until_over(self, seconds: float = 5.0) -> None:
        """Return when the session is over; AssertionError if it is not in time."""
        deadline = time.monotonic() + seconds
        while self.status() == 200:
            assert time.monotonic() < deadline
