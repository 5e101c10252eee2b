"""Who tells facts about calls: the product's database, the GUI, and one that only counts."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from authgw.facts.database import Database
from authgw.facts.teller import DatabaseFacts
from authgw.narrow.facts_gui import GuiFacts
from authgw.narrow.facts_teller import Found
from authgw.narrow.scope import Facts
from authgw.upstream.account import Account
from authgw.upstream.client import Base, Client
from kit.gateway import SERVICE_PASSWORD

_NONE: Mapping[str, str] = MappingProxyType({})


class Counting:
    """Knows the calls below 1000; every question is written down, and answered when `gate` opens."""

    name = "a teller that counts"

    def __init__(self, batch: int = 10, width: int = 10) -> None:
        self.batch, self.width = batch, width
        self.questions: list[tuple[int, ...]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Exception | None = None
        self.sensor = 1
        self.lists: list[tuple[datetime, datetime, int]] = []
        self.listed: Mapping[int, Facts] = {}

    async def tell(self, call_ids: Sequence[int]) -> Mapping[int, Facts | None]:
        self.questions.append(tuple(call_ids))
        told = {call_id: Facts(sensor=self.sensor) if call_id < 1000 else None for call_id in call_ids}
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return told

    async def one(self, call_id: int) -> Found | None:
        raise AssertionError("nothing is selected here")

    async def with_call_id(self, call_id: str) -> Sequence[Found]:
        raise AssertionError("nothing is selected here")

    async def with_header(self, name: str, value: str, since: datetime) -> Sequence[Found]:
        raise AssertionError("nothing is selected here")

    async def between(self, since: datetime, until: datetime, rows: int) -> Mapping[int, Facts]:
        self.lists.append((since, until, rows))
        if self.failure is not None:
            raise self.failure
        return self.listed

    async def close(self) -> None:
        pass


@contextlib.asynccontextmanager
async def telling(
    url: str, *, seconds: float = 5, threads: int = 2, headers: Mapping[str, str] = _NONE
) -> AsyncIterator[DatabaseFacts]:
    """The database at that URL."""
    database = Database(url, seconds=seconds, threads=threads, clock=time.monotonic)
    teller = DatabaseFacts(database, headers, time.monotonic)
    try:
        yield teller
    finally:
        await teller.close()


@contextlib.asynccontextmanager
async def asking(url: str) -> AsyncIterator[GuiFacts]:
    """The GUI at that URL, as the service account."""
    account = Account(Client(Base.from_url(url)), "authgw", SERVICE_PASSWORD)
    try:
        yield GuiFacts(account)
    finally:
        await account.close()
