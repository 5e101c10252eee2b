"""The calls beyond lists and single captures, through a running gateway, against the records themselves."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from kit.trail import lines
from kit.world import World, world

DATA = Path(__file__).parents[2] / "authgw" / "demo" / "data" / "voip"
ROWS = {row["ID"]: row for row in map(json.loads, (DATA / "cdr.jsonl").read_text().splitlines())}
# Recorded by two sensors under one Call-ID: (seen by sensor 5, seen by sensor 7).
TWICE = [
    (one, other)
    for one, row in ROWS.items()
    for other, twin in ROWS.items()
    if one < other and row["fbasename"] == twin["fbasename"]
]
FLAGS = [
    "can_cdr", "can_write_cdr", "can_pcap", "can_play_audio", "can_download_audio", "can_activecalls",
    "can_listen_active_call", "can_report_functions", "can_cdr_share_local_public", "can_cdr_share_local_private",
    "can_cdr_share_voipmonitor_org", "can_messages",
]  # fmt: skip


def user(name: str, number: int, **more: Any) -> dict[str, Any]:
    return {"username": name, "password": f"{name}-secret", "id": number, **dict.fromkeys(FLAGS, True), **more}


USERS = [
    user("all", 1),
    user("five", 2, enable_sensors=[5]),
    user("acme", 3, domain=["acme.example"], tenant="acme"),
    user("globex", 4, domain=["globex.example"], tenant="globex"),
    user("silent", 5, no_rtp=True, domain=["acme.example"]),
    user("audited", 6, can_audit=1),
    user("plain", 7, can_view_content_message=True),
    {"username": "none", "password": "none-secret", "id": 8},
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("every"), users=USERS) as found:
        yield found


def api(site: World, name: str, task: str, params: Any, **more: Any) -> httpx2.Response:
    body = {"task": task, "user": name, "password": f"{name}-secret", "params": params, **more}
    return httpx2.post(f"{site.url}/php/api.php", json=body, timeout=30)


@contextlib.contextmanager
def session(site: World, name: str) -> Iterator[httpx2.Client]:
    """A script's session, by bypass_login."""
    with httpx2.Client(base_url=site.url, timeout=30) as client:
        fields = {"module": "bypass_login", "user": name, "pass": f"{name}-secret"}
        found = client.post("/php/model/sql.php", data=fields)
        client.headers["cookie"] = f"PHPSESSID={found.json()['SID']}"
        yield client


def packets(capture: bytes) -> list[tuple[int, int, bytes]]:
    """Time and bytes of each packet of a classic pcap file."""
    found, at = [], 24
    while at < len(capture):
        seconds, part, size, _ = struct.unpack_from("<IIII", capture, at)
        found.append((seconds, part, capture[at + 16 : at + 16 + size]))
        at += 16 + size
    return found


def pcap(call: int) -> bytes:
    return (DATA / "pcaps" / f"{call}.pcap").read_bytes()


def test_the_records_hold_calls_seen_twice() -> None:
    """The cases that selectors are about are there."""
    assert len(TWICE) == 2


@pytest.mark.parametrize("seen", TWICE)
def test_legs_outside_the_scope_do_not_slip_in(site: World, seen: tuple[int, int]) -> None:
    """A capture by Call-ID holds the visible legs and no others, however many the product would merge."""
    call_id = ROWS[seen[0]]["fbasename"]
    params = {"callId": call_id, "cidInterval": 60, "cidMerge": True}
    both = api(site, "all", "getPCAP", params)
    assert packets(both.content) == sorted(packets(pcap(seen[0])) + packets(pcap(seen[1])), key=lambda p: p[:2])
    mine = [call for call in seen if ROWS[call]["id_sensor"] == 5]
    assert api(site, "five", "getPCAP", params).content == pcap(mine[0])
    zipped = zipfile.ZipFile(
        io.BytesIO(api(site, "all", "getPCAP", {**params, "cidMerge": False, "zip": True}).content)
    )
    assert {name: zipped.read(name) for name in zipped.namelist()} == {f"{call}.pcap": pcap(call) for call in seen}
    only = zipfile.ZipFile(io.BytesIO(api(site, "five", "getPCAP", {**params, "zip": True}).content))
    assert len(only.namelist()) == 1


