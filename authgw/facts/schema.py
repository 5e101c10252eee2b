"""What the product's tables look like on this site: the columns that must be there, and where its custom headers are.

Tables and columns: those that the product's sniffer makes (`authgw/demo/data/voip/columns.md`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

PREFIX = "custom_header__"
CDR = (
    "ID", "calldate", "id_sensor", "caller", "called", "sipcallerip", "sipcalledip", "caller_domain", "called_domain",
    "vlan", "connect_duration",
)  # fmt: skip
NEXT = ("cdr_ID", "calldate", "fbasename")
# A table of custom headers and a column in it, as the operator names them: cdr_next_1.custom_header_3.
PLACE = re.compile(r"(cdr_next(?:_[0-9]{1,3})?)\.([A-Za-z0-9_-]{1,64})")

NAMES_SQL = (
    "select table_name, column_name, character_set_name, collation_name from information_schema.columns "
    "where table_schema = database() and table_name in :tables"
)


class Column(msgspec.Struct, frozen=True):
    """A column as the database describes it. `charset` and `collation`: None where it holds no text."""

    table: str
    name: str
    charset: str | None = None
    collation: str | None = None


class Header(msgspec.Struct, frozen=True):
    """Where a custom header is recorded. `name`: in lower case."""

    name: str
    column: Column


class Layout(msgspec.Struct, frozen=True):
    """What statements are made from. `headers` in the order of their names."""

    call_id: Column
    headers: tuple[Header, ...]

    def header(self, name: str) -> Column | None:
        """Where that header is recorded; None: nowhere, so that no call has it."""
        return next((header.column for header in self.headers if header.name == name.lower()), None)


def layout(columns: Iterable[Column], named: Mapping[str, str]) -> Layout | str:
    """The layout, or what is missing, by name. `named`: headers whose columns do not bear their names."""
    known = {(column.table.lower(), column.name.lower()): column for column in columns}
    wanted = [("cdr", name) for name in CDR] + [("cdr_next", name) for name in NEXT]
    places = {name: tuple(place.split(".", 1)) for name, place in named.items()}
    for table in sorted({table for table, _ in places.values()} - {"cdr_next"}):
        wanted += [(table, "cdr_ID"), (table, "calldate")]
    missing = [
        f"{table}.{name}" for table, name in (*wanted, *places.values()) if (table.lower(), name.lower()) not in known
    ]
    if missing:
        return f"the account sees no {', '.join(dict.fromkeys(missing))}; grant SELECT on it, or correct facts.headers"
    found = {
        column.name[len(PREFIX) :].lower(): column
        for column in known.values()
        if column.table.lower() == "cdr_next" and column.name.lower().startswith(PREFIX)
    }
    found |= {name.lower(): known[table.lower(), column.lower()] for name, (table, column) in places.items()}
    headers = tuple(Header(name, found[name]) for name in sorted(found))
    return Layout(known["cdr_next", "fbasename"], headers)
