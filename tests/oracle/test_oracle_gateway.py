"""Random users and requests through a running gateway, beside the formula over the records it protects."""

from __future__ import annotations

from pathlib import Path

import pytest

from oracle.run import NAMES, chosen_seed, run

LOOKED_AT = ("rows", "histories", "captures", "absent", "captures by selector", "shared calls", "active calls")
CASES = 100 // len(NAMES)


@pytest.mark.anyio
@pytest.mark.parametrize("name", NAMES)
async def test_the_gateway_shows_what_the_formula_says(name: str, tmp_path: Path) -> None:
    """Rows, totals, pages, order, histories, files, shares and the lists of api.php equal a loop over all calls."""
    seed = chosen_seed()
    print(f"repeat with AUTHGW_SEED={seed}")
    tally, problems = await run(tmp_path, seed, CASES, names=[name])
    print(tally)
    assert not problems, problems[0]
    assert tally.counts["cases"] == CASES
    assert tally.counts["cases that see part"] >= CASES // 4, "the users of this run saw all or nothing"
    assert min(tally.counts[name] for name in LOOKED_AT) > 0
