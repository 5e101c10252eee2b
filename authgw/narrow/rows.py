"""Rows of a reply: raw as they came, and the few fields of each that the scope is judged by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from authgw.catalogue.model import Rows
from authgw.errors import UpstreamError
from authgw.narrow import document
from authgw.narrow.bulk import Bulk, BulkRow, Form
from authgw.narrow.patterns import address_number
from authgw.narrow.scope import Facts
from authgw.reasons import Reason

NO_VLAN = 65534


class Row(Struct, frozen=True):
    """One row: its bytes, its call id (None: it names none), and what it tells of the call.

    `named`: all its fields, where the reply is a table of calls under way.
    """

    raw: Raw
    id: int | None
    facts: Facts
    named: dict[str, Any] | None = None


class Page(Struct, frozen=True):
    """A reply's rows. `total` is None where the reply gives none; `nested`: lists of rows, one for each element;
    `names`: the first row of a table, which names the columns."""

    rows: list[Row]
    total: int | None
    nested: list[int] | None = None
    names: Raw | None = None

    def groups(self) -> list[list[Row]]:
        """The rows list by list; one list where they are not nested."""
        if self.nested is None:
            return [self.rows]
        rows = iter(self.rows)
        return [list(islice(rows, size)) for size in self.nested]


Read = Callable[[Raw], Row]
Columns = dict[str, tuple[str, Callable[[Any], Any]]]


class Reader:
    """Reads the replies of one entry. `needs`: the facts that will be asked of its rows, if it is known; then rows of
    the usual form tell no others."""

    def __init__(self, spec: Rows, needs: frozenset[str] | None = None) -> None:
        self._spec = spec
        self._bulk = None if needs is None else bulk(spec, needs)
        self.read_row = _row_reader(spec)

    def whole(self, body: bytes) -> bytes:
        """The document of a reply that goes out as it is, after a look at its form; errors as `page`."""
        found = document.extract(body)
        if not _form(self._spec).fits(found):
            self.page(found)
        return found

    def page(self, body: bytes) -> Page:
        """Rows and total of a whole reply; `UPSTREAM_MALFORMED` if it is not of the declared form."""
        plain = document.plain(body) if self._bulk is not None else None
        if self._bulk is not None and plain is not None and (found := self._bulk.read(plain)) is not None:
            rows, total = found
            return Page(rows, None if total is UNSET else _total(total))
        body = document.extract(body)
        try:
            if self._spec.at is None:
                return self._array(body)
            envelope = msgspec.json.decode(body, type=dict[str, Raw])
            total = _total(envelope.get(self._spec.total or ""))
            if self._spec.at not in envelope:
                return self._without_rows(envelope, total)
            rows = msgspec.json.decode(envelope[self._spec.at], type=list[Raw])
            return Page([self.read_row(row) for row in rows], total)
        except msgspec.MsgspecError as error:
            raise UpstreamError(Reason.UPSTREAM_MALFORMED, f"rows are not of the known form: {error}") from None

    def _without_rows(self, envelope: dict[str, Raw], total: int | None) -> Page:
        if total is None or _is_failure(envelope):
            raise UpstreamError(Reason.UPSTREAM_MALFORMED, f"the reply has no {self._spec.at}")
        return Page([], total)

    def _array(self, body: bytes) -> Page:
        if body[:1] == b"{":
            envelope = msgspec.json.decode(body, type=dict[str, Raw])
            if _is_failure(envelope) and _text(envelope.get("error")) == "no match cdr":
                return Page([], None)
            raise UpstreamError(Reason.UPSTREAM_MALFORMED, "an object where a list of rows was expected")
        items = msgspec.json.decode(body, type=list[Raw])
        if self._spec.table:
            return self._table(items)
        if items and all(bytes(item)[:1] == b"[" for item in items):
            lists = [msgspec.json.decode(item, type=list[Raw]) for item in items]
            return Page([self.read_row(row) for rows in lists for row in rows], None, [len(rows) for rows in lists])
        return Page([self.read_row(row) for row in items], None)

    def _table(self, items: list[Raw]) -> Page:
        """Objects, or arrays of which the first names the columns. Rows go out in the form they came in."""
        if not items or bytes(items[0])[:1] == b"{":
            return Page([self._named(item, msgspec.json.decode(item, type=dict[str, Any])) for item in items], None)
        names = msgspec.json.decode(items[0], type=list[str])
        rows = [(item, msgspec.json.decode(item, type=list[Any])) for item in items[1:]]
        if any(len(values) != len(names) for _, values in rows) or len(set(names)) != len(names):
            raise UpstreamError(Reason.UPSTREAM_MALFORMED, "a table whose rows do not fit its columns")
        return Page(
            [self._named(item, dict(zip(names, values, strict=True))) for item, values in rows], None, None, items[0]
        )

    def _named(self, raw: Raw, fields: dict[str, Any]) -> Row:
        read = self.read_row(Raw(msgspec.json.encode(fields)))
        return Row(raw, read.id, read.facts, fields)


def _is_failure(envelope: dict[str, Raw]) -> bool:
    return "success" in envelope and bytes(envelope["success"]) == b"false"


def _text(raw: Raw | None) -> str | None:
    value = None if raw is None else msgspec.json.decode(raw)
    return value if isinstance(value, str) else None


def _total(raw: Raw | None) -> int | None:
    """Older versions write the total as text, newer ones as a number."""
    if raw is None:
        return None
    total = number(msgspec.json.decode(raw))
    if not isinstance(total, int) or total < 0:
        raise UpstreamError(Reason.UPSTREAM_MALFORMED, "the total is no number")
    return total


def project(raw: Raw, columns: Sequence[str]) -> bytes:
    """The row with these columns only, in its own order."""
    row = msgspec.json.decode(raw, type=dict[str, Raw])
    return msgspec.json.encode({name: value for name, value in row.items() if name in columns})


def project_table(raw: Raw, names: Iterable[str], columns: Sequence[str]) -> bytes:
    """A row of a table, whose columns keep their places: the others are null."""
    values = msgspec.json.decode(raw, type=list[Raw])
    kept = zip(names, values, strict=True)
    return msgspec.json.encode([value if name in columns else None for name, value in kept])


def written(rows: Sequence[Row], bulk: Bulk | None) -> list[bytes]:
    """Rows of one page as they go out: as they came where nobody can read them differently, else anew."""
    raws = [row.raw for row in rows]
    if bulk is not None and rows and isinstance(rows[0], BulkRow) and bulk.once(raws):
        return [bytes(raw) for raw in raws]
    return [anew(raw) for raw in raws]


def anew(raw: Raw) -> bytes:
    """A row with each field once, its last value, which is the one that was judged. Values stay as they came."""
    row = bytes(raw)
    return msgspec.json.encode(msgspec.json.decode(row, type=dict[str, Raw])) if row[:1] == b"{" else row


def began(raw: Raw, column: str | None) -> datetime | None:
    """When the call of a row began, by the product's clock; None where the row does not say it."""
    value = msgspec.json.decode(raw, type=dict[str, Raw]).get(column) if column else None
    return None if value is None else moment(msgspec.json.decode(value))


