"""Measurements: `make bench`. Modules of `tests/kit` start the servers, so they must be found from here too."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

if str(ROOT / "tests") not in sys.path:
    sys.path.append(str(ROOT / "tests"))
