"""A password that has expired, of somebody whose second factor is a passkey: he changes it with that."""

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

OLD, NEW = "correct horse", "battery staple 22"
USERS: tuple[dict[str, Any], ...] = tuple(
    {"username": name, "password": OLD, "id": 101 + at, "can_cdr": True} for at, name in enumerate(("ann", "ben"))
)
ADD, EXPIRED = ACCOUNT + "/factors/passkey", "/authgw/login/password"


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Under a host with a name, which passkeys need."""
    port = free_port()
    where = {"public_url": f"http://localhost:{port}"}
    with world(tmp_path_factory.mktemp("expired"), users=USERS, port=port, gateway=where) as found:
        yield found


def visitor(site: World, user: str) -> Owner:
    return Owner(f"http://localhost:{site.gateway.port}", user, OLD)


def challenge_of(page: httpx2.Response) -> bytes:
    found = re.search(r'data-options="([^"]+)"', page.text)
    assert found is not None, page.text
    said = json.loads(unescape(found[1]))["challenge"]
    return base64.urlsafe_b64decode(said + "=" * (-len(said) % 4))


def with_passkey(site: World, user: str) -> Authenticator:
    """Somebody with a passkey, whose password then expires."""
    device = Authenticator("localhost", f"http://localhost:{site.gateway.port}", id=user.encode())
    with visitor(site, user) as owner:
        assert owner.sign_in().status_code == 303
        assert owner.confirm(next=ADD).headers["location"] == ADD
        page = owner.get(ADD)
        fields = {"form": hidden(page.text), "asked": hidden(page.text, "asked"), "name": "Laptop"}
        assert "recovery codes" in owner.post(ADD, {**fields, "answer": device.create(challenge_of(page))}).text
    file = site.gateway.folder / "users.toml"
    file.write_text(file.read_text().replace(f'username = "{user}"', f'username = "{user}"\npassword_expired = true'))
    return device


def expired(owner: Owner, user: str) -> httpx2.Response:
    """The page that the right old password leads to."""
    form = owner.form("/authgw/login")
    page = owner.post("/authgw/login", {"form": form, "user": user, "password": OLD})
    assert "Choose a new one" in page.text
    return page


def fields(page: httpx2.Response, **more: str) -> dict[str, str]:
    own = {name: hidden(page.text, name) for name in ("form", "asked")}
    return {**own, "user": "", "password": OLD, "new": NEW, "again": NEW, **more}


def changed(site: World) -> list[str]:
    lines = map(json.loads, (site.gateway.folder / "audit.jsonl").read_text().splitlines())
    return [line["user"] for line in lines if line["event"] == "password_changed"]


def test_a_passkey_changes_it(site: World) -> None:
    """The page asks for a passkey beside a code; its proof and the old password change the password, and the login that
    follows asks for a factor again."""
    device = with_passkey(site, "ann")
    with visitor(site, "ann") as owner:
        page = expired(owner, "ann")
        assert "passkey.js" in page.headers["content-security-policy"]
        code = re.search(r'<input id="code"[^>]*>', page.text)
        assert code is not None
        assert "required" not in code[0]
        device.count = 1
        page = owner.post(EXPIRED, fields(page, user="ann", answer=device.get(challenge_of(page)), again="other"))
        assert (page.status_code, "The two new passwords differ" in page.text) == (400, True)
        done = owner.post(EXPIRED, fields(page, user="ann", answer=device.get(challenge_of(page))))
        assert (done.status_code, done.headers["location"]) == (303, "/authgw/login/code")
        assert "authgw" not in owner.http.cookies
    assert changed(site) == ["ann"]


def test_no_proof_no_change(site: World) -> None:
    """Nothing typed, a proof that was used, one for another browser's page or for the login's, one of another's device:
    the password stays, and the page offers the passkey again."""
    device, other = with_passkey(site, "ann"), with_passkey(site, "ben")
    with visitor(site, "ann") as owner, visitor(site, "ann") as elsewhere:
        foreign = expired(elsewhere, "ann")
        page = expired(owner, "ann")
        spent = fields(page, user="ann", answer=other.get(challenge_of(page)))
        for sent in (
            fields(page, user="ann"),
            spent,
            {**spent, "answer": device.get(challenge_of(page))},
            {**fields(page, user="ann"), "asked": hidden(foreign.text, "asked")}
            | {"answer": device.get(challenge_of(foreign))},
            {**fields(page, user="ann"), "asked": ""} | {"answer": device.get(b"0" * 32)},
        ):
            reply = owner.post(EXPIRED, sent)
            assert reply.status_code == 401
            assert challenge_of(reply)
    assert changed(site) == []


def test_a_recovery_code_does_without(site: World) -> None:
    """Where no script runs a recovery code takes the passkey's place, in the same form."""
    with_passkey(site, "ann")
    with visitor(site, "ann") as owner:
        page = expired(owner, "ann")
        assert 'name="code"' in page.text
        reply = owner.post(EXPIRED, fields(page, user="ann", code="aaaaa-aaaaa"))
        assert (reply.status_code, "passkey.js" in reply.text) == (401, True)