def moment(value: Any) -> datetime | None:
    """A date as the product writes it. Anything else is none."""
    try:
        return datetime.fromisoformat(value).replace(tzinfo=None) if isinstance(value, str) else None
    except ValueError:
        return None


def number(value: Any) -> int | UnsetType | None:
    """A whole number as PHP writes it, as number or text. Anything else is unknown."""
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isascii() and value.removeprefix("-").isdigit() and len(value) < 20:
        return int(value)
    return UNSET


def text(value: Any) -> str | UnsetType | None:
    if value is None or isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else UNSET


def address(value: Any) -> int | UnsetType | None:
    """An address as text of either family, or as an unsigned 32-bit number."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return address_number(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 32 else UNSET


def vlan(value: Any) -> int | UnsetType | None:
    tag = number(value)
    return None if tag == NO_VLAN else tag


def connected(value: Any) -> bool | UnsetType:
    """Whether a connect duration is there."""
    if value is None or value == "":
        return False
    return True if isinstance(value, int | float | str) and not isinstance(value, bool) else UNSET


def _columns(spec: Rows) -> Columns:
    """By name of a fact: the row's field that tells it, and how it is read."""
    columns: dict[str, tuple[str, Callable[[Any], Any]]] = {"id": (spec.id, number)}
    if spec.sensor:
        columns["sensor"] = (spec.sensor, number)
    for names, sides, convert in (
        (spec.number, ("caller", "called"), text),
        (spec.ip, ("caller_ip", "called_ip"), address),
        (spec.domain, ("caller_domain", "called_domain"), text),
    ):
        for side, name in zip(sides, names or (), strict=False):
            columns[side] = (name, convert)
    if spec.vlan:
        columns["vlan"] = (spec.vlan, vlan)
    if spec.connected:
        columns["connected"] = (spec.connected, connected)
    return columns


@lru_cache(maxsize=256)
def bulk(spec: Rows, needs: frozenset[str]) -> Bulk | None:
    """None where rows do not tell all that is needed, or in more than one field."""
    columns = _columns(spec)
    if spec.table or not needs <= columns.keys():
        return None
    return Bulk(spec, {"id": (spec.id, _row_id), **{fact: columns[fact] for fact in columns if fact in needs}})


@lru_cache(maxsize=256)
def _form(spec: Rows) -> Form:
    return Form(spec)


def _row_id(value: Any) -> int | None:
    found = number(value)
    return found if isinstance(found, int) else None


@lru_cache(maxsize=256)
def _row_reader(spec: Rows) -> Read:
    """A reader for rows of one shape: only the named fields are decoded, the rest is skipped over."""
    columns = _columns(spec)
    shape = msgspec.defstruct(
        "RowFields",
        [(field, Any, UNSET) for field in columns],
        rename={field: name for field, (name, _) in columns.items()},
    )
    decoder = msgspec.json.Decoder(shape)
    converters = [(field, convert) for field, (_, convert) in columns.items() if field != "id"]

    def read(raw: Raw) -> Row:
        fields = decoder.decode(raw)
        known = {
            field: convert(value) for field, convert in converters if (value := getattr(fields, field)) is not UNSET
        }
        if spec.headers:
            known["headers"] = _headers(raw, spec.headers)
        return Row(raw, _row_id(getattr(fields, "id")), Facts(**known))  # noqa: B009

    return read


def _headers(raw: Raw, prefix: str) -> dict[str, str | None]:
    """The captured SIP headers of a row, names lower-case; one that cannot be read is not known."""
    row = msgspec.json.decode(raw, type=dict[str, Any])
    found: dict[str, str | None] = {}
    for name, value in row.items():
        if name.startswith(prefix) and not isinstance(read := text(value), UnsetType):
            found[name[len(prefix) :].lower()] = read
    return found
