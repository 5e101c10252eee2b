"""Sensor numbers and the product's database ids for them, which differ from site to site."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from authgw.errors import UpstreamError
from authgw.narrow import document
from authgw.narrow.rows import number
from authgw.reasons import Reason
from authgw.upstream.api import Call, Upstream

TTL = 60.0
MAX_REPLY = 4 << 20

ALL = -1
WITHOUT_NUMBER = -2


class Sensor(msgspec.Struct, frozen=True):
    """One sensor of the product: database id, number, name."""

    id: int
    number: int
    name: str


class Sensors:
    """The sensors as upstream lists them, asked again after a minute; `configured` (number to id) wins."""

    def __init__(self, upstream: Upstream, clock: Callable[[], float], configured: Mapping[int, int]) -> None:
        self._upstream = upstream
        self._clock = clock
        self._configured = dict(configured)
        self._kept: tuple[float, tuple[Sensor, ...]] | None = None
        self._lock = asyncio.Lock()

    async def listed(self) -> tuple[Sensor, ...]:
        async with self._lock:
            if self._kept is None or self._kept[0] <= self._clock():
                self._kept = (self._clock() + TTL, await self._ask())
            return self._kept[1]

    async def ids(self) -> dict[int, int]:
        """Database id to sensor number."""
        if self._configured:
            return {db_id: sensor for sensor, db_id in self._configured.items()}
        return {sensor.id: sensor.number for sensor in await self.listed()}

    async def names(self) -> dict[int, str]:
        return {sensor.number: sensor.name for sensor in await self.listed()}

    async def _ask(self) -> tuple[Sensor, ...]:
        reply = await self._upstream.send(
            Call("POST", "/php/model/sql.php", (("task", "LISTING"), ("module", "sensors")), decode=True)
        )
        try:
            body = document.extract(await reply.read(MAX_REPLY))
        finally:
            await reply.close()
        try:
            rows = msgspec.json.decode(body, type=_Listing).results
        except msgspec.MsgspecError as error:
            raise UpstreamError(Reason.UPSTREAM_MALFORMED, f"the list of sensors: {error}") from None
        return tuple(sensor for row in rows if (sensor := _sensor(row)) is not None)


class _Listing(msgspec.Struct):
    results: list[dict[str, Any]]


def _sensor(row: dict[str, Any]) -> Sensor | None:
    db_id, sensor = number(row.get("id")), number(row.get("id_sensor"))
    if not isinstance(db_id, int) or not isinstance(sensor, int):
        return None
    return Sensor(db_id, sensor, str(row.get("name") or ""))


class Pushed(msgspec.Struct, frozen=True):
    """What goes into `fsensor_id`. `ids` None: nothing is pushed; (): the intersection is empty.

    `complete`: no visible row is cut out, and where sensors are the whole scope none but visible rows come back.
    """

    ids: tuple[int, ...] | None
    complete: bool


def push(allowed: frozenset[int] | None, asked: str | None, ids: Mapping[int, int]) -> Pushed:
    """The user's own filter (a comma list of database ids, -1 all, -2 calls without number) and the scope's numbers."""
    wanted = {int(part) for part in asked.split(",")} if asked else {ALL}
    if allowed is None:
        return Pushed(None, complete=True)
    in_scope = {db_id for db_id, sensor in ids.items() if sensor in allowed}
    if ALL in wanted:
        if allowed - set(ids.values()):
            # A number that upstream does not list may still stand in rows: nothing exact can be pushed.
            return Pushed(None, complete=False)
        return Pushed(tuple(sorted(in_scope)), complete=True)
    return Pushed(tuple(sorted(in_scope & wanted)), complete=True)
