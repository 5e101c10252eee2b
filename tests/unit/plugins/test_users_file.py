"""users.toml: read strictly, changed in one place only."""

from __future__ import annotations

from pathlib import Path

import pytest

from authgw.contract import ConfigError
from authgw_plugins.users_file import read
from kit.gateway import hashed

HASH = hashed("secret")
OTHER = hashed("other")


def write(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "users.toml"
    path.write_text(text)
    path.chmod(mode)
    return path


def user(name: str = "alice", id: int = 101, extra: str = "", hash: str = HASH) -> str:
    return f'[[user]]\nusername = "{name}"\npassword = "{hash}"\nid = {id}\n{extra}\n'


def problems(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(path)
    return [str(problem).removeprefix(f"{path}: ") for problem in caught.value.problems]


def test_a_good_file(tmp_path: Path) -> None:
    """Names are found whatever their case; password and tenant stay out of the permission dictionary."""
    users = read(write(tmp_path, user(extra='tenant = "acme"\ncan_cdr = true') + user("Bob", 102)))
    alice = users.by_key["alice"]
    assert (alice.id, alice.tenant) == (101, "acme")
    assert dict(alice.dictionary) == {"username": "alice", "id": 101, "can_cdr": True}
    assert users.by_key["bob"].username == "Bob"
    assert HASH not in repr(alice)


def test_no_users_is_a_file_too(tmp_path: Path) -> None:
    """An empty file lets nobody in, and is no mistake."""
    assert read(write(tmp_path, "# nobody yet\n")).all == ()


def test_every_mistake_is_located(tmp_path: Path) -> None:
    """Every mistake of every user is told once, with the file, the user's number and name, and the key."""
    text = (
        user("alice", 101)
        + user("ALICE", 102)
        + user("bob", 101)
        + '[[user]]\nusername = "carol"\npassword = "plain text"\nid = 0\ntenant = 7\n'
        + "[[user]]\nid = true\n"
        + "[settings]\nx = 1\n"
    )
    found = problems(write(tmp_path, text))
    assert [line.split(" is ")[0].split(" must ")[0].rstrip("0123456789 ").removesuffix(":") for line in found] == [
        "settings",
        'user[2] "ALICE": username',
        'user[3] "bob": id',
        'user[4] "carol": id',
        'user[4] "carol": password',
        'user[4] "carol": tenant',
        "user[5]: id",
        "user[5]: password",
        "user[5]: username",
    ]
    assert "plain text" not in "\n".join(found)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[[user]]\nusername = "a\n', "line 2: "),
        ("user = 7\n", "user: "),
        ("[user]\nusername = 'a'\n", "user: "),
        (user() + user().replace("id = 101", "id = 102\nid = 103"), "line "),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, text: str, place: str) -> None:
    """What is no TOML, or no list of users, is told with its line or key."""
    assert problems(write(tmp_path, text))[0].startswith(place)


@pytest.mark.parametrize("name", ["", " alice", "al\\u0000ice", "al\\u001bice", "x" * 257])
def test_names_that_are_none(tmp_path: Path, name: str) -> None:
    """A name that nobody could type, or that would spoil a log, is a mistake of the file."""
    assert problems(write(tmp_path, user(name)))[0].split(": ")[-2].endswith("username")


def test_unreadable_files(tmp_path: Path) -> None:
    """A file that is absent, or that everybody may write, is refused with what to do."""
    assert "cannot be read" in problems(tmp_path / "users.toml")[0]
    assert "chmod o-w" in problems(write(tmp_path, user(), 0o666))[0]
    assert "UTF-8" in problems(_bytes(tmp_path, b"# \xff\n"))[0]


def _bytes(folder: Path, data: bytes) -> Path:
    path = write(folder, "")
    path.write_bytes(data)
    return path
