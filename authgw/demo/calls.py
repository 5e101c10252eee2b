"""php/model/sql.php: login, logout, the lists of calls and of sensors, one call by id."""

from __future__ import annotations

import json

from authgw.demo.deletion import delete_cdr
from authgw.demo.php import Asked, dumps, truth
from authgw.demo.records import EXPORTED, column_text
from authgw.demo.search import order, page, where
from authgw.demo.sections import list_section
from authgw.demo.site import SINGLES, VERSION, Answer, Body, Script, Site, denied, failure, json_body, no_session
from authgw.demo.stats import statistics
from authgw.demo.where import Where

WARNING = b'\nWarning: Undefined array key "vm_group" in /var/www/html/php/model/sql.php on line 4711\n'


def sql(site: Site, asked: Asked) -> Answer:
    """The script: module and task choose."""
    module, task = asked.text("module"), asked.text("task")
    if module == "bypass_login":
        return bypass_login(site, asked)
    if module == "logout":
        site.sessions.pop(asked.sid, None)
        return json_body({"success": True})
    if not site.live(asked):
        return no_session()
    if module == "sensors" and task == "LISTING":
        return list_sensors(site)
    if module == "CDR_stats" and task == "LISTING":
        return statistics(site, asked)
    if module == "CDR" and task in TASKS:
        return TASKS[task](site, asked)
    section = list_section(site, asked) if task == "LISTING" else None
    return section or denied()


def bypass_login(site: Site, asked: Asked) -> Body:
    """Name and password for a session id, which goes into the cookie that the answer names."""
    user = asked.text("user")
    if not site.knows(user, asked.text("pass")):
        return failure("Invalid username or password.")
    sid = site.begin(user)
    named = {"SID": sid, "cookie_name": site.cookie}
    reply = dumps({**named, "success": True, "_vm_version": VERSION, "_debug": False})
    return Body(reply, headers=(site.set_cookie(sid),))


def list_sensors(site: Site) -> Body:
    """The sensors: database id, number, name."""
    results = [{"id": str(s.id), "id_sensor": s.number, "name": s.name} for s in site.records.sensors]
    return json_body({"success": True, "total": str(len(results)), "results": results})


def listing(site: Site, asked: Asked) -> Body:
    """The calls that the filter leaves, one page of them; under suppress_results only how many they are."""
    nth = next(site.listings)
    front = WARNING if site.warnings and nth % site.warnings == 0 else b""
    condition = where(asked, site.records.sensors)
    if isinstance(condition, str):
        return failure(condition)
    total = count(site, condition)
    if truth(asked.fields.get("suppress_results")):
        return Body(front + b'{"total":"%d"}' % total)
    offset, limit = page(asked)
    by = order(asked)
    query = f"select id from cdr where {condition.sql} order by {by} limit ? offset ?"  # noqa: S608 — our own text
    found = site.records.db.execute(query, (*condition.args, limit, offset))
    rows = site.records.rows
    if truth(asked.fields.get("simple")):
        body = b",".join([rows[call].simple for (call,) in found])
    else:
        body = b",".join([rows[call].listing for (call,) in found])
    return Body(b'%s{"success":true,"total":"%d","results":[%s]}' % (front, total, body))


def count(site: Site, condition: Where) -> int:
    """How many calls meet the condition."""
    query = f"select count(*) from cdr where {condition.sql}"  # noqa: S608 — values are arguments
    return int(site.records.db.execute(query, condition.args).fetchone()[0])


def total(site: Site, asked: Asked) -> Body:
    """LISTING's total alone."""
    condition = where(asked, site.records.sensors)
    if isinstance(condition, str):
        return failure(condition)
    return json_body({"success": True, "total": str(count(site, condition))})


def single_row(site: Site, asked: Asked) -> Body:
    """One call by id: LISTING's columns and every other column of its record."""
    body = single(site, asked.number("ID"))
    found = b'{"success":true,"total":"1","results":[%s]}' % body
    return Body(found if body else b'{"success":true,"total":"0","results":[]}')


def single(site: Site, call: int) -> bytes:
    """The row of one call as JSON, b"" for an unknown id; made at the first question."""
    made = site.singles.get(call)
    if made is None:
        row = site.records.rows.get(call)
        record = site.records.record(call)
        if row is None or record is None:
            return b""
        columns = {name: column_text(value) for name, value in record.items() if name not in EXPORTED}
        made = dumps({**columns, **json.loads(row.listing)})
        if len(site.singles) < SINGLES:
            site.singles[call] = made
    return made


TASKS: dict[str, Script] = {"LISTING": listing, "TOTAL": total, "SINGLEROW": single_row, "delete_cdr": delete_cdr}
