"""The configured logins read together: what is wrong with one hides nothing that is wrong with another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from authgw.cli.main import main
from authgw.errors import ConfigError
from authgw.login import assemble
from authgw.settings import load
from kit.gateway import configure, write_secret

pytestmark = pytest.mark.anyio
SPOILT: dict[str, dict[str, Any]] = {
    "options": {"login_two": {"plugin": "static", "users": "two.toml", "threads": "many"}},
    "plugin": {"login_two": {"plugin": "statik", "users": "two.toml"}},
    "groups": {"groups": {"file": "groups.toml"}},
    "folder": {"login": {"chain": ["static", "two"], "folder": "nowhere"}},
}


def spoilt(folder: Path, **more: Any) -> Path:
    """A configuration whose first login has a user that cannot be read, beside the mistake of the case."""
    write_secret(folder / "two.toml", "")
    write_secret(folder / "groups.toml", "[[group]]\nid = 0\n")
    two = {"plugin": "static", "users": "two.toml"}
    sections: dict[str, Any] = {"login": {"chain": ["static", "two"]}, "login_two": two} | more
    file = configure(folder, "http://127.0.0.1:9", port=1, users=[], **sections)
    write_secret(folder / "users.toml", '[[user]]\nusername = "alice"\nid = 101\ncan_cdr = "maybe"\n')
    return file


@pytest.mark.parametrize("case", SPOILT)
def test_every_mistake_is_told_at_once(tmp_path: Path, case: str) -> None:
    """`check` lists the mistake and the users file of the other login in one go, and so does the start."""
    config = str(spoilt(tmp_path, **SPOILT[case]))
    done, start = (CliRunner().invoke(main, [command, "--config", config]) for command in ("check", "serve"))
    assert (done.exit_code, start.exit_code, done.output) == (2, 2, start.output)
    told = {"options": "login.two.threads", "plugin": "login.two.plugin", "groups": "groups.toml", "folder": "nowhere"}
    assert told[case] in done.output
    if case != "folder":  # then no plugin is known at all
        assert 'users.toml: user[1] "alice": password: ' in done.output


async def test_rights_are_not_blamed_for_templates(tmp_path: Path) -> None:
    """Where the group templates cannot be read, nobody is told that his group is missing."""
    settings = load(spoilt(tmp_path, groups={"file": "groups.toml"}), {})
    write_secret(tmp_path / "users.toml", (tmp_path / "users.toml").read_text() + "id_group = 7\n")
    with pytest.raises(ConfigError) as caught:
        await assemble.opened(settings)
    assert "id_group" not in str(caught.value)
