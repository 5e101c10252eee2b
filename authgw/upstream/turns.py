"""Whose turn it is: a few places, taken in turn by everybody who waits, so that nobody's haste is another's delay."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from contextvars import ContextVar

from authgw.errors import UpstreamError
from authgw.reasons import Reason

# On whose behalf upstream is asked; set where a request's user is known, and inherited by all that is done for it.
asker: ContextVar[str] = ContextVar("asker", default="")


class Turns:
    """`size` places. Free ones are taken at once; else one request of each asker after the other, each asker's own in
    their order.

    `share`: places that one asker may hold; the others are for somebody else.
    """

    def __init__(self, size: int, share: int | None = None) -> None:
        self._free = size
        self._share = size if share is None else share
        self._held: dict[str, int] = {}
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def free(self) -> int:
        return self._free

    def at_once(self, who: str) -> bool:
        """A place, if there is one that nobody waits for."""
        held = self._held.get(who, 0)
        if not self._free or self._waiting or held >= self._share:
            return False
        self._free -= 1
        self._held[who] = held + 1
        return True

    async def take(self, who: str, seconds: float, what: str) -> None:
        """A place. UPSTREAM_BUSY: none within so many seconds; `what` says of what."""
        if self.at_once(who):
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(who, deque()).append(turn)
        self._hand_out()
        try:
            async with asyncio.timeout(seconds):
                await turn
        except BaseException as error:
            self._withdraw(who, turn)
            if isinstance(error, TimeoutError):
                raise UpstreamError(Reason.UPSTREAM_BUSY, f"no {what} became free within {seconds:g} s") from None
            raise

    def give(self, who: str) -> None:
        """A place of this asker is free again."""
        self._free += 1
        left = self._held[who] - 1
        if left:
            self._held[who] = left
        else:
            del self._held[who]
        if self._waiting:
            self._hand_out()

    def _may(self, who: str) -> bool:
        return self._held.get(who, 0) < self._share

    def _hold(self, who: str) -> None:
        self._free -= 1
        self._held[who] = self._held.get(who, 0) + 1

    def _hand_out(self) -> None:
        """Free places to those who wait, the one who was served last coming last."""
        for who in tuple(self._waiting):
            if not self._free:
                return
            if not self._may(who):
                continue
            turns = self._waiting[who]
            while turns and turns[0].done():
                turns.popleft()  # given up just now: whoever is behind it must not wait for that
            turn = turns.popleft() if turns else None
            self._waiting.move_to_end(who)
            if not turns:
                del self._waiting[who]
            if turn is not None:
                self._hold(who)
                turn.set_result(None)

    def _withdraw(self, who: str, turn: asyncio.Future[None]) -> None:
        """Somebody waits no longer; a place that was given to him just now goes on."""
        if turn.done() and not turn.cancelled():
            self.give(who)
        elif turn in (turns := self._waiting.get(who, deque())):
            turns.remove(turn)
            if not turns:
                del self._waiting[who]


def shared(places: int) -> Turns:
    """So many places for one asker, and a quarter more, so that whoever holds them all does not stall the others."""
    return Turns(places + max(1, places // 4), places)
