"""Who tells facts about calls, and finds them: the GUI, or the product's database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from authgw.narrow.scope import Facts

# Seconds for which facts are remembered, and calls that are remembered at a time.
TTL = 10.0
MAX_CACHED = 20_000
# Legs of one Call-ID, or calls with one header on one day, that are looked at.
MAX_FOUND = 1000


class Found(msgspec.Struct, frozen=True):
    """A call that a selector picked, visible or not: id, Call-ID, and when it began by the product's clock."""

    id: int
    call_id: str
    began: datetime


class Teller(Protocol):
    """Who knows facts: the GUI, or the product's database. `name` says it to people.

    `batch`: ids that one question may hold. `width`: ids that one request has under way at once, so that a long list
    and a single call take turns.
    """

    @property
    def name(self) -> str: ...

    @property
    def batch(self) -> int: ...

    @property
    def width(self) -> int: ...

    async def tell(self, call_ids: Sequence[int]) -> Mapping[int, Facts | None]:
        """The facts of each of these calls, None where there is no such call. Raises `UpstreamError`."""

    async def one(self, call_id: int) -> Found | None:
        """The call of that id. Here and below: at most MAX_FOUND, by date and id; raises `UpstreamError`."""

    async def with_call_id(self, call_id: str) -> Sequence[Found]:
        """The calls with that Call-ID, and perhaps others whose Call-ID is like it."""

    async def with_header(self, name: str, value: str, since: datetime) -> Sequence[Found]:
        """The calls from then to the end of that day with that header, and perhaps others with one like it."""

    async def between(self, since: datetime, until: datetime, rows: int) -> Mapping[int, Facts]:
        """What a list tells of the calls that began between these moments: of so many of them at most."""

    async def close(self) -> None: ...
