"""The SELECT statements, and what their rows say. Strings are compared byte by byte: letter case is for the scope.

Only this is asked of the database; a statement is made from a `Layout`, so it names columns that are there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from ipaddress import ip_address
from typing import Any

import sqlalchemy as sa
from msgspec import UNSET, UnsetType

from authgw.errors import UpstreamError
from authgw.facts.schema import CDR, Column, Layout
from authgw.narrow.patterns import address_number
from authgw.narrow.rows import number, text, vlan
from authgw.narrow.scope import Facts
from authgw.reasons import Reason

_cdr = sa.table("cdr", *(sa.column(name) for name in CDR)).alias("c")
_FACTS = ("ID", "id_sensor", "caller", "called", "sipcallerip", "sipcalledip", "caller_domain", "called_domain",
          "vlan", "connect_duration")  # fmt: skip
_WORD = re.compile(r"[a-z0-9_]+")


def facts_of(call_ids: Sequence[int], layout: Layout) -> sa.Select[Any]:
    """All that scopes go by, of these calls: a row for each that there is, headers last, in the layout's order."""
    tables = {column.table for column in (header.column for header in layout.headers)}
    nexts = {
        table: _next(table, [h.column.name for h in layout.headers if h.column.table == table]) for table in tables
    }
    source: sa.FromClause = _cdr
    for table in sorted(nexts):
        source = source.outerjoin(nexts[table], _same(nexts[table]))
    headers = [
        nexts[header.column.table].c[header.column.name].label(f"h{at}") for at, header in enumerate(layout.headers)
    ]
    columns = [_cdr.c[name] for name in _FACTS]
    return sa.select(*columns, *headers).select_from(source).where(_cdr.c.ID.in_(call_ids))


def read_facts(row: Sequence[Any], layout: Layout) -> Facts:
    """One row of `facts_of`. A value of a type that is not known here is unknown, which hides."""
    _, sensor, caller, called, caller_ip, called_ip, caller_domain, called_domain, tag, connected = row[: len(_FACTS)]
    values = row[len(_FACTS) :]
    headers = {
        header.name: read
        for header, value in zip(layout.headers, values, strict=True)
        if not isinstance(read := text(value), UnsetType)
    }
    return Facts(
        sensor=number(sensor),
        caller=text(caller),
        called=text(called),
        caller_ip=address(caller_ip),
        called_ip=address(called_ip),
        caller_domain=text(caller_domain),
        called_domain=text(called_domain),
        vlan=vlan(tag),
        connected=connected is not None,
        headers=headers,
    )


def address(value: Any) -> int | UnsetType | None:
    """An address column: an unsigned number where the site knows IPv4 alone, else 4 or 16 bytes."""
    if value is None or value == b"":
        return None
    if isinstance(value, bytes):
        return address_number(str(ip_address(value))) if len(value) in {4, 16} else UNSET
    return value if isinstance(value, int) and 0 <= value < 1 << 32 else UNSET


def by_call_id(call_id: str, layout: Layout, limit: int) -> sa.Select[Any]:
    """Id, Call-ID and date of the calls with exactly that Call-ID, by date and id."""
    other = _next("cdr_next", [layout.call_id.name])
    query = _found(other, layout).where(*_is(other.c[layout.call_id.name], layout.call_id, call_id))
    return _in_time(query, limit)


def by_header(
    column: Column, value: str, window: tuple[datetime, datetime], layout: Layout, limit: int
) -> sa.Select[Any]:
    """The same of the calls between two moments whose header has exactly that value."""
    own = column.table == layout.call_id.table
    other = _next("cdr_next", [layout.call_id.name, *([column.name] if own else [])])
    query, holder = _found(other, layout), other
    if not own:
        holder = _next(column.table, [column.name])
        query = query.join(holder, _same(holder))
    dates = [table.c.calldate.between(*window) for table in (_cdr, holder)]
    return _in_time(query.where(*dates, *_is(holder.c[column.name], column, value)), limit)


def by_id(call_id: int, layout: Layout) -> sa.Select[Any]:
    """The same of one call."""
    return _found(_next("cdr_next", [layout.call_id.name]), layout).where(_cdr.c.ID.in_((call_id,)))


def _in_time(query: sa.Select[Any], limit: int) -> sa.Select[Any]:
    return query.order_by(_cdr.c.calldate, _cdr.c.ID).limit(limit)


def _found(other: sa.FromClause, layout: Layout) -> sa.Select[Any]:
    columns = (_cdr.c.ID, other.c[layout.call_id.name], _cdr.c.calldate)
    return sa.select(*columns).select_from(_cdr.join(other, _same(other)))


def _same(other: sa.FromClause) -> sa.ColumnElement[bool]:
    """Of one call. Both tables are cut by the date: with it here, one piece of the other is looked into."""
    return sa.and_(other.c.cdr_ID == _cdr.c.ID, other.c.calldate == _cdr.c.calldate)


def _next(table: str, names: Sequence[str]) -> sa.FromClause:
    columns = dict.fromkeys(["cdr_ID", "calldate", *names])
    return sa.table(table, *(sa.column(name) for name in columns))


def _is(held: sa.ColumnElement[Any], column: Column, value: str) -> list[sa.ColumnElement[bool]]:
    """Equal by the column's own charset and collation, for the index; and byte by byte, for the answer."""
    bound = sa.bindparam("wanted", value, sa.String)
    if column.charset is None or column.collation is None:
        return [held == bound]
    if not (_WORD.fullmatch(column.charset) and _WORD.fullmatch(column.collation)):
        raise UpstreamError(Reason.FACTS_UNAVAILABLE, f"{column.table}.{column.name} has an odd charset")
    same: sa.ColumnElement[Any] = sa.func.convert(bound.op("using")(sa.text(column.charset)))
    return [held == sa.collate(same, column.collation), sa.func.binary(held) == sa.func.binary(same)]
