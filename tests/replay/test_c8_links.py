"""Links that show a call to anybody show that call, and carry nothing else to the GUI."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from kit.attacked import FOREIGN, MINE, Site
from kit.tripwire import Seen, whole

TOKEN = "T0K3N"
API = "/php/api.php"


@pytest.fixture
def shared(site: Site) -> Site:
    """Alice's call has been shared under a public link."""

    def odd(seen: Seen) -> bytes | None:
        if seen.fields.get("task") not in {"shareCdr", "getShareURL"}:
            return None
        return whole(json.dumps({"success": True, "url": f"http://gui/cdr.php?share={TOKEN}"}).encode())

    site.wire.odd = odd
    params = quote(json.dumps({"cdrId": MINE}))
    admin = site.ask("admin", f"{API}?task=getShareURL&params={params}", method="POST")
    assert json.loads(admin.body)["url"] == f"{site.gateway.url}/cdr.php?share={TOKEN}"
    site.wire.log.clear()
    return site


def test_a_link_opens(shared: Site) -> None:
    """A public link opens for anybody, as it was made."""
    assert shared.ask("", f"/cdr.php?share={TOKEN}").status == 200
    assert [seen.target for seen in shared.wire.seen] == [f"/cdr.php?share={TOKEN}"]


@pytest.mark.parametrize("query", ["", "?share=", "?share=T0K3N2", "?share=t0k3n", "?SHARE=T0K3N", "?share[]=T0K3N"])
def test_a_guess_opens_nothing(shared: Site, query: str) -> None:
    """CVE-2026-21727: a token that was never issued here is not asked about."""
    assert shared.ask("", f"/cdr.php{query}").status in {400, 404}
    assert shared.wire.seen == []


@pytest.mark.parametrize(
    "more",
    [
        *(f"pcap={FOREIGN}", f"audio={FOREIGN}", f"id={FOREIGN}", f"pcap={MINE}&id={FOREIGN}", f"cdrId={FOREIGN}"),
        *("task=LISTING&module=CDR", "cdr_filter=%7B%7D", "user=a&password=b", "recheck=annen", "sql=1"),
    ],
)
def test_a_link_carries_nothing_else(shared: Site, more: str) -> None:
    """CVE-2026-28374: who holds a link to one call cannot add fields that name another or mean more."""
    assert shared.ask("", f"/cdr.php?share={TOKEN}&{more}").status in {400, 404}
    assert shared.wire.seen == []


def test_a_broken_reply_makes_no_link(site: Site) -> None:
    """What the GUI says with another status is no answer to share by."""
    body = json.dumps({"success": True, "url": "http://gui/cdr.php?share=BROKEN"}).encode()
    site.wire.odd = lambda seen: whole(body, status="500 Oops") if seen.fields.get("task") == "shareCdr" else None
    params = quote(json.dumps({"cdrId": MINE}))
    assert site.ask("sharer", f"{API}?task=getShareURL&params={params}", method="POST").status == 502
    site.wire.log.clear()
    assert site.ask("", "/cdr.php?share=BROKEN").status == 404
    assert site.wire.seen == []
