"""php/pcap2text.php: a call's SIP messages as JSON, as a table and as a ladder."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import msgspec

from authgw.demo.capture import bodies_with_sdp
from authgw.demo.php import Asked
from authgw.demo.site import HTML, Answer, Body, Site, failure, json_body, unknown_call

Message = Mapping[str, Any]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def pcap2text(site: Site, asked: Asked) -> Answer:
    """The script: `action` chooses the form. Addresses are shown as such, there is no name service to ask."""
    form = FORMS.get(asked.text("action"))
    call = asked.number("id")
    if form is None:
        return failure("unknown action")
    if call not in site.records.rows:
        return unknown_call(call)
    hidden = networks(asked.text("ip_not_allowed"))
    return form(briefs(site, call, hidden))


def networks(value: str) -> list[Network]:
    """Addresses and networks, comma-separated; what is neither hides nothing."""
    found: list[Network] = []
    for part in value.split(",")[:1000]:
        try:
            found.append(ipaddress.ip_network(part.strip(), strict=False))
        except ValueError:
            continue
    return found


def briefs(site: Site, call: int, hidden: Sequence[Network]) -> list[dict[str, Any]]:
    """The call's messages between shown addresses, numbered from 1; times in seconds since the first of them."""
    line = site.records.history.get(call)
    messages: list[Message] = msgspec.json.decode(line)["messages"] if line else []
    shown = [message for message in messages if not (_in(message["src"], hidden) or _in(message["dst"], hidden))]
    path = site.records.file(call, "pcap", f"pcaps/{call}.pcap")
    with_sdp = bodies_with_sdp(path.read_bytes()) if path and shown else frozenset[int]()
    start = shown[0]["epoch"] if shown else 0
    return [brief(number, message, start, with_sdp) for number, message in enumerate(shown, 1)]


def _in(address: str, hidden: Sequence[Network]) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip in network for network in hidden)


def brief(number: int, message: Message, start: float, with_sdp: frozenset[int]) -> dict[str, Any]:
    """One message in the product's form: numbers as text, but the time and the total are numbers."""
    request = message["status_code"] is None
    line = str(message["line"])
    said = line.removesuffix(" SIP/2.0") if request else line.removeprefix("SIP/2.0 ")
    return {
        "num": str(number),
        "time": 0 if number == 1 else message["epoch"] - start,
        "src": message["src"],
        "dst": message["dst"],
        "srcip": message["src"],
        "dstip": message["dst"],
        "srcport": str(message["src_port"]),
        "dstport": str(message["dst_port"]),
        "packet_len": str(message["length"]),
        "direction": "-->",
        "protocol": "SIP/SDP" if round(message["epoch"] * 1_000_000) in with_sdp else "SIP",
        "spec_type": None,
        "msg": f"{said} len:{message['length']}",
        "type": "request" if request else "response",
    }


def as_json(rows: list[dict[str, Any]]) -> Body:
    """brief_data."""
    return json_body({"results": rows, "total": len(rows), "errors": {}, "success": True, "_debug": False})


def as_table(rows: list[dict[str, Any]]) -> Body:
    """brief: an HTML table."""
    names = ("num", "time", "src", "srcport", "dst", "dstport", "protocol", "msg")
    head = "".join(f"<th>{name}</th>" for name in names)
    body = "".join(f"<tr>{''.join(f'<td>{_cell(row[name])}</td>' for name in names)}</tr>\n" for row in rows)
    return Body(f"<table>\n<tr>{head}</tr>\n{body}</table>\n".encode(), HTML)


def _cell(value: Any) -> str:
    return f"{value:.6f}" if isinstance(value, float) else escape(str(value))


LANE, STEP, LEFT, TOP = 360, 44, 150, 70


def as_ladder(rows: list[dict[str, Any]]) -> Body:
    """getMSC: a message sequence chart, one lane per address and port, one arrow per message."""
    ends: dict[str, int] = {}
    for row in rows:
        for side in ("src", "dst"):
            ends.setdefault(f"{row[side]} : {row[side + 'port']}", LEFT + len(ends) * LANE)
    width, height = LEFT * 2 + max(len(ends) - 1, 0) * LANE, TOP + (len(rows) + 1) * STEP
    lanes = "".join(_lane(name, x, height) for name, x in ends.items())
    arrows = "".join(_arrow(row, ends, TOP + (at + 1) * STEP) for at, row in enumerate(rows))
    marker = (
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="10" refY="5" markerWidth="8" markerHeight="8" '
        'orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" fill="currentColor"/></marker></defs>'
    )
    page = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>SIP history</title></head>\n<body>'
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="13" role="img" aria-label="SIP history">{marker}{lanes}{arrows}</svg>'
        "</body></html>\n"
    )
    return Body(page.encode(), HTML)


def _lane(name: str, x: int, height: int) -> str:
    label = f'<text x="{x}" y="{TOP - 30}" text-anchor="middle" font-weight="bold">{escape(name)}</text>'
    line = f'<line x1="{x}" y1="{TOP - 15}" x2="{x}" y2="{height}" stroke="currentColor" stroke-opacity=".35"/>\n'
    return label + line


def _arrow(row: Mapping[str, Any], ends: Mapping[str, int], y: int) -> str:
    start, end = ends[f"{row['src']} : {row['srcport']}"], ends[f"{row['dst']} : {row['dstport']}"]
    said = escape(f"{row['time']:.3f} s  {row['msg'].rpartition(' len:')[0]}")
    label = f'<text x="{(start + end) // 2}" y="{y - 8}" text-anchor="middle" font-size="12">{said}</text>'
    line = f'x1="{start}" y1="{y}" x2="{end}" y2="{y}" stroke="currentColor" marker-end="url(#tip)"'
    return f"{label}<line {line}/>\n"


FORMS = {"brief_data": as_json, "brief": as_table, "getMSC": as_ladder}
