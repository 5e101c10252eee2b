"""The product's tables with the calls of a folder of records in them, as its sniffer makes them."""

from __future__ import annotations

import contextlib
import ipaddress
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pymysql

from kit.mariadb import MariaDb

COLUMNS = Path(__file__).resolve().parents[2] / "authgw" / "demo" / "data" / "voip" / "columns.md"
HEADER = "custom_header__"
ADDRESSES = ("sipcallerip", "sipcalledip", "a_saddr", "b_saddr")
READER, READER_PASSWORD = "reader", "reader-secret"
_KEYS = {
    "cdr": "primary key (ID, calldate), key calldate (calldate)",
    "cdr_next": "primary key (cdr_ID, calldate), key calldate (calldate), key fbasename (fbasename)",
}
# The sniffer cuts both tables by days; here it is in the middle of one.
_CUT = (
    "partition by range columns(calldate) "
    "(partition p1 values less than ('2026-11-23 15:05:00'), partition p2 values less than (maxvalue))"
)


def fill(server: MariaDb, database: str, folder: Path, *, ipv6: bool = False, charset: str = "latin1") -> str:
    """Make the database from a folder in the form of `data/voip`; the URL of an account that may read it.

    `ipv6`: addresses as bytes, as on a site with `ipv6=yes`; without it they are numbers.
    """
    records = [json.loads(line) for line in (folder / "cdr.jsonl").read_text().splitlines() if line.strip()]
    headers = sorted({name for record in records for name in record if name.startswith(HEADER)})
    tables = described()
    server.sql(
        f"create database `{database}` character set {charset}",
        f"use `{database}`",
        *(_create(name, tables[name], headers if name == "cdr_next" else (), ipv6) for name in _KEYS),
        f"create user if not exists {READER}@'%' identified by '{READER_PASSWORD}'",
        *(f"grant select on {name} to {READER}@'%'" for name in _KEYS),
    )
    names = [*tables["cdr_next"], *headers]
    _insert(server, database, "cdr", list(tables["cdr"]), [_stored(record, ipv6) for record in records])
    _insert(server, database, "cdr_next", names, [{**record, "cdr_ID": record["ID"]} for record in records])
    return f"mysql://{READER}:{READER_PASSWORD}@127.0.0.1:{server.port}/{database}"


def described() -> dict[str, dict[str, str]]:
    """The tables of columns.md: columns by name, with their types."""
    found: dict[str, dict[str, str]] = {}
    for part in COLUMNS.read_text().split("\n## ")[1:]:
        name, _, text = part.partition("\n")
        pairs = (column.strip().split(" ", 1) for column in text.strip().split(" · "))
        found[name.strip()] = {column: type_.strip() for column, type_ in pairs}
    return found


def _create(table: str, columns: Mapping[str, str], headers: Sequence[str], ipv6: bool) -> str:
    bytes_of = dict.fromkeys(ADDRESSES, "varbinary(16)") if ipv6 else {}
    typed = [f"`{name}` {bytes_of.get(name, type_)}".replace("AUTO_INCREMENT", "") for name, type_ in columns.items()]
    typed += [f"`{name}` varchar(255)" for name in headers]
    return f"create table `{table}` ({', '.join(typed)}, {_KEYS[table]}) {_CUT}"


def _stored(record: Mapping[str, Any], ipv6: bool) -> dict[str, Any]:
    """A record with its addresses as the columns hold them."""
    return {**record, **{name: _packed(record[name], ipv6) for name in ADDRESSES}}


def _packed(address: str | None, ipv6: bool) -> bytes | int | None:
    if address is None:
        return None
    read = ipaddress.ip_address(address)
    return read.packed if ipv6 else int(ipaddress.IPv4Address(int(read) & 0xFFFFFFFF))


def _insert(
    server: MariaDb, database: str, table: str, names: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    columns = ", ".join(f"`{name}`".replace("%", "%%") for name in names)
    query = f"insert into {table} ({columns}) values ({', '.join(['%s'] * len(names))})"
    connected = pymysql.connect(
        host="127.0.0.1", port=server.port, user="root", database=database, charset="utf8mb4", autocommit=True
    )
    with contextlib.closing(connected) as connection, connection.cursor() as cursor:
        cursor.executemany(query, [[row.get(name) for name in names] for row in rows])
