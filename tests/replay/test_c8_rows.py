"""Rows, totals and files of calls outside the scope: by every door, in every form of reply."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from kit.attacked import ABSENT, FOREIGN, LISTING, MINE, Site
from kit.raw import Got
from kit.tripwire import Seen, call, rows, whole

API = "/php/api.php"
DOORS = [
    "/php/pcap.php?id={id}",
    "/php/pcap.php?id={id}&disable_rtp=1",
    "/php/pcap2text.php?action=brief_data&id={id}",
    "/php/pcap2text.php?action=brief&id={id}",
    "/php/pcap2text.php?action=getMSC&id={id}",
    "/php/pcap2wav.php?id={id}&action=wav",
    "/php/{id}.wav",
    '/php/api.php?task=getPCAP&params={{"cdrId":{id}}}',
    '/php/api.php?task=getPCAP&params={{"cdrId":"{id}","zip":true}}',
    '/php/api.php?task=getPCAP&params={{"cdrId":{id},"cidInterval":60}}',
    '/php/api.php?task=getPCAP&params=[{{"cdrId":1}},{{"cdrId":{id}}}]',
    '/php/api.php?task=getVoiceRecording&params={{"cdrId":{id}}}',
    '/php/api.php?task=getPCAP&params={{"callId":"call-{id}@example"}}',
    '/php/api.php?task=getVoiceRecording&params={{"callId":"call-{id}@example","cidInterval":3600}}',
    "/php/model/sql.php?task=SINGLEROW&module=CDR&ID={id}",
]
LINES = [
    (),
    ('If-None-Match: "1"',),
    ("Range: bytes=0-0",),
    ("Accept: text/html",),
    ("X-Requested-With: XMLHttpRequest",),
]


def target(door: str, id: int) -> str:
    path, _, query = door.format(id=id).partition("?")
    return f"{path}?{quote(query, safe='=&[],:')}"


def masked(got: Got, id: int) -> tuple[object, ...]:
    """An answer without its date, its code, and the id that was asked for."""
    head = [line for line in got.head.split("\r\n") if not line.startswith(("date:", "x-request-id:"))]
    return head, got.body.replace(b"cdr id %d " % id, b"cdr id N ")


@pytest.mark.parametrize("lines", LINES, ids=lambda lines: lines[0].partition(":")[0] if lines else "plain")
@pytest.mark.parametrize("door", DOORS)
def test_a_foreign_call_is_an_absent_one(site: Site, door: str, lines: tuple[str, ...]) -> None:
    """CVE-2022-35980, CVE-2026-21721: byte for byte, also in parts and with conditions; the GUI gives no file."""
    site.wire.odd = lambda seen: rows([]) if seen.fields.get("fcallid") else None
    foreign = site.ask("alice", target(door, FOREIGN), *lines)
    absent = site.ask("alice", target(door, ABSENT), *lines)
    assert masked(foreign, FOREIGN) == masked(absent, ABSENT)
    assert foreign.status == (200 if "SINGLEROW" in door else 404)
    assert [seen.target for seen in site.wire.seen if "pcap" in seen.target or "wav" in seen.target] == []


def test_nothing_found_takes_as_many_questions(site: Site) -> None:
    """A Call-ID of somebody else's call and one of nobody's cost the same number of questions upstream."""
    site.wire.calls[4] = call(4, "2001", "2002", fbasename="his-leg")

    def odd(seen: Seen) -> bytes | None:
        wanted = seen.fields.get("fcallid")
        return rows([site.wire.calls[4]] if wanted == "his-leg" else []) if wanted else None

    site.wire.odd = odd
    asked = []
    for call_id in ("his-leg", "no-leg"):
        before = len(site.wire.log)
        fields = json.dumps({"callId": call_id})
        assert site.ask("alice", f"{API}?task=getPCAP&params={quote(fields)}").status == 404
        asked.append([seen.fields["task"] for seen in site.wire.log[before:]])
    assert asked[0] == asked[1] == ["LISTING", "SINGLEROW"]


def listed(site: Site, who: str, more: str = "") -> dict[str, Any]:
    got = site.ask(who, LISTING + more)
    assert got.status == 200, got
    found: dict[str, Any] = json.loads(got.body)
    return found


@pytest.mark.parametrize("user", ["alice", "bob", "lon"])
@pytest.mark.parametrize(
    "more",
    [
        *("", "&limit=0", "&limit=1", "&start=1&limit=1", "&start=999999999999999999", "&page=0", "&start=0&page=7"),
        *("&page=999999999999999999&limit=5000", "&suppress_results=1", "&suppress_results=1&start=5", "&sort=%5B%5D"),
        *("&fsensor_id=-1", "&orderByLoss=1&dir=ASC", "&disableRtp=1", "&simple=0", "&deferTotal=1", "&fcaller=%25"),
    ],
)
def test_totals_are_his(site: Site, user: str, more: str) -> None:
    """OpenSearch 5492: no page, edge of a page or way of counting tells how many calls others have."""
    site.wire.odd = lambda seen: _unfiltered(seen, site)
    own = {"alice": {"1", "3"}, "bob": {"2", "3"}, "lon": {"1", "3"}}[user]
    found = listed(site, user, more)
    assert int(found["total"]) == len(own)
    assert {row["ID"] for row in found.get("results", [])} <= own
    assert set(found) <= {"success", "total", "results"}


def _unfiltered(seen: Seen, site: Site) -> bytes | None:
    """LISTING that knows no sensors but the pushed ones, and says more than it should beside the rows."""
    if seen.fields.get("task") != "LISTING" or seen.fields.get("module") != "CDR":
        return None
    calls = list(site.wire.calls.values())
    if seen.fields.get("fsensor_id", "-1") != "-1":
        calls = [row for row in calls if row["id_sensor"] == 2]
    if seen.fields.get("suppress_results") == "1":
        return whole(b'{"total":"%d"}' % len(calls))
    start, limit = int(seen.fields.get("start", 0)), int(seen.fields.get("limit", 30))
    said = {"success": True, "total": str(len(calls)), "results": calls[start : start + limit]}
    return whole(json.dumps({**said, "sums": {"calls": 3}, "sql": "select 1", "users": ["bob"]}).encode())


ODD_ROWS = [
    '{"ID":"7","caller":"2001","called":"2002","caller":"1001"}',
    '{"ID":"7","caller":"1001","called":"2002","caller":"2001"}',
    '{"ID":"7","caller":["1001"],"called":"2002"}',
    '{"ID":"7","caller":{"0":"1001"},"called":"2002"}',
    '{"ID":"7","caller":1001.5,"called":"2002"}',
    '{"ID":"7","caller":true,"called":null}',
    '{"ID":"7","CALLER":"1001","called":"2002"}',
    '{"ID":"7","caller":"2001 1001","called":"2002"}',
    '{"ID":"7","caller":"\\u0661001","called":"2002"}',
    '{"ID":"--7","caller":"1001","called":"2002"}',
    '{"ID":["7"],"caller":"2001","called":"2002"}',
    '{"ID":"9","caller_num":"1001"}',
    "{}",
    "null",
    '["7","1001"]',
    '[{"ID":"7","caller":"1001"}]',
    '"1001"',
]


@pytest.mark.parametrize("row", ODD_ROWS)
def test_a_row_of_another_form_shows_nothing_foreign(site: Site, row: str) -> None:
    """CVE-2022-35980: what is not certainly his row is left out or refuses the reply; keys given twice never pass."""
    reply = whole(b'{"success":true,"total":"1","results":[%s]}' % row.encode())
    site.wire.odd = lambda seen: reply if seen.fields.get("task") == "LISTING" else None
    got = site.ask("alice", LISTING)
    assert got.status in {200, 500, 502}, got
    assert b"2001" not in got.body
    if got.status == 200:
        found = json.loads(got.body)
        assert int(found["total"]) == len(found["results"])


def test_a_row_that_cannot_be_read_is_the_guis_fault(site: Site) -> None:
    """A number that is none is a reply that is not understood, and no failure of the gateway."""
    reply = whole(b'{"success":true,"total":"1","results":[{"ID":"--7","caller":"1001"}]}')
    site.wire.odd = lambda seen: reply if seen.fields.get("task") == "LISTING" else None
    assert site.ask("alice", LISTING).status != 500


@pytest.mark.parametrize("params", ['{"callId":0}', '{"callId":false}', '{"callId":"0"}', '{"cdrId":null,"callId":0}'])
def test_a_selector_of_nothing_finds_nothing(site: Site, params: str) -> None:
    """Selectors that are false for PHP are looked for like any other, and found nowhere."""
    got = site.ask("alice", f"{API}?task=getPCAP&params={quote(params)}")
    assert (got.status, got.body) == (404, b'{"success":false,"error":"no match cdr"}')


@pytest.mark.parametrize("status", ["206 Partial Content", "416 Range Not Satisfiable", "200 OK"])
def test_a_file_of_another_type_is_not_passed_on(site: Site, status: str) -> None:
    """Parts of files, and the page that says there is no such part, are held to what the call promises."""
    page = whole(b"<b>SELECT secret</b>", "text/html", status=status, more="Content-Range: bytes 0-19/20\r\n")
    site.wire.odd = lambda seen: page if seen.path == "/php/pcap.php" else None
    got = site.ask("alice", f"/php/pcap.php?id={MINE}", "Range: bytes=0-19")
    assert got.status == (416 if status.startswith("416") else 502)
    assert b"secret" not in got.body


@pytest.mark.parametrize(
    ("sent", "passed"),
    [
        ("bytes=0-99", True),
        ("bytes=100-", True),
        ("bytes=-100", True),
        ("bytes=" + ",".join(["0-"] * 3000), False),
        ("bytes=0-0,5-9", False),
        ("bytes=9" * 20, False),
        ("lines=1-2", False),
        ("bytes=", False),
    ],
)
def test_one_range_at_most(site: Site, sent: str, passed: bool) -> None:
    """CVE-2025-62727: many ranges at once, or what is no range, are not asked of the GUI."""
    assert site.ask("alice", f"/php/pcap.php?id={MINE}", f"Range: {sent}").status == 200
    (seen,) = site.wire.seen
    assert dict(seen.headers).get("range") == (sent if passed else None)


def test_derived_columns_are_no_way_round(site: Site) -> None:
    """GHSA-v3cg-7r9h-r2g6: nobody sorts by a column that the rows do not have, or by an expression."""
    for column in ("vlan", "caller_num", "caller desc", "(select 1)", "id_sensor,caller", "ID--", "1", ""):
        sort = quote(json.dumps([{"property": column, "direction": "ASC"}]))
        assert site.ask("alice", f"{LISTING}&sort={sort}").status == 400, column
    assert site.ask("alice", f"{LISTING}&sort=" + quote('[{"property":"ID","direction":"ASC,1"}]')).status == 400
    assert site.wire.seen == []
