"""The catalogue's values: one `Entry` per call of the Web API, as an operator reads it in policies/*.toml."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from authgw.rights.claims import Grant
from authgw.rights.dictionary import KEYS, Place

# A number of hours, not a flag: a new capture rule must expire within it, which no reply or request tells us.
EXPIRY = "crules_remove_expire_time"
_FLAGS = frozenset(name for name in KEYS if name.startswith("can_")) | {"is_admin"}
_LIMITS = frozenset(name for name, key in KEYS.items() if key.place is Place.LIMIT) | {EXPIRY}

KINDS = frozenset(
    {
        "text", "flag", "bool", "int", "uint", "number", "datetime", "ip", "ip-list", "int-list", "sensor-ids",
        "cdr-id", "sort", "reference", "ignored", "json", "header", "names", "switch", "filter", "count",
        "seconds", "name", "cdr-ids", "null", "token",
    }
)  # fmt: skip


_PART = re.compile(r"\{([a-z_]+)\}")
T = TypeVar("T")


def _flag(name: str) -> str:
    if name not in _FLAGS:
        raise ValueError(f"{name!r} is no can_* flag of the permission dictionary")
    return name


def _limit(name: str) -> str:
    if name not in _LIMITS:
        raise ValueError(f"{name!r} is no content limit; known are {', '.join(sorted(_LIMITS))}")
    return name


def _kind(name: str) -> str:
    if name not in KINDS and not name.startswith("one of "):
        raise ValueError(f"unknown type {name!r}; known are {', '.join(sorted(KINDS))} and 'one of a|b'")
    return name


def _path(path: str) -> str:
    if not path.startswith("/") or "//" in path:
        raise ValueError("a path begins with / and is the normalised path below the GUI's base path")
    return path


Flag = Annotated[str, AfterValidator(_flag)]
Limit = Annotated[str, AfterValidator(_limit)]
Kind = Annotated[str, AfterValidator(_kind)]
Path = Annotated[str, AfterValidator(_path)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Rows(_Strict):
    """Where the rows are in a reply and which of their fields the scope is judged by.

    `at`: the key of the list, none for a bare array. `judge`: "call" by the whole scope, "sensor" by sensors alone.
    `pages`: "start" (start and limit), "id" (offset is an id, size a count), "once" (all in one reply). `table`:
    rows may also be arrays, the first of which names the columns. `columns`: what a client may sort by. `simple`:
    what is left under simple_cdr. `only`: what is left for who lacks the flag `whole`. `empty`: the product's error
    text where nothing is found, instead of an empty list. `date`: when the call began, given where LISTING tells more
    of a call than these rows do.
    """

    at: str | None = None
    total: str | None = None
    id: str = "ID"
    judge: Literal["call", "sensor"] = "call"
    pages: Literal["start", "id", "once"] = "once"
    sensor: str | None = None
    number: tuple[str, str] | None = None
    ip: tuple[str, str] | None = None
    domain: tuple[str, str] | None = None
    vlan: str | None = None
    connected: str | None = None
    headers: str | None = None
    table: bool = False
    columns: tuple[str, ...] = ()
    simple: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    whole: Flag | None = None
    empty: str | None = None
    date: str | None = None


class When(_Strict):
    """Fields that are set in the upstream's request where a content limit holds."""

    claim: Limit
    set: dict[str, str]


class Choice(_Strict):
    """A field whose value decides what more is needed: `flags` by value; any other value is refused."""

    field: str
    flags: dict[str, Flag]


class Barred(_Strict):
    """Values of a field that a content limit closes: no_rtp and a share with RTP, for example."""

    claim: Limit
    field: str
    values: tuple[str, ...]


