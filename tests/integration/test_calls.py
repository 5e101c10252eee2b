"""The first calls as users with different rights make them: which doors open, and what is refused at them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from kit.broken import broken, says, whole
from kit.gateway import SERVICE_PASSWORD, gateway
from kit.world import World, world
from oracle.data import VOIP, records_of
from oracle.site import signalling

USERS: list[dict[str, Any]] = [
    {"username": "admin", "id": 1, "is_admin": True},
    {"username": "scoped", "id": 2, "can_cdr": True, "can_pcap": True, "enable_sensors": [2]},
    {"username": "numbers", "id": 3, "can_cdr": True, "number": ["+44%"]},
    {"username": "nothing", "id": 4},
    {"username": "auditor", "id": 5, "can_cdr": True, "can_pcap": True, "no_rtp": True},
    {"username": "simple", "id": 6, "can_cdr": True, "can_pcap": True, "simple_cdr": True},
    {"username": "hidden", "id": 7, "can_cdr": True, "hide_license_information": True, "hide_cdr_groups": True},
]
SQL, API = "/php/model/sql.php", "/php/api.php"
DAYS = {"fdatefrom": "2026-11-20T00:00:00", "fdateto": "2026-11-25T00:00:00"}
LISTING = {"task": "LISTING", "module": "CDR", **DAYS}
VOIP_CALLS = json.dumps({"startTime": "2026-11-20", "endTime": "2026-11-25"})


# What an administrator's flags open, whatever upstream makes of it.
ADMINISTRATORS = {"delete"}


def secret(users: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**user, "password": "secret"} for user in users]


class Door:
    """A user's session: every answer is looked at for what must never be in it."""

    def __init__(self, url: str, user: str) -> None:
        self.http = httpx2.Client(base_url=url, timeout=30)
        fields = {"module": "bypass_login", "user": user, "pass": "secret"}
        answer = self.http.post(SQL, data=fields).json()
        self.http.cookies.clear()
        self.http.headers["cookie"] = f"{answer['cookie_name']}={answer['SID']}"

    def post(self, path: str, fields: dict[str, str]) -> httpx2.Response:
        answer = self.http.post(path, data=fields)
        assert SERVICE_PASSWORD not in answer.text
        return answer


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("calls"), users=secret(USERS)) as found:
        yield found


@pytest.fixture(scope="module")
def doors(served: World) -> Iterator[dict[str, Door]]:
    found = {user["username"]: Door(served.url, user["username"]) for user in USERS}
    yield found
    for door in found.values():
        door.http.close()


CALLS: dict[str, tuple[str, dict[str, str], set[str]]] = {
    "listing": (SQL, LISTING, {"admin", "scoped", "numbers", "auditor", "simple", "hidden"}),
    "voip calls": (
        API,
        {"task": "getVoipCalls", "params": VOIP_CALLS},
        {"admin", "scoped", "numbers", "auditor", "simple", "hidden"},
    ),
    "cdr ids": (
        API,
        {"task": "listCdrIds", "params": '{"offset":1,"size":5}'},
        {"admin", "scoped", "numbers", "auditor", "simple", "hidden"},
    ),
    "history": (
        "/php/pcap2text.php",
        {"action": "brief_data", "id": "14"},
        {"admin", "scoped", "numbers", "auditor", "hidden"},
    ),
    "capture": ("/php/pcap.php", {"id": "14"}, {"admin", "scoped", "auditor"}),
    "licence": (
        "/php/apilicensecheck.php",
        {"task": "licenseCheck"},
        {"admin", "scoped", "numbers", "nothing", "auditor", "simple"},
    ),
    "sensors": (SQL, {"task": "LISTING", "module": "sensors"}, {user["username"] for user in USERS}),
    "delete": (SQL, {"task": "delete_cdr", "module": "CDR", "params": '{"typeDelete":"cdr","ids":[987654]}'}, set()),
    "unknown task": (API, {"task": "getDashboardPanel", "params": "{}"}, set()),
    "unknown module": (SQL, {"task": "LISTING", "module": "secrets"}, set()),
    "glogin": (SQL, {"module": "glogin"}, set()),
    "run": ("/php/run.php", {}, set()),
    "upgrade": ("/upgrade.php", {}, set()),
    "key": ("/key.php", {}, set()),
    "utilities": ("/php/model/utilities.php", {"task": "exec"}, set()),
}


