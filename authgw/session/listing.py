"""Who is here: live sessions as operators and their owners see them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from authgw.rights.claims import Claims
from authgw.session.epochs import Epochs
from authgw.session.model import Listed, SessionLimits
from authgw.session.record import Record, as_listed, remaining, subject_of
from authgw.session.records import Records
from authgw.session.register import Register


class Listing:
    """Raises StoreError where store or database cannot be asked. `clock`: seconds since 1970."""

    def __init__(
        self, register: Register, records: Records, epochs: Epochs, limits: SessionLimits, clock: Callable[[], float]
    ) -> None:
        self._register = register
        self._records = records
        self._epochs = epochs
        self._limits = limits
        self._clock = clock

    async def listed(self, *, user: str | None, tenant: str | None) -> list[Listed]:
        """All, or those of one canonical user name or one tenant; oldest first."""
        found = [
            (handle, record)
            async for handle, record in self._register.records()
            if user in (None, record.claims.user) and tenant in (None, record.claims.tenant)
        ]
        return await self._live(found)

    async def of(self, claims: Claims) -> list[Listed]:
        """Those of this very user, oldest first; nobody else's are looked at."""
        return await self._live(await self._register.some(await self._records.handles_of(claims)))

    async def _live(self, records: Iterable[tuple[str, Record]]) -> list[Listed]:
        now = self._clock()
        found = {
            handle: as_listed(handle, record)
            for handle, record in records
            if remaining(record, self._limits, now) > 0 and await self._epochs.holds(subject_of(record), record.epoch)
        }
        return sorted(found.values(), key=lambda one: (one.started, one.handle))
