"""What goes into fsensor_id."""

from __future__ import annotations

import pytest

from authgw.narrow.sensors import Pushed, push

IDS = {12: 2, 13: 3, 14: 5, 15: 7}


@pytest.mark.parametrize(
    ("allowed", "asked", "expected"),
    [
        (None, "13", Pushed(None, True)),
        (None, None, Pushed(None, True)),
        (frozenset({2, 5}), None, Pushed((12, 14), True)),
        (frozenset({2, 5}), "-1", Pushed((12, 14), True)),
        (frozenset({2, 5}), "14,15", Pushed((14,), True)),
        (frozenset({2, 5}), "15", Pushed((), True)),
        (frozenset({2, 5}), "-2", Pushed((), True)),
        (frozenset({2, 5}), "-2,12", Pushed((12,), True)),
        (frozenset({2, 5}), "99", Pushed((), True)),
        (frozenset(), None, Pushed((), True)),
        # Sensor 9 is not listed upstream, but its calls may be there: nothing may cut them off.
        (frozenset({2, 9}), None, Pushed(None, False)),
        (frozenset({2, 9}), "12", Pushed((12,), True)),
    ],
)
def test_intersection(allowed: frozenset[int] | None, asked: str | None, expected: Pushed) -> None:
    """The user's own filter and the scope's numbers meet in database ids; foreign sensors fall out."""
    assert push(allowed, asked, IDS) == expected
