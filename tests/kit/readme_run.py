"""Runs what the README shows. As a program it writes the output found into the README: `make readme`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from kit.gateway import PROGRAM, started
from kit.readme import ROOT, Block, blocks, commands, readme
from kit.servers import free_port

SHOWN = "http://127.0.0.1:8080"
MARK = "----- next -----"


def write_files(folder: Path) -> None:
    """The files that the README shows, and the service account's password."""
    for block in blocks("toml"):
        _, _, name = block.info.partition(" ")
        if name:
            (folder / name).write_text(block.text, encoding="utf-8")
    (folder / "upstream.password").write_text("service\n", encoding="utf-8")
    for file in folder.iterdir():
        file.chmod(0o600)


def run(command: str, folder: Path) -> tuple[int, str]:
    """Exit code and output of a command line in the folder of `write_files`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUTHGW_")}
    environment["PATH"] = f"{Path(PROGRAM).parent}:{environment['PATH']}"
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, (done.stdout + done.stderr).strip()


def walk(lines: list[str], folder: Path) -> list[str]:
    """What each command of the walk prints, all pasted into one shell before a demo of their own."""
    with started([PROGRAM, "demo", "--port", str(free_port())], folder / "demo.log") as (_, url):
        script = f"\necho; echo '{MARK}'\n".join(line.replace(SHOWN, url) for line in lines)
        done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.stderr == "", done.stderr
    return [part.strip().replace(url, SHOWN) for part in done.stdout.split(MARK)]


def explained() -> list[Block]:
    return [block for block in blocks("console") if block.info == "console"]


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_files(folder)
        found = {line: run(line, folder)[1] for block in explained() for line, _ in commands(block)}
        lines = [line for block in blocks("console walk") for line, _ in commands(block)]
        found |= dict(zip(lines, walk(lines, folder), strict=True))
    text = readme()
    for block in blocks("console"):
        shown = "".join(f"$ {line}\n" + (f"{found[line]}\n" if found[line] else "") for line, _ in commands(block))
        text = text.replace(f"```{block.info}\n{block.text}```", f"```{block.info}\n{shown}```")
    (ROOT / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
