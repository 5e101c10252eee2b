"""The two that tell facts about calls: the product's database, and the GUI."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType

from authgw.facts.database import Database
from authgw.facts.teller import DatabaseFacts
from authgw.narrow.facts_gui import GuiFacts
from authgw.upstream.account import Account
from authgw.upstream.client import Base, Client
from kit.gateway import SERVICE_PASSWORD

_NONE: Mapping[str, str] = MappingProxyType({})


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
