"""What is written to a client has to be taken by it: closing a connection waits for that, for ever if need be."""

from __future__ import annotations

import asyncio
from typing import Any

from authgw.watch import SLOWEST

# A client takes what is written at SLOWEST, beyond this at the start.
ANSWER_SECONDS = 60.0


class TakenInTime(asyncio.Protocol):
    """Comes before a protocol of uvicorn's. `taken_by`: when the connection is broken off unless all that was written
    has been taken, in the loop's seconds; 0: it has."""

    taken_by = 0.0
    loop: Any
    transport: Any

    def pause_writing(self) -> None:
        super().pause_writing()
        self.taken_by = self.loop.time() + ANSWER_SECONDS + self.transport.get_write_buffer_size() / SLOWEST

    def resume_writing(self) -> None:
        super().resume_writing()
        self.taken_by = 0.0

    @property
    def streams(self) -> bool:
        """Whether somebody else knows how long the client may take."""
        return False
