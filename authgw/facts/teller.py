"""The product's database as teller of facts: many ids by one SELECT."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from authgw.errors import UpstreamError
from authgw.facts import statements
from authgw.facts.database import Database
from authgw.facts.schema import NAMES_SQL, Column, Layout, layout
from authgw.narrow.facts_teller import MAX_FOUND, Found, Teller
from authgw.narrow.scope import Facts
from authgw.reasons import Reason

log = logging.getLogger("authgw.facts")

BATCH = 500
# Columns of custom headers come and go with the sniffer's settings: they are looked at again after so long.
LAYOUT_SECONDS = 60.0
T = TypeVar("T")


class DatabaseFacts:
    """Implements `authgw.narrow.facts.Teller`. `named`: see `authgw.facts.schema.layout`."""

    name = "the database"
    batch = BATCH
    width = BATCH

    def __init__(self, database: Database, named: Mapping[str, str], clock: Callable[[], float]) -> None:
        self._database, self._named, self._clock = database, dict(named), clock
        self._layout: tuple[float, Layout] | None = None
        self._checked: tuple[float, str | None] | None = None
        self._checking = asyncio.Lock()

    async def tell(self, call_ids: Sequence[int]) -> Mapping[int, Facts | None]:
        def work(connection: sa.Connection) -> Mapping[int, Facts | None]:
            known = self._known(connection)
            found: dict[int, Facts | None] = dict.fromkeys(call_ids)
            for row in connection.execute(statements.facts_of(call_ids, known)):
                if found.get(row[0]) is not None:
                    raise UpstreamError(Reason.FACTS_UNAVAILABLE, f"the database has two calls of the id {row[0]}")
                found[row[0]] = statements.read_facts(row, known)
            return found

        return await self._ask(work)

    async def one(self, call_id: int) -> Found | None:
        found = await self._found(lambda known: statements.by_id(call_id, known))
        return found[0] if len(found) == 1 else None

    async def with_call_id(self, call_id: str) -> Sequence[Found]:
        return await self._found(lambda known: statements.by_call_id(call_id, known, MAX_FOUND))

    async def with_header(self, name: str, value: str, since: datetime) -> Sequence[Found]:
        until = since.replace(hour=23, minute=59, second=59, microsecond=999999)

        def statement(known: Layout) -> sa.Select[Any] | None:
            column = known.header(name)
            window = (since, until)
            return None if column is None else statements.by_header(column, value, window, known, MAX_FOUND)

        return await self._found(statement)

    async def _found(self, statement: Callable[[Layout], sa.Select[Any] | None]) -> list[Found]:
        def work(connection: sa.Connection) -> list[Found]:
            query = statement(self._known(connection))
            if query is None:
                return []
            return [Found(row[0], str(row[1] or ""), row[2]) for row in connection.execute(query)]

        return await self._ask(work)

    async def between(self, since: datetime, until: datetime, rows: int) -> Mapping[int, Facts]:
        """Nothing: many calls are one question as it is, and that tells all of them."""
        return {}

    async def check(self, fresh: float = 0.0) -> str | None:
        """What is wrong with the database or its tables, by name; None if it can tell. Holds no secrets.

        Anybody may ask: it is looked at anew unless that was done within the last `fresh` seconds.
        """
        async with self._checking:
            if self._checked is None or self._clock() - self._checked[0] >= fresh:
                self._layout, trouble = None, None
                try:
                    await self._ask(self._known)
                except UpstreamError as error:
                    trouble = error.detail
                self._checked = (self._clock(), trouble)
            return self._checked[1]

    async def close(self) -> None:
        await self._database.close()

    async def _ask(self, work: Callable[[sa.Connection], T]) -> T:
        try:
            return await self._database.run(work)
        except UpstreamError:
            # Whatever it was: a column that is gone is noticed at the next question.
            self._layout = None
            raise

    def _known(self, connection: sa.Connection) -> Layout:
        if self._layout is not None and self._clock() < self._layout[0]:
            return self._layout[1]
        tables = dict.fromkeys(["cdr", "cdr_next", *(place.partition(".")[0] for place in self._named.values())])
        names: sa.BindParameter[str] = sa.bindparam("tables", list(tables), expanding=True)
        query = sa.text(NAMES_SQL).bindparams(names)
        found = layout([Column(*row) for row in connection.execute(query)], self._named)
        if isinstance(found, str):
            raise UpstreamError(Reason.FACTS_UNAVAILABLE, found)
        self._layout = (self._clock() + LAYOUT_SECONDS, found)
        return found


class OrElse:
    """A teller that asks another one when the first cannot be asked. Says so in the log, once for each outage."""

    def __init__(self, first: Teller, second: Teller) -> None:
        self._first, self._second = first, second
        self.batch, self.width = first.batch, first.width
        self._out = False

    @property
    def name(self) -> str:
        """Of the one that told last."""
        return self._second.name if self._out else self._first.name

    async def tell(self, call_ids: Sequence[int]) -> Mapping[int, Facts | None]:
        return await self._ask(lambda teller: teller.tell(call_ids))

    async def one(self, call_id: int) -> Found | None:
        return await self._ask(lambda teller: teller.one(call_id))

    async def with_call_id(self, call_id: str) -> Sequence[Found]:
        return await self._ask(lambda teller: teller.with_call_id(call_id))

    async def with_header(self, name: str, value: str, since: datetime) -> Sequence[Found]:
        return await self._ask(lambda teller: teller.with_header(name, value, since))

    async def between(self, since: datetime, until: datetime, rows: int) -> Mapping[int, Facts]:
        return await self._ask(lambda teller: teller.between(since, until, rows))

    async def _ask(self, ask: Callable[[Teller], Awaitable[T]]) -> T:
        try:
            found = await ask(self._first)
        except UpstreamError as error:
            if not self._out:
                log.warning("%s cannot be asked, %s is asked instead: %s", self._first.name, self._second.name, error)
            self._out = True
            return await ask(self._second)
        self._out = False
        return found

    async def close(self) -> None:
        await self._first.close()
        await self._second.close()
