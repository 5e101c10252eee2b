"""Share links: getShareURL, shareCdr, the pages they open, and the small services of utilities.php."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

API, UTILITIES = "/php/api.php", "/php/model/utilities.php"
NO_SESSION = {"success": False, "error": {"type": "no_session"}}
NOBODY = {"cookie": ""}


def links(text: str) -> list[str]:
    """Every URL in a JSON answer, wherever it stands in it."""
    return re.findall(r'https?://[^"\\ ]+', text.replace("\\/", "/"))


def get_share_url(client: TestClient, params: Any) -> str:
    (link,) = links(client.post(API, json={"task": "getShareURL", "params": params}).text)
    return link


def share(client: TestClient, kind: str, ids: Any, type2: str | None = None) -> Any:
    params = {"type": "share_cdr_show", "type2": type2, "subType": kind, "id": ids, "emailFields": None}
    return client.post(UTILITIES, data={"task": "shareCdr", "params": json.dumps(params)})


def target(link: str) -> str:
    """Path and query of a link to the look-alike itself."""
    parts = urlsplit(link)
    assert (parts.scheme, parts.netloc) == ("http", "testserver")
    return f"{parts.path}?{parts.query}"


def calls_on(page: str) -> list[int]:
    return [int(call) for call in re.findall(r"<h2>Call (\d+)</h2>", page)]


def test_a_public_link_opens_for_anybody(client: TestClient, voip: Path) -> None:
    """A link by getShareURL with RTP shows the call, its SIP history, the whole capture and its audio to anybody."""
    url = target(get_share_url(client, {"cdrId": 12, "rtp": True}))
    page = client.get(url, headers=NOBODY)
    assert page.headers["content-type"].startswith("text/html")
    assert calls_on(page.text) == [12]
    assert "INVITE sip:" in page.text
    hrefs = [href.replace("&amp;", "&") for href in re.findall(r'href="([^"]+)"', page.text)]
    contents = [client.get("/" + href, headers=NOBODY).content for href in hrefs]
    assert contents == [(voip / "pcaps" / "12.pcap").read_bytes(), (voip / "audio" / "12.wav").read_bytes()]


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        ({"callId": 118}, [118, 181]),
        ({"callId": 118, "cidInterval": 60}, [118, 181]),
        ({"cdrId": 181}, [181]),
        ({"cdrId": 181, "cidInterval": 60}, [181, 118]),
        ([{"cdrId": 4}, {"callId": 118}, {"cdrId": 4}], [4, 118, 181]),
    ],
)
def test_which_calls_a_link_shows(
    client: TestClient, records: list[dict[str, Any]], params: Any, wanted: list[int]
) -> None:
    """A Call-ID's link shows its legs, an id's link that call, with an interval its other legs too."""
    by_id = {record["ID"]: record["callid"] for record in records}
    text = json.dumps(params).replace('"callId": 118', f'"callId": "{by_id[118]}"')
    assert calls_on(client.get(target(get_share_url(client, json.loads(text)))).text) == wanted


def test_links_without_rtp(client: TestClient) -> None:
    """Without rtp the capture has none and there is no audio; with sip_history there is no file at all."""
    url = target(get_share_url(client, {"cdrId": 12}))
    bare = client.get("/php/pcap.php?id=12&disable_rtp=1").content
    assert client.get(f"{url}&pcap=12").content == bare
    assert client.get(f"{url}&audio=12").json()["success"] is False
    history = target(get_share_url(client, {"cdrId": 12, "sip_history": True, "rtp": True}))
    assert "href" not in client.get(history).text
    for name in ("pcap", "audio"):
        assert client.get(f"{history}&{name}=12").json()["success"] is False


def test_a_link_opens_its_own_calls_only(client: TestClient) -> None:
    """Files of other calls, and tokens that were never given out, open nothing."""
    url = target(get_share_url(client, {"cdrId": 12, "rtp": True}))
    for name in ("pcap", "audio"):
        assert client.get(f"{url}&{name}=4").json()["error"] == "cdr id 4 does not exist"
    for other in ("/cdr.php", "/cdr.php?share=", "/cdr.php?share=0", url[:-1]):
        assert client.get(other).status_code == 404
    assert get_share_url(client, {"cdrId": 12}) != get_share_url(client, {"cdrId": 12})


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({}, "cdrId or callId or custom header must be set"),
        ({"cdrId": 236}, "cdr id 236 does not exist"),
        ({"callId": "x"}, "no match cdr"),
    ],
)
def test_nothing_to_share(client: TestClient, params: Any, error: str) -> None:
    """What selects no call gets no link."""
    reply = client.post(API, json={"task": "getShareURL", "params": params}).json()
    assert reply == {"success": False, "error": error}


def test_share_button(client: TestClient, voip: Path) -> None:
    """self_protected_link opens for anybody, self_login_link for sessions only, type2 rtp brings the RTP."""
    (public,) = links(share(client, "self_protected_link", [12, 4]).text)
    assert calls_on(client.get(target(public), headers=NOBODY).text) == [12, 4]
    (private,) = links(share(client, "self_login_link", [12], "rtp").text)
    for more in ("", "&pcap=12", "&audio=12"):
        assert client.get(target(private) + more, headers=NOBODY).json() == NO_SESSION
    assert calls_on(client.get(target(private)).text) == [12]
    assert client.get(f"{target(private)}&pcap=12").content == (voip / "pcaps" / "12.pcap").read_bytes()
    assert client.get(f"{target(public)}&pcap=12").content != (voip / "pcaps" / "12.pcap").read_bytes()


def test_a_link_to_the_vendor(client: TestClient) -> None:
    """share_link names the vendor's server, and its token opens nothing here."""
    (link,) = links(share(client, "share_link", [12]).text)
    assert urlsplit(link).netloc == "share.voipmonitor.org"
    assert client.get(f"/cdr.php?{urlsplit(link).query}").status_code == 404


