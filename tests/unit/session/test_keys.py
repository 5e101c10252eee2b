"""The key file: made once, read strictly, refused when others could read it."""

from __future__ import annotations

import base64
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from authgw.errors import ConfigError
from authgw.session.keys import load


def line(id: str, fill: int) -> str:
    return f"{id} {base64.urlsafe_b64encode(bytes([fill]) * 32).decode()}\n"


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_first_start_makes_the_file(tmp_path: Path) -> None:
    """An absent key file is made with mode 0600 and a fresh key, and read again as the same."""
    path = tmp_path / "authgw.key"
    keys = load(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load(path).derive("x") == keys.derive("x")
    assert load(tmp_path / "other.key").derive("x") != keys.derive("x")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["authgw.key", "other.key"]


def test_a_loose_umask_does_not_open_the_file(tmp_path: Path) -> None:
    """The mode is 0600 whatever the umask of the service is."""
    before = os.umask(0)
    try:
        load(tmp_path / "authgw.key")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "authgw.key").stat().st_mode) == 0o600


def test_of_several_first_starts_one_wins(tmp_path: Path) -> None:
    """Instances that start at the same moment end up with one and the same key."""
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: load(tmp_path / "authgw.key").derive("x"), range(16)))
    assert len(set(made)) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["authgw.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o610, 0o601, 0o602])
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    """Any right of group or others on the key file stops the start, and the message says what to do."""
    path = tmp_path / "authgw.key"
    load(path)
    path.chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        load(path)


def test_stricter_modes_are_fine(tmp_path: Path) -> None:
    """A file that is only readable (a mounted secret) is accepted."""
    path = write(tmp_path / "authgw.key", line("k1", 1), 0o400)
    assert load(path).current.id == "k1"


def test_the_first_line_is_current_and_all_open(tmp_path: Path) -> None:
    """New things are sealed under the first key; the others stay usable; comments and blank lines are skipped."""
    keys = load(write(tmp_path / "authgw.key", "# ours\n\n" + line("new", 2) + line("old", 1)))
    assert [key.id for key in keys.all] == ["new", "old"]
    assert keys.derive_all("x") == (keys.all[0].derive("x"), keys.all[1].derive("x"))
    assert keys.derive("x") == keys.all[0].derive("x")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "0 keys"),
        ("# only a comment\n", "0 keys"),
        ("k1\n", "line 1"),
        ("k1 short\n", "line 1"),
        ("k1 " + base64.urlsafe_b64encode(b"x" * 31).decode() + "\n", "line 1"),
        ("k1 " + base64.urlsafe_b64encode(b"x" * 33).decode() + "\n", "line 1"),
        ("k 1 " + base64.urlsafe_b64encode(b"x" * 32).decode() + "\n", "line 1"),
        (line("k\xe9", 1), "line 1"),
        (line("x" * 17, 1), "line 1"),
        (line("k1", 1) + line("k1", 2), "line 2"),
        (line("k1", 1) + line("k2", 1), "line 2"),
        ("".join(line(f"k{n}", n) for n in range(1, 6)), "5 keys"),
        ("#" * 20_000, "larger than"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, text: str, where: str) -> None:
    """Every kind of damage is named with its place; half a file is never used."""
    with pytest.raises(ConfigError, match=where):
        load(write(tmp_path / "authgw.key", text))


def test_every_bad_line_is_told(tmp_path: Path) -> None:
    """All mistakes of a key file are listed at once."""
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path / "authgw.key", "bad\n" + line("k1", 1) + "worse\n"))
    assert [problem.where for problem in caught.value.problems] == ["line 1", "line 3"]


def test_no_message_shows_a_key(tmp_path: Path) -> None:
    """Neither the repr of keys nor a complaint about a line contains the key."""
    keys = load(write(tmp_path / "authgw.key", line("k1", 65)))
    secret = base64.urlsafe_b64encode(b"A" * 32).decode()
    assert secret[:12] not in repr(keys) + repr(keys.current)
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path / "bad.key", f"k1 {secret}x\n"))
    assert secret[:12] not in str(caught.value)


def test_what_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    """A folder, a pipe or a path into nowhere is a located error, and nothing hangs."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "no" / "where"):
        with pytest.raises(ConfigError):
            load(path)


def test_a_reader_never_makes_a_key(tmp_path: Path) -> None:
    """Commands that only look refuse an absent file instead of making one that opens nothing."""
    with pytest.raises(ConfigError):
        load(tmp_path / "authgw.key", create=False)
    assert not (tmp_path / "authgw.key").exists()
