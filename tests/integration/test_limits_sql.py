"""SQL and debug fields of the product's replies: nobody sees them without can_show_sql_query."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from authgw.catalogue.load import load
from authgw.rights.dictionary import IMPLIED_BY_ADMIN
from kit.broken import Broken, Seen, broken, whole
from kit.gateway import gateway
from kit.samples import API, SAMPLES, SQL, Sample

SECRET = "select * from cdr where id_sensor = 4711"
# As the product might name them, beside one that only says that there is no debugging.
TELLING = {
    "sql": SECRET, "SQL": SECRET, "sqlQuery": SECRET, "sql_query": SECRET, "query": [SECRET], "debug": {"q": SECRET},
    "_debug": {"sql": SECRET}, "debugLog": SECRET, "_debug_sql": SECRET,
}  # fmt: skip
ROW = {
    "ID": "7", "cdr_ID": "7", "calldate": "2026-11-23 15:00:00.000", "caller": "1001", "called": "1002",
    "caller_domain": "a.example", "called_domain": "b.example", "sipcallerip": "127.0.0.1", "sipcalledip": "127.0.0.2",
    "id_sensor": 2, "connect_duration": 5, "fbasename": "call-7@example", "vlan": None, "id": "7", "message": "hello",
}  # fmt: skip
DAYS = {"fdatefrom": "2026-11-20T00:00:00", "fdateto": "2026-11-25T00:00:00"}
# What opens every call that is not an administrator's; an administrator has the flag.
BLIND = {flag: True for flag in IMPLIED_BY_ADMIN if flag != "can_show_sql_query"} | {"can_audit": 2}
USERS = [
    {"username": "admin", "password": "secret", "id": 1, "is_admin": True},
    {"username": "blind", "password": "secret", "id": 2, **BLIND},
    {"username": "part", "password": "secret", "id": 5, **BLIND, "domain": ["a.example"]},
    {
        "username": "scoped", "password": "secret", "id": 3, "can_cdr": True, "can_show_sql_query": True,
        "can_cdr_share_local_public": True, "domain": ["a.example"],
    },
    {"username": "reduced", "password": "secret", "id": 4, "can_cdr": True, "simple_cdr": True},
]  # fmt: skip
# As the product lists a call under way.
RUNNING = {"callreference": "0x1", "id_sensor": 2, "caller": "1001", "called": "1002", "callerdomain": "a.example",
           "calleddomain": "b.example", "connect_duration": 5, "vlan": 65534}  # fmt: skip
LICENCE = [Sample((), "/php/apilicensecheck.php", {"task": "licenseCheck"}),
           Sample((), "/php/apilicensecheck.php", {"task": "licenseCallsLimitCheck"})]  # fmt: skip
SAMPLED = {**SAMPLES, "licence-check": LICENCE[:1], "licence-calls-check": LICENCE[1:]}
SAMPLED["api-report-summary"] = [
    Sample(
        (), API, {"task": "reportSummary", "params": json.dumps({"report_name": "x", "json": wanted})}, tag=str(wanted)
    )
    for wanted in (True, False)
]
# The list of sensors comes to everybody as the gateway writes it; the upstream of these tests knows no other reply.
WRITTEN_HERE = {"sensors", "sensors-changes"}
ENTRIES = {
    entry.name for entry in load(["voipmonitor"], Path()).entries
    if entry.reply in {"json", "rows", "report"} and entry.answer is None and entry.refuse is None
} - WRITTEN_HERE  # fmt: skip
CALLS: dict[str, Sample] = {
    f"{name} {sample.tag or sample.fields.get('module', '')}".strip(): sample
    for name in sorted(ENTRIES)
    for sample in SAMPLED[name]
}
CALLS["cdr-listing suppress_results"] = Sample((), SQL, {**SAMPLES["cdr-listing"][0].fields, "suppress_results": "1"})


@dataclass(frozen=True)
class Site:
    """A gateway in front of a GUI that tells its queries with every reply."""

    url: str
    cookies: dict[str, str]

    def ask(self, name: str, user: str) -> httpx2.Response:
        sample = CALLS[name]
        fields = {**sample.fields}
        if '"callRef"' in fields.get("params", ""):
            fields["params"] = '{"callRef":"0x1","sensorId":"2","command":"pausecall"}'
        cookie = {"cookie": self.cookies[user]}
        return httpx2.post(self.url + sample.path, data=fields, headers=cookie, timeout=30)


def telling(connection: socket.socket, seen: Seen) -> None:
    """Any reply with such fields around what was asked for, and in its rows."""
    task = seen.fields.get("task", "")
    row = {**ROW, "ID": seen.fields.get("ID", "12"), "cdrId": "12"}
    reply: Any = {"success": True, "total": "1", **TELLING}
    if task in {"shareCdr", "getShareURL"}:
        reply["url"] = "http://gui.example/cdr.php?share=0815"
    elif task == "listActiveCalls":
        reply = [{**RUNNING, **TELLING}]
    elif task in {"getVoipCalls", "listCdrIds"}:
        reply = [{**row, **TELLING}]
    elif seen.fields.get("suppress_results") != "1":
        reply["results"] = [row if task == "SINGLEROW" else {**row, "sqlQuery": SECRET}]
    connection.sendall(whole(json.dumps(reply).encode(), more="Connection: close\r\n"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with broken() as upstream:
        yield from served(upstream, tmp_path_factory)


def served(upstream: Broken, folders: pytest.TempPathFactory) -> Iterator[Site]:
    upstream.misbehave = telling
    with gateway(folders.mktemp("sql"), upstream.url, users=USERS) as found:
        cookies = {}
        for user in USERS:
            fields = {"module": "bypass_login", "user": user["username"], "pass": "secret"}
            said = httpx2.post(found.url + SQL, data=fields, timeout=30).json()
            cookies[str(user["username"])] = f"PHPSESSID={said['SID']}"
        yield Site(found.url, cookies)


def told(answer: httpx2.Response) -> bool:
    said = answer.json()
    return SECRET in answer.text or (isinstance(said, dict) and bool(TELLING.keys() & said.keys()))


def test_every_call_whose_reply_is_read_is_asked_for_here() -> None:
    """A call that is new in the policy needs a sample, or its queries are looked for by nobody."""
    assert {name.split()[0] for name in CALLS} == ENTRIES


NOT_ADMINISTRATION = sorted(name for name in CALLS if not name.startswith("administration"))


@pytest.mark.parametrize("name", NOT_ADMINISTRATION)
def test_queries_are_stripped_without_the_flag(site: Site, name: str) -> None:
    """No reply to a user without the flag has a query in it, and the rest of it is there."""
    answer = site.ask(name, "blind")
    assert answer.status_code == 200, answer.text
    assert not told(answer), answer.text
    said = answer.json()
    assert (said[0] if isinstance(said, list) else said).keys() & {"success", "total", "results", "url", "caller"}


@pytest.mark.parametrize("name", NOT_ADMINISTRATION)
def test_queries_are_stripped_for_who_sees_part(site: Site, name: str) -> None:
    """The same under a row scope, where the call is open at all."""
    answer = site.ask(name, "part")
    assert answer.status_code in {200, 403}, answer.text
    assert SECRET not in answer.text


@pytest.mark.parametrize("name", sorted(CALLS))
def test_queries_are_shown_with_the_flag(site: Site, name: str) -> None:
    """An unscoped user with the flag gets the reply with all that the product says."""
    answer = site.ask(name, "admin")
    assert answer.status_code == 200, answer.text
    assert told(answer), answer.text


LISTS = ["cdr-listing CDR", "cdr-listing suppress_results", "cdr-total CDR", "cdr-row CDR"]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("user", ["scoped", "reduced"])
def test_queries_of_lists_are_never_shown_to_scoped_users(site: Site, name: str, user: str) -> None:
    """A query tells about everybody's calls: whoever sees a part of them gets none around a list, flag or not."""
    answer = site.ask(name, user)
    assert answer.status_code == 200, answer.text
    assert answer.json().keys() <= {"success", "total", "results"}


@pytest.mark.parametrize(("user", "whole"), [("admin", True), ("blind", True), ("scoped", False), ("reduced", False)])
def test_settings_of_sensors_are_for_who_manages_them(site: Site, user: str, whole: bool) -> None:
    """The list of sensors is everybody's by id, number and name; what else the GUI keeps of them needs the flag."""
    fields = {"task": "LISTING", "module": "sensors"}
    answer = httpx2.post(site.url + SQL, data=fields, headers={"cookie": site.cookies[user]}, timeout=30)
    (row,) = answer.json()["results"]
    assert row.items() >= {"id": "12", "id_sensor": 2, "name": "lon"}.items()
    assert ("db_password" in row) is whole