def test_selectors_of_what_does_not_exist(site: World) -> None:
    """A foreign call and one never made are answered alike, by every selector and on every call that takes one."""
    foreign = next(row for row in ROWS.values() if "acme" not in f"{row['caller_domain']}{row['called_domain']}")
    for task in ("getPCAP", "getVoiceRecording", "getShareURL"):
        by_id = [api(site, "acme", task, {"cdrId": call}) for call in (foreign["ID"], 999)]
        assert [answer.status_code for answer in by_id] == [404, 404]
        assert by_id[0].text.replace(str(foreign["ID"]), "999") == by_id[1].text
        by_name = [api(site, "acme", task, {"callId": name}) for name in (foreign["fbasename"], "never@made")]
        assert [(answer.status_code, answer.text) for answer in by_name] == [(404, by_name[1].text)] * 2
        assert by_name[0].json() == {"success": False, "error": "no match cdr"}
        batch = api(site, "acme", task, [{"cdrId": 1}, {"cdrId": foreign["ID"]}])
        assert batch.status_code == 404
        assert api(site, "acme", task, {}).json()["error"] == "cdrId or callId or custom header must be set"
        assert api(site, "none", task, {"cdrId": 1}).status_code == 403


def test_wildcards_in_a_call_id_select_nothing(site: World) -> None:
    """A Call-ID is compared as it is written, though the product's filter knows wildcards."""
    assert api(site, "all", "getPCAP", {"callId": "%"}).status_code == 404
    assert api(site, "all", "getPCAP", {"callId": ROWS[1]["fbasename"][:-1] + "_"}).status_code == 404


def test_recordings(site: World) -> None:
    """Audio comes for visible calls that have some; no_rtp closes it; a call without audio says so."""
    with_audio = [call for call, row in ROWS.items() if row["wav"]]
    for call in with_audio:
        acme = "acme.example" in (ROWS[call]["caller_domain"], ROWS[call]["called_domain"])
        answer = api(site, "acme", "getVoiceRecording", {"cdrId": call})
        assert answer.status_code == (200 if acme else 404)
        if acme:
            assert answer.content == (DATA / ROWS[call]["wav"]).read_bytes()
        assert api(site, "silent", "getVoiceRecording", {"cdrId": call}).status_code == 403
    without = next(call for call, row in ROWS.items() if not row["wav"])
    assert "no such file" in api(site, "all", "getVoiceRecording", {"cdrId": without}).json()["error"]
    many = api(site, "all", "getVoiceRecording", [{"cdrId": call} for call in with_audio])
    names = zipfile.ZipFile(io.BytesIO(many.content)).namelist()
    assert sorted(names) == sorted(f"{call}.wav" for call in with_audio)


def test_custom_headers_select(site: World) -> None:
    """A custom header with exactly that value selects the first visible call of the day."""
    params = {"customHeader": "X-Tenant", "customHeaderValue": "acme", "calldate": "2026-11-23"}
    mine = sorted((row["calldate"], call) for call, row in ROWS.items() if row["custom_header__X-Tenant"] == "acme"
                  and "globex.example" in (row["caller_domain"], row["called_domain"]))  # fmt: skip
    assert api(site, "globex", "getPCAP", params).content == pcap(mine[0][1])
    assert api(site, "globex", "getPCAP", {**params, "customHeaderValue": "acm_"}).status_code == 404
    assert api(site, "globex", "getPCAP", {"customHeader": "X-Tenant"}).status_code == 400


def test_no_rtp_holds_on_every_way_to_a_capture(site: World) -> None:
    """Under no_rtp a capture has no RTP, by id, by selector and in an archive."""
    call = next(
        call
        for call, row in ROWS.items()
        if row["pcap_has_rtp"] and "acme.example" in (row["caller_domain"], row["called_domain"])
    )
    with session(site, "silent") as client:
        by_id = client.get("/php/pcap.php", params={"id": str(call)}).content
    assert 0 < len(packets(by_id)) < len(packets(pcap(call)))
    assert api(site, "silent", "getPCAP", {"cdrId": call}).content == by_id
    archive = zipfile.ZipFile(io.BytesIO(api(site, "silent", "getPCAP", {"cdrId": call, "zip": True}).content))
    assert archive.read(f"{call}.pcap") == by_id


def link_of(answer: httpx2.Response) -> str:
    return next(text for text in answer.json().values() if isinstance(text, str) and text.startswith("http"))