class Entry(_Strict):
    """One call: how it is recognised, who may, what goes upstream, what comes back.

    `select`: the elements select calls, whose files are fetched by id. `objects`: the field of the elements that
    lists calls by id. `choose`, `barred_values`: what a field's value needs, or what closes it. `tenants`: by field
    and value the tenants who may have an unscoped call all the same. `aggregate`: sums over rows, only where
    sensors are the whole scope. `active`: the elements name calls under way. `shares`: the reply holds links.
    `reason`: can_audit = 1 demands one. `mask`, `mask_urls`: fields of rows that are blanked, or whose links are,
    without a flag. `auth`: "session"; "page" (a browser's session only); "credentials" (a session, or user and
    password in the call); "share" (a link that was issued here); "none". `needs`: all of these flags, `needs_any`:
    one of them, in one grant. `barred`: content limits that close the call. `params`: every field the call may
    carry and its type. `element`: the same for each object of the JSON field `json`; `*` types the names not
    listed. `element_of`: the call whose params type them. `simple`: where a call without rows takes filters, the
    columns that may be told of under simple_cdr. `require`: of each group at least one field; `missing`:
    the product's words for one that is not there; `together`: fields that another one needs. `reveals`: the column
    that a filter tells about (nobody filters by what he is not shown); "*" for the one that its value names, and for
    all fields not listed. `always`: fields sent where the client left
    them out. `reply`: "report" is JSON or a document, as the call asked for. `answer`: the gateway answers itself.
    `refuse`: refused, with that reason.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    path: Path
    suffixes: tuple[str, ...] = ()
    where: dict[str, str] = {}
    methods: tuple[Literal["GET", "POST"], ...] = ("GET", "POST")
    bodies: tuple[Literal["form", "multipart", "json"], ...] = ("form", "multipart")
    auth: Literal["session", "page", "credentials", "share", "none"] = "session"
    needs: tuple[Flag, ...] = ()
    needs_any: tuple[Flag, ...] = ()
    barred: tuple[Limit, ...] = ()
    unscoped: bool = False
    changes: bool = False
    params: dict[str, Kind] = {}
    json_field: str | None = Field(default=None, alias="json")
    element: dict[str, Kind] = {}
    element_of: str | None = None
    require: tuple[tuple[str, ...], ...] = ()
    missing: str | None = None
    together: dict[str, tuple[str, ...]] = {}
    reveals: dict[str, str] = {}
    simple: tuple[str, ...] = ()
    always: dict[str, str] = {}
    send: dict[str, str] = {}
    object: dict[Literal["cdr"], str] = {}
    push: dict[Literal["sensors"], str] = {}
    objects: dict[Literal["cdr"], str] = {}
    select: Literal["pcap", "audio", "share"] | None = None
    shares: bool = False
    choose: Choice | None = None
    barred_values: tuple[Barred, ...] = ()
    tenants: dict[str, dict[str, tuple[str, ...]]] = {}
    aggregate: bool = False
    active: bool = False
    reason: bool = False
    mask: dict[Flag, tuple[str, ...]] = {}
    mask_urls: dict[Flag, tuple[str, ...]] = {}
    when: tuple[When, ...] = ()
    rows: Rows | None = None
    reply: Literal["rows", "json", "stream", "page", "report", "websocket"] = "json"
    types: tuple[str, ...] = ()
    answer: Literal["bypass_login", "logout", "check_session", "can_audit", "save_audit"] | None = None
    refuse: Literal["never", "not_built"] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        wrong = [message for bad, message in self._mistakes() if bad]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def _mistakes(self) -> list[tuple[bool, str]]:
        public = self.auth == "none"
        claims: tuple[object, ...] = (self.needs, self.needs_any, self.barred, self.unscoped, self.when, self.rows)
        claims += (self.object, self.objects, self.choose, self.barred_values, self.mask)
        known = set(self.params) | set(self.where)
        fields = {name for group in self.require for name in group} | set(self.element)
        return [
            (public and any(claims), "a public call (auth = 'none') cannot name a claim, rows or an object"),
            ((self.reply == "rows") != (self.rows is not None), "reply = 'rows' and [call.rows] belong together"),
            (bool(self.answer and self.refuse), "answer and refuse exclude each other"),
            (not set(self.object.values()) <= known, "object names a field that params does not type"),
            (not set(self.push.values()) <= known, "push names a field that params does not type"),
            (bool(self.push) and self.rows is None, "push needs [call.rows]"),
            (self.json_field is not None and self.json_field not in known, "json names a field that params lacks"),
            (bool(self.element) and self.json_field is None, "element needs json"),
            (not {n for g in self.require for n in g} <= known | fields, "require names an unknown field"),
            (not set(self.objects.values()) <= set(self.element), "objects names a field that element does not type"),
            (not self._chosen_is_typed(), "choose needs its field typed 'one of' just these values, and required"),
            (
                self.reply == "websocket" and not self._is_plain(),
                "a WebSocket needs unscoped = true, and no more than flags",
            ),
            (self.path.count("*") > 0 and not self.path.endswith("/**"), "only a path's end may be /**"),
        ]

    def _is_plain(self) -> bool:
        """What passes through a WebSocket is not known: no rows or objects are judged, nothing is set or answered."""
        more: tuple[object, ...] = (self.rows, self.object, self.objects, self.select, self.json_field, self.when)
        more += (self.answer, self.changes, self.active, self.send, self.always, self.parts)
        return self.unscoped and self.auth in {"session", "page"} and not any(more)

    def _chosen_is_typed(self) -> bool:
        if self.choose is None:
            return True
        kind = {**self.params, **self.element}.get(self.choose.field, "")
        values = kind.removeprefix("one of ").split("|")
        return sorted(values) == sorted(self.choose.flags) and (self.choose.field,) in self.require

    def opens(self, grant: Grant) -> bool:
        """Whether a grant has the flags; scope, limits and everything else are asked elsewhere."""
        return grant.flags.issuperset(self.needs) and not (self.needs_any and grant.flags.isdisjoint(self.needs_any))

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """The {names} in the path: fields that are part of the path that is sent."""
        return tuple(_PART.findall(self.path))

    @cached_property
    def made(self) -> dict[Callable[[Entry], Any], Any]:
        """See `once`."""
        return {}

    def once(self, make: Callable[[Entry], T]) -> T:
        """What a function makes of this entry, kept: entries do not change, and every call asks for it."""
        found = self.made.get(make)
        if found is None:
            found = self.made[make] = make(self)
        kept: T = found
        return kept