@pytest.mark.parametrize("name", sorted(CALLS))
def test_who_may(doors: dict[str, Door], name: str) -> None:
    """Each call opens for those who have its flag, whoever else they are; what is unknown opens for nobody."""
    path, fields, may = CALLS[name]
    for user, door in doors.items():
        if user == "admin" and name in ADMINISTRATORS:
            continue
        answer = door.post(path, fields)
        if user in may:
            assert answer.status_code in (200, 404), (user, answer.text[:300])
        else:
            assert answer.status_code == 403, (user, answer.text[:300])


@pytest.mark.parametrize("name", sorted(CALLS))
def test_nobody(served: World, name: str) -> None:
    """Without a session nothing opens."""
    path, fields, _ = CALLS[name]
    answer = httpx2.post(served.url + path, data=fields, timeout=30)
    assert answer.status_code in (401, 403), answer.text[:300]


@pytest.mark.parametrize(
    ("fields", "users", "status"),
    [
        ({"task": "LISTING", "module": "CDR"}, ("scoped", "numbers", "admin"), 400),
        ({**LISTING, "fdatefrom": "2020-01-01T00:00:00"}, ("numbers",), 400),
        ({"task": "LISTING", "module": "CDR", "fdateto": "2026-11-25T00:00:00"}, ("numbers",), 400),
        ({**LISTING, "limit": "5001"}, ("scoped", "numbers"), 400),
        ({**LISTING, "fdatefrom": "2020-01-01T00:00:00"}, ("admin",), 200),
        ({**LISTING, "limit": "12abc"}, ("scoped", "numbers", "admin"), 400),
        ({**LISTING, "fsensor_id": "12 or 1=1"}, ("scoped", "numbers", "admin"), 400),
        ({**LISTING, "sort": '[{"property":"(select 1)","direction":"ASC"}]'}, ("scoped", "numbers", "admin"), 400),
        ({**LISTING, "unheard_of": "1"}, ("scoped", "numbers", "admin"), 400),
    ],
)
def test_parameters_that_are_refused(
    doors: dict[str, Door], fields: dict[str, str], users: tuple[str, ...], status: int
) -> None:
    """No date, too many days, too many rows, wrong types, unknown names."""
    for user in users:
        answer = doors[user].post(SQL, fields)
        assert answer.status_code == status, (user, answer.text[:300])


def test_the_bound_on_a_scan_is_named(doors: dict[str, Door]) -> None:
    """Whoever asks for too many days is told how many there may be."""
    answer = doors["numbers"].post(SQL, {**LISTING, "fdatefrom": "2020-01-01T00:00:00"})
    assert "31" in answer.text


def test_saved_filters_hide_what_they_select(doors: dict[str, Door]) -> None:
    """A reference to a saved filter is refused for scoped users."""
    for name in ("ffilterTemplate",):
        for user in ("scoped", "numbers"):
            assert doors[user].post(SQL, {**LISTING, name: "3"}).status_code in (400, 403)


def test_one_refused_element_refuses_the_call(doors: dict[str, Door]) -> None:
    """An array of params is judged element by element, and never answered in part."""
    good = {"startTime": "2026-11-20", "endTime": "2026-11-25", "caller": "1001"}
    for bad in ({}, {"caller": "1001"}, {"cdrId": "1 or 1=1"}, {"startTime": ["2026"]}, 7):
        for params in ([good, bad], [bad, good]):
            answer = doors["scoped"].post(API, {"task": "getVoipCalls", "params": json.dumps(params)})
            assert answer.status_code >= 400 or answer.json().get("success") is False, (params, answer.text[:300])
            assert b'cdrId":' not in answer.content


def test_no_rtp(doors: dict[str, Door]) -> None:
    """An auditor's captures are without RTP, whatever he asks for."""
    whole_file = (VOIP / "pcaps" / "14.pcap").read_bytes()
    for more in ({}, {"disable_rtp": "0"}, {"disable_rtp": "1"}):
        answer = doors["auditor"].post("/php/pcap.php", {"id": "14", **more})
        assert answer.content == signalling(whole_file) != whole_file
    assert doors["admin"].post("/php/pcap.php", {"id": "14"}).content == whole_file
    for path, fields in (("/php/14.wav", {}), ("/php/pcap2wav.php", {"id": "14", "action": "wav"})):
        assert doors["auditor"].post(path, fields).status_code == 403