def test_public_links_open_for_anybody_and_only_where_issued(site: World) -> None:
    """A link leads to the gateway, opens without a session, shows the visible legs alone; a guess opens nothing."""
    one, other = TWICE[0]
    mine, foreign = (one, other) if ROWS[one]["id_sensor"] == 5 else (other, one)
    answer = api(site, "five", "getShareURL", {"callId": ROWS[one]["fbasename"]})
    link = link_of(answer)
    assert link.startswith(site.url + "/")
    page = httpx2.get(link)
    assert page.status_code == 200
    assert f"Call {mine}" in page.text
    assert f"Call {foreign}" not in page.text
    assert httpx2.get(f"{link}&pcap={mine}").status_code == 200
    assert httpx2.get(f"{link}&pcap={foreign}").headers["content-type"] != "application/vnd.tcpdump.pcap"
    parts = urlsplit(link)
    guess = httpx2.get(f"{site.url}{parts.path}?share={'0' * 40}")
    assert (guess.status_code, guess.json()) == (404, {"success": False, "error": "there is no such page or file"})
    # A link that the GUI made by itself, behind the gateway's back, is no link of ours.
    direct = httpx2.post(
        f"{site.upstream}/php/api.php",
        json={"task": "getShareURL", "user": "authgw", "password": "service-secret", "params": {"cdrId": mine}},
    )
    behind = urlsplit(link_of(direct))
    assert httpx2.get(f"{site.url}{behind.path}?{behind.query}").status_code == 404


def share(client: httpx2.Client, calls: list[int], kind: str, **more: Any) -> httpx2.Response:
    params = {"type": "share_cdr_show", "type2": None, "subType": kind, "id": calls, "emailFields": None, **more}
    return client.post("/php/model/utilities.php", data={"task": "shareCdr", "params": json.dumps(params)})


def test_login_links_need_a_session_in_scope(site: World) -> None:
    """A link for users opens with a session that sees all of its calls, and for nobody else."""
    call = next(c for c, r in ROWS.items() if (r["caller_domain"], r["called_domain"]) == ("acme.example",) * 2)
    with session(site, "acme") as acme, session(site, "globex") as globex:
        link = link_of(share(acme, [call], "self_login_link"))
        path = urlsplit(link).path + "?" + urlsplit(link).query
        assert acme.get(path).status_code == 200
        assert globex.get(path).status_code == 404
        assert httpx2.get(link).status_code == 401


def test_sharing_by_its_rules(site: World) -> None:
    """Foreign calls, RTP under no_rtp, the product's mail and missing flags are refused; the vendor's links stay."""
    mine = next(c for c, r in ROWS.items() if "acme.example" in (r["caller_domain"], r["called_domain"]))
    foreign = next(c for c, r in ROWS.items() if "acme" not in f"{r['caller_domain']}{r['called_domain']}")
    with session(site, "acme") as acme, session(site, "silent") as silent, session(site, "none") as none:
        assert share(acme, [mine, foreign], "self_protected_link").status_code == 404
        assert share(acme, [mine], "self_protected_link", emailFields={"to": "x@y"}).status_code == 400
        assert share(acme, [mine], "other").status_code == 400
        assert share(silent, [mine], "self_protected_link", type2="rtp").status_code == 403
        assert share(none, [mine], "self_protected_link").status_code == 403
        assert "voipmonitor.org" in link_of(share(acme, [mine], "share_link"))
    assert api(site, "silent", "getShareURL", {"cdrId": mine, "rtp": True}).status_code == 403
    assert api(site, "silent", "getShareURL", {"cdrId": mine}).status_code == 200


def test_calls_under_way(site: World) -> None:
    """Rows of calls under way are those of the scope; a foreign reference is as good as none."""
    everybody = {row["callreference"]: row for row in api(site, "all", "listActiveCalls", {}).json()}
    assert everybody
    mine = {row["callreference"] for row in api(site, "acme", "listActiveCalls", {}).json()}
    assert mine == {
        reference
        for reference, row in everybody.items()
        if "acme.example" in (row["callerdomain"], row["calleddomain"])
    }
    assert mine
    foreign = next(iter(everybody.keys() - mine))
    for reference, status in ((next(iter(mine)), 200), (foreign, 404), ("0xffff", 404)):
        sensor = everybody.get(reference, {}).get("id_sensor", 5)
        params = {"sensorId": str(sensor), "command": "pausecall", "callRef": reference}
        assert api(site, "acme", "handleActiveCall", params).status_code == status, reference
    wrong = {"sensorId": "99", "command": "pausecall", "callRef": next(iter(mine))}
    assert api(site, "acme", "handleActiveCall", wrong).status_code == 404
    assert api(site, "acme", "handleActiveCall", {**wrong, "command": "hangup"}).status_code == 400


