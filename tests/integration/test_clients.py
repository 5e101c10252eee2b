"""The ways in which real clients speak to the product: one small client for each, against a running gateway."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from kit.world import World, world
from oracle.data import VOIP, records_of

SQL, API = "/php/model/sql.php", "/php/api.php"
PASSWORD = "s3cret&more=%+ä"
DAYS = {"fdatefrom": "2026-11-20T00:00:00", "fdateto": "2026-11-25T00:00:00"}
LISTING = {"task": "LISTING", "module": "CDR", **DAYS}
RIGHTS = {
    "can_cdr": True,
    "can_pcap": True,
    "can_play_audio": True,
    "can_download_audio": True,
    "can_activecalls": True,
}
USERS = [
    {"username": "alice", "password": PASSWORD, "id": 1, **RIGHTS, "domain": ["acme.example"]},
    {"username": "sensor", "password": PASSWORD, "id": 2, **RIGHTS, "enable_sensors": [2, 3]},
    {"username": "nobody", "password": PASSWORD, "id": 3, **RIGHTS, "domain": ["no.example"]},
    {"username": "guest", "password": PASSWORD, "id": 4},
]
RECORDS = {record["ID"]: record for record in records_of(VOIP)}
ACME = {id for id, r in RECORDS.items() if "acme.example" in (r["caller_domain"], r["called_domain"])}
BOTH = {id for id, r in RECORDS.items() if r["id_sensor"] in (2, 3)}
SESSIONS = 3


@pytest.fixture(scope="module", params=["", "/demo"], ids=["root", "demo"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The GUI in the web root, and in a folder."""
    folder = tmp_path_factory.mktemp("clients")
    with world(folder, users=USERS, base=request.param, sessions={"per_user": SESSIONS}) as found:
        yield found


@pytest.fixture
def http(site: World) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=site.url, timeout=30) as client:
        yield client


def credentials(user: str = "alice") -> dict[str, str]:
    return {"module": "bypass_login", "user": user, "pass": PASSWORD}


# ---------------------------------------------------------------- logging in


def by_get(http: httpx2.Client, user: str) -> httpx2.Response:
    return http.get(SQL, params=credentials(user))


def by_query_and_empty_json(http: httpx2.Client, user: str) -> httpx2.Response:
    return http.post(SQL, params=credentials(user), json={})


def by_query_and_no_body(http: httpx2.Client, user: str) -> httpx2.Response:
    return http.post(SQL, params=credentials(user))


def by_form(http: httpx2.Client, user: str) -> httpx2.Response:
    return http.post(SQL, data=credentials(user))


def by_multipart(http: httpx2.Client, user: str) -> httpx2.Response:
    return http.post(SQL, files=parts(credentials(user)))


def by_json(http: httpx2.Client, user: str) -> httpx2.Response:
    return http.post(SQL, json=credentials(user))


def parts(fields: dict[str, str]) -> dict[str, tuple[None, str]]:
    """A form of several parts without files, as requests' `files=` and PHP's curl arrays make it."""
    return {name: (None, value) for name, value in fields.items()}


LOGINS: list[Callable[[httpx2.Client, str], httpx2.Response]] = [
    by_get, by_query_and_empty_json, by_query_and_no_body, by_form, by_multipart, by_json,
]  # fmt: skip


@pytest.mark.parametrize("login", LOGINS, ids=lambda login: login.__name__)
def test_a_client_logs_in_and_lists(site: World, http: httpx2.Client, login: Callable[..., httpx2.Response]) -> None:
    """Every way of logging in gives a session that lists this user's calls; no cookie is set, the body names it."""
    answer = login(http, "alice")
    assert answer.status_code == 200, answer.text
    assert "set-cookie" not in answer.headers
    said = answer.json()
    assert said["success"] is True
    assert said["cookie_name"] == "PHPSESSID" + site.base.replace("/", "-")
    listed = http.post(SQL, data=LISTING, headers={"cookie": f"{said['cookie_name']}={said['SID']}"}).json()
    assert int(listed["total"]) == len(ACME)


@pytest.mark.parametrize("login", LOGINS, ids=lambda login: login.__name__)
def test_a_failed_login_says_so(http: httpx2.Client, login: Callable[..., httpx2.Response]) -> None:
    """A user that does not exist: 401 and the product's text, as JSON."""
    answer = login(http, f"mallory-{login.__name__}")
    assert answer.status_code == 401
    assert answer.json()["error"] == "Invalid username or password."
    assert answer.json()["success"] is False


