"""`python tests/oracle/fuzz.py --cases N --seed S`: random users and requests through a real gateway.

Exit codes: 0, the gateway agrees with the formula in every case; 1, it does not; 2, unusable arguments.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

# The tests' own folder in front of this one, whose modules are named inside the package `oracle` only.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from oracle.run import chosen_seed, run  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", default=chosen_seed(), help="default: AUTHGW_SEED, or a new one")
    parser.add_argument("--failures", type=int, default=5, help="stop after so many")
    given = parser.parse_args()
    print(f"oracle: {given.cases} cases, seed {given.seed}", flush=True)
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="authgw-oracle-") as root:
        tally, problems = asyncio.run(run(Path(root), given.seed, given.cases, given.failures))
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"oracle: {tally}; {time.monotonic() - start:.0f} s; {len(problems)} differences (seed {given.seed})")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
