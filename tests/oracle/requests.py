"""LISTING requests by chance, each with its meaning: which records it asks for, in which order, which page."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from random import Random
from typing import Any

from oracle.claims import escaped
from oracle.formula import address_in, like

Record = dict[str, Any]
Matches = Callable[[Record], bool]
Filter = tuple[dict[str, str], Matches]


@dataclass(frozen=True)
class Order:
    """One term of `sort`: the property, downwards or not, and the value that a record is ordered by."""

    name: str
    down: bool
    value: Callable[[Record], Any]


@dataclass(frozen=True)
class Listing:
    """`fields` without paging; `matches` what they mean; `order` is empty where none is asked for."""

    fields: Mapping[str, str]
    matches: Matches
    order: Sequence[Order] = field(default_factory=tuple)

    def keys(self, record: Record) -> list[Any]:
        """What the record is ordered by; records with equal keys may stand in any order among themselves."""
        return [term.value(record) for term in self.order]

    def arrange(self, records: Sequence[Record]) -> list[Record]:
        """The records that match, in order. NULL is the least of all values."""
        found = [record for record in records if self.matches(record)]
        for term in reversed(self.order):
            found.sort(key=lambda record: _null_first(term.value(record)), reverse=term.down)
        return found


def _null_first(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else 0)


def _folded(column: str) -> Callable[[Record], Any]:
    return lambda record: None if record[column] is None else record[column].lower()


def _plain(column: str) -> Callable[[Record], Any]:
    return lambda record: record[column]


def _address(column: str) -> Callable[[Record], Any]:
    def value(record: Record) -> Any:
        if record[column] is None:
            return None
        address = ipaddress.ip_address(record[column])
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        address = mapped or address
        return address.version, int(address)

    return value


ORDERS: Mapping[str, Callable[[Record], Any]] = {
    **{name: _plain(column) for name, column in (("ID", "ID"), ("cdr_ID", "ID"), ("_duration", "duration"))},
    **{name: _plain("calldate") for name in ("calldate", "calldate2")},
    **{name: _plain(name) for name in ("callend", "duration", "connect_duration", "id_sensor", "lastSIPresponseNum")},
    **{name: _folded(name) for name in ("caller", "called", "caller_domain", "called_domain", "callername")},
    **{name: _folded(name) for name in ("fbasename", "a_ua", "lastSIPresponse", "whohanged")},
    **{name: _address(name) for name in ("sipcallerip", "sipcalledip")},
}
# What a user of reduced rows may certainly filter and sort by.
SIMPLE_ORDERS = ("ID", "calldate", "calldate2", "caller", "called")


def text(wanted: str, value: str | None) -> bool:
    """A text filter: LIKE where `%` is given, else equality; letter case aside. NULL is never found."""
    if value is None:
        return False
    if "%" not in wanted:
        return wanted.lower() == value.lower()
    return like(wanted, value) if value else set(wanted) == {"%"}


def listing(random: Random, records: Sequence[Record], sensors: Mapping[int, int], *, simple: bool) -> Listing:
    """A request over `records`; `sensors` gives database ids by number. `simple`: only by columns of reduced rows."""
    filters = [window(random, records)]
    makers = SIMPLE_FILTERS if simple else FILTERS
    for make in dict.fromkeys(random.sample(makers, random.choice((0, 0, 1, 1, 2, 3)))):
        filters.append(make(random, random.choice(records), sensors))
    fields: dict[str, str] = reduce(lambda one, other: {**one, **other[0]}, filters, {})
    order = orders(random, SIMPLE_ORDERS if simple else tuple(ORDERS))
    if order:
        terms = [{"property": term.name, "direction": "DESC" if term.down else "ASC"} for term in order]
        fields["sort"] = json.dumps(terms)
    return Listing(fields, lambda record: all(matches(record) for _, matches in filters), order)


def orders(random: Random, names: Sequence[str]) -> tuple[Order, ...]:
    count = random.choice((0, 1, 1, 1, 2, 3))
    return tuple(Order(name, random.random() < 0.5, ORDERS[name]) for name in random.sample(names, count))


def everything() -> Listing:
    """All records: no filter but the dates around them."""
    return Listing({"fdatefrom": "2026-11-23T00:00:00", "fdateto": "2026-11-24T00:00:00"}, lambda record: True)


def window(random: Random, records: Sequence[Record]) -> Filter:
    """A date window: mostly the whole day, else between two calls, or only one bound."""
    start, end = "2026-11-23T00:00:00", "2026-11-23T23:59:59"
    if random.random() < 0.3:
        moments = sorted(record["calldate"][:19].replace(" ", "T") for record in random.sample(records, 2))
        start, end = moments
    kind = random.choice(("both", "both", "both", "from", "to"))
    fields = {"fdatefrom": start, "fdateto": end}
    if kind != "both":
        del fields["fdateto" if kind == "from" else "fdatefrom"]

    def matches(record: Record) -> bool:
        moment = record["calldate"].replace(" ", "T")
        return ("fdatefrom" not in fields or moment >= start) and ("fdateto" not in fields or moment <= end + ".000")

    return fields, matches


def wanted_text(random: Random, value: str | None) -> str:
    """A value to look for: the record's own in some letter case, or a pattern with `%`."""
    value = value or "nobody"
    cut = random.randint(1, len(value))
    made = random.choice(
        (
            value,
            value,
            escaped(value[:cut]) + "%",
            "%" + escaped(value[-cut:]),
            "%" + escaped(value[cut - 1 : cut]) + "%",
        )
    )
    if "%" in value and made == value:
        made = escaped(value) + "%"
    return random.choice((made, made.upper(), made.lower())).strip() or "%"


