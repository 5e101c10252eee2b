"""How commands end: 0 done, 1 refused or not there, 2 unusable; the same for all, and said in the help of each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from authgw.cli.main import main
from authgw.session import keys
from kit.gateway import configure


def commands(group: click.Command, *before: str) -> Iterator[tuple[str, ...]]:
    """Every command there is, by its words."""
    if not isinstance(group, click.Group):
        yield before
        return
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        yield from commands(found, *before, name)


ALL = list(commands(main))


class Site:
    """A configuration whose gateway has run, and has nobody's sessions, tokens or factors."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = configure(folder, "http://127.0.0.1:1", port=1)
        keys.load(folder / "authgw.key")

    def run(self, line: str) -> Result:
        return CliRunner().invoke(main, [*line.split(), "--config", str(self.config)])


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_all_are_looked_at() -> None:
    """The walk below meets the commands that README lists."""
    assert {("serve",), ("check",), ("sessions", "end"), ("tokens", "revoke"), ("keys", "drop")} <= set(ALL)


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_each_says_how_it_ends(words: tuple[str, ...]) -> None:
    """The help of every command has a sentence on its exit codes, with the two that each can end with."""
    shown = " ".join(CliRunner().invoke(main, [*words, "--help"]).output.split())
    told = shown.partition("Exit codes: ")[2]
    assert told.startswith("0 "), shown
    assert " 2 " in told


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("tokens list", 0, "ID"),
        ("tokens list --json", 0, "[]"),
        ("tokens list --user nobody", 1, "ID"),
        ("tokens list --json --user nobody", 1, "[]"),
        ("tokens revoke --id 00", 1, "0 tokens revoked"),
        ("tokens revoke --user nobody", 1, "0 tokens revoked"),
        ("tokens revoke", 2, "exactly one of"),
        ("factors list --user nobody", 1, "no second factor"),
        ("factors reset --user nobody", 1, "no second factor"),
        ("keys rotate --to k9", 1, "holds no key k9"),
        ("keys drop k9", 1, "holds no key k9"),
        ("keys drop k1", 1, "k1 is the current key"),
        ("audit tail", 0, "nothing has been written yet"),
        ("audit tail -n 0", 2, "0"),
        ("sessions end --user nobody", 2, "memory://"),
        ("explain-login nobody", 1, "nobody"),
    ],
)
def test_how_it_ends(site: Site, line: str, code: int, said: str) -> None:
    """What was named and is not there is 1, whichever command was asked; an empty list of all is an answer."""
    done = site.run(line)
    assert (done.exit_code, said in done.output) == (code, True), done.output


@pytest.mark.parametrize("line", ["audit tail", "audit unknown"])
def test_a_trail_that_cannot_be_read(site: Site, line: str) -> None:
    """It is told in one line which setting names it, without a traceback."""
    (site.folder / "audit.jsonl").mkdir()
    done = site.run(line)
    assert done.exit_code == 1
    assert done.output == f"authgw: {site.folder / 'audit.jsonl'} cannot be read: Is a directory; see audit.file\n"
