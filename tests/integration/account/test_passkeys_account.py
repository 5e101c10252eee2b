"""Passkeys on the account page of a running gateway, and proving oneself by one; and whoever lies about them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import httpx2
import pytest

from kit.authenticator import Authenticator
from kit.owner import ACCOUNT, Owner, hidden
from kit.servers import free_port
from kit.world import World, world

PASSWORD = "correct horse"
NAMES = ("ann", "ben", "cas", "dan", "eve", "fay", "gus", "ian", "joy")
USERS: tuple[dict[str, Any], ...] = (
    *({"username": name, "password": PASSWORD, "id": 101 + at, "can_cdr": True} for at, name in enumerate(NAMES)),
    {"username": "hal", "password": PASSWORD, "id": 120, "can_cdr": True, "hide_change_password": True},
)
ADD, CONFIRM, REMOVE = ACCOUNT + "/factors/passkey", ACCOUNT + "/confirm", ACCOUNT + "/factors/remove"
TRAIL = "audit.jsonl"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Under a host with a name, which passkeys need."""
    port = free_port()
    where = {"public_url": f"http://localhost:{port}"}
    folder = tmp_path_factory.mktemp("passkeys")
    with world(folder, users=USERS, port=port, gateway=where, throttle={"address_failures": 10_000}) as found:
        yield found


def device_of(site: World, name: str = "one") -> Authenticator:
    return Authenticator("localhost", f"http://localhost:{site.gateway.port}", id=name.encode())


def owner(site: World, user: str, *, proved: bool = True) -> Owner:
    """Somebody who has no factor yet, signed in; `proved`: once more."""
    found = Owner(f"http://localhost:{site.gateway.port}", user, PASSWORD)
    assert found.sign_in().headers["location"].endswith("/admin.php")
    if proved:
        assert found.confirm(next=ADD).headers["location"] == ADD
    return found


def options(page: httpx2.Response) -> dict[str, Any]:
    """What passkey.js would ask the device for."""
    found = re.search(r'data-options="([^"]+)"', page.text)
    assert found is not None, page.text
    said: dict[str, Any] = json.loads(unescape(found[1]))
    return said


def challenge_of(page: httpx2.Response) -> bytes:
    said = options(page)["challenge"]
    return base64.urlsafe_b64decode(said + "=" * (-len(said) % 4))


def asked(page: httpx2.Response) -> tuple[bytes, dict[str, str]]:
    """The challenge that a page of the account asks with, and the hidden fields of its form."""
    return challenge_of(page), {"form": hidden(page.text), "asked": hidden(page.text, "asked")}


def by_passkey(person: Owner, device: Authenticator) -> httpx2.Response:
    """The second step of a login."""
    page = person.get("/authgw/login/code")
    return person.post("/authgw/login/passkey", {"form": hidden(page.text), "answer": device.get(challenge_of(page))})


def add(person: Owner, device: Authenticator, name: str) -> httpx2.Response:
    challenge, fields = asked(person.get(ADD))
    return person.post(ADD, {**fields, "name": name, "answer": device.create(challenge)})


def names(person: Owner) -> list[str]:
    """What the account page calls one's factors; those of one second stand in no order."""
    section = person.get(ACCOUNT).text.partition('id="factors"')[2].partition("</section>")[0]
    return sorted(re.findall(r"<strong>([^<]+)</strong>", section))


def scripts(reply: httpx2.Response) -> str:
    return reply.headers["content-security-policy"].partition("script-src ")[2]


def test_several_passkeys_under_names_of_their_own(site: World) -> None:
    """The first one brings recovery codes; each has its own name; the next login asks for one; removed, it is gone."""
    first, second = device_of(site), device_of(site, "two")
    with owner(site, "ann") as ann:
        codes = re.findall(r"<li>([0-9A-Za-z-]+)</li>", add(ann, first, "Laptop").text)
        assert len(codes) == 10
        assert add(ann, second, " Laptop ").headers["location"] == ACCOUNT + "#factors"
        assert add(ann, device_of(site, "three"), "").status_code == 303
        assert names(ann) == ["Laptop", "Laptop 2", "Passkey"]
        with Owner(str(ann.http.base_url), "ann", PASSWORD) as again:
            assert "/authgw/login/code" in again.sign_in().headers["location"]
            assert by_passkey(again, second).headers["location"].endswith("/admin.php")
        page = ann.get(ACCOUNT).text
        id = hidden(page.partition("<strong>Laptop</strong>")[2].partition(f'action="{REMOVE}"')[2], "id")
        ann.post(REMOVE, {"form": ann.form(ACCOUNT), "id": id})
        assert names(ann) == ["Laptop 2", "Passkey"]


