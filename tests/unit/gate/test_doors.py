"""Logging out through the product's own addresses."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from authgw.audit.log import Audit
from authgw.doors import Doors, Visitor
from authgw.intake.request import Body, Request
from authgw.rights.claims import Claims
from authgw.session import cookie
from authgw.session.model import Kind

CLAIMS = Claims("static", "alice", 1, ())


class Ended:
    """Sessions of which only the ending matters here."""

    def __init__(self) -> None:
        self.sids: list[str] = []

    async def end(self, sid: str) -> None:
        self.sids.append(sid)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("kind", "site", "ends"),
    [
        (Kind.BROWSER, "same-origin", True),
        (Kind.BROWSER, "none", True),
        (Kind.BROWSER, "", True),
        (Kind.BROWSER, "cross-site", False),
        (Kind.API, "cross-site", True),
    ],
)
async def test_another_site_cannot_log_people_out(tmp_path: Path, kind: Kind, site: str, ends: bool) -> None:
    """A link on another site leads to the page that asks; everything else ends the session at once."""
    sessions, audit = Ended(), Audit(tmp_path / "audit.jsonl", lambda: 0.0)
    await audit.open()
    names = cookie.names("http://127.0.0.1:8080")
    doors = Doors(cast(Any, sessions), names, cast(Any, None), cast(Any, None), audit)
    headers = {"sec_fetch_site": site, "accept": "text/html"} if site else {}
    request = Request("GET", False, "/index.php", {"logout": ""}, Body.NONE, headers, {}, "127.0.0.1")
    answer = await doors.logout(request, Visitor(CLAIMS, kind, "handle", "sid"))
    assert sessions.sids == (["sid"] if ends else [])
    if not ends:
        assert (answer.status, dict(answer.headers)["location"]) == (303, "/authgw/logout")
    await audit.close()
