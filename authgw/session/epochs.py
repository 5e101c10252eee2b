"""Epochs: counters in the database that make restored old sessions useless.

A session remembers the sum of its subject's counters (user, tenant). Ending a user's sessions raises one of them,
so a record brought back from an old copy of the session store is dead on every instance within a second.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from authgw.durable.database import Database
from authgw.durable.sealed import Part
from authgw.errors import StoreError
from authgw.session.together import Together

CACHE_SECONDS = 0.9
CACHE_ENTRIES = 20_000
SCHEMA_VERSION = 1
_KEY_LENGTH = 191
# What some database refuses to take: it would answer nobody who is asked about in the same question.
_UNFIT = re.compile("[\0\ud800-\udfff]")

Name = tuple[str, str]

_tables = sa.MetaData()
_epochs = sa.Table(
    "authgw_epoch",
    _tables,
    sa.Column("login", sa.String(64), primary_key=True),
    sa.Column("user_key", sa.String(_KEY_LENGTH), primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),
)
PART = Part("epochs", _tables, SCHEMA_VERSION)


class Epochs:
    """Counters by (login instance, key), from 0, only ever rising. Opened at first use; `close` it at the end.

    `clock` gives seconds. A value read is believed for less than a second. Every method raises StoreError where the
    database cannot be asked, and `open` ConfigError where it was written by a newer version.
    """

    def __init__(self, url: str, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._cache: OrderedDict[Name, tuple[int, float]] = OrderedDict()
        self._counters = Together(self._read)
        self._database = Database(url, PART.name, PART.tables, PART.version)

    async def open(self) -> None:
        """Make file and tables where they are absent."""
        await self._database.run(lambda: None)

    async def close(self) -> None:
        await self._database.close()

    async def current(self, login: str, user_key: str, *, fresh: bool = False) -> int:
        """The counter, 0 where it was never raised. `fresh`: ask now."""
        return await self.total([(login, user_key)], fresh=fresh)

    async def total(self, names: Sequence[Name], *, fresh: bool = False) -> int:
        """The sum of several counters: it changes as soon as one of them is raised."""
        names = tuple(dict.fromkeys(names))
        total = None if fresh else self._believed(names, self._clock())
        return sum(await self._counters.get(*names)) if total is None else total

    def holds_by_cache(self, names: Sequence[Name], epoch: int, now: float) -> bool:
        """As `holds` where the cache alone says yes; False where it must be asked. `names`: each of them once."""
        return self._believed(names, now) == epoch

    async def holds(self, names: Sequence[Name], epoch: int) -> bool:
        """Is this sum still theirs? Above the cached one it is asked anew: a counter may have risen elsewhere."""
        total = await self.total(names)
        return epoch == (await self.total(names, fresh=True) if epoch > total else total)

    async def bump(self, login: str, user_key: str) -> int:
        """Raise the counter by one; the new value."""
        now = self._clock()
        value = await self._database.run(lambda: self._raise((login, _fit(user_key))))
        self._learn((login, user_key), value, now)
        return value

    def _believed(self, names: Sequence[Name], now: float) -> int | None:
        """The sum of what is cached, None where one of them must be asked for."""
        total = 0
        for name in names:
            known = self._cache.get(name)
            if known is None or not 0 <= now - known[1] < CACHE_SECONDS:
                return None
            total += known[0]
        return total

    async def _read(self, names: Sequence[Name]) -> list[int]:
        now = self._clock()
        stored = [(login, _fit(key)) for login, key in names]
        found = await self._database.run(lambda: self._select(stored))
        return [self._learn(name, found.get(key, 0), now) for name, key in zip(names, stored, strict=True)]

    def _learn(self, name: Name, value: int, read_at: float) -> int:
        """Remember a value as of the time the question was put. Counters only rise: a slow old answer never wins."""
        known = self._cache.pop(name, None)
        if known is not None:
            value, read_at = max(value, known[0]), max(read_at, known[1])
        self._cache[name] = (value, read_at)
        if len(self._cache) > CACHE_ENTRIES:
            self._cache.popitem(last=False)
        return value

    def _select(self, names: list[Name]) -> dict[Name, int]:
        wanted = sa.tuple_(_epochs.c.login, _epochs.c.user_key).in_(names)
        with self._database.engine.connect() as database:
            rows = database.execute(sa.select(_epochs).where(wanted)).all()
        return {(row.login, row.user_key): int(row.epoch) for row in rows}

    def _raise(self, name: Name) -> int:
        login, key = name
        row = sa.and_(_epochs.c.login == login, _epochs.c.user_key == key)
        for _ in range(2):
            try:
                with self._database.engine.begin() as database:
                    found = database.execute(_epochs.update().where(row).values(epoch=_epochs.c.epoch + 1))
                    if found.rowcount == 0:
                        database.execute(_epochs.insert().values(login=login, user_key=key, epoch=1))
                    return int(database.scalar(sa.select(_epochs.c.epoch).where(row)) or 0)
            except IntegrityError:
                continue  # another instance inserted the row meanwhile: raise that one
        raise StoreError("epochs: the counter could not be raised")


def _fit(key: str) -> str:
    """The key as stored: as it is, or its SHA-256 where no column can hold it."""
    if len(key) < _KEY_LENGTH and _UNFIT.search(key) is None:
        return key
    return "sha256:" + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