@pytest.mark.parametrize("login", LOGINS, ids=lambda login: login.__name__)
def test_a_malformed_login_is_answered_in_json(http: httpx2.Client, login: Callable[..., httpx2.Response]) -> None:
    """A control byte in the name: no login, and a body that clients can read."""
    answer = login(http, "alice\x00")
    assert answer.status_code == 400
    assert answer.json()["success"] is False
    assert isinstance(answer.json()["error"], str)


def logged_in(http: httpx2.Client, user: str = "alice") -> str:
    """A session's id."""
    return str(by_form(http, user).json()["SID"])


def test_a_client_that_speaks_multipart_throughout(http: httpx2.Client) -> None:
    """Logs in by multipart/form-data and asks for sums the same way; they are those of its sensors."""
    said = by_multipart(http, "sensor").json()
    cookie = {"cookie": f"{said['cookie_name']}={said['SID']}"}
    fields = {"task": "LISTING", "module": "CDR_stats", **DAYS, "group_by": "lastSIPresponse"}
    answer = http.post(SQL, files=parts(fields), headers=cookie)
    assert answer.status_code == 200, answer.text
    rows = answer.json()["results"]
    assert sum(int(row["cnt_all"]) for row in rows) == len(BOTH)
    for row in rows:
        assert {"id", "cnt_all", "cnt_ok", "cnt_err", "duration_all", "acd_all", "asr_all", "mos_all"} <= row.keys()
        assert int(row["cnt_ok"]) + int(row["cnt_err"]) == int(row["cnt_all"])
    chosen = {**fields, "fsensor_id": "12"}
    mine = http.post(SQL, files=parts(chosen), headers=cookie).json()["results"]
    assert sum(int(row["cnt_all"]) for row in mine) == sum(r["id_sensor"] == 2 for r in RECORDS.values())


# ---------------------------------------------------------------- cookies


@pytest.mark.parametrize(
    "spelling",
    ["{name}={sid}; path=/", "{name}={sid};path=/", "{name}={sid};", "lang=en; {name}={sid}; theme=dark"],
)
def test_a_client_that_sends_more_than_a_cookie(http: httpx2.Client, spelling: str) -> None:
    """The attribute `path=/` copied into the Cookie header is just another cookie."""
    said = by_form(http, "alice").json()
    cookie = spelling.format(name=said["cookie_name"], sid=said["SID"])
    assert int(http.post(SQL, data=LISTING, headers={"cookie": cookie}).json()["total"]) == len(ACME)


def test_a_client_with_a_hard_coded_cookie_name(http: httpx2.Client) -> None:
    """`PHPSESSID` opens the session whatever name the GUI's folder gives it."""
    cookie = {"cookie": f"PHPSESSID={logged_in(http)}; path=/"}
    assert int(http.post(SQL, data=LISTING, headers=cookie).json()["total"]) == len(ACME)
    assert http.get("/php/pcap.php", params={"id": str(min(ACME))}, headers=cookie).status_code == 200


def test_a_client_that_sends_both_names(site: World, http: httpx2.Client) -> None:
    """The same id twice, under both names where there are two, is one session; two different live ones are refused."""
    one, other = logged_in(http), logged_in(http)

    def listed(first: str, second: str) -> int:
        named = "PHPSESSID" + site.base.replace("/", "-")
        headers = {"cookie": f"PHPSESSID={first}; {named}={second}"}
        return http.post(SQL, data=LISTING, headers=headers).status_code

    assert listed(one, one) == 200
    assert listed(one, other) == 400
    assert listed("0" * len(one), other) == 200


def test_a_client_that_logs_in_again_and_again(http: httpx2.Client) -> None:
    """No login is refused for the number of sessions; over the cap the oldest ends and the newest live."""
    sids = []
    for _ in range(3 * SESSIONS):
        answer = by_get(http, "alice")
        assert answer.status_code == 200
        sids.append(answer.json()["SID"])
    assert len(set(sids)) == len(sids)

    def alive(sid: str) -> bool:
        answer = http.post(SQL, data=LISTING, headers={"cookie": f"PHPSESSID={sid}"})
        assert answer.status_code in (200, 401)
        return answer.status_code == 200

    assert [alive(sid) for sid in sids] == [False] * (2 * SESSIONS) + [True] * SESSIONS


