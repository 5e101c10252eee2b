"""The README's figures are those of the committed run."""

from __future__ import annotations

from bench import loads
from bench.readme import BLOCKS, RESULT, UNMEASURED, read, renewed
from bench.rows import Row, Rows
from bench.sockets import LOAD
from bench.storm import ALONE, DURING
from kit.readme import readme


def test_the_figures_are_those_of_the_committed_run() -> None:
    """What the README says of speed is what the raw rows give; `python -m bench.readme` writes it anew."""
    assert renewed(readme(), read(RESULT)) == readme()


def test_every_figure_has_its_place() -> None:
    """Each table that is made from a run stands in the README, once."""
    for name in BLOCKS:
        assert readme().count(f"<!-- bench {name} -->") == 1, name


def test_writing_twice_changes_nothing() -> None:
    """A block that was made is found again, and only what is inside is replaced."""
    text = "before\n<!-- bench parts -->\nold\n<!-- end -->\nafter\n"
    rows = Rows(
        [
            Row("saturated", "authgw", "pass-through, 2 KB", 0, {"cpu_us": 50.0}),
            Row("profile", "authgw", "pass-through, 2 KB", 0, {"upstream": 0.5, "policy": 0.49, "trail": 0.01}),
        ]
    )
    once = renewed(text, rows)
    assert renewed(once, rows) == once
    assert once.startswith("before\n<!-- bench parts -->\n")
    assert once.endswith("<!-- end -->\nafter\n")
    assert "| upstream | asking the GUI, reading its reply | 25 |" in once
    assert "| the rest |  | 1 |" in once
    assert "old" not in once


def test_a_part_that_was_not_measured_says_so() -> None:
    """A run without WebSockets or processes leaves a sentence in the place of their figures, not an empty table."""
    blocks = "".join(f"<!-- bench {name} -->\n<!-- end -->\n" for name in ("sockets", "workers", "storm", "lists"))
    assert renewed(blocks, Rows([])).count(UNMEASURED) == 4
    rows = Rows([Row("sockets", "authgw", LOAD, 0, {"cpu_us": 30.0, "rps": 1e3, "p99_ms": 2.0})])
    assert "| **authgw** | 30 (30–30) |  | 1,000 | 2.0 |" in renewed(blocks, rows)


def test_a_storm_is_shown_beside_the_calm() -> None:
    """Calls without logins have no logins to tell of; those during the storm have all, in their columns."""
    calm = {"p50_ms": 0.51, "p99_ms": 1.0, "p999_ms": 2.0, "cores": 0.1}
    wild = {"p50_ms": 0.9, "p99_ms": 7.0, "p999_ms": 33.0, "cores": 0.99, "granted": 500, "later": 1234, "s": 88.4}
    rows = Rows([Row("storm", "authgw", ALONE, 0, calm), Row("storm", "authgw", DURING, 0, wild)])
    shown = renewed("<!-- bench storm -->\n<!-- end -->\n", rows)
    assert f"| {ALONE} | 0.5 | 1.0 | 2.0 | 0.10 |  |  |  |" in shown
    assert f"| {DURING} | 0.9 | 7.0 | 33.0 | 0.99 | 500 | 1,234 | 88 |" in shown


def test_every_list_is_asked_for() -> None:
    """Each length, each share that is kept, under few and many patterns; and whoever asks is one of the users."""
    names = {load.name for load in loads.LISTS}
    for rows in ("10", "460", "5,000"):
        for kept in ("all", "half", "none"):
            assert {f"list of {rows} rows, {kept} kept, {count} patterns" for count in ("10", "10,000")} <= names
    assert {load.user for load in loads.OWN} <= {user["username"] for user in loads.users()} | {None}
    assert [len(user["number"]) for user in loads.users() if "-" in user["username"]] == [10, 10_000] * 3