def test_a_device_makes_no_second(site: World) -> None:
    """The page tells the device which keys there are, and one that lies about that is refused."""
    device = device_of(site)
    with owner(site, "ben") as ben:
        add(ben, device, "Key")
        known = options(ben.get(ADD))["excludeCredentials"]
        assert [base64.urlsafe_b64decode(one["id"] + "==") for one in known] == [device.id]
        assert add(ben, device, "Again").status_code == 400
        assert names(ben) == ["Key"]


def test_proving_oneself_by_a_passkey(site: World) -> None:
    """It stands for the password on the page that asks once more, opens what comes next, and is in the trail."""
    device = device_of(site)
    with owner(site, "cas") as cas:
        assert 'name="asked"' not in cas.get(CONFIRM).text
        add(cas, device, "Key")
        cas.sign_in()
        by_passkey(cas, device)
        assert cas.get(ADD).headers["location"].startswith(CONFIRM)
        challenge, fields = asked(cas.get(f"{CONFIRM}?next={ADD}"))
        reply = cas.post(CONFIRM, {**fields, "next": ADD, "answer": device.get(challenge)})
        assert (reply.status_code, reply.headers["location"]) == (303, ADD)
        assert cas.get(ADD).status_code == 200
    events = [json.loads(line) for line in (site.gateway.folder / TRAIL).read_text().splitlines()]
    assert [one["factor"] for one in events if one.get("origin") == "step-up" and one["user"] == "cas"] == ["passkey"]


def test_an_answer_is_good_once_and_here(site: World) -> None:
    """Sent again, to a challenge of the other page, of another session of one's own, or from another origin: nothing is
    proved, nothing added, and the page asks anew."""
    device, second = device_of(site), device_of(site, "two")
    with owner(site, "dan") as dan, owner(site, "dan") as elsewhere:
        add(dan, device, "Key")
        challenge, fields = asked(dan.get(CONFIRM))
        lie = device.get(challenge, origin="https://voip.example.com.evil.example")
        assert dan.post(CONFIRM, {**fields, "answer": lie}).status_code == 401
        tries: list[tuple[Owner, str, httpx2.Response, str]] = [
            (dan, CONFIRM, dan.get(ADD), "get"),
            (dan, ADD, dan.get(CONFIRM), "create"),
            (dan, CONFIRM, elsewhere.get(CONFIRM), "get"),
            (dan, ADD, elsewhere.get(ADD), "create"),
        ]
        for person, path, page, kind in tries:
            challenge, fields = asked(page)
            answer = device.get(challenge) if kind == "get" else second.create(challenge)
            fields["form"] = person.form(ACCOUNT)
            reply = person.post(path, {**fields, "name": "stolen", "answer": answer})
            assert (reply.status_code, "was used already" in reply.text) == (400, True)
            assert asked(reply)[0] != challenge
        challenge, fields = asked(dan.get(ADD))
        answer = second.create(challenge)
        assert dan.post(ADD, {**fields, "name": "Two", "answer": answer}).status_code == 303
        assert dan.post(ADD, {**fields, "name": "stolen", "answer": answer}).status_code == 400
        challenge, fields = asked(dan.get(CONFIRM))
        proof = {**fields, "answer": device.get(challenge)}
        assert [dan.post(CONFIRM, proof).status_code for _ in range(2)] == [303, 400]
        for other in ({"origin": "https://evil.example"}, {"type": "webauthn.get"}):
            challenge, fields = asked(dan.get(ADD))
            answer = device_of(site, "three").create(challenge, **other)
            status = dan.post(ADD, {**fields, "name": "stolen", "answer": answer}).status_code
            assert (other, status) == (other, 400)
        assert names(dan) == ["Key", "Two"]


