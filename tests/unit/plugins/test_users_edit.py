"""Changes that the gateway makes to users.toml itself."""

from __future__ import annotations

import multiprocessing
import os
import stat
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authgw_plugins import passwords
from authgw_plugins.users_edit import change, edited, may_write
from authgw_plugins.users_file import User, read

HASH, OTHER = "$apr1$mfTq9oJ0$bVNQFsqhXxBcbLR7BHDWF1", "$apr1$q2w3e4r5$xY0000000000000000000."
WHEN = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
TEXT = f"""# Users of the gateway; ask Petra before you change anything.
[[user]]   # the first
username = "alice"
password = "{HASH}" # renewed by hand
id       = 101
password_expired = 1   # since the audit
enable_sensors = [
    2, # London
    3,
]

  [[ user ]]
  username = 'bob'
  password = '{HASH}'
  id = 102
"""


def write(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "users.toml"
    path.write_bytes(text.encode())
    path.chmod(mode)
    return path


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_one_hash_is_replaced_and_nothing_else(tmp_path: Path, name: str) -> None:
    """The new hash stands where that user's old one stood; comments, order, spaces, mode and other users stay."""
    path = write(tmp_path, TEXT, 0o640)
    assert change(path, read(path).by_key[name], {"password": OTHER})
    quoted = f'"{HASH}"' if name == "alice" else f"'{HASH}'"
    assert path.read_text() == TEXT.replace(quoted, f'"{OTHER}"')
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert read(path).by_key[name].password == OTHER
    assert os.listdir(tmp_path) == ["users.toml"]


def test_a_changed_password(tmp_path: Path) -> None:
    """Hash, time and the end of the expiry are written: replaced where they stand, else right after the password."""
    path = write(tmp_path, TEXT)
    values = {"password": OTHER, "password_changed_at": WHEN, "password_expired": False}
    assert change(path, read(path).by_key["alice"], values)
    expected = TEXT.replace(
        f'"{HASH}" # renewed by hand', f'"{OTHER}" # renewed by hand\npassword_changed_at = 2026-11-26T09:30:00Z'
    ).replace("password_expired = 1 ", "password_expired = false ")
    assert path.read_text() == expected
    alice = read(path).by_key["alice"]
    assert alice.changed_at == WHEN.timestamp()
    assert alice.dictionary["password_expired"] is False
    again = {"password": HASH, "password_changed_at": datetime(2027, 1, 1, tzinfo=UTC)}
    assert change(path, alice, again)
    assert "password_changed_at = 2027-01-01T00:00:00Z\n" in path.read_text()
    assert change(path, read(path).by_key["bob"], {"password": OTHER, "password_changed_at": WHEN})
    assert f'  password = "{OTHER}"\n  password_changed_at = 2026-11-26T09:30:00Z\n' in path.read_text()


def test_line_ends_stay(tmp_path: Path) -> None:
    """A file with the line ends of Windows keeps them, on new lines too."""
    path = write(tmp_path, TEXT.replace("\n", "\r\n"))
    assert change(path, read(path).by_key["bob"], {"password": OTHER, "password_changed_at": WHEN})
    data = path.read_bytes()
    assert data.count(b"\n") == data.count(b"\r\n") == TEXT.count("\n") + 1


@pytest.mark.parametrize(
    "changed",
    [
        TEXT.replace(HASH, OTHER),
        TEXT.replace('"alice"', '"carol"'),
        TEXT.replace('password = "', "password = '''", 1).replace('" # renewed by hand', "\n'''", 1),
        TEXT.replace(f'password = "{HASH}"', f'note = """\npassword = "{HASH}"\n"""\npassword = "{HASH}"', 1),
        TEXT.replace("[[user]]", "[[ 'user' ]]"),
        "",
    ],
    ids=["another hash", "another name", "several lines", "a password in a text", "another head", "nothing"],
)
def test_a_file_that_says_something_else(tmp_path: Path, changed: str) -> None:
    """Where the entry is no longer as it was read, or is written in an unusual way, nothing is written."""
    path = write(tmp_path, TEXT)
    alice = read(path).by_key["alice"]
    path.write_text(changed)
    assert not change(path, alice, {"password": OTHER})
    assert path.read_text() == changed


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("# the first", f"# was {HASH}"),
        TEXT.replace(f'"{HASH}"', f'"\\u0024{HASH[1:]}" # {HASH}'),
    ],
)
def test_a_hash_in_a_comment(tmp_path: Path, text: str) -> None:
    """What counts is replaced, what stands in a comment stays there."""
    path = write(tmp_path, text)
    assert change(path, read(path).by_key["alice"], {"password": OTHER})
    assert read(path).by_key["alice"].password == OTHER
    assert f"# {'was ' if 'was' in text else ''}{HASH}" in path.read_text()


