"""Random users and requests through a running gateway, beside the formula over the records it protects."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.mariadb import MariaDb, real_mariadb
from oracle.case import Tally
from oracle.run import NAMES, chosen_seed, run

__all__ = ["real_mariadb"]
LOOKED_AT = ("rows", "histories", "captures", "absent", "captures by selector", "shared calls", "active calls")
CASES = 100 // len(NAMES)
FROM_DATABASE = 40 // len(NAMES)


@pytest.mark.anyio
@pytest.mark.parametrize("name", NAMES)
async def test_the_gateway_shows_what_the_formula_says(name: str, tmp_path: Path) -> None:
    """Rows, totals, pages, order, histories, files, shares and the lists of api.php equal a loop over all calls."""
    tally = await compared(tmp_path, name, CASES)
    assert min(tally.counts[name] for name in LOOKED_AT) > 0


@pytest.mark.anyio
@pytest.mark.parametrize("name", NAMES)
async def test_so_it_does_with_facts_from_the_database(name: str, tmp_path: Path, real_mariadb: MariaDb) -> None:
    """The same, with vlan, headers and selectors looked up in the product's tables instead of asked of the GUI."""
    await compared(tmp_path, name, FROM_DATABASE, real_mariadb)


async def compared(folder: Path, name: str, cases: int, database: MariaDb | None = None) -> Tally:
    seed = chosen_seed()
    print(f"repeat with AUTHGW_SEED={seed}")
    tally, problems = await run(folder, seed, cases, names=[name], database=database)
    print(tally)
    assert not problems, problems[0]
    assert tally.counts["cases"] == cases
    assert tally.counts["cases that see part"] >= cases // 4, "the users of this run saw all or nothing"
    return tally
