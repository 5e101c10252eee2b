"""Active calls: connected calls of the records, replayed as if they were running. Each says so: `replayed`."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from authgw.demo.php import Asked, dumps, intval, text
from authgw.demo.site import Answer, Body, Site, failure, json_body

# So many at most run at once.
RUNNING = 1000
# How the product writes that a call is in no VLAN.
NO_VLAN = 65534
# References look like the sniffer's: an address in its memory.
_FIRST, _APART = 0x7F0E4C000000, 0x2680
COMMANDS = {"pausecall": True, "unpausecall": False}


def reference(call: int) -> str:
    """The call's reference while it runs."""
    return f"0x{_FIRST + call * _APART:x}"


def running(site: Site) -> list[dict[str, Any]]:
    """The records of the calls that run: the connected ones, by id."""
    query = "select id from cdr where connect_duration is not null order by id limit ?"
    return [site.records.record(call) or {} for (call,) in site.records.db.execute(query, (RUNNING,))]


def active(site: Site, record: Mapping[str, Any]) -> dict[str, Any]:
    """A row of listActiveCalls."""
    vlan = record.get("vlan")
    return {
        "callreference": reference(record["ID"]),
        "id_sensor": record.get("id_sensor"),
        "caller": record.get("caller"),
        "called": record.get("called"),
        "callerdomain": record.get("caller_domain"),
        "calleddomain": record.get("called_domain"),
        "callerip": address(site, record.get("sipcallerip")),
        "calledip": address(site, record.get("sipcalledip")),
        "calldate": record.get("calldate"),
        "duration": record.get("duration"),
        "connect_duration": record.get("connect_duration"),
        "lastSIPresponseNum": record.get("lastSIPresponseNum"),
        "vlan": NO_VLAN if vlan is None else vlan,
        "recordingpaused": int(record["ID"] in site.paused),
        "replayed": True,
    }


def address(site: Site, value: Any) -> Any:
    """An address as text, or where the site has it so, IPv4 as an unsigned number."""
    if not site.active_numbers or not isinstance(value, str):
        return value
    try:
        ip = ipaddress.ip_address(value)
    except ValueError:
        return value
    return int(ip) if ip.version == 4 else value


def list_active_calls(site: Site, asked: Asked, elements: list[dict[str, Any]]) -> Answer:
    """The active calls, those of one sensor number on request; objects, or rows under one of names."""
    sensor = text(elements[0].get("sensorId"))
    records = [record for record in running(site) if not sensor or record.get("id_sensor") == intval(sensor)]
    calls = [active(site, record) for record in records]
    if not site.active_rows:
        return Body(dumps(calls))
    # Here the reference goes by its other name.
    names = ["callRef" if name == "callreference" else name for name in active(site, {"ID": 0})]
    return Body(dumps([names, *(list(call.values()) for call in calls)]))


def handle_active_call(site: Site, asked: Asked, elements: list[dict[str, Any]]) -> Answer:
    """Pause the recording of an active call on a sensor, or go on with it."""
    element = elements[0]
    command, wanted = text(element.get("command")), text(element.get("callRef"))
    if command not in COMMANDS:
        return failure("unknown command")
    sensor = intval(element["sensorId"]) if text(element.get("sensorId")) else None
    for record in running(site):
        if reference(record["ID"]) == wanted and record.get("id_sensor") == sensor:
            (site.paused.add if COMMANDS[command] else site.paused.discard)(record["ID"])
            return json_body({"success": True})
    return failure("no match call")
