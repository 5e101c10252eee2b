"""Users under content limits, one call that all of them are about, and the ways to ask for it."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any
from urllib.parse import urlsplit

import httpx2

from authgw.rights.claims import Grant, HeaderLine, Scope
from authgw.rights.dictionary import IMPLIED_BY_ADMIN
from kit.users import Users
from oracle.data import VOIP, records_of

SQL, API, UTILITIES = "/php/model/sql.php", "/php/api.php", "/php/model/utilities.php"
DAYS = {"fdatefrom": "2026-11-20T00:00:00", "fdateto": "2026-11-25T00:00:00"}
RECORDS = {record["ID"]: record for record in records_of(VOIP)}
# Connected, with RTP in its capture and a recording: within acme.example, on sensor 2.
CALL = 12
CALL_ID = RECORDS[CALL]["callid"]
HEADER = {"customHeader": "X-Tenant", "customHeaderValue": "acme", "calldate": RECORDS[CALL]["calldate"][:19]}
# Recorded twice under one Call-ID.
TWICE = (118, 181)
PCAP_TYPE = "application/vnd.tcpdump.pcap"
SCOPES = {
    "everything": Scope(),
    "a domain": Scope(domain=("%.example",)),
    "headers": Scope(headers_cdr=(HeaderLine(0, "X-Tenant", "acme"),)),
}


def may(limits: str = "", scope: Scope | None = None, *, without: str = "") -> tuple[Grant, ...]:
    """One grant with every flag of an administrator but `without`, and these limits."""
    flags = frozenset({"is_admin", *IMPLIED_BY_ADMIN} - set(without.split()))
    return (Grant(flags, frozenset(limits.split()), scope or Scope()),)


def sql(users: Users, who: tuple[Grant, ...], task: str, module: str = "CDR", **fields: str) -> httpx2.Response:
    return users.ask(who, SQL, {"task": task, "module": module, **fields})


def api(users: Users, who: tuple[Grant, ...], task: str, params: Any, **more: str) -> httpx2.Response:
    return users.ask(who, API, {"task": task, "params": json.dumps(params), **more})


def share(users: Users, who: tuple[Grant, ...], calls: list[int], kind: str, type2: str | None) -> httpx2.Response:
    params = {"type": "share_cdr_show", "type2": type2, "subType": kind, "id": calls, "emailFields": None}
    return users.ask(who, UTILITIES, {"task": "shareCdr", "params": json.dumps(params)})


def link_of(answer: httpx2.Response) -> str:
    """The share link in a reply, as path and query."""
    assert answer.status_code == 200, answer.text
    parts = urlsplit(next(text for text in answer.json().values() if isinstance(text, str) and "://" in text))
    return f"{parts.path}?{parts.query}"


def capture(call: int) -> bytes:
    return (VOIP / "pcaps" / f"{call}.pcap").read_bytes()


def recording(call: int) -> bytes:
    return (VOIP / str(RECORDS[call]["wav"])).read_bytes()


def members(archive: bytes) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return [opened.read(name) for name in opened.namelist()]