class Relogging:
    """A client that asks, and on 401 or 403 logs in and asks once more."""

    def __init__(self, http: httpx2.Client, user: str = "alice") -> None:
        self.http, self.user, self.sid, self.logins = http, user, "", 0

    def ask(self, fields: dict[str, str]) -> httpx2.Response:
        answer = self._send(fields)
        if answer.status_code in (401, 403):
            self.sid = logged_in(self.http, self.user)
            self.logins += 1
            answer = self._send(fields)
        return answer

    def _send(self, fields: dict[str, str]) -> httpx2.Response:
        return self.http.post(SQL, data=fields, headers={"cookie": f"PHPSESSID={self.sid}"} if self.sid else {})


def test_a_client_that_logs_in_when_refused(http: httpx2.Client) -> None:
    """Without a session, with an ended one, with one never given: 401, and the new session answers."""
    client = Relogging(http)
    assert client.ask(LISTING).status_code == 200
    assert client.ask(LISTING).status_code == 200
    assert client.logins == 1
    http.post(SQL, data={"module": "logout"}, headers={"cookie": f"PHPSESSID={client.sid}"})
    assert client.ask(LISTING).status_code == 200
    assert client.logins == 2
    client.sid = "a" * len(client.sid)
    assert int(client.ask(LISTING).json()["total"]) == len(ACME)
    assert client.logins == 3
    guest = Relogging(http, "guest")
    answer = guest.ask(LISTING)
    assert (answer.status_code, answer.text, guest.logins) == (403, "access denied", 1)


def test_a_client_that_goes_by_the_body(site: World, http: httpx2.Client) -> None:
    """No session: the product's own bodies, for scripts and for the GUI's own calls."""
    answer = http.post(SQL, data=LISTING)
    assert (answer.status_code, answer.json()) == (401, {"success": False, "error": {"type": "no_session"}})
    answer = http.post(SQL, data=LISTING, headers={"x-requested-with": "XMLHttpRequest"})
    assert (answer.status_code, answer.json()) == (401, {"success": False, "error": {"type": "kill_session"}})


# ---------------------------------------------------------------- reading rows


def test_a_client_that_reads_rows(http: httpx2.Client) -> None:
    """LISTING's fields are there, with the types that clients read them by, and say what the records say."""
    cookie = {"cookie": f"PHPSESSID={logged_in(http)}"}
    reply = http.post(SQL, data={**LISTING, "limit": "1000"}, headers=cookie).json()
    assert reply["success"] is True
    assert int(reply["total"]) == len(reply["results"]) == len(ACME)
    for row in reply["results"]:
        record = RECORDS[int(row["ID"])]
        assert row["cdr_ID"] == row["ID"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?", row["calldate"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?", row["callend"])
        assert row["calldate"] == record["calldate"]
        minutes, seconds = row["duration"].split(":")
        assert int(minutes) * 60 + int(seconds) == int(record["duration"])
        assert float(row["_duration"]) == record["duration"]
        assert (row["connect_duration"] is None) == (record["connect_duration"] is None)
        for name in ("caller", "called", "caller_domain", "called_domain", "callername", "sipcallerip", "sipcalledip"):
            assert row[name] == record[name], name
        assert isinstance(row["id_sensor"], int | None)
        assert row["id_sensor"] == record["id_sensor"]
        assert row["sensorname"] == record["sensor_name"]
        assert int(row["lastSIPresponseNum"]) == record["lastSIPresponseNum"]
        assert row["lastSIPresponse"] == record["lastSIPresponse"]
        assert row["whohanged"] == record["whohanged"]
        assert row["fbasename"] == record["callid"]
        assert (row["a_ua"], row["b_ua"]) == (record["a_ua"], record["b_ua"])
        assert {"bye", "a_mos_f1", "b_mos_f1"} <= row.keys()
        assert "vlan" not in row


