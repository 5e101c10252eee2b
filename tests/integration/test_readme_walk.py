"""The README's walk with curl, run against the demo as a reader would."""

from __future__ import annotations

from pathlib import Path

from kit.readme import blocks, commands
from kit.readme_run import walk
from kit.servers import need


def test_the_walk_with_curl_is_as_shown(tmp_path: Path) -> None:
    """Every command of the walk, pasted into one shell in its order, prints what the README shows below it.

    `make readme` writes it anew.
    """
    need("curl")
    steps = [step for block in blocks("console walk") for step in commands(block)]
    assert len(steps) > 5
    lines = [line for line, _ in steps]
    assert list(zip(lines, walk(lines, tmp_path), strict=True)) == steps
