"""`authgw audit`: what the trail says, as an operator asks for it."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from authgw.cli.main import main


def config(folder: Path) -> str:
    (folder / "upstream.password").write_text("x\n")
    (folder / "authgw.toml").write_text(
        '[gateway]\npublic_url = "http://127.0.0.1:8080"\n[upstream]\nurl = "http://127.0.0.1:8081"\n'
        'username = "u"\npassword_file = "upstream.password"\n[login]\nchain = ["static"]\n'
        '[login.static]\nusers = "users.toml"\n'
    )
    return str(folder / "authgw.toml")


def test_unknown_calls_are_counted_by_name(tmp_path: Path) -> None:
    """The calls that no policy describes, most frequent first; broken lines are passed over."""
    events = [{"reason": "unknown_call", "asked": "/a.php task=x"}] * 2 + [
        {"reason": "unknown_call", "asked": "/b.php"},
        {"reason": "missing_flag", "path": "/c.php"},
    ]
    lines = [json.dumps(event) for event in events] + ["{broken"]
    (tmp_path / "audit.jsonl").write_text("\n".join(lines))
    told = CliRunner().invoke(main, ["audit", "unknown", "--config", config(tmp_path)])
    assert told.exit_code == 0
    assert told.output.split() == ["2", "/a.php", "task=x", "1", "/b.php"]


def test_the_last_lines(tmp_path: Path) -> None:
    """`tail` prints the last lines; a trail that does not exist yet is no mistake."""
    path = config(tmp_path)
    assert CliRunner().invoke(main, ["audit", "tail", "--config", path]).exit_code == 0
    (tmp_path / "audit.jsonl").write_text("".join(f"{n}\n" for n in range(50)))
    told = CliRunner().invoke(main, ["audit", "tail", "-n", "3", "--config", path])
    assert told.output.split() == ["47", "48", "49"]