def test_sums_only_over_the_whole_scope(site: World) -> None:
    """Sums are for those whose whole scope can be pushed: everybody's calls, or sensors."""
    fields = {"task": "LISTING", "module": "CDR_stats", "fdatefrom": "2026-11-23", "group_by": "lastSIPresponse"}
    with session(site, "all") as every, session(site, "five") as five, session(site, "acme") as acme:
        assert sum(
            int(row["cnt_all"]) for row in every.post("/php/model/sql.php", data=fields).json()["results"]
        ) == len(ROWS)
        mine = five.post("/php/model/sql.php", data=fields).json()
        assert sum(int(row["cnt_all"]) for row in mine["results"]) == sum(r["id_sensor"] == 5 for r in ROWS.values())
        assert acme.post("/php/model/sql.php", data=fields).status_code == 403


def test_reports_are_for_users_without_scope(site: World) -> None:
    """A report is a name that may cover anybody's calls."""
    params = {"report_name": "daily", "datetime_from": "2026-11-23", "datetime_to": "2026-11-23", "json": True}
    assert api(site, "all", "reportSummary", params).status_code == 200
    assert api(site, "acme", "reportSummary", params).status_code == 403


def test_a_demanded_reason(site: World) -> None:
    """can_audit = 1: a download without a reason is refused, with one it comes and the trail has the reason."""
    with session(site, "audited") as client:
        refused = client.get("/php/pcap.php", params={"id": "1"})
        assert (refused.status_code, refused.json()["reason"]) == (403, "reason_demanded")
        assert client.get("/php/pcap.php", params={"id": "1", "auditReason": "ticket 4711"}).content == pcap(1)
    assert api(site, "audited", "getPCAP", {"cdrId": 1}).status_code == 403
    assert api(site, "audited", "getPCAP", {"cdrId": 1}, auditReason="ticket 4712").content == pcap(1)
    told = lines(site.gateway.folder, "download", 2, having="said")
    assert [line["said"] for line in told] == ["ticket 4711", "ticket 4712"]


def test_messages_and_their_bodies(site: World) -> None:
    """Bodies of messages are blanked without their flag, and links in them without theirs; scoped users get none."""
    fields = {"task": "LISTING", "module": "message", "fdatefrom": "2026-11-23", "limit": "100"}
    with session(site, "all") as blind, session(site, "plain") as plain, session(site, "acme") as acme:
        bodies = [row["message"] for row in blind.post("/php/model/sql.php", data=fields).json()["results"]]
        assert bodies
        assert set(bodies) == {""}
        shown = [row["message"] for row in plain.post("/php/model/sql.php", data=fields).json()["results"]]
        assert any(shown)
        assert not any("http" in text for text in shown)
        assert acme.post("/php/model/sql.php", data=fields).status_code == 403


def test_deletions_last(site: World) -> None:
    """Only visible calls can be deleted, one foreign id refuses all, and what is deleted is gone at once."""
    acme = [c for c, r in ROWS.items() if "acme.example" in (r["caller_domain"], r["called_domain"])]
    foreign = next(c for c in ROWS if c not in acme)

    def delete(client: httpx2.Client, calls: list[int]) -> int:
        params = json.dumps({"typeDelete": "cdr", "ids": calls})
        fields = {"task": "delete_cdr", "module": "CDR", "params": params}
        return client.post("/php/model/sql.php", data=fields).status_code

    with session(site, "acme") as client, session(site, "none") as none:
        victim = acme[0]
        assert delete(none, [victim]) == 403
        assert delete(client, [victim, foreign]) == 404
        assert client.get("/php/pcap.php", params={"id": str(victim)}).status_code == 200
        assert delete(client, [victim]) == 200
        assert client.get("/php/pcap.php", params={"id": str(victim)}).status_code == 404
    with session(site, "all") as client:
        assert client.get("/php/pcap.php", params={"id": str(foreign)}).status_code == 200
