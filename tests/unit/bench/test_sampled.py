"""Samples are counted for the room that is at work, and shown with their share of a request."""

from __future__ import annotations

import pytest

from bench import ROOT
from bench.profile import Taken, functions, rooms
from bench.sampled import room_of


@pytest.mark.parametrize(
    ("file", "room"),
    [
        (f"{ROOT}/authgw/narrow/rows.py", "narrow"),
        (f"{ROOT}/authgw/gate.py", "gate"),
        (f"{ROOT}/authgw/cli/http.py", "cli"),
        (f"{ROOT}/authgw/cli/exchange.py", "cli"),
        # The command that runs the server is below everything: it is at work in nothing.
        (f"{ROOT}/authgw/cli/serve.py", None),
        ("/usr/lib/python3/json/decoder.py", None),
        (f"{ROOT}/bench/sampled.py", None),
    ],
)
def test_a_file_counts_for_its_room(file: str, room: str | None) -> None:
    """Rooms by folder, the top files by name, and nobody else's files."""
    assert room_of(file) == room


def test_shares_are_of_the_whole_request() -> None:
    """A quarter of the samples is a quarter of the CPU that a request took."""
    taken = Taken(200, [("authgw/gate.py:1 pass", 50)], [("upstream", 100), ("policy", 50)])
    assert "| upstream | 50.0 | 40.0 |" in rooms(taken, 80.0)
    assert "| authgw/gate.py:1 pass | 25.0 | 20.0 |" in functions(taken, 80.0)
