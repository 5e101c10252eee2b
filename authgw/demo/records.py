"""The call records: read from a folder of JSON lines into SQLite, with the rows ready as the product writes them."""

from __future__ import annotations

import ipaddress
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from authgw.demo import quality
from authgw.demo.php import dumps

DATA = Path(__file__).parent / "data" / "voip"
FIRST_SENSOR_ID = 12
HEADER = "custom_header__"
# Written by the export beside the product's columns: paths in the folder, and doubles of other columns.
EXPORTED = frozenset({"sensor_name", "callid", "pcap", "pcap_has_rtp", "wav"})

SCHEMA = """
create table cdr (
    id integer primary key, calldate text, callend text, duration real, connect_duration real, pdd real,
    caller text, called text, caller_domain text, called_domain text, callername text,
    caller_ip blob, called_ip blob, a_ip blob, b_ip blob, a_payload integer, b_payload integer, payload integer,
    response integer, response_text text, bye integer, whohanged text, fbasename text, callid text,
    a_ua text, b_ua text, sensor integer, sensorname text, a_mos real, b_mos real
) strict;
create table header (id integer, name text, value text) strict;
create index cdr_calldate on cdr (calldate);
create index cdr_fbasename on cdr (fbasename);
create index cdr_callid on cdr (callid);
create index header_value on header (name, value);
create index header_id on header (id);
"""


class Sensor(msgspec.Struct, frozen=True):
    """`id` is the database id, `number` what calls carry as id_sensor."""

    id: int
    number: int
    name: str


class Row(msgspec.Struct, frozen=True):
    """One call as JSON: LISTING's row, the reduced one (simple=1), and all that the records say."""

    listing: bytes
    simple: bytes
    record: bytes


class Records(msgspec.Struct, frozen=True):
    """A folder of records. `db` holds what is searched by, `rows` what is answered, by call id.

    All of it is a copy to be deleted from: the folder stays as it is. `gone`: calls without files from now on.
    """

    folder: Path
    db: sqlite3.Connection
    rows: dict[int, Row]
    sensors: tuple[Sensor, ...]
    history: dict[int, bytes]
    gone: set[int] = set()

    def delete_rows(self, calls: Iterable[int]) -> None:
        """The calls are no more."""
        for call in calls:
            self.rows.pop(call, None)
            for table in ("cdr", "header", "quality"):
                self.db.execute(f"delete from {table} where id = ?", (call,))  # noqa: S608 — our own names
        self.db.commit()

    def delete_files(self, calls: Iterable[int]) -> None:
        """Their captures and audio are no more, and the SIP history that is read from captures."""
        for call in calls:
            self.gone.add(call)
            self.history.pop(call, None)

    def record(self, call: int) -> dict[str, Any] | None:
        """Every column of the call's record, or None for an unknown id."""
        row = self.rows.get(call)
        return msgspec.json.decode(row.record) if row else None

    def file(self, call: int, column: str, fallback: str) -> Path | None:
        """The call's capture or audio: the record's own path, else the usual name; None where there is none."""
        record = self.record(call)
        if record is None or call in self.gone:
            return None
        named = record.get(column)
        path = (self.folder / (named if isinstance(named, str) else fallback)).resolve()
        return path if path.is_relative_to(self.folder) and path.is_file() else None


def lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, none if it is missing."""
    if path.is_file():
        with path.open("rb") as file:
            yield from (line for line in file if line.strip())


def load(folder: Path | None = None) -> Records:
    """Read a folder of the form of `data/voip`. Only cdr.jsonl must exist (FileNotFoundError).

    Sensors are the lines of sensors.jsonl; without that file, the numbers that calls carry, in ascending order.
    """
    folder = (folder or DATA).resolve()
    if not (folder / "cdr.jsonl").is_file():
        raise FileNotFoundError(f"{folder}: no cdr.jsonl, so no folder of call records")
    nexts = {row["cdr_ID"]: row for row in map(json.loads, lines(folder / "tables" / "cdr_next.jsonl"))}
    records = [_joined(msgspec.json.decode(line), nexts) for line in lines(folder / "cdr.jsonl")]
    sensors = _sensors(folder, records)
    names = {sensor.number: sensor.name for sensor in sensors}
    # One thread serves, but not always the one that built it.
    db = sqlite3.connect(":memory:", check_same_thread=False)
    db.executescript(SCHEMA + quality.SCHEMA)
    rows: dict[int, Row] = {}
    for record in records:
        number: Any = record.get("id_sensor")
        name = names.get(number, record.get("sensor_name"))
        listing = _listing(record, name)
        simple = {column: listing[column] for column in SIMPLE}
        rows[int(record["ID"])] = Row(dumps(listing), dumps(simple), msgspec.json.encode(record))
        db.execute(f"insert into cdr values ({','.join('?' * 30)})", _searched(record, name))  # noqa: S608
        db.executemany("insert into header values (?, ?, ?)", _headers(record))
    quality.fill(db, records)
    db.commit()
    history = {json.loads(line)["cdr_id"]: line for line in lines(folder / "sip_history.jsonl")}
    return Records(folder, db, rows, sensors, history)


def _joined(record: dict[str, Any], nexts: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    """The record with what only cdr_next knows; where both speak, the record wins."""
    for column, value in nexts.get(record["ID"], {}).items():
        if column not in ("cdr_ID", "spool_index"):
            record.setdefault(column, value)
    return record


def _sensors(folder: Path, records: list[dict[str, Any]]) -> tuple[Sensor, ...]:
    path = folder / "sensors.jsonl"
    if path.is_file():
        known = [(int(row["id_sensor"]), str(row.get("name") or "")) for row in map(json.loads, lines(path))]
    else:
        found = {r["id_sensor"]: r.get("sensor_name") for r in records if r.get("id_sensor") is not None}
        known = [(number, str(found[number] or f"sensor {number}")) for number in sorted(found)]
    return tuple(Sensor(FIRST_SENSOR_ID + at, number, name) for at, (number, name) in enumerate(known))


SIMPLE = (
    "ID", "cdr_ID", "calldate", "callend", "duration", "_duration", "connect_duration", "caller", "called",
    "id_sensor", "sensorname", "lastSIPresponseNum", "lastSIPresponse",
)  # fmt: skip


def _listing(record: Mapping[str, Any], sensorname: str | None) -> dict[str, Any]:
    """A row of LISTING. Text as the database driver gives it: ID, cdr_ID, lastSIPresponseNum, bye; numbers, because
    the product computes with them: _duration, connect_duration, id_sensor and the MOS values."""
    get = record.get
    seconds = get("duration") or 0
    return {
        "ID": str(record["ID"]),
        "cdr_ID": str(record["ID"]),
        "calldate": get("calldate"),
        "callend": get("callend"),
        "duration": f"{int(seconds) // 60:02d}:{int(seconds) % 60:02d}",
        "_duration": seconds,
        "connect_duration": get("connect_duration"),
        **{column: get(column) for column in ("caller", "called", "caller_domain", "called_domain", "callername")},
        "sipcallerip": get("sipcallerip"),
        "sipcalledip": get("sipcalledip"),
        "id_sensor": get("id_sensor"),
        "sensorname": sensorname,
        "lastSIPresponseNum": column_text(get("lastSIPresponseNum")),
        "lastSIPresponse": get("lastSIPresponse"),
        "bye": column_text(get("bye")),
        **{column: get(column) for column in ("whohanged", "fbasename", "a_ua", "b_ua")},
        "a_mos_f1": _tenth(get("a_mos_f1_mult10")),
        "b_mos_f1": _tenth(get("b_mos_f1_mult10")),
    }


def column_text(value: Any) -> str | None:
    """A column as the database driver fetches it: text, decimals with three digits, NULL as null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _tenth(value: float | None) -> float | None:
    return None if value is None else value / 10


def fold(value: Any) -> str | None:
    """Text as the database's case-insensitive collation compares it."""
    return None if value is None else str(value).lower()


def moment(value: Any) -> str | None:
    """A stored time with six digits of a second, so that text order is time order."""
    if value is None:
        return None
    head, _, fraction = str(value).replace("T", " ").partition(".")
    return f"{head}.{fraction[:6]:0<6}"


def packed(address: Any) -> bytes | None:
    """An address as bytes in the order of addresses: family, then the number. IPv4-mapped IPv6 is IPv4."""
    try:
        ip = ipaddress.ip_address(str(address))
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return bytes([ip.version]) + ip.packed


def _searched(record: Mapping[str, Any], sensorname: str | None) -> tuple[Any, ...]:
    get = record.get
    return (
        int(record["ID"]), moment(get("calldate")), moment(get("callend")),
        get("duration"), get("connect_duration"), get("progress_time"),
        fold(get("caller")), fold(get("called")), fold(get("caller_domain")), fold(get("called_domain")),
        fold(get("callername")), packed(get("sipcallerip")), packed(get("sipcalledip")),
        packed(get("a_saddr")), packed(get("b_saddr")), get("a_payload"), get("b_payload"), get("payload"),
        get("lastSIPresponseNum"), fold(get("lastSIPresponse")), get("bye"), get("whohanged"),
        fold(get("fbasename")), get("fbasename"), fold(get("a_ua")), fold(get("b_ua")), get("id_sensor"),
        fold(sensorname), get("a_mos_f1_mult10"), get("b_mos_f1_mult10"),
    )  # fmt: skip


def headers_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """The call's recorded custom headers by name."""
    return {column[len(HEADER) :]: value for column, value in record.items() if column.startswith(HEADER)}


def _headers(record: Mapping[str, Any]) -> list[tuple[int, str, str]]:
    recorded = headers_of(record).items()
    return [(int(record["ID"]), name.lower(), str(value).lower()) for name, value in recorded if value is not None]