def test_a_client_that_pages(http: httpx2.Client) -> None:
    """Thirty rows a page by default; start and limit, or page and limit, give every call once."""
    cookie = {"cookie": f"PHPSESSID={logged_in(http)}"}

    def ids(**more: str) -> list[int]:
        return [int(row["ID"]) for row in http.get(SQL, params={**LISTING, **more}, headers=cookie).json()["results"]]

    assert len(ids()) == 30
    by_start = [id for start in range(0, len(ACME), 50) for id in ids(start=str(start), limit="50")]
    by_page = [id for page in range(len(ACME) // 50 + 1) for id in ids(page=str(page + 1), limit="50")]
    assert by_start == by_page
    assert sorted(by_start) == sorted(ACME)


def voip_calls(http: httpx2.Client, user: str, **params: Any) -> httpx2.Response:
    """With the credentials in the body, as the API's own examples are."""
    return http.post(API, json={"task": "getVoipCalls", "user": user, "password": PASSWORD, "params": params})


def test_a_client_of_the_api_reads_a_bare_array(http: httpx2.Client) -> None:
    """getVoipCalls: a bare array of rows with the headers that were asked for; nothing found: the product's words."""
    rows = voip_calls(http, "alice", startTime="2026-11-20", customHeaders="X-Tenant").json()
    assert isinstance(rows, list)
    assert sorted(int(row["cdrId"]) for row in rows) == sorted(ACME)
    for row in rows:
        record = RECORDS[int(row["cdrId"])]
        assert row["callId"] == record["callid"]
        assert (row["caller"], row["called"]) == (record["caller"], record["called"])
        assert row["X-Tenant"] == record["custom_header__X-Tenant"]
        assert {"calldate", "callend", "duration", "connect_duration", "lastSIPresponseNum"} <= row.keys()
    for user, params in (
        ("alice", {"startTime": "2030-01-01"}),
        ("nobody", {"startTime": "2026-11-20"}),
        ("alice", {"cdrId": min(RECORDS.keys() - ACME)}),
        ("alice", {"cdrId": 987654}),
    ):
        answer = voip_calls(http, user, **params)
        assert (answer.status_code, answer.json()) == (200, {"success": False, "error": "no match cdr"})


def test_a_client_of_the_api_with_a_session(http: httpx2.Client) -> None:
    """A session does in place of credentials; without either the product's words."""
    fields = {"task": "listCdrIds", "params": json.dumps({"offset": 1, "size": 10})}
    rows = http.post(API, data=fields, headers={"cookie": f"PHPSESSID={logged_in(http)}"}).json()
    assert [int(row["cdrId"]) for row in rows] == sorted(ACME)[:10]
    assert {"calldate", "caller", "called", "duration", "id_sensor"} <= rows[0].keys()
    answer = http.post(API, data=fields)
    assert (answer.status_code, answer.json()) == (401, {"success": False, "error": "user must be set"})


# ---------------------------------------------------------------- clients that know no status but 200


@pytest.fixture(scope="module")
def always(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """A gateway with refusals = "200"."""
    with (
        world(tmp_path_factory.mktemp("always"), users=USERS, policy={"refusals": "200"}) as found,
        httpx2.Client(base_url=found.url, timeout=30) as http,
    ):
        yield http


def test_refusals_as_the_product_sends_them(always: httpx2.Client) -> None:
    """refusals = "200": 401 and 403 come as 200 with the same bodies, and with nothing of what was asked for."""
    answer = always.post(SQL, data=LISTING)
    assert (answer.status_code, answer.json()) == (200, {"success": False, "error": {"type": "no_session"}})
    guest = {"cookie": f"PHPSESSID={logged_in(always, 'guest')}"}
    answer = always.post(SQL, data=LISTING, headers=guest)
    assert (answer.status_code, answer.text) == (200, "access denied")
    answer = always.get("/php/pcap.php", params={"id": "1"}, headers=guest)
    assert answer.status_code == 200
    assert answer.json()["success"] is False
    alice = {"cookie": f"PHPSESSID={logged_in(always)}"}
    assert int(always.post(SQL, data=LISTING, headers=alice).json()["total"]) == len(ACME)
    foreign = min(RECORDS.keys() - ACME)
    answer = always.get("/php/pcap.php", params={"id": str(foreign)}, headers=alice)
    assert (answer.status_code, answer.json()["error"]) == (404, f"cdr id {foreign} does not exist")


def test_failed_logins_with_refusals_as_200(always: httpx2.Client) -> None:
    """A failed login says so in the body, by either login."""
    failed = {"success": False, "error": "Invalid username or password."}
    answer = always.post(SQL, data={**credentials("alice"), "pass": "wrong"})
    assert failed.items() <= answer.json().items()
    answer = always.post(API, json={"task": "listCdrIds", "user": "alice", "password": "wrong", "params": {}})
    assert failed.items() <= answer.json().items()
    answer = always.post(API, json={"task": "listCdrIds", "params": {"offset": 1, "size": 1}})
    assert answer.json() == {"success": False, "error": "user must be set"}
