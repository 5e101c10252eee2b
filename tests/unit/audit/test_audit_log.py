"""The audit trail: one JSON line for every event."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from authgw.audit.log import MAX_FIELD, Audit


@pytest.mark.anyio
async def test_one_line_for_each_event(tmp_path: Path) -> None:
    """Each event is one JSON line with its time in UTC; empty fields are left out; the file is for its owner alone."""
    trail = Audit(tmp_path / "audit.jsonl", lambda: 1795446372.4)
    await trail.open()
    trail.write("login", {"user": "al\nice", "reason": "", "calls": []})
    trail.write("download", {"calls": [1, 2]})
    await trail.close()
    lines = (tmp_path / "audit.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"time": "2026-11-23T15:06:12.400+00:00", "event": "login", "user": "al\nice"},
        {"time": "2026-11-23T15:06:12.400+00:00", "event": "download", "calls": [1, 2]},
    ]
    assert stat.S_IMODE((tmp_path / "audit.jsonl").stat().st_mode) == 0o600


@pytest.mark.anyio
async def test_a_line_stays_short_whatever_comes_from_outside(tmp_path: Path) -> None:
    """A long text is cut, so that nobody fills the disk with one request."""
    trail = Audit(tmp_path / "audit.jsonl", lambda: 0.0)
    await trail.open()
    trail.write("refusal", {"path": "x" * 10_000_000})
    await trail.close()
    assert len(json.loads((tmp_path / "audit.jsonl").read_text())["path"]) == MAX_FIELD


def test_a_failure_is_told_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A trail that cannot be written says so on standard error and to readiness."""
    trail = Audit(tmp_path / "audit.jsonl", lambda: 0.0)
    trail.write("login", {})
    assert trail.failed
    assert "audit.jsonl" in capsys.readouterr().err
