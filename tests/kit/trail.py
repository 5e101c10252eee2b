"""The audit trail of a running gateway, as its operator reads it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

SECONDS = 20.0


def lines(folder: Path, event: str, count: int = 1, *, having: str = "event") -> list[dict[str, Any]]:
    """All lines of an event that have such a field, as soon as there are so many: that of a stream is written after
    its last byte."""
    deadline = time.monotonic() + SECONDS
    while True:
        told = [json.loads(text) for text in (folder / "audit.jsonl").read_text().splitlines(True) if text[-1] == "\n"]
        found = [line for line in told if line["event"] == event and having in line]
        if len(found) >= count:
            return found
        assert time.monotonic() < deadline, f"{len(found)} lines of {event} and not {count}"
        time.sleep(0.01)
