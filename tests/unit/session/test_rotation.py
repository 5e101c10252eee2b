"""The key file changed: what is on top, what stays, and that nobody ever sees half of it."""

from __future__ import annotations

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from authgw.errors import ConfigError
from authgw.session import keys, rotation


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "authgw.key"
    keys.load(path)
    return path


def ids(file: Path) -> list[str]:
    return [key.id for key in keys.load(file, create=False).all]


def test_a_fresh_key_goes_on_top(file: Path) -> None:
    """The new key is the current one, the old one still opens; its bytes are those that were drawn."""
    old = keys.load(file).derive("test")
    assert rotation.rotate(file, lambda size: b"n" * size) == "k2"
    held = keys.load(file, create=False)
    assert [key.id for key in held.all] == ["k2", "k1"]
    assert held.derive_all("test") == (keys.Key("k2", b"n" * 32).derive("test"), old)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_comments_and_order_stay(file: Path) -> None:
    """Whatever else is in the file is there afterwards, at its place."""
    first, second = (base64.urlsafe_b64encode(bytes([n]) * 32).decode() for n in (1, 2))
    file.write_text(f"# ours\n\nmine {first}\n# from 2024\nk7 {second}\n# end\n")
    rotation.rotate(file, lambda size: b"n" * size)
    fresh = base64.urlsafe_b64encode(b"n" * 32).decode()
    assert file.read_text() == f"# ours\n\nk8 {fresh}\nmine {first}\n# from 2024\nk7 {second}\n# end\n"
    rotation.promote(file, "k7")
    assert file.read_text() == f"# ours\n\nk7 {second}\nk8 {fresh}\nmine {first}\n# from 2024\n# end\n"


def test_a_key_is_known_before_it_is_used(file: Path) -> None:
    """An added key only opens; promoted it is the current one, and the one before still opens."""
    assert rotation.add(file) == "k2"
    assert ids(file) == ["k1", "k2"]
    rotation.promote(file, "k2")
    assert ids(file) == ["k2", "k1"]


def test_a_full_file_takes_no_more(file: Path) -> None:
    """Over the bound nothing changes, and the message names the key that may go and how to see what needs it."""
    for _ in range(keys.MAX_KEYS - 1):
        rotation.rotate(file)
    before = file.read_bytes()
    for change in (rotation.rotate, rotation.add):
        with pytest.raises(ConfigError, match=r"holds 4 keys.*keys list.*keys reseal.*keys drop k1"):
            change(file)
    assert file.read_bytes() == before
    rotation.drop(file, "k1")
    assert rotation.rotate(file) == "k5"
    assert ids(file) == ["k5", "k4", "k3", "k2"]


def test_what_cannot_go_stays(file: Path) -> None:
    """The current key cannot be dropped, one that is not there neither dropped nor promoted."""
    rotation.rotate(file)
    with pytest.raises(ConfigError, match="k2 is the current key"):
        rotation.drop(file, "k2")
    for change in (rotation.drop, rotation.promote):
        with pytest.raises(ConfigError, match="holds no key k9"):
            change(file, "k9")
    assert ids(file) == ["k2", "k1"]


def test_a_file_that_cannot_be_used_is_left_alone(file: Path, tmp_path: Path) -> None:
    """No file, one open to others, one with a mistake: an error, and nothing written."""
    with pytest.raises(ConfigError, match="no key file"):
        rotation.rotate(tmp_path / "absent.key")
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        rotation.rotate(file)
    file.chmod(0o600)
    file.write_text("k1 short\n")
    with pytest.raises(ConfigError, match="line 1"):
        rotation.rotate(file)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["authgw.key"]
    assert file.read_text() == "k1 short\n"


def test_a_link_leads_to_the_file(file: Path, tmp_path: Path) -> None:
    """Where the configuration names a link, the file behind it is changed and the link stays."""
    link = tmp_path / "link.key"
    link.symlink_to(file)
    rotation.rotate(link)
    assert link.is_symlink()
    assert ids(file) == ["k2", "k1"]


def test_changes_at_once_all_count(file: Path) -> None:
    """Of several changes at the same time none is lost, and a reader always finds a file that it can read."""
    with ThreadPoolExecutor(4) as pool:
        changes = [pool.submit(rotation.rotate, file) for _ in range(3)]
        while not all(change.done() for change in changes):
            assert "k1" in ids(file)
        assert sorted(change.result() for change in changes) == ["k2", "k3", "k4"]
    assert ids(file) == ["k4", "k3", "k2", "k1"]
