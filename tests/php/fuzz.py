"""Generated requests in any number, judged and shown to PHP: `python tests/php/fuzz.py --count N --seed S`.

Exit codes: 0 no disagreement, 1 at least one (each is printed with the request that shows it).
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path


def main() -> int:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from php.oracle import php_server
    from php.trial import run

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=None, help="random unless given")
    chosen = parser.parse_args()
    seed = random.SystemRandom().randrange(2**32) if chosen.seed is None else chosen.seed
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder, php_server(Path(folder)) as php:
        tally = run(php, chosen.count, seed)
    for raw, wrong in tally.disagreements:
        print(raw, *wrong, sep="\n  ")
    print(tally.line(seed, chosen.count))
    return 1 if tally.disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