def test_another_users_challenge_and_key(site: World) -> None:
    """What was asked of one user is answered by no other, and no key but one's own proves anything."""
    mine, hers = device_of(site), device_of(site, "hers")
    with owner(site, "eve") as eve, owner(site, "fay") as fay:
        add(eve, hers, "Hers")
        add(fay, mine, "Mine")
        challenge, fields = asked(eve.get(ADD))
        fields["form"] = fay.form(ACCOUNT)
        stolen = {**fields, "name": "stolen", "answer": device_of(site, "two").create(challenge)}
        assert fay.post(ADD, stolen).status_code == 400
        challenge, fields = asked(eve.get(CONFIRM))
        answer = mine.get(challenge)
        assert eve.post(CONFIRM, {**fields, "answer": answer}).status_code == 401
        challenge, fields = asked(eve.get(CONFIRM))
        fields["form"] = fay.form(ACCOUNT)
        assert fay.post(CONFIRM, {**fields, "answer": mine.get(challenge)}).status_code == 400
        assert (names(eve), names(fay)) == (["Hers"], ["Mine"])


def test_nothing_is_added_without_a_proof(site: World) -> None:
    """Signed in is not enough, nor a form from elsewhere, nor a script; no challenge is on any page before that."""
    with owner(site, "gus") as ready, owner(site, "gus", proved=False) as gus:
        challenge, fields = asked(ready.get(ADD))
        answer = {"name": "stolen", "answer": device_of(site).create(challenge)}
        assert gus.get(ADD).headers["location"].startswith(CONFIRM)
        unproved = gus.post(ADD, {**fields, **answer, "form": gus.form(ACCOUNT)})
        assert unproved.headers["location"].startswith(CONFIRM)
        for headers in (
            {"sec_fetch_site": "cross-site"},
            {"sec_fetch_site": "same-site"},
            {"origin": "https://evil.example"},
            {"sec_fetch_dest": "empty", "sec_fetch_mode": "cors"},
            {"sec_fetch_dest": "iframe"},
        ):
            assert ready.post(ADD, {**fields, **answer}, **headers).status_code in (400, 403)
        assert ready.post(ADD, {**fields, **answer, "form": "1.x"}).status_code == 400
        assert names(ready) == []
        assert ready.post(ADD, {**fields, **answer, "name": "Mine"}).status_code == 200
        assert names(ready) == ["Mine"]


def test_the_scripts_of_a_page(site: World) -> None:
    """Pages that ask for a passkey may run passkey.js, those that ask for a password capslock.js; nothing else runs."""
    ours = f"http://localhost:{site.gateway.port}/authgw/static/"
    passkey, caps = ours + "passkey.js", ours + "capslock.js"
    with owner(site, "ian") as ian:
        add(ian, device_of(site), "Key")
        assert [scripts(ian.get(path)) for path in (ADD, CONFIRM)] == [passkey, f"{caps} {passkey}"]
        assert scripts(ian.get(ACCOUNT + "/password")) == caps
        for path in ("", "/tokens/new", "/factors/app"):
            assert scripts(ian.get(ACCOUNT + path)) == ""
    with owner(site, "hal", proved=False) as hal:
        assert scripts(hal.get(CONFIRM)) == caps
        hal.confirm()
        assert (hal.get(ADD).status_code, hal.post(ADD, {"form": hal.form(ACCOUNT)}).status_code) == (403, 403)
        assert ADD not in hal.get(ACCOUNT).text


def test_no_more_than_ten(site: World) -> None:
    """With all the factors that one may have the page says so, and makes no device make a key for nothing."""
    with owner(site, "joy") as joy:
        replies = [add(joy, device_of(site, f"key {n}"), "Key").status_code for n in range(9)]
        challenge, fields = asked(joy.get(ADD))
        assert [*replies, add(joy, device_of(site, "key 9"), "Key").status_code] == [200] + [303] * 9
        late = joy.post(ADD, {**fields, "name": "Late", "answer": device_of(site, "late").create(challenge)})
        assert (late.status_code, len(names(joy))) == (400, 10)
        page = joy.get(ADD).text
        assert ("You have ten second factors already." in page, "data-options" in page) == (True, False)