def pair(names: tuple[str, str, str], columns: tuple[str, str], test: Callable[[str, Any], bool], make: Any) -> Any:
    """Two sides under a `*_type`: 0, either side has the first's value; 1, each given side its own."""

    def filter(random: Random, record: Record, sensors: Mapping[int, int]) -> Filter:
        first, second = (make(random, record[column]) for column in columns)
        kind = random.choice(("both", "first", "second", "either", "either"))
        if kind == "either":
            either = random.choice((first, second))
            fields = {names[0]: either, names[2]: "0"}
            return fields, lambda row: any(test(either, row[column]) for column in columns)
        fields = {names[0]: first, names[1]: second, names[2]: "1"}
        if kind != "both":
            del fields[names[1] if kind == "first" else names[0]]
        asked = [(fields[name], column) for name, column in zip(names, columns, strict=False) if name in fields]
        return fields, lambda row: all(test(value, row[column]) for value, column in asked)

    return filter


def wanted_address(random: Random, value: str | None) -> str:
    """The address itself, or a network round it."""
    address = ipaddress.ip_address(value or "127.0.99.1")
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    address = mapped or address
    widths = (8, 24, 28) if address.version == 4 else (32, 64, 127)
    network = ipaddress.ip_network(f"{address}/{random.choice(widths)}", strict=False)
    return random.choice((str(address), str(network)))


def single(name: str, column: str) -> Any:
    def filter(random: Random, record: Record, sensors: Mapping[int, int]) -> Filter:
        wanted = wanted_text(random, record[column])
        return {name: wanted}, lambda row: text(wanted, row[column])

    return filter


def bound(name: str, column: str, *, above: bool, values: Sequence[str]) -> Any:
    def filter(random: Random, record: Record, sensors: Mapping[int, int]) -> Filter:
        wanted = random.choice(values)

        def matches(row: Record) -> bool:
            if row[column] is None:
                return False
            return bool(row[column] > float(wanted) if above else row[column] < float(wanted))

        return {name: wanted}, matches

    return filter


def sensor(random: Random, record: Record, sensors: Mapping[int, int]) -> Filter:
    """Database ids; -1 is every call, -2 the calls without a sensor number."""
    numbers = random.sample(sorted(sensors), random.randint(0, len(sensors)))
    ids = [sensors[number] for number in numbers]
    special = random.choice((None, None, None, -1, -2)) if ids else -2
    ids += [] if special is None else [special]
    found: set[int | None] = {*numbers, *([None] if special == -2 else [])}
    return {"fsensor_id": ",".join(map(str, ids))}, lambda row: special == -1 or row["id_sensor"] in found


def response(random: Random, record: Record, sensors: Mapping[int, int]) -> Filter:
    wanted = record["lastSIPresponseNum"]
    return {"fsipresponse": str(wanted)}, lambda row: bool(row["lastSIPresponseNum"] == wanted)


def interrupted(random: Random, record: Record, sensors: Mapping[int, int]) -> Filter:
    """Interrupted: ended without a BYE."""
    wanted = random.random() < 0.5
    return {"fbye": "true" if wanted else "false"}, lambda row: wanted is not bool(row["bye"])


def codec(random: Random, record: Record, sensors: Mapping[int, int]) -> Filter:
    wanted = random.sample((0, 8, 18), random.randint(1, 2))
    columns = ("a_payload", "b_payload", "payload")
    return {"fcodec": ",".join(map(str, wanted))}, lambda row: any(row[column] in wanted for column in columns)


CALLER = pair(("fcaller", "fcalled", "fcallerd_type"), ("caller", "called"), text, wanted_text)
SIMPLE_FILTERS: list[Any] = [CALLER, CALLER, sensor]
FILTERS: list[Any] = [
    CALLER,
    CALLER,
    sensor,
    sensor,
    pair(
        ("fcaller_domain", "fcalled_domain", "fcallerd_domain_type"),
        ("caller_domain", "called_domain"),
        text,
        wanted_text,
    ),
    pair(
        ("fsipcallerip", "fsipcalledip", "fsipcallerdip_type"),
        ("sipcallerip", "sipcalledip"),
        address_in,
        wanted_address,
    ),
    pair(("fa_ua", "fb_ua", "fab_ua_type"), ("a_ua", "b_ua"), text, wanted_text),
    pair(("fa_saddr", "fb_saddr", "fab_saddr_type"), ("a_saddr", "b_saddr"), address_in, wanted_address),
    single("fcallername", "callername"),
    single("fcallid", "fbasename"),
    bound("fdurationgt", "duration", above=True, values=("0.1005", "0.7505", "1")),
    bound("fdurationlt", "duration", above=False, values=("0.5005", "1.0005", "3")),
    bound("fpddgt", "progress_time", above=True, values=("0.0505", "0.0705")),
    bound("fpddlt", "progress_time", above=False, values=("0.0605", "0.1005")),
    response,
    interrupted,
    codec,
]
