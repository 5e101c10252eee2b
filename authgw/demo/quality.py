"""Quality of calls: the RTP thresholds of LISTING, its special orderings, and what aggregates are made of.

A threshold holds where either side reaches it: values so high or higher, MOS so low or lower. Values are in the units
of the product's columns (milliseconds, packets, RTCP's 256ths), with the factor of `*_mult10` columns taken out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from authgw.demo.php import Asked, floatval, truth
from authgw.demo.where import Where

# A threshold, the column that each side has for it (after a_ and b_), and the factor in which it is stored.
MOS = {"fmosf1": "mos_f1_mult10", "fmosf2": "mos_f2_mult10", "fmosadapt": "mos_adapt_mult10"}
HIGH: Mapping[str, tuple[str, int]] = {
    "frtcp_maxjitter": ("rtcp_maxjitter", 1),
    "frtcp_avgjitter": ("rtcp_avgjitter_mult10", 10),
    "frtcp_maxfr": ("rtcp_maxfr", 1),
    "frtcp_avgfr": ("rtcp_avgfr_mult10", 10),
    **{f"f_d{delay}": (f"d{delay}", 1) for delay in (50, 70, 90, 120, 150, 200, 300)},
    **{f"floss{burst}": (f"sl{burst}", 1) for burst in range(1, 11)},
}
# Of the whole call: lost packets, mean delay (ms), worst MOS, loss (per cent), jitter (ms).
WHOLE: Mapping[str, tuple[str, int]] = {
    "lost": ("lost", 1),
    "delay": ("delay_avg_mult100", 100),
    "mos": ("mos_min_mult10", 10),
    "loss": ("packet_loss_perc_mult1000", 1000),
    "jitter": ("jitter_mult10", 10),
}
COLUMNS = (*MOS, *HIGH, *WHOLE)
SCHEMA = f"create table quality (id integer primary key, {', '.join(f'{name} real' for name in COLUMNS)}) strict;"


def fill(db: sqlite3.Connection, records: Iterable[Mapping[str, Any]]) -> None:
    """Put in what is known of the calls; calls of which nothing is known have no row."""
    marks = ",".join("?" * (len(COLUMNS) + 1))
    for record in records:
        values = measured(record)
        if any(value is not None for value in values):
            db.execute(f"insert into quality values ({marks})", (int(record["ID"]), *values))  # noqa: S608


def measured(record: Mapping[str, Any]) -> list[float | None]:
    """The call's values in the order of COLUMNS: of both sides the one that a threshold looks at."""

    def sides(name: str, factor: int) -> list[float]:
        return [record[side] / factor for side in (f"a_{name}", f"b_{name}") if record.get(side) is not None]

    low = [min(sides(name, 10), default=None) for name in MOS.values()]
    high = [max(sides(name, factor), default=None) for name, factor in HIGH.values()]
    whole = [None if record.get(name) is None else record[name] / factor for name, factor in WHOLE.values()]
    return [*low, *high, *whole]


def thresholds(asked: Asked) -> list[Where]:
    """The thresholds that are given; a call of which a value is unknown meets none."""
    found = []
    for name in (*MOS, *HIGH):
        if asked.given(name):
            sign = "<=" if name in MOS else ">="
            condition = f"id in (select id from quality where {name} {sign} ?)"  # noqa: S608 — our own names
            found.append(Where(condition, (floatval(asked.text(name)),)))
    return found


def of(name: str) -> str:
    return f"(select {name} from quality where quality.id = cdr.id)"  # noqa: S608 — our own names


def _both(name: str, column: str) -> tuple[tuple[str, str], ...]:
    return ((f"{name}_asc", f"{column} asc"), (f"{name}_desc", f"{column} desc"))


# Most lost, longest delay and worst MOS first, calls of which it is unknown last.
SPECIAL: tuple[tuple[str, str], ...] = (
    ("orderByLoss", f"{of('lost')} desc"),
    ("orderByDelay", f"{of('delay')} desc"),
    *((name, f"{of(mos)} asc nulls last") for name, mos in zip(
        ("orderByFixed1", "orderByFixed2", "orderByAdapt"), MOS, strict=True)),
    *_both("orderByCallDuration", "duration"),
    *_both("orderBySrcSIP_IP", "caller_ip"),
    *_both("orderByDstSIP_IP", "called_ip"),
    *_both("orderBySrcNumber", "caller"),
    *_both("orderByDstNumber", "called"),
    *_both("orderByCallerName", "callername"),
    *_both("orderByLastSIPrespNum", "response"),
)  # fmt: skip


def special(asked: Asked) -> list[str]:
    """The special orderings that are asked for, as terms of ORDER BY, in the order of their description."""
    return [term for name, term in SPECIAL if truth(asked.fields.get(name))]
