"""Second factors on the account page of a running gateway, and proving oneself by one."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from kit.codes import code_at
from kit.owner import ACCOUNT, Owner, hidden
from kit.world import World, world

OLD = "correct horse"
USERS: tuple[dict[str, Any], ...] = (
    *({"username": name, "password": OLD, "id": 101 + at, "can_cdr": True} for at, name in enumerate(("ann", "ben"))),
    {"username": "cas", "password": OLD, "id": 103, "can_cdr": True, "hide_change_password": True},
)
APP, REMOVE, CODES, PASSKEY = (f"{ACCOUNT}/factors/{name}" for name in ("app", "remove", "codes", "passkey"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("factors"), users=USERS, throttle={"address_failures": 10_000}) as found:
        yield found


def owner(site: World, user: str) -> Owner:
    found = Owner(site.url, user, OLD)
    assert found.sign_in().status_code == 303
    return found


def enrol(person: Owner) -> tuple[str, list[str]]:
    """The key of a new app, and the recovery codes that came with it."""
    assert person.confirm(next=APP).headers["location"] == APP
    page = person.get(APP).text
    found = re.search(r'<span class="code">([A-Z2-7 ]+)</span>', page)
    assert found is not None
    secret = found[1].replace(" ", "")
    reply = person.post(APP, {"form": hidden(page), "code": code_at(secret, time.time())})
    return secret, re.findall(r"<li>([0-9A-Za-z-]+)</li>", reply.text)


def test_an_app_from_the_account_page(site: World) -> None:
    """Set up with a fresh proof, the next login asks for it; codes prove oneself; removed, it is gone."""
    with owner(site, "ann") as ann:
        secret, codes = enrol(ann)
        assert len(codes) >= 8
        page = ann.get(ACCOUNT).text
        assert "Authenticator app" in page
        assert f"Recovery codes left: {len(codes)}." in page
        assert secret not in page
        with Owner(site.url, "ann", OLD) as again:
            assert "/authgw/login/code" in again.sign_in().headers["location"]
            assert again.get(ACCOUNT).status_code == 303
        form = ann.form(ACCOUNT + "/confirm")
        wrong = ann.post(ACCOUNT + "/confirm", {"form": form, "code": "AAAA-BBBB-CCCC", "next": APP})
        assert (wrong.status_code, 'role="alert"' in wrong.text) == (401, True)
        proved = ann.post(ACCOUNT + "/confirm", {"form": form, "code": codes[0], "next": APP})
        assert (proved.status_code, proved.headers["location"]) == (303, APP)
        assert f"left: {len(codes) - 1}." in ann.get(ACCOUNT).text
        fresh = ann.post(CODES, {"form": ann.form(ACCOUNT)})
        shown = re.findall(r"<li>([0-9A-Za-z-]+)</li>", fresh.text)
        assert len(shown) == len(codes)
        assert not set(shown) & set(codes)
        id = re.search(rf'action="{REMOVE}">\s*<input[^>]+>\s*<input type="hidden" name="id" value="(\w+)"', page)
        assert id is not None
        ann.post(REMOVE, {"form": ann.form(ACCOUNT), "id": id[1]})
        assert "You have none yet." in ann.get(ACCOUNT).text
        with Owner(site.url, "ann", OLD) as again:
            assert again.sign_in().headers["location"].endswith("/admin.php")


@pytest.mark.parametrize("path", [APP, REMOVE, CODES])
def test_nothing_changes_without_a_proof(site: World, path: str) -> None:
    """Signed in is not enough, nor is a form from elsewhere, nor a script; the key is on no page before that."""
    with owner(site, "ben") as ben:
        fields = {"form": ben.form(ACCOUNT), "id": "x", "code": "000000"}
        assert ben.post(path, fields).headers["location"].startswith(ACCOUNT + "/confirm")
        assert ben.get(APP).headers["location"].startswith(ACCOUNT + "/confirm")
        ben.confirm()
        for headers in ({"sec_fetch_site": "cross-site"}, {"sec_fetch_dest": "empty", "sec_fetch_mode": "cors"}):
            assert ben.post(path, fields, **headers).status_code in (400, 403)
        assert ben.post(path, fields | {"form": "1.x"}).status_code == 400
        assert "You have none yet." in ben.get(ACCOUNT).text


def test_a_wrong_code_sets_up_nothing(site: World) -> None:
    """The key stays the same until a right code comes, and is another one with the next proof."""
    with owner(site, "ben") as ben:
        ben.confirm(next=APP)
        page = ben.get(APP).text
        key = re.search(r'<span class="code">([A-Z2-7 ]+)</span>', page)
        assert key is not None
        wrong = ben.post(APP, {"form": hidden(page), "code": "000000"})
        assert (wrong.status_code, key[0] in wrong.text) == (400, True)
        ben.confirm(next=APP)
        assert key[0] not in ben.get(APP).text
        assert "You have none yet." in ben.get(ACCOUNT).text


def test_not_for_everybody(site: World) -> None:
    """hide_change_password closes changes of factors too."""
    with owner(site, "cas") as cas:
        assert APP not in cas.get(ACCOUNT).text
        cas.confirm()
        assert cas.get(APP).status_code == 403
        for path in (APP, REMOVE, CODES):
            assert cas.post(path, {"form": cas.form(ACCOUNT)}).status_code == 403


def test_no_passkeys_at_an_address(site: World) -> None:
    """Where the gateway has no name no passkey is offered; whoever goes there is told why, and no script runs."""
    with owner(site, "ben") as ben:
        assert PASSKEY not in ben.get(ACCOUNT).text
        ben.confirm()
        reply = ben.get(PASSKEY)
        assert "Passkeys need this gateway to have a name" in reply.text
        assert "script" not in reply.headers["content-security-policy"] + reply.text
        assert ben.post(PASSKEY, {"form": ben.form(ACCOUNT), "answer": "{}", "asked": "x"}).status_code == 400
