"""Login attempts at the same time: nobody puts his factor in the place of another's, or moves his attempt on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from kit.codes import code_at
from kit.gateway import Gateway, gateway
from kit.person import Person
from kit.tripwire import tripwire

PASSWORD = "right horse battery"
NAMES = ("carol", "erin", "frank")
USERS: tuple[dict[str, Any], ...] = tuple(
    {"username": name, "password": PASSWORD, "id": 201 + at, "req_2fa": True, "can_cdr": True}
    for at, name in enumerate(NAMES)
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with tripwire() as wire, gateway(tmp_path_factory.mktemp("factors"), wire.url, users=USERS) as found:
        yield found


def key_shown(person: Person) -> tuple[str, str]:
    """The key and the form of the enrolment page that this person looks at."""
    shown = person.http.get("/authgw/login/enrol").text
    key = re.search(r'<span class="code">([A-Z2-7 ]+)</span>', shown)
    form = re.search(r'name="form" value="([^"]+)"', shown)
    assert key is not None, shown
    assert form is not None
    return key[1].replace(" ", ""), form[1]


def test_an_enrolment_that_waited(served: Gateway) -> None:
    """CVE-2026-94218: who began to enrol before the owner did gets no factor in the place of the owner's."""
    with Person(served.url) as thief, Person(served.url) as owner:
        assert thief.login("carol", PASSWORD) == "/authgw/login/enrol"
        key, form = key_shown(thief)
        assert owner.login("carol", PASSWORD) == "/authgw/login/enrol"
        owners = owner.enrol()
        assert owner.status() == 200
        reply = thief.http.post("/authgw/login/enrol", data={"form": form, "code": code_at(key, thief.now())})
        assert reply.status_code == 401
        assert thief.status() == 401
        assert owner.login("carol", PASSWORD) == "/authgw/login/code"
        # A step later than the one that enrolled it: the owner's key is still the one that counts.
        assert owner.submit("/authgw/login/code", code=code_at(owners, owner.now() + 30)).status_code == 303
        assert owner.status() == 200


def test_somebody_elses_attempt(served: Gateway) -> None:
    """CVE-2025-53942: an attempt is moved on by the form that was made for it alone, not by one of another's."""
    with Person(served.url) as mine, Person(served.url) as theirs:
        mine.login("erin", PASSWORD)
        key, form = key_shown(mine)
        theirs.login("frank", PASSWORD)
        fields = {"form": form, "code": code_at(key, mine.now())}
        reply = theirs.http.post("/authgw/login/enrol", data=fields)
        assert (reply.status_code, reply.headers["location"]) == (303, "/authgw/login/enrol")
        both = f"authgw-login={theirs.http.cookies['authgw-login']}; authgw-login={mine.http.cookies['authgw-login']}"
        reply = httpx2.post(served.url + "/authgw/login/enrol", data=fields, headers={"cookie": both})
        assert (reply.status_code, reply.headers["location"]) == (303, "/authgw/login/enrol")
