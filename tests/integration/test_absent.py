"""A call that a user may not see answers, byte for byte, like one that was never made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import httpx2
import pytest

from authgw.rights.claims import Grant, HeaderLine, Scope
from kit.world import World, world
from oracle.data import VOIP, VOIP_V6, derive, records_of, sensors_of
from oracle.formula import call_of, visible

FLAGS = {"can_cdr": True, "can_pcap": True, "can_play_audio": True, "can_download_audio": True}
# Each user as the dictionary spells him, and his scope as the formula reads it.
SCOPES: dict[str, tuple[dict[str, object], Scope]] = {
    "sensor": ({"enable_sensors": [2]}, Scope(sensors=(2,))),
    "no-sensor": ({"enable_sensors": []}, Scope(sensors=())),
    "number": ({"number": ["+4420794601%"]}, Scope(number=("+4420794601%",))),
    "barred": ({"number": ["!1001"]}, Scope(number=("!1001",))),
    "domain": ({"domain": ["ACME.example"]}, Scope(domain=("ACME.example",))),
    "network": ({"ip": ["127.0.10.0/24", "fd00:a::/64"]}, Scope(ip=("127.0.10.0/24", "fd00:a::/64"))),
    "vlan": ({"vlan": [100]}, Scope(vlan=(100,))),
    "header": (
        {"custom_headers_cdr": [[0, "X-Tenant:acme"]]},
        Scope(headers_cdr=(HeaderLine(0, "X-Tenant", "acme"),)),
    ),
    "connected": ({"show_only_connected_calls": True}, Scope(connected_only=True)),
    "either": (
        {"number": ["1001"], "domain": ["globex.example"], "ip_number_domain_or": True},
        Scope(number=("1001",), domain=("globex.example",), any_dimension=True),
    ),
}
USERS = [
    {"username": name, "password": "secret", "id": at, **FLAGS, **keys}
    for at, (name, (keys, _)) in enumerate(SCOPES.items(), 1)
]
DAYS = {"fdatefrom": "2026-11-20T00:00:00", "fdateto": "2026-11-25T00:00:00"}
LISTING = {"task": "LISTING", "module": "CDR", **DAYS}
HISTORIES = ("brief_data", "brief", "getMSC")
SQL, API = "/php/model/sql.php", "/php/api.php"


@dataclass(frozen=True)
class Asked:
    """One user's session on one site: the calls he sees, and those he does not. `sensors`: the database ids of those
    that have calls which he sees."""

    world: World
    http: httpx2.Client
    cookie: str
    seen: tuple[int, ...]
    hidden: tuple[int, ...]
    call_ids: dict[int, str]
    sensors: frozenset[int]

    def ask(self, method: str, path: str, fields: dict[str, str]) -> httpx2.Response:
        headers = {"cookie": self.cookie}
        if method == "POST":
            return self.http.post(path, data=fields, headers=headers)
        return self.http.request(method, path, params=fields, headers=headers)

    @property
    def unused(self) -> int:
        """An id that no call has, with as many digits as the longest that one has."""
        used = {*self.seen, *self.hidden}
        return next(id for id in range(10 ** len(str(max(used))) - 1, 0, -1) if id not in used)

    def foreign(self, seed: int) -> list[int]:
        """A few calls that he does not see, their ids as long as the unused one."""
        hidden = [id for id in self.hidden if len(str(id)) == len(str(self.unused))]
        return Random(seed).sample(hidden, min(2, len(hidden)))


@pytest.fixture(scope="module", params=["voip-v6", "odd"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Path]]:
    root = tmp_path_factory.mktemp("absent")
    folder = VOIP_V6 if request.param == "voip-v6" else derive(VOIP, root / "data", Random("absent"))
    with world(root, folder, users=USERS) as found:
        yield found, folder


@pytest.fixture(scope="module", params=sorted(SCOPES))
def user(request: pytest.FixtureRequest, site: tuple[World, Path]) -> Iterator[Asked]:
    served, folder = site
    records = records_of(folder)
    grants = [Grant(scope=SCOPES[request.param][1])]
    seen = tuple(record["ID"] for record in records if visible(grants, call_of(record)))
    hidden = tuple(record["ID"] for record in records if record["ID"] not in seen)
    numbers = sensors_of(folder)
    on = frozenset(numbers[number] for r in records if r["ID"] in seen and (number := r["id_sensor"]) in numbers)
    with httpx2.Client(base_url=served.url, timeout=30) as http:
        fields = {"module": "bypass_login", "user": request.param, "pass": "secret"}
        answer = http.post(SQL, data=fields).json()
        http.cookies.clear()
        cookie = f"{answer['cookie_name']}={answer['SID']}"
        yield Asked(served, http, cookie, seen, hidden, {record["ID"]: record["fbasename"] for record in records}, on)


def params(**members: object) -> str:
    return json.dumps(members)


def questions(id: int) -> list[tuple[str, str, dict[str, str]]]:
    """Every call that takes an id: method, path, fields."""
    n = str(id)
    found: list[tuple[str, str, dict[str, str]]] = []
    for method in ("GET", "POST", "HEAD"):
        found += [
            (method, "/php/pcap.php", {"id": n}),
            (method, "/php/pcap.php", {"id": n, "disable_rtp": "1"}),
            *(
                (method, "/php/pcap2text.php", {"action": action, "id": n})
                for action in ("brief_data", "brief", "getMSC")
            ),
            (method, "/php/pcap2wav.php", {"id": n, "action": "wav"}),
            (method, f"/php/{n}.wav", {}),
        ]
    for method in ("GET", "POST"):
        found += [
            (method, SQL, {"task": "SINGLEROW", "module": "CDR", "ID": n}),
            (method, API, {"task": "getVoipCalls", "params": params(cdrId=id)}),
            (method, API, {"task": "getVoipCalls", "params": params(cdrId=n, simpleOutput=1)}),
            (method, API, {"task": "getPCAP", "params": params(cdrId=n)}),
            (method, API, {"task": "getVoiceRecording", "params": params(cdrId=n)}),
            (method, API, {"task": "getShareURL", "params": params(cdrId=n)}),
        ]
    return found


def face(answer: httpx2.Response, *names: str) -> tuple[int, bytes, list[tuple[str, str]]]:
    """Status, body and headers, with the names of what was asked for taken out, and date and request id left out."""
    body = answer.content
    for name in (answer.headers["x-request-id"], *names):
        body = body.replace(name.encode(), b"ID")
    left_out = ("date", "x-request-id")
    return answer.status_code, body, [item for item in answer.headers.multi_items() if item[0] not in left_out]


def test_a_foreign_id_is_answered_like_one_never_used(user: Asked) -> None:
    """Every call by id, the first time and when the gateway has just looked it up."""
    unused = user.unused
    for id in user.foreign(1):
        for _ in range(2):
            for foreign, never in zip(questions(id), questions(unused), strict=True):
                here, there = face(user.ask(*foreign), str(id)), face(user.ask(*never), str(unused))
                assert here == there, foreign
                assert 400 <= here[0] < 500 or foreign[1] in (SQL, API), foreign


def test_an_id_of_his_own_is_answered_otherwise(user: Asked) -> None:
    """The comparison would be empty if nothing were ever found."""
    if not user.seen:
        pytest.skip("this user sees no call of this site")
    for id in user.seen[:3]:
        for question in questions(id)[:5]:
            assert user.ask(*question).status_code == 200, question
        for fields in (
            {"task": "getVoipCalls", "params": params(cdrId=id)},
            {"task": "getVoipCalls", "params": params(callId=user.call_ids[id])},
        ):
            assert isinstance(user.ask("POST", API, fields).json(), list)
        single = {"task": "SINGLEROW", "module": "CDR"}
        assert face(user.ask("POST", SQL, {**single, "ID": str(id)})) != face(
            user.ask("POST", SQL, {**single, "ID": str(user.unused)})
        )


def test_a_foreign_call_id_is_answered_like_one_never_used(user: Asked) -> None:
    """getVoipCalls and LISTING by Call-ID."""
    known = {user.call_ids[id] for id in user.seen}
    foreign = [user.call_ids[id] for id in user.hidden if user.call_ids[id].lower() not in {k.lower() for k in known}]
    for call_id in Random(2).sample(foreign, min(3, len(foreign))):
        never = "z" * len(call_id)
        if "%" in call_id:
            continue
        for asked in (
            lambda name: (API, {"task": "getVoipCalls", "params": params(callId=name)}),
            lambda name: (SQL, {**LISTING, "fcallid": name}),
            lambda name: (SQL, {**LISTING, "fcallid": name, "suppress_results": "1"}),
        ):
            here, there = (face(user.ask("POST", *asked(name)), name) for name in (call_id, never))
            assert here == there, (call_id, asked(call_id))


def test_lists_and_totals_tell_nothing(user: Asked) -> None:
    """A search that only finds what he may not see answers like one that finds nothing at all."""
    nothing = {"fcaller": "nobody-has-this-number", "fcallerd_type": "0"}
    for id in user.foreign(3):
        call_id = user.call_ids[id]
        same = [one for one in (*user.seen, *user.hidden) if user.call_ids[one].lower() == call_id.lower()]
        if "%" in call_id or set(same) & set(user.seen):
            continue
        for more in (
            {},
            {"suppress_results": "1"},
            {"limit": "1"},
            {"start": "5", "limit": "7"},
            {"page": "3"},
            {"sort": '[{"property":"caller","direction":"ASC"}]'},
        ):
            foreign = user.ask("POST", SQL, {**LISTING, "fcallid": call_id, **more})
            assert face(foreign) == face(user.ask("POST", SQL, {**LISTING, **nothing, **more})), (call_id, more)
            assert int(foreign.json()["total"]) == 0


def test_a_foreign_sensor_is_answered_like_one_that_is_not_there(user: Asked) -> None:
    """`fsensor_id` of a sensor on which he sees no call, and of none; those on which he does have some."""
    absent = user.ask("POST", SQL, {**LISTING, "fsensor_id": "99"})
    for id in sensors_of(VOIP).values():
        answer = user.ask("POST", SQL, {**LISTING, "fsensor_id": str(id)})
        if id in user.sensors:
            assert int(answer.json()["total"]) > 0, id
        else:
            assert face(answer) == face(absent), id
