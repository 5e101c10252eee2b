"""Folders of call records: the real ones, and ones derived from them for what the real ones lack."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

Record = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
VOIP = ROOT / "authgw" / "demo" / "data" / "voip"
VOIP_V6 = ROOT / "tests" / "data" / "voip-v6"
FIRST_SENSOR_ID = 12
HEADER = "custom_header__"
# Ids of a derived folder: far apart, so that there are unused ones of the same length between them.
STEP, OFFSET = 7, 10_000

ODD_NUMBERS = (
    None, "", "100%", "1001_", "10\\01", "a\\", "%", "_", "0", "+4420%79460100", "Žofie", "žofie", "' or 1=1 --",
    'x"y', "1001 ", "١٢٣", "null", "!1001", "\U0001f4de1",
)  # fmt: skip
ODD_DOMAINS = (
    None, "", "ACME.example", "Acme.Example", "BÜCHER.example", "bücher.example", "acme_example", "globex%", "\\",
    "[fd00:a::13]", "x.acme.example", "acme.example.", "0",
)  # fmt: skip
ODD_HEADERS = (None, None, "", "acme", "ACME", "globex", "230-02-4711", "230-03-0815", "50%", "a_b", "a\\b", "0")


def records_of(folder: Path) -> list[Record]:
    """The lines of cdr.jsonl."""
    return [json.loads(line) for line in (folder / "cdr.jsonl").read_text().splitlines() if line.strip()]


def sensors_of(folder: Path) -> dict[int, int]:
    """Sensor number to database id, as a site of that folder counts them: from 12 on in the order of the file."""
    lines = (folder / "sensors.jsonl").read_text().splitlines()
    return {json.loads(line)["id_sensor"]: FIRST_SENSOR_ID + at for at, line in enumerate(lines)}


def histories_of(folder: Path) -> dict[int, list[dict[str, Any]]]:
    """The SIP messages of each call, by its id."""
    lines = map(json.loads, (folder / "sip_history.jsonl").read_text().splitlines())
    return {line["cdr_id"]: line["messages"] for line in lines}


def derive(source: Path, target: Path, random: Random) -> Path:
    """`target` made from `source`: other ids, and rows changed to hold what is rare. Captures are the same files."""
    target.mkdir(parents=True)
    for name in ("pcaps", "audio"):
        shutil.copytree(source / name, target / name, copy_function=_link)
    records = records_of(source)
    ids = {record["ID"]: OFFSET + STEP * at for at, record in enumerate(random.sample(records, len(records)))}
    for record in records:
        record["pcap"] = f"pcaps/{record['ID']}.pcap"
        record["ID"] = ids[record["ID"]]
        for header in ("Cell-ID", "X-Acct_No"):
            record[HEADER + header] = random.choice(ODD_HEADERS)
    for record in random.sample(records, len(records) * 3 // 4):
        for change in random.sample(CHANGES, random.randint(1, 3)):
            change(record, random)
    _write(target / "cdr.jsonl", sorted(records, key=lambda record: int(record["ID"])))
    messages = [json.loads(line) for line in (source / "sip_history.jsonl").read_text().splitlines()]
    for message in messages:
        message["cdr_id"] = ids[message["cdr_id"]]
    _write(target / "sip_history.jsonl", messages)
    shutil.copy(source / "sensors.jsonl", target / "sensors.jsonl")
    return target


def _link(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)
    return target


def _write(path: Path, rows: list[Any]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def _side(random: Random) -> str:
    return random.choice(("caller", "called"))


def _number(record: Record, random: Random) -> None:
    record[_side(random)] = random.choice(ODD_NUMBERS)


def _domain(record: Record, random: Random) -> None:
    record[_side(random) + "_domain"] = random.choice(ODD_DOMAINS)


def _nobody(record: Record, random: Random) -> None:
    """Neither side has a number, or a domain."""
    for column in random.choice((("caller", "called"), ("caller_domain", "called_domain"))):
        record[column] = random.choice((None, ""))


def _address(record: Record, random: Random) -> None:
    """No address, IPv4 written as IPv6, long spellings, addresses at the ends of networks."""
    column = f"sip{_side(random)}ip"
    address = record[column]
    spellings: list[str | None] = [None, "0.0.0.0", "255.255.255.255", "10.1.2.0", "10.1.2.255", "10.1.3.0", "::1"]
    if address and ":" not in address:
        spellings += [f"::ffff:{address}"] * 4
    elif address:
        spellings += [address.upper()] * 2
    record[column] = random.choice(spellings)


def _vlan(record: Record, random: Random) -> None:
    record["vlan"] = random.choice((None, 0, 1, 100, 200, 4094))


def _sensor(record: Record, random: Random) -> None:
    """None, or a number that the list of sensors does not know."""
    record["id_sensor"] = random.choice((None, None, 99))
    record["sensor_name"] = None


def _connected(record: Record, random: Random) -> None:
    record["connect_duration"] = random.choice((None, 0, 0.0, 1.5))


def _calldate(record: Record, random: Random) -> None:
    """One of two moments: ties under an order by time."""
    record["calldate"] = record["calldate"][:14] + random.choice(("06:00.000", "07:00.000"))


def _call_id(record: Record, random: Random) -> None:
    record["fbasename"] = random.choice(("same@example", "SAME@example", "100%@example", "a_b@example", "aXb@example"))
    record["callid"] = record["fbasename"]


CHANGES: tuple[Callable[[Record, Random], None], ...] = (
    _nobody, _number, _number, _domain, _domain, _address, _address, _vlan, _sensor, _connected, _calldate, _call_id,
)  # fmt: skip