def test_a_user_in_the_text_of_a_user(tmp_path: Path) -> None:
    """A table head inside a text does not lead the replacement astray."""
    text = TEXT.replace("id       = 101", 'id = 101\nnote = """\n[[user]]\nusername = "bob"\n"""')
    path = write(tmp_path, text)
    assert not change(path, read(path).by_key["bob"], {"password": OTHER})
    assert path.read_text() == text


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """A linked file is replaced where it lies."""
    (tmp_path / "real").mkdir()
    real = write(tmp_path / "real", TEXT)
    link = tmp_path / "link.toml"
    link.symlink_to(real)
    assert may_write(link)
    assert change(link, read(link).by_key["alice"], {"password": OTHER})
    assert link.is_symlink()
    assert OTHER in real.read_text()


def _change(path: str, name: str, hash: str) -> bool:
    file = Path(path)
    while True:
        user = read(file).by_key[name]
        if change(file, user, {"password": hash, "password_changed_at": WHEN}):
            return True


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    """Twenty users change their passwords at once from several processes: each change is there in the end."""
    names = [f"user{n}" for n in range(20)]
    entries = [f'[[user]]\nusername = "{name}"\npassword = "{HASH}"\nid = {n + 1}\n' for n, name in enumerate(names)]
    path = write(tmp_path, "# all\n" + "\n".join(entries))
    hashes = [f"$apr1$q2w3e4r5$xY00000000000000000{n:02}." for n in range(20)]
    with multiprocessing.get_context("fork").Pool(4) as pool:
        assert all(pool.starmap(_change, [(str(path), name, hash) for name, hash in zip(names, hashes, strict=True)]))
    found = read(path)
    assert [user.password for user in found.all] == hashes
    assert os.listdir(tmp_path) == ["users.toml"]


KEYS = st.sampled_from(["note", "name", "can_cdr", "number", "password_expired", "password_changed_at"])
VALUES = st.sampled_from(
    [
        '"x"',
        "'password = 1'",
        '"[[user]]"',
        "true",
        "[1, 2]",
        '"""\n[[user]]\n"""',
        "2026-01-01T00:00:00Z",
        "1 # id = 2",
    ]
)


@given(st.dictionaries(KEYS, VALUES), st.dictionaries(KEYS, VALUES), st.booleans())
def test_whatever_stands_around_it(first: dict[str, str], second: dict[str, str], early: bool) -> None:
    """Either exactly the wanted values change, as the TOML reader sees it, or nothing is written at all."""

    def block(name: str, more: dict[str, str]) -> str:
        lines = [f"{key} = {value}" for key, value in more.items()]
        head = [f'username = "{name}"', f'password = "{HASH}"', f"id = {len(name)}"]
        return "\n".join(["[[user]]", *(lines + head if early else head + lines)]) + "\n"

    text = block("alice", first) + block("bob", second)
    bob = User(2, "bob", "bob", HASH, 3, "", {})
    values: dict[str, Any] = {"password": OTHER, "password_changed_at": WHEN}
    after = edited(text, bob, values)
    if after is not None:
        expected = tomllib.loads(text)
        expected["user"][1] |= values
        assert tomllib.loads(after) == expected


@pytest.mark.parametrize(
    ("new", "why"),
    [
        ("short-one", "short"),
        ("elevenchars", "short"),
        ("twelve chars", None),
        ("x" * 1025, "long"),
        ("correct horse", "same"),
        ("CORRECT HORSE ", "same"),
        ("my name is ALICE!", "name"),
        ("žluťoučký kůň", None),
    ],
)
def test_which_passwords_will_do(new: str, why: str | None) -> None:
    """Long enough, not the old one, without the user's name; no rules about kinds of letters."""
    assert passwords.unfit(new, "correct horse", "alice", 12) == why
    assert passwords.unfit("alphabetical b", "correct horse", "b", 12) is None
