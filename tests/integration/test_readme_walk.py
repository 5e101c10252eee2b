"""The README's walk with curl, run against the demo as a reader would."""

from __future__ import annotations

import subprocess
from pathlib import Path

from kit.gateway import PROGRAM, started
from kit.readme import blocks, commands
from kit.servers import free_port, need

SHOWN = "http://127.0.0.1:8080"
MARK = "----- next -----"


def test_the_walk_with_curl_is_as_shown(tmp_path: Path) -> None:
    """Every command of the walk, pasted into one shell in its order, prints what the README shows below it."""
    need("curl")
    steps = [step for block in blocks("console walk") for step in commands(block)]
    assert len(steps) > 5
    with started([PROGRAM, "demo", "--port", str(free_port())], tmp_path / "demo.log") as (_, url):
        script = f"\necho; echo '{MARK}'\n".join(command.replace(SHOWN, url) for command, _ in steps)
        done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    printed = [part.strip().replace(url, SHOWN) for part in done.stdout.split(MARK)]
    assert done.stderr == ""
    assert [(command, output) for (command, _), output in zip(steps, printed, strict=True)] == steps
