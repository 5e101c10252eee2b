"""What this process remembers of sessions: the last good answers, and which ones it saw end. Bounded, never shared."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import msgspec

from authgw.rights.claims import Claims
from authgw.session.model import Session
from authgw.session.record import Record, as_session

ENTRIES = 4096


class Known(msgspec.Struct):
    """A good answer: sealed bytes, what they held, and when the store last confirmed them."""

    blob: bytes
    record: Record
    session: Session
    at: float


class Memory:
    """Good answers by handle. A session seen to end is never remembered again, even by a question still under way."""

    def __init__(self, entries: int = ENTRIES) -> None:
        self._entries = entries
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._ended: OrderedDict[str, None] = OrderedDict()

    def get(self, handle: str) -> Known | None:
        return self._known.get(handle)

    def keep(self, handle: str, blob: bytes, record: Record, now: float) -> Session | None:
        """The session as a value, the same object as long as its bytes stay the same; None if it was seen to end."""
        if handle in self._ended:
            return None
        known = self._known.pop(handle, None)
        if known is None or known.blob != blob:
            known = Known(blob, record, as_session(handle, record), now)
        known.at = now
        self._known[handle] = known
        if len(self._known) > self._entries:
            self._known.popitem(last=False)
        return known.session

    def drop(self, handle: str) -> None:
        """Forget an answer: the store no longer confirms it."""
        self._known.pop(handle, None)

    def end(self, handle: str) -> None:
        """This session has ended."""
        self._known.pop(handle, None)
        self._ended[handle] = None
        if len(self._ended) > self._entries:
            self._ended.popitem(last=False)

    def end_where(self, matches: Callable[[Claims], bool]) -> None:
        for handle in [handle for handle, known in self._known.items() if matches(known.record.claims)]:
            self.end(handle)
