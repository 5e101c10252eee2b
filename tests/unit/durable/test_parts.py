"""What lies in the database: every part is listed, every sealed value can be sealed anew, every type holds anywhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from authgw.durable.parts import PARTS

SOURCES = Path(__file__).parents[3] / "authgw"
UNSEALED = {"authgw_link.record"}
"""Binary columns that hold nothing secret."""
KEY_CHARACTERS = 768
"""InnoDB takes 3072 bytes for a key, and utf8mb4 four for each character."""

TABLES = {table.name: table for part in PARTS for table in part.tables.sorted_tables}


def test_every_table_belongs_to_a_listed_part() -> None:
    """A table that some file declares is in `PARTS`, so that rotation and upgrades know of it."""
    found = {
        name
        for file in SOURCES.rglob("*.py")
        for name in re.findall(r'sa\.Table\(\s*"(\w+)"', file.read_text("utf-8"))
        if name != "authgw_schema"
    }
    assert found == TABLES.keys()


def test_every_binary_value_is_sealed_anew_or_no_secret() -> None:
    """A binary column is one that rotation seals anew, or named above as no secret."""
    sealed = {f"{one.column.table.name}.{one.column.name}" for part in PARTS for one in part.sealed}
    binary = {
        f"{name}.{column.name}"
        for name, table in TABLES.items()
        for column in table.columns
        if isinstance(column.type, sa.LargeBinary)
    }
    assert sealed | UNSEALED == binary


@pytest.mark.parametrize("name", TABLES)
def test_types_hold_on_every_database(name: str) -> None:
    """Texts have a length, keys fit, seconds are whole numbers of 64 bits or doubles: MariaDB's FLOAT rounds them."""
    table = TABLES[name]
    for column in table.columns:
        kind = column.type
        assert not isinstance(kind, sa.Float) or isinstance(kind, sa.Double), column
        assert not isinstance(kind, sa.String) or isinstance(kind, sa.Text) or kind.length, column
        assert not isinstance(kind, sa.DateTime | sa.JSON | sa.Enum), column
    unique: list[Any] = [one for one in table.constraints if isinstance(one, sa.UniqueConstraint)]
    for columns in (key.columns for key in (table.primary_key, *unique, *table.indexes)):
        lengths = [column.type.length or 0 for column in columns if isinstance(column.type, sa.String)]
        assert len(columns) > 0, name
        assert sum(lengths) <= KEY_CHARACTERS, columns


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_every_version_is_reached_by_steps(part: object) -> None:
    """There is a step from each version to the next."""
    assert len(getattr(part, "steps", ())) == getattr(part, "version", 0) - 1
