"""Values of the database that are sealed under the key file: where they are, and how each is sealed anew.

After `authgw keys rotate` what older keys sealed still opens; `anew` puts it under the current one, so that the old
key can go. Every part lists what it seals in its `Part`; the list of all parts is `authgw.durable.parts`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from authgw.durable import vault
from authgw.durable.schema import Step
from authgw.durable.vault import Vault
from authgw.session.keys import Keys

Anew = Callable[[Keys, sa.Row[Any]], Mapping[str, Any] | None]
"""The columns of a row as they are under the current key. None: it does not open."""
BATCH = 100


@dataclass(frozen=True)
class Sealed:
    """A column of sealed values, NULL among them, and how a row is sealed anew (other columns may change with it)."""

    column: sa.Column[Any]
    anew: Anew


@dataclass(frozen=True)
class Part:
    """What a part of the gateway keeps in the database. `steps`: see `schema`."""

    name: str
    tables: sa.MetaData
    version: int
    steps: Sequence[Step] = ()
    sealed: Sequence[Sealed] = ()


class Done(msgspec.Struct, frozen=True):
    """`changed` while they were read: to be looked at again. `lost`: no key of the file opens them."""

    anew: int = 0
    changed: int = 0
    lost: int = 0


def plain(column: sa.Column[Any], purpose: str, row: Callable[[sa.Row[Any]], str]) -> Sealed:
    """A column that `Vault(keys, purpose)` closed under the row's name that `row` gives."""

    def anew(keys: Keys, found: sa.Row[Any]) -> Mapping[str, Any] | None:
        box, name = Vault(keys, purpose), row(found)
        value = box.open(name, found._mapping[column.name])
        return None if value is None else {column.name: box.close(name, value)}

    return Sealed(column, anew)


def count(engine: sa.Engine, sealed: Sealed) -> Counter[str]:
    """How many values each key, by its id, has sealed. Values that are none of a vault count under "?"."""
    with engine.connect() as database:
        if not sa.inspect(database).has_table(sealed.column.table.name):
            return Counter()
        found = database.scalars(sa.select(sealed.column).where(sealed.column.is_not(None)))
        return Counter(vault.key_id(bytes(blob)) or "?" for blob in found)


def seal_anew(engine: sa.Engine, sealed: Sealed, keys: Keys) -> Iterator[Done]:
    """Put every value under the current key; what is done after each batch. Stopped, it goes on where it was."""
    table = sealed.column.table
    with engine.connect() as database:
        rows = database.execute(sa.select(table).where(sealed.column.is_not(None))).all()
    stale = [row for row in rows if vault.key_id(bytes(row._mapping[sealed.column.name])) != keys.current.id]
    for start in range(0, len(stale), BATCH):
        yield _batch(engine, sealed, [(row, sealed.anew(keys, row)) for row in stale[start : start + BATCH]])


def _batch(engine: sa.Engine, sealed: Sealed, rows: Sequence[tuple[sa.Row[Any], Mapping[str, Any] | None]]) -> Done:
    """Only where the value is still the one that was read: what the gateway writes meanwhile stays."""
    table = sealed.column.table
    assert isinstance(table, sa.Table)
    done = 0
    opened = [(row, values) for row, values in rows if values is not None]
    with engine.begin() as database:
        for row, values in opened:
            same = [column == row._mapping[column.name] for column in (*table.primary_key, sealed.column)]
            done += database.execute(table.update().where(*same).values(**values)).rowcount
    return Done(done, len(opened) - done, len(rows) - len(opened))
