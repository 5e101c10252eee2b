"""Where bytes from upstream land before they are handed to whom they belong.

One room for all connections of a loop, which reads from one of them at a time. How much is read at once is also what
a reply may hold back for a reader who rests: large steps while few connections are open, small ones while there are
many. Five hundred clients who stopped reading kept 500 MB when each read 256 KB at once and held two of them, and
now keep 20 MB, 6 of them here. For one client alone more than 128 KB at once is no quicker.
"""

from __future__ import annotations

MOST = 128 * 1024
LEAST = 8 * 1024
ALL = 1024 * 1024


class Landing:
    """`size` bytes are read at once; `view` is the room for them."""

    def __init__(self) -> None:
        self.whole = memoryview(bytearray(MOST))
        self.fit(1)

    def fit(self, connections: int) -> None:
        """So many connections are open now."""
        self.size = min(MOST, max(LEAST, ALL // max(1, connections)))
        self.view = self.whole[: self.size]
