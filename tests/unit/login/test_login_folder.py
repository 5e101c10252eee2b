"""A folder of login plugins."""

from __future__ import annotations

from pathlib import Path

import pytest

from authgw.errors import ConfigError
from authgw.login import folder, registry
from authgw.settings.models import LoginInstance

PLUGIN = """
from authgw.contract import Config, NotMine

class Own:
    Config = Config
    def __init__(self, config): ...
    async def open(self): ...
    async def close(self): ...
    async def login(self, asked): return NotMine()
    async def refresh(self, who): return NotMine()
"""


def file(at: Path, text: str = PLUGIN) -> Path:
    at.write_text(text)
    at.chmod(0o600)
    return at


def test_files_are_plugins_by_their_names(tmp_path: Path) -> None:
    """Every .py file but those that begin with an underscore."""
    tmp_path.chmod(0o755)
    for name in ("one.py", "two.py", "_beside.py", "notes.txt"):
        file(tmp_path / name)
    assert folder.found(tmp_path) == {name: tmp_path / f"{name}.py" for name in ("one", "two")}


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """Is told by its name."""
    with pytest.raises(ConfigError, match="cannot be read"):
        folder.found(tmp_path / "gone")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has none"),
        (PLUGIN + PLUGIN.replace("Own", "Other"), "has Own, Other"),
        ("from authgw.contract import Login", "has none"),
        ("def custom_login(user, password): ...", "has none"),
        ("import nothing_of_that_name", "nothing_of_that_name"),
        ("class Own(", "SyntaxError"),
        ("raise SystemError('broken')", "broken"),
    ],
)
def test_files_that_are_no_plugin(tmp_path: Path, text: str, said: str) -> None:
    """What a file lacks, or raises, is a problem at the instance that names it."""
    tmp_path.chmod(0o755)
    file(tmp_path / "own.py", text)
    one = LoginInstance(name="own", plugin="own")
    built, [problem] = registry.build([one], folder=tmp_path, source="authgw.toml", own=tmp_path)
    assert not built
    assert str(problem).startswith('authgw.toml: login.own.plugin: "own" cannot be loaded')
    assert said in str(problem)


def test_a_name_that_is_taken(tmp_path: Path) -> None:
    """A file cannot stand in for a plugin that is installed."""
    tmp_path.chmod(0o755)
    file(tmp_path / "static.py")
    _, [problem] = registry.build([], folder=tmp_path, source="authgw.toml", own=tmp_path)
    assert "give the file another name" in str(problem)