def test_the_share_button_refuses(client: TestClient) -> None:
    """Unknown kinds and ids and empty lists get no link, nobody without a session gets one."""
    assert share(client, "other", [12]).json()["success"] is False
    assert share(client, "share_link", []).json()["success"] is False
    assert share(client, "share_link", [12, 236]).json()["error"] == "cdr id 236 does not exist"
    client.headers["cookie"] = ""
    assert share(client, "share_link", [12]).json() == NO_SESSION


def test_links_name_the_host_and_the_base(start: Callable[..., TestClient]) -> None:
    """Links lead to the host that was asked and into the GUI's folder; a host that is none does not get into them."""
    client = start(base="/demo")
    ask = {"task": "getShareURL", "params": {"cdrId": 12}}
    hosts = {
        "gui.example:8081": "gui.example:8081",
        "[::1]:80": "[::1]:80",
        'x"><script>': "localhost",
        "": "localhost",
    }
    for host, named in hosts.items():
        (link,) = links(client.post("/demo" + API, json=ask, headers={"host": host}).text)
        assert link.startswith(f"http://{named}/demo/cdr.php?share=")
    assert calls_on(client.get(urlsplit(link).path + "?" + urlsplit(link).query).text) == [12]


def test_a_page_holds_text_only(client: TestClient) -> None:
    """Hostile names are text on the page: no script, style or handler is in it."""
    page = client.get(target(get_share_url(client, [{"cdrId": call} for call in (29, 43, 74, 93)]))).text
    assert not re.search(r"<script|<style|\son\w+=|javascript:", page)


def test_small_services(client: TestClient) -> None:
    """checkSession, getUserCanAudit and saveAudit answer success to sessions; other tasks are denied."""
    for task in ("checkSession", "getUserCanAudit", "saveAudit"):
        assert client.post(UTILITIES, data={"task": task}).json()["success"] is True
        assert client.post(UTILITIES, data={"task": task}, headers=NOBODY).json() == NO_SESSION
    assert client.post(UTILITIES, data={"task": "other"}).text == "access denied"
