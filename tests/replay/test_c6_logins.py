"""Guessing: by other spellings of a name, by other doors, by what the answers tell."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx2
import pytest

from kit.attacked import PASSWORD, Site
from kit.gateway import Gateway, gateway

VICTIM = {"username": "victim", "password": PASSWORD, "id": 7, "can_cdr": True}
KELVIN = {"username": "kelvin", "password": PASSWORD, "id": 8, "can_cdr": True}
SQL, API = "/php/model/sql.php", "/php/api.php"


@pytest.fixture
def guarded(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway of its own, that counts three failures."""
    folder = tmp_path_factory.mktemp("guarded")
    limits = {"user_failures": 3, "address_failures": 1000, "max_bad_login_attempt": 3}
    with gateway(folder, site.wire.url, users=[VICTIM, KELVIN], throttle=limits) as found:
        yield found


def bypass(at: Gateway, user: str, password: str) -> httpx2.Response:
    return httpx2.post(at.url + SQL, data={"module": "bypass_login", "user": user, "pass": password})


def api(at: Gateway, user: str, password: str) -> httpx2.Response:
    """403 for whoever is let in, because he lacks the flag."""
    return httpx2.post(at.url + API, data={"task": "getPCAP", "user": user, "password": password, "params": "{}"})


@pytest.mark.parametrize(
    "spellings",
    [
        ("victim", "VICTIM", "Victim"),
        (" victim", "victim ", "  victim  "),
        ("\uff56ictim", "vict\u2170m", "v\uff29ctim"),
        ("\u212aelvin", "kelvin", "KELVIN"),
    ],
    ids=["CVE-2026-47203-case", "CVE-2026-47203-space", "CVE-2026-47203-width", "CVE-2026-27590"],
)
def test_no_spelling_has_tries_of_its_own(guarded: Gateway, spellings: tuple[str, ...]) -> None:
    """Failures under other spellings of a name lock that name, at every door."""
    name = "kelvin" if "kelvin" in spellings else "victim"
    for spelling in spellings:
        assert bypass(guarded, spelling, "wrong").status_code == 401
    assert bypass(guarded, name, PASSWORD).status_code == 429
    assert api(guarded, name, PASSWORD).status_code == 429


def test_one_count_for_every_door(guarded: Gateway) -> None:
    """CVE-2026-16103: failures at bypass_login and api.php are one count, and what was verified is locked too."""
    assert api(guarded, "victim", PASSWORD).status_code == 403
    assert [bypass(guarded, "victim", "x").status_code, api(guarded, "victim", "x").status_code] == [401, 401]
    assert api(guarded, "victim", PASSWORD).status_code == 403
    assert api(guarded, "Victim", "y").status_code == 401
    assert api(guarded, "victim", PASSWORD).status_code == 429


def test_a_stranger_and_a_wrong_password_look_alike(site: Site) -> None:
    """CVE-2023-39522, CVE-2022-39307: the answer does not tell whether there is such a user."""
    for path, password in ((SQL, "pass"), (API, "password")):
        said = []
        for user in ("bob", "nobody"):
            fields = {"module": "bypass_login"} if path == SQL else {"task": "getVoipCalls", "params": "{}"}
            answer = httpx2.post(site.gateway.url + path, data={**fields, "user": user, password: "wrong"})
            headers = {k: v for k, v in answer.headers.items() if k not in {"date", "x-request-id"}}
            said.append((answer.status_code, answer.content, headers))
        assert said[0] == said[1]
        assert said[0][0] == 401


@pytest.mark.parametrize(
    "user", ["*", "*)(uid=*", "admin)(|(uid=*", "\\00", "a' OR '1'='1", "a\u202eb", "x" * 4096, "%", "_"]
)
def test_names_are_names(site: Site, user: str) -> None:
    """CVE-2025-61911: a name with another language's syntax in it is a name that nobody has."""
    assert bypass(site.gateway, user, PASSWORD).status_code in {400, 401}


@pytest.mark.parametrize("value", [["bob"], {"bob": 1}, 3, True, None, 1.5], ids=str)
def test_credentials_are_texts(site: Site, value: object) -> None:
    """CVE-2025-61911: a list, an object or a number in JSON is no name and no password."""
    for fields in ({"user": value, "pass": PASSWORD}, {"user": "bob", "pass": value}):
        answer = httpx2.post(site.gateway.url + SQL, json={"module": "bypass_login", **fields})
        assert answer.status_code == 400, answer.text
        renamed = {"password" if name == "pass" else name: each for name, each in fields.items()}
        answer = httpx2.post(site.gateway.url + API, json={"task": "getPCAP", "params": {"cdrId": 2}, **renamed})
        assert answer.status_code == 401, answer.text
    assert site.wire.seen == []


@pytest.mark.parametrize("password", ["", "\x00", "\x00correct-horse", PASSWORD + "\x00"])
def test_an_empty_password_opens_nothing(site: Site, password: str) -> None:
    """RFC 4513, 5.1.2: an empty password, or one with NUL in it, is none."""
    for path, name in ((SQL, "pass"), (API, "password")):
        fields = {"module": "bypass_login", "task": "getPCAP", "params": '{"cdrId":2}', "user": "bob", name: password}
        if path == API:
            del fields["module"]
        assert httpx2.post(site.gateway.url + path, data=fields).status_code in {400, 401}
    assert site.wire.seen == []


def test_a_name_is_one_short_line_of_the_trail(site: Site) -> None:
    """CVE-2026-54338: a name of any length and with any characters leaves one bounded line."""
    trail = site.gateway.folder / "audit.jsonl"
    before = trail.stat().st_size
    for user in ("n" * 500_000, "a\u2028b", "\u001b[31m", "q\r\nINFO granted"):
        httpx2.post(site.gateway.url + SQL, json={"module": "bypass_login", "user": user, "pass": "x"})
    with trail.open("rb") as file:
        file.seek(before)
        lines = file.read().splitlines()
    assert 0 < len(lines) <= 4
    assert all(len(line) < 1024 and json.loads(line) and line.isascii() for line in lines)
