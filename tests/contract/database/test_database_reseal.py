"""Stored secrets under a new key, on every database: all of them, resumable, beside a gateway that works on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from authgw.durable import engine, schema
from authgw.durable.sealed import Done, Sealed, count, plain, seal_anew
from authgw.durable.vault import Vault
from authgw.session.keys import Key, Keys

OLD, NEW, OTHER = (Key(f"k{n}", bytes([n]) * 32) for n in (1, 2, 3))

TABLES = sa.MetaData()
TABLE = sa.Table(
    "t_secret",
    TABLES,
    sa.Column("login", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(191), primary_key=True),
    sa.Column("secret", sa.LargeBinary),
)
SEALED: Sealed = plain(TABLE.c.secret, "test", lambda row: f"{row.login}/{row.name}")


@pytest.fixture
def database(url: str) -> Iterator[sa.Engine]:
    """A database with the table, nothing in it."""
    found = engine.make(url)
    schema.bring_up(found, "test", TABLES, 1)
    yield found
    found.dispose()


def put(database: sa.Engine, keys: Keys, names: list[str]) -> None:
    box = Vault(keys, "test")
    with database.begin() as connection:
        for name in names:
            sealed = box.close(f"static/{name}", name.encode())
            connection.execute(TABLE.insert().values(login="static", name=name, secret=sealed))


def opened(database: sa.Engine, keys: Keys) -> dict[str, bytes | None]:
    """What opens with these keys, by name."""
    box = Vault(keys, "test")
    with database.connect() as connection:
        return {row.name: box.open(f"static/{row.name}", row.secret) for row in connection.execute(sa.select(TABLE))}


def test_every_secret_goes_under_the_new_key(database: sa.Engine) -> None:
    """Afterwards the old key opens nothing and is not needed; empty places stay empty, a second run finds no work."""
    names = [f"user {n}" for n in range(250)]
    put(database, Keys((OLD,)), names)
    with database.begin() as connection:
        connection.execute(TABLE.insert().values(login="corp", name="none"))
    assert count(database, SEALED) == {"k1": 250}
    done = list(seal_anew(database, SEALED, Keys((NEW, OLD))))
    assert done == [Done(anew=100), Done(anew=100), Done(anew=50)]
    assert count(database, SEALED) == {"k2": 250}
    with database.begin() as connection:
        connection.execute(TABLE.delete().where(TABLE.c.secret.is_(None)))
    assert opened(database, Keys((NEW,))) == {name: name.encode() for name in names}
    assert list(seal_anew(database, SEALED, Keys((NEW, OLD)))) == []


def test_a_stopped_run_goes_on(database: sa.Engine) -> None:
    """Stopped after a batch, what was done is done; the next run does the rest alone."""
    put(database, Keys((OLD,)), [f"user {n}" for n in range(150)])
    assert next(seal_anew(database, SEALED, Keys((NEW, OLD)))) == Done(anew=100)
    assert count(database, SEALED) == {"k2": 100, "k1": 50}
    assert list(seal_anew(database, SEALED, Keys((NEW, OLD)))) == [Done(anew=50)]


def test_what_no_key_opens_is_told_and_stays(database: sa.Engine) -> None:
    """A secret of a key that is gone, and one that was moved to another row, are counted and left as they are."""
    put(database, Keys((OTHER,)), ["gone"])
    put(database, Keys((OLD,)), ["mine", "moved"])
    with database.begin() as connection:
        connection.execute(TABLE.update().where(TABLE.c.name == "moved").values(name="elsewhere"))
    assert list(seal_anew(database, SEALED, Keys((NEW, OLD)))) == [Done(anew=1, lost=2)]
    assert count(database, SEALED) == Counter({"k1": 1, "k2": 1, "k3": 1})


def test_what_changes_meanwhile_is_not_overwritten(database: sa.Engine) -> None:
    """A secret that the gateway replaces while the old one is being sealed anew stays the gateway's."""
    put(database, Keys((OLD,)), ["alice"])
    fresh = Vault(Keys((NEW,)), "test").close("static/alice", b"changed")

    def meanwhile(keys: Keys, row: sa.Row[tuple[object, ...]]) -> object:
        with database.begin() as connection:
            connection.execute(TABLE.update().values(secret=fresh))
        return SEALED.anew(keys, row)

    slow = Sealed(TABLE.c.secret, meanwhile)  # type: ignore[arg-type]
    assert list(seal_anew(database, slow, Keys((NEW, OLD)))) == [Done(changed=1)]
    assert opened(database, Keys((NEW,))) == {"alice": b"changed"}
