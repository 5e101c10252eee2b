"""Other sections of sql.php: SIP messages and registrations of the records, and those of which there are none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from authgw.demo.php import Asked, intval, truth
from authgw.demo.records import Sensor, column_text, lines, moment
from authgw.demo.search import moment as bound
from authgw.demo.search import page, terms
from authgw.demo.site import Body, Site, json_body

Record = Mapping[str, Any]
# Written by the export, kept for searching backwards, or not shown in lists.
HIDDEN = frozenset({"table", "vlan", "caller_reverse", "called_reverse", "callername_reverse"})
# A registration that holds.
REGISTERED = 1
# Sections of the GUI that the records have nothing for, by name and by how their names begin.
EMPTY = frozenset(
    [
        "message_stats",
        "sip_msg",
        "SPY",
        "audit_log",
        "alerts",
        "alerts_sent",
        "daily_reports",
        "daily_reports_sent",
        "filter_ip",
        "filter_telnum",
        "filter_domain",
        "filter_sip_header",
        "livepacket",
        "sensors_live_sniffers",
        "mtr",
        "charts",
        "dashboards",
        "user_admin",
        "group_admin",
    ]
)
FAMILIES = ("cb_", "ipacc_", "network_", "tracker_", "users_")


def load(folder: Path) -> dict[str, list[Record]]:
    """The records of each section, by module; without their files there are none."""
    registers = [json.loads(line) for line in lines(folder / "registers.jsonl")]
    states = [each for each in registers if each.get("table") == "register_state"]
    return {
        "message": [json.loads(line) for line in lines(folder / "messages.jsonl")],
        "register": [each for each in states if each.get("state") == REGISTERED],
        "register_state": states,
        "register_failed": [each for each in registers if each.get("table") == "register_failed"],
    }


def list_section(site: Site, asked: Asked) -> Body | None:
    """LISTING of one of these modules, or None for another module."""
    module = asked.text("module")
    if module not in site.sections:
        known = module in EMPTY or module.startswith(FAMILIES)
        return json_body({"success": True, "total": "0", "results": []}) if known else None
    found = ordered(asked, [each for each in site.sections[module] if wanted(asked, each, site.records.sensors)])
    if truth(asked.fields.get("suppress_results")):
        return json_body({"total": str(len(found))})
    offset, limit = page(asked)
    rows = [row(each, site.records.sensors) for each in found[offset : offset + limit]]
    return json_body({"success": True, "total": str(len(found)), "results": rows})


def time_of(record: Record) -> str:
    """When it was, in the form in which times are compared."""
    return moment(record.get("calldate") or record.get("created_at")) or ""


def wanted(asked: Asked, record: Record, sensors: Sequence[Sensor]) -> bool:
    """Whether it lies between the bounds and is of one of the sensors that are asked for."""
    start, end, time = bound(asked.text("fdatefrom")), bound(asked.text("fdateto")), time_of(record)
    if (start and time < start) or (end and time > end):
        return False
    if not asked.given("fsensor_id"):
        return True
    ids = {intval(part) for part in asked.text("fsensor_id").split(",")}
    numbers = {sensor.number for sensor in sensors if sensor.id in ids}
    number = record.get("id_sensor")
    # A registration without a sensor number is stored with 0.
    return -1 in ids or number in numbers or (-2 in ids and not number)


def ordered(asked: Asked, records: Iterable[Record]) -> list[Record]:
    """By `sort`, any column of the section; else and among equals the newest first."""
    found = sorted(records, key=lambda each: (time_of(each), each["ID"]), reverse=True)
    for name, descending in reversed(terms(asked.fields.get("sort"))):
        if name == "calldate2":
            found.sort(key=time_of, reverse=descending)
        elif name not in HIDDEN and any(name in each for each in found):
            found.sort(key=lambda each, by=name: (each.get(by) is not None, each.get(by)), reverse=descending)  # type: ignore[misc]
    return found


def row(record: Record, sensors: Sequence[Sensor]) -> dict[str, Any]:
    """A row: columns as the database driver fetches them, the sensor's number as a number."""
    number = record.get("id_sensor")
    shown = {name: column_text(value) for name, value in record.items() if name not in HIDDEN}
    sensorname = next((sensor.name for sensor in sensors if sensor.number == number), None)
    return {**shown, "id_sensor": number, "sensorname": sensorname}
