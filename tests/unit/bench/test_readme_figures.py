"""The README's figures are those of the committed run."""

from __future__ import annotations

from bench.readme import BLOCKS, RESULT, read, renewed
from bench.rows import Row, Rows
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
