"""Targets: computed from one run, and said to be missed where they are."""

from __future__ import annotations

from bench import loads, report
from bench.rows import Row, Rows
from bench.targets import verdicts


def passed(authgw: float, nginx: float) -> Rows:
    load = loads.PASSED.name
    return Rows(
        [
            Row("saturated", "nginx", load, 0, {"cpu_us": nginx}),
            Row("saturated", "authgw", load, 0, {"cpu_us": authgw}),
        ]
    )


def test_a_target_met_is_said_to_be_met() -> None:
    """2.9 times nginx is within four times, and within the three that are hoped for."""
    first = verdicts(passed(58, 20))[0]
    assert (first.met, first.stretched) == (True, True)


def test_a_target_missed_is_said_to_be_missed() -> None:
    """4.1 times nginx is more than four times, and the table says NO."""
    found = verdicts(passed(82, 20))
    assert found[0].met is False
    assert "| NO |" in report.targets(found[:1])


def test_what_was_not_measured_is_neither() -> None:
    """A run of one part alone neither meets nor misses the targets of the others."""
    rest = verdicts(passed(58, 20))[1:]
    assert [each.met for each in rest] == [None] * len(rest)
    assert "not measured" in report.targets(rest)
