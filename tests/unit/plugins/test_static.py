"""The static login."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from authgw.contract import Changed, ConfigError, Credentials, Failed, Granted, Identity, NotMine, Rejected, Unfit
from authgw.testing.login import check
from authgw_plugins import passwords, users_edit
from authgw_plugins.static import Static, StaticConfig

pytestmark = pytest.mark.anyio
MD5 = hashlib.md5(b"secret").hexdigest()


def users(folder: Path, *entries: str) -> Path:
    path = folder / "users.toml"
    path.write_text("\n".join(f"[[user]]\n{entry}\n" for entry in entries))
    path.chmod(0o600)
    return path


def entry(name: str = "alice", id: int = 101, hash: str = MD5, extra: str = "") -> str:
    return f'username = "{name}"\npassword = "{hash}"\nid = {id}\n{extra}'


async def opened(path: Path, **more: Any) -> Static:
    static = Static(StaticConfig(users=path, **more))
    await static.open()
    return static


async def test_the_promises_of_a_login(tmp_path: Path) -> None:
    """The static login keeps every promise of the contract."""
    path = users(tmp_path, entry(extra='tenant = "acme"\ncan_cdr = true'), entry("bob", 102))
    await check(
        lambda: Static(StaticConfig(users=path)),
        Credentials("alice", "secret"),
        Credentials("alice", "wrong"),
        seconds=20,
    )


async def test_who_it_is(tmp_path: Path) -> None:
    """The identity is spelt as in the file, whatever was typed, with its tenant; the dictionary says the rest."""
    static = await opened(users(tmp_path, entry("Alice", extra='tenant = "acme"\nname = "Alice A."\ncan_cdr = true')))
    found = await static.login(Credentials("aLICE", "secret"))
    assert isinstance(found, Granted)
    assert found.identity == Identity("Alice", 101, "Alice A.", "acme")
    assert found.rights[0].dictionary == {"username": "Alice", "id": 101, "name": "Alice A.", "can_cdr": True}
    await static.close()


async def test_outdated_hashes_are_renewed(tmp_path: Path) -> None:
    """The first login with an old hash puts argon2 in its place; the next one works and changes nothing."""
    path = users(tmp_path, entry(), entry("bob", 102))
    static = await opened(path)
    assert isinstance(await static.login(Credentials("alice", "wrong")), Rejected)
    assert path.read_text().count(MD5) == 2
    assert isinstance(await static.login(Credentials("alice", "secret")), Granted)
    text = path.read_text()
    assert text.count(MD5) == 1
    assert isinstance(await static.login(Credentials("alice", "secret")), Granted)
    assert path.read_text() == text
    await static.close()


async def test_a_file_that_cannot_be_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the hash cannot be renewed the login works, and one warning says so."""

    def refused(*_: object) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(users_edit, "change", refused)
    static = await opened(users(tmp_path, entry()))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert isinstance(await static.login(Credentials("alice", "secret")), Granted)
    assert len([record for record in caplog.records if "renewed" in record.message]) == 1
    await static.close()


async def test_an_edited_file_is_read_again(tmp_path: Path) -> None:
    """Who was added gets in, who was taken out does not, with the next login and without a restart."""
    path = users(tmp_path, entry())
    static = await opened(path)
    before = static.version()
    users(tmp_path, entry("bob", 102))
    assert static.version() != before
    assert isinstance(await static.login(Credentials("alice", "secret")), NotMine)
    assert isinstance(await static.login(Credentials("bob", "secret")), Granted)
    await static.close()


async def test_a_broken_edit_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file that cannot be used leaves the last good state in force and is told once, not at every login."""
    path = users(tmp_path, entry())
    static = await opened(path)
    path.write_text("[[user]\n")
    for _ in range(3):
        assert isinstance(await static.login(Credentials("alice", "secret")), Granted)
    assert len([record for record in caplog.records if "cannot be used" in record.message]) == 1
    users(tmp_path, entry("bob", 102))
    assert isinstance(await static.login(Credentials("bob", "secret")), Granted)
    await static.close()


async def test_a_file_that_is_gone(tmp_path: Path) -> None:
    """Without its file nobody is let in, and it counts as an outage, not as a wrong password."""
    path = users(tmp_path, entry())
    static = await opened(path)
    os.unlink(path)
    assert isinstance(await static.login(Credentials("alice", "secret")), Failed)
    assert isinstance(await static.refresh(Identity("alice", 101)), Failed)
    assert static.version() == "gone"
    await static.close()


async def test_mistakes_at_the_start(tmp_path: Path) -> None:
    """A file with mistakes opens nothing and tells all of them."""
    with pytest.raises(ConfigError) as caught:
        await opened(users(tmp_path, entry(hash="plain"), entry("ALICE", 101)))
    assert len(caught.value.problems) == 1
    with pytest.raises(ConfigError) as caught:
        await opened(users(tmp_path, entry(), entry("ALICE", 101)))
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    ("identity", "kind"),
    [
        (Identity("alice", 101), Granted),
        (Identity("ALICE", 0), Granted),
        (Identity("alice", 7), Rejected),
        (Identity("carol", 7), Rejected),
        (Identity("carol", 0), NotMine),
    ],
)
async def test_refresh(tmp_path: Path, identity: Identity, kind: type) -> None:
    """Who is still in the file with his id keeps his rights; who is not, does not. By name alone it works too."""
    static = await opened(users(tmp_path, entry()))
    assert isinstance(await static.refresh(identity), kind)
    await static.close()


@pytest.mark.parametrize(("stated", "told"), [("3", 3), ('"3"', 3), ("0", None), ("1000", None), ('"x"', None)])
async def test_the_users_own_limit_is_told(tmp_path: Path, stated: str, told: int | None) -> None:
    """A wrong password carries the user's own limit of failures, so that it holds without the right one."""
    static = await opened(users(tmp_path, entry(extra=f"max_bad_login_attempt = {stated}")))
    found = await static.login(Credentials("alice", "wrong"))
    assert isinstance(found, Rejected)
    assert found.max_attempts == told
    await static.close()


