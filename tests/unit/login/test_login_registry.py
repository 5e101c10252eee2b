"""From the configured chain to open plugins."""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from authgw.contract import Entry, Right
from authgw.errors import ConfigError
from authgw.login import registry
from authgw.login.chain import Instance
from authgw.login.rights import Rights
from authgw.settings.models import LoginInstance
from kit.gateway import hashed
from kit.logins import Scripted

pytestmark = pytest.mark.anyio
RIGHTS = Rights({}, strict=True)


def instance(name: str, plugin: str | None = None, **options: Any) -> LoginInstance:
    return LoginInstance(name=name, plugin=plugin or name, options=options)


def problems(caught: pytest.ExceptionInfo[ConfigError]) -> list[str]:
    return [str(problem) for problem in caught.value.problems]


def test_what_ships_in_the_box() -> None:
    """The built-in plugins are found the way others are: by their entry point."""
    assert {"static", "script"} <= registry.installed().keys()


def test_paths_are_relative_to_the_configuration(tmp_path: Path) -> None:
    """A relative path in an option lies beside the configuration file, an absolute one where it says."""
    (one, other), _ = registry.build(
        [instance("static", users="u.toml"), instance("more", "static", users="/etc/u.toml")],
        folder=tmp_path,
        source="authgw.toml",
    )
    paths: list[Any] = [one.plugin, other.plugin]
    assert [plugin._path for plugin in paths] == [tmp_path / "u.toml", Path("/etc/u.toml")]
    assert one.digest != other.digest


def test_every_mistake_of_the_options(tmp_path: Path) -> None:
    """Unknown plugins and wrong options are all told at once, each at its key, without the values."""
    configured = [
        instance("static", user="u.toml", threads="hunter2"),
        instance("corp", "ldapp"),
        instance("own", "script", script="x.py", timeout=100),
    ]
    _, wrong = registry.build(configured, folder=tmp_path, source="authgw.toml")
    found = [str(problem) for problem in sorted(wrong)]
    assert [line.split(": ")[1] for line in found] == [
        "login.corp.plugin",
        "login.own.timeout",
        "login.static.threads",
        "login.static.user",
        "login.static.users",
    ]
    assert 'there is no login plugin "ldapp"' in found[0]
    assert "hunter2" not in "".join(found)


def test_two_plugins_of_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that two packages claim is refused instead of chosen."""
    points = [EntryPoint("static", f"p{n}:Static", registry.GROUP) for n in range(2)]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    built, [problem] = registry.build([instance("static")], folder=tmp_path, source="authgw.toml")
    assert not built
    assert "installed more than once" in str(problem)


def test_a_plugin_that_cannot_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken package is a located problem, not a traceback."""
    monkeypatch.setattr(registry, "entry_points", lambda group: [EntryPoint("bad", "no_such_module:X", registry.GROUP)])
    built, [problem] = registry.build([instance("bad")], folder=tmp_path, source="authgw.toml")
    assert not built
    assert re.search(r"login\.bad\.plugin.*ModuleNotFoundError", str(problem))


async def test_users_rights_are_checked_at_start(tmp_path: Path) -> None:
    """A right that cannot be read in users.toml stops the start, located by file, user and key."""
    (tmp_path / "users.toml").write_text(
        f'[[user]]\nusername = "alice"\npassword = "{hashed("x")}"\nid = 101\ncan_cdr = "maybe"\nip = ["10.0.0.0/99"]\n'
        f'[[user]]\nusername = "bob"\npassword = "{hashed("x")}"\nid = 102\ncan_fly = true\n'
    )
    built, _ = registry.build([instance("static", users="users.toml")], folder=tmp_path, source="authgw.toml")
    with pytest.raises(ConfigError) as caught:
        await registry.open_all(built, RIGHTS, source="authgw.toml")
    places = [(problem.source, problem.where.split("[")[0]) for problem in caught.value.problems]
    path = tmp_path / "users.toml"
    assert places == [
        (f'{path}: user[1] "alice"', "can_cdr"),
        (f'{path}: user[1] "alice"', "ip"),
        (f'{path}: user[2] "bob"', "can_fly"),
    ]


async def test_all_or_none() -> None:
    """Where one plugin does not open, those that did are closed again; all problems are told."""

    class Broken(Scripted):
        async def open(self) -> None:
            raise OSError("no route to host")

    good, bad = Scripted(None), Broken(None)
    with pytest.raises(ConfigError) as caught:
        await registry.open_all([Instance("a", good), Instance("b", bad)], RIGHTS, source="authgw.toml")
    assert problems(caught) == ["authgw.toml: login.b: OSError: no route to host"]
    assert good.life == ["open", "close"]


async def test_closing_goes_on() -> None:
    """One plugin that cannot be closed keeps no other open."""

    class Stuck(Scripted):
        async def close(self) -> None:
            raise RuntimeError("no")

    good = Scripted(None)
    await registry.close_all([Instance("a", Stuck(None)), Instance("b", good)])
    assert good.life == ["close"]


async def test_warnings_about_users() -> None:
    """What is odd but usable about a listed user is told as a warning."""

    class Listing(Scripted):
        def entries(self) -> list[Entry]:
            return [Entry("here: user[1]", Right({"id": 1, "can_fly": True}))]

    warnings = await registry.open_all([Instance("a", Listing(None))], Rights({}, strict=False), source="authgw.toml")
    assert len(warnings) == 1
    assert warnings[0].startswith("here: user[1]: can_fly: ")