def test_simple_rows(doors: dict[str, Door]) -> None:
    """Reduced rows have fewer columns, and nobody learns the others by filtering or sorting."""
    full = doors["admin"].post(SQL, {**LISTING, "limit": "3"}).json()["results"]
    reduced = doors["simple"].post(SQL, {**LISTING, "limit": "3"}).json()["results"]
    assert [row["ID"] for row in reduced] == [row["ID"] for row in full]
    assert set(reduced[0]) < set(full[0])
    left_out = sorted(set(full[0]) - set(reduced[0]))
    assert "sipcallerip" in left_out
    for column in left_out:
        terms = json.dumps([{"property": column, "direction": "ASC"}])
        answer = doors["simple"].post(SQL, {**LISTING, "sort": terms})
        assert answer.status_code in (400, 403), (column, answer.text[:300])
    for name, value in (("fsipcallerip", "127.0.10.16"), ("fa_ua", "%Acme%"), ("fcallid", "%@127.0.10.16")):
        answer = doors["simple"].post(SQL, {**LISTING, name: value})
        assert answer.status_code in (400, 403), (name, answer.text[:300])


def test_sensors_of_a_user(doors: dict[str, Door]) -> None:
    """The list of sensors holds his own, by database id and number."""
    fields = {"task": "LISTING", "module": "sensors"}
    found = {user: doors[user].post(SQL, fields).json()["results"] for user in ("admin", "scoped")}
    assert [int(row["id_sensor"]) for row in found["admin"]] == [2, 3, 5, 7]
    assert [(int(row["id"]), int(row["id_sensor"])) for row in found["scoped"]] == [(12, 2)]


def test_numbers_in_rows_are_in_scope(doors: dict[str, Door]) -> None:
    """A plain look at the rows themselves: every one has a number of the scope."""
    results = doors["numbers"].post(SQL, {**LISTING, "limit": "500"}).json()["results"]
    expected = [r for r in records_of(VOIP) if r["caller"].startswith("+44") or r["called"].startswith("+44")]
    assert sorted(int(row["ID"]) for row in results) == sorted(record["ID"] for record in expected)
    assert all(row["caller"].startswith("+44") or row["called"].startswith("+44") for row in results)


def test_what_goes_upstream(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Neither the user's name, password or session id, nor a header of his that is not on the list."""
    with (
        broken() as upstream,
        gateway(tmp_path_factory.mktemp("seen"), upstream.url, users=secret(USERS)) as served,
    ):
        upstream.misbehave = says(whole(b"[]"))
        login = {"user": "admin", "password": "secret"}
        headers = {
            "authorization": "Basic c2VjcmV0",
            "x-forwarded-for": "6.6.6.6",
            "x-forwarded-host": "evil.example",
            "x-remote-user": "root",
            "x_remote_user": "root",
            "cookie": "PHPSESSID=upstreams-own; admin=1",
            "referer": "https://evil.example/",
            "user-agent": "robot/1",
        }
        body: dict[str, Any] = {
            "task": "getVoipCalls",
            **login,
            "params": {"startTime": "2026-11-20", "caller": "1001"},
        }
        httpx2.post(served.url + API, json=body, headers=headers, timeout=20)
        httpx2.get(served.url + API, params={**body, "params": json.dumps(body["params"])}, headers=headers, timeout=20)
        door = Door(served.url, "admin")
        sid = door.http.headers["cookie"]
        door.http.headers.update({**headers, "cookie": f"{sid}; other=1"})
        door.post(SQL, LISTING)
        door.http.get("/php/pcap.php", params={"id": "14"}, headers={"range": "bytes=0-9"})
        door.http.close()
        assert len(upstream.seen) >= 4
        for seen in upstream.seen:
            said = seen.head + json.dumps(seen.fields)
            for word in ("c2VjcmV0", "6.6.6.6", "evil", "remote", "upstreams-own", "other=1", sid.partition("=")[2]):
                assert word not in said, (word, said)
            assert '"secret"' not in said
            assert seen.fields.get("user", "authgw") == "authgw"
            assert f"Host: {upstream.url.removeprefix('http://')}".lower() in seen.head.lower()