async def test_unknown_names_cost_as_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a name that is not in the file a known user's hash is checked, always the same, and its result ignored."""
    checked: list[str] = []
    check_one = passwords.check

    def watched(password: str, hash: str) -> passwords.Checked:
        checked.append(hash)
        return check_one(password, hash)

    monkeypatch.setattr(passwords, "check", watched)
    static = await opened(users(tmp_path, entry(), entry("bob", 102, hashlib.md5(b"other").hexdigest())))
    for _ in range(3):
        assert isinstance(await static.login(Credentials("nobody", "secret")), NotMine)
    assert len(checked) == 3
    assert len(set(checked)) == 1
    await static.close()


async def test_a_storm_is_told_to_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More logins than threads and places are answered busy at once; the others get their answers."""
    go = threading.Event()
    monkeypatch.setattr(passwords, "check", lambda *_: go.wait(10) and passwords.Checked(True))
    static = await opened(users(tmp_path, entry()), threads=2, waiting=3)
    tasks = [asyncio.create_task(static.login(Credentials("alice", "secret"))) for _ in range(50)]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    turned = [task.result() for task in done]
    assert all(isinstance(each, Failed) and each.busy for each in turned)
    go.set()
    found = await asyncio.gather(*tasks)
    assert sum(isinstance(each, Granted) for each in found) == 5
    assert sum(isinstance(each, Failed) and each.busy for each in found) == 45
    await static.close()


async def test_its_users_can_be_checked(tmp_path: Path) -> None:
    """All users are there to be checked at start, each located by file, number and name."""
    path = users(tmp_path, entry(), entry("bob", 102))
    static = await opened(path)
    assert [each.where for each in static.entries()] == [f'{path}: user[1] "alice"', f'{path}: user[2] "bob"']
    assert "password" not in static.entries()[0].right.dictionary
    await static.close()


async def test_a_person_changes_the_password(tmp_path: Path) -> None:
    """The new password works and the old one does not, expiry ends, and the password's age is known from then on."""
    path = users(tmp_path, entry(extra="password_expired = true"), entry("bob", 102))
    static = Static(StaticConfig(users=path), lambda: 1_700_000_000.7)
    await static.open()
    assert static.can_change_password()
    assert await static.change_password("ALICE", "secret", "correct horse battery") == Changed()
    assert isinstance(await static.login(Credentials("alice", "secret")), Rejected)
    found = await static.login(Credentials("alice", "correct horse battery"))
    assert isinstance(found, Granted)
    assert found.identity.password_changed_at == 1_700_000_000
    assert found.rights[0].dictionary["password_expired"] is False
    assert "password_changed_at" not in found.rights[0].dictionary
    assert isinstance(await static.login(Credentials("bob", "secret")), Granted)
    await static.close()


@pytest.mark.parametrize(
    ("user", "old", "new", "options", "outcome"),
    [
        ("alice", "wrong", "correct horse battery", {}, Rejected),
        ("alice", "secret", "short", {}, Unfit),
        ("alice", "wrong", "short", {}, Rejected),
        ("nobody", "secret", "correct horse battery", {}, NotMine),
        ("alice", "secret", "correct horse battery", {"change_password": False}, Failed),
    ],
)
async def test_passwords_that_stay(
    tmp_path: Path, user: str, old: str, new: str, options: dict[str, Any], outcome: type
) -> None:
    """A wrong old password, an unfit new one, a stranger, or a setting against it: the file stays as it is."""
    path = users(tmp_path, entry())
    static = await opened(path, **options)
    before = path.read_text()
    assert isinstance(await static.change_password(user, old, new), outcome)
    assert path.read_text() == before
    assert static.can_change_password() is (options == {})
    await static.close()


async def test_a_file_that_cannot_take_the_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file cannot be written the change has failed, and says nothing of either password."""

    def refused(*_: object) -> bool:
        raise PermissionError(13, "Permission denied")

    static = await opened(users(tmp_path, entry()))
    monkeypatch.setattr(users_edit, "change", refused)
    outcome = await static.change_password("alice", "secret", "correct horse battery")
    assert isinstance(outcome, Failed)
    assert "Permission denied" in outcome.reason
    assert "horse" not in outcome.reason
    await static.close()
