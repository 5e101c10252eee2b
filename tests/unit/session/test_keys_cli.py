"""`authgw keys` as an operator runs it: the order that it prints loses nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from authgw.cli import keys as command
from authgw.cli.main import main
from authgw.durable import engine, schema
from authgw.durable.sealed import Part, plain
from authgw.durable.vault import Vault
from authgw.session import keys
from kit.gateway import configure

TABLES = sa.MetaData()
TABLE = sa.Table(
    "t_secret",
    TABLES,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("secret", sa.LargeBinary, nullable=False),
)
PART = Part("test", TABLES, 1, sealed=(plain(TABLE.c.secret, "test", lambda row: str(row.name)),))


class Site:
    """A configuration with one part that seals, and the commands on it."""

    def __init__(self, folder: Path) -> None:
        self.config = configure(folder, "http://127.0.0.1:1", port=1)
        self.key_file = folder / "authgw.key"
        self.url = f"sqlite:///{folder / 'authgw.db'}"
        keys.load(self.key_file)

    def run(self, *words: str) -> tuple[int, str]:
        told = CliRunner().invoke(main, ["keys", *words, "--config", str(self.config)])
        return told.exit_code, told.output

    def keep(self, *names: str) -> None:
        """As the gateway does, which reads the key file when it starts."""
        own, box = engine.make(self.url), Vault(keys.load(self.key_file), "test")
        schema.bring_up(own, "test", TABLES, 1)
        with own.begin() as database:
            for name in names:
                database.execute(TABLE.insert().values(name=name, secret=box.close(name, name.encode())))
        own.dispose()

    def opened(self) -> set[str]:
        own, box = engine.make(self.url), Vault(keys.load(self.key_file), "test")
        with own.connect() as database:
            rows = database.execute(sa.select(TABLE)).all()
        own.dispose()
        return {row.name for row in rows if box.open(row.name, row.secret) == row.name.encode()}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(command, "PARTS", (PART,))
    return Site(tmp_path)


def test_the_printed_order_loses_nothing(site: Site) -> None:
    """rotate, restart, reseal, drop as printed: what was sealed before and between opens after every step."""
    site.keep("before")
    code, said = site.run("rotate")
    assert code == 0
    steps = re.findall(r"^  .*", said, re.MULTILINE)
    assert [re.sub(r" --config \S+", "", step).strip() for step in steps] == [
        "restart every instance of the gateway",
        "authgw keys reseal",
        "12 h after the restart: authgw keys drop k1",
    ]
    assert site.opened() == {"before"}
    site.keep("between")
    assert site.run("list") == (
        0,
        "k2                current   1 stored secret\nk1                opens     1 stored secret\n",
    )
    code, said = site.run("drop", "k1")
    assert (code, "keys reseal" in said) == (1, True)
    code, said = site.run("reseal")
    assert (code, said.splitlines()[-1]) == (0, "every stored secret is under k2")
    assert site.opened() == {"before", "between"}
    assert site.run("drop", "k1")[0] == 0
    assert site.opened() == {"before", "between"}
    assert site.run("list") == (0, "k2                current   2 stored secrets\n")


def test_instances_restarted_in_turn_know_the_key_first(site: Site) -> None:
    """`add` names the next step, and that promotes the added key; nothing is sealed under it before."""
    code, said = site.run("add")
    assert code == 0
    site.keep("before")
    (next_step,) = re.findall(r"authgw keys (rotate --to k2) ", said)
    assert site.run(*next_step.split())[0] == 0
    assert [key.id for key in keys.load(site.key_file).all] == ["k2", "k1"]
    assert site.run("list")[1].replace("  ", "") == "k2current 0 stored secrets\nk1opens 1 stored secret\n"


def test_a_missing_key_is_told(site: Site) -> None:
    """Secrets of a key that was taken out by hand: `list` and `reseal` say how many nothing opens."""
    site.keep("lost")
    first = site.key_file.read_text()
    site.key_file.write_text(first.replace("k1 ", "k5 "))
    site.run("rotate")
    code, said = site.run("list")
    assert "k1                MISSING   1 stored secret that nothing opens" in said
    code, said = site.run("reseal")
    assert code == 1
    assert "1 stored secret open under no key of the file" in said


def test_nothing_is_made_where_nothing_is(tmp_path: Path, site: Site) -> None:
    """Listing and dropping make no database, and a database that cannot be asked is exit code 1."""
    assert site.run("list") == (0, "k1                current   0 stored secrets\n")
    assert not (tmp_path / "authgw.db").exists()
    (tmp_path / "authgw.db").write_text("this is not a database, whatever it may look like" * 40)
    for words in (["list"], ["reseal"], ["drop", "k1"]):
        code, said = site.run(*words)
        assert code == 1, said
        assert "not a database" in said


def test_no_key_is_ever_shown(site: Site) -> None:
    """Whatever the commands print, it holds no key."""
    said = "".join(site.run(*words)[1] for words in (["rotate"], ["add"], ["list"], ["reseal"], ["drop", "k3"]))
    secrets = [line.split()[1] for line in site.key_file.read_text().splitlines() if not line.startswith("#")]
    assert len(secrets) == 2
    assert not any(secret[:12] in said for secret in secrets)
