"""SQL and debug fields of the product's replies: nobody sees them without can_show_sql_query."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from kit.broken import Broken, Seen, broken, whole
from kit.gateway import gateway

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
USERS = [
    {"username": "admin", "password": "secret", "id": 1, "is_admin": True},
    {
        "username": "blind", "password": "secret", "id": 2, "can_cdr": True, "can_messages": True,
        "can_view_content_message": True, "can_view_message_url": True, "can_register": True,
        "can_cdr_share_local_public": True,
    },
    {
        "username": "scoped", "password": "secret", "id": 3, "can_cdr": True, "can_show_sql_query": True,
        "can_cdr_share_local_public": True, "domain": ["a.example"],
    },
    {"username": "reduced", "password": "secret", "id": 4, "can_cdr": True, "simple_cdr": True},
]  # fmt: skip
SQL, API, UTILITIES = "/php/model/sql.php", "/php/api.php", "/php/model/utilities.php"
SHARE = json.dumps({"type": "share_cdr_show", "subType": "self_protected_link", "id": [7], "emailFields": None})
CALLS: dict[str, tuple[str, dict[str, str]]] = {
    "LISTING": (SQL, {"task": "LISTING", "module": "CDR", **DAYS}),
    "suppress_results": (SQL, {"task": "LISTING", "module": "CDR", **DAYS, "suppress_results": "1"}),
    "TOTAL": (SQL, {"task": "TOTAL", "module": "CDR", **DAYS}),
    "SINGLEROW": (SQL, {"task": "SINGLEROW", "module": "CDR", "ID": "7"}),
    "CDR_stats": (SQL, {"task": "LISTING", "module": "CDR_stats", **DAYS}),
    "message": (SQL, {"task": "LISTING", "module": "message", "fdatefrom": "2026-11-20"}),
    "register": (SQL, {"task": "LISTING", "module": "register"}),
    "brief_data": ("/php/pcap2text.php", {"action": "brief_data", "id": "7", "dns_lookup": "0"}),
    "shareCdr": (UTILITIES, {"task": "shareCdr", "params": SHARE}),
    "getShareURL": (API, {"task": "getShareURL", "params": '{"cdrId":7}'}),
    "licenseCheck": ("/php/apilicensecheck.php", {"task": "licenseCheck"}),
}


@dataclass(frozen=True)
class Site:
    """A gateway in front of a GUI that tells its queries with every reply."""

    url: str
    cookies: dict[str, str]

    def ask(self, name: str, user: str) -> httpx2.Response:
        path, fields = CALLS[name]
        return httpx2.post(self.url + path, data=fields, headers={"cookie": self.cookies[user]}, timeout=30)


def telling(connection: socket.socket, seen: Seen) -> None:
    """Any reply with such fields around what was asked for."""
    reply: dict[str, Any] = {"success": True, "total": "1", **TELLING}
    if seen.fields.get("suppress_results") != "1":
        reply["results"] = [ROW]
    if seen.fields.get("task") in {"shareCdr", "getShareURL"}:
        reply = {"success": True, "url": "http://gui.example/cdr.php?share=0815", **TELLING}
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
    return SECRET in answer.text or bool(TELLING.keys() & answer.json().keys())


@pytest.mark.parametrize("name", sorted(CALLS))
def test_queries_are_stripped_without_the_flag(site: Site, name: str) -> None:
    """No reply to a user without the flag has a query in it, and the rest of it is there."""
    answer = site.ask(name, "blind")
    assert answer.status_code == 200, answer.text
    assert not told(answer), answer.text
    assert answer.json().keys() & {"success", "total", "results", "url"}


@pytest.mark.parametrize("name", sorted(CALLS))
def test_queries_are_shown_with_the_flag(site: Site, name: str) -> None:
    """An unscoped user with the flag gets the reply with all that the product says."""
    answer = site.ask(name, "admin")
    assert answer.status_code == 200, answer.text
    assert told(answer), answer.text


@pytest.mark.parametrize("name", ["LISTING", "suppress_results", "TOTAL", "SINGLEROW"])
@pytest.mark.parametrize("user", ["scoped", "reduced"])
def test_queries_of_lists_are_never_shown_to_scoped_users(site: Site, name: str, user: str) -> None:
    """A query tells about everybody's calls: whoever sees a part of them gets none with a list, flag or not."""
    answer = site.ask(name, user)
    assert answer.status_code == 200, answer.text
    assert not told(answer), answer.text
    assert answer.json().keys() <= {"success", "total", "results"}
