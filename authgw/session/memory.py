"""What this process remembers of sessions: the last good answers, and which ones it saw end. Bounded, never shared."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import msgspec

from authgw.rights.claims import Claims
from authgw.session.model import Session
from authgw.session.record import Name, Record, as_session, subject_of
from authgw.session.seal import Seal

ENTRIES = 4096
# An answer is asked for anew after so many seconds, whatever was heard.
CURRENT_SECONDS = 10.0


class Known(msgspec.Struct):
    """A good answer: sealed bytes and what they held; the counters the session depends on.

    `asked`: when the store was last asked, `moment`: what had changed by then (see `Memory.moment`). `at`: when the
    answer was last known to be good, by asking or because nothing was heard of a change. `settled`: until then the
    session neither ends by its age nor has a use or a confirmation to be written down.
    """

    blob: bytes
    record: Record
    session: Session
    seal: Seal
    names: tuple[Name, ...]
    asked: float
    at: float
    moment: int
    settled: float


class Memory:
    """Good answers by handle. A session seen to end is never remembered again, even by a question still under way.

    Changes that are heard of (`changed`, `lost`) are counted. An answer to a question put before a change, whenever
    it comes in, is never taken for the state after it.
    """

    def __init__(self, settled: Callable[[Record], float], entries: int = ENTRIES) -> None:
        self._settled = settled
        self._entries = entries
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._changed: OrderedDict[str, int] = OrderedDict()
        self._since = 0
        self.moment = 0

    def get(self, handle: str) -> Known | None:
        return self._known.get(handle)

    def current(self, handle: str, now: float) -> Known | None:
        """An answer that stands while changes are heard of: none since it was asked for, and not too long ago."""
        known = self._known.get(handle)
        if known is None or known.moment < self._since or known.moment < self._changed.get(handle, 0):
            return None
        return known if 0 <= now - known.asked < CURRENT_SECONDS else None

    def changed(self, handle: str) -> None:
        """The store's record of this session was written or deleted, by whomever."""
        self.moment += 1
        self._changed.pop(handle, None)
        self._changed[handle] = self.moment
        if len(self._changed) > self._entries:
            self._since = self._changed.popitem(last=False)[1]

    def lost(self) -> None:
        """Any record may have changed."""
        self.moment += 1
        self._since = self.moment
        self._changed.clear()

    def confirm(self, handle: str, known: Known, now: float) -> Session | None:
        """A current answer is used; None if it has been dropped."""
        if self._known.get(handle) is not known:
            return None
        known.at = now
        self._known.move_to_end(handle)
        return known.session

    def keep(self, handle: str, blob: bytes, record: Record, seal: Seal, now: float, moment: int) -> Session | None:
        """The session as a value, the same object as long as its bytes stay the same; None if it was seen to end.

        `moment`: that of this memory when the store was asked.
        """
        if handle in self._ended:
            return None
        known = self._known.pop(handle, None)
        if known is None or known.blob != blob:
            session, names = as_session(handle, record), tuple(dict.fromkeys(subject_of(record)))
            known = Known(blob, record, session, seal, names, now, now, moment, self._settled(record))
        known.asked = known.at = now
        known.moment = moment
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
