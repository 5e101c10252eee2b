"""`authgw explain --code`: a support code looked up in the audit trail."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from authgw.cli import code as lookup
from authgw.cli.main import main

CODE = "3fa907c188e2"
LINE: dict[str, Any] = {
    "time": "2026-11-26T14:35:07.123+00:00", "event": "refusal", "request": CODE, "status": 403, "method": "GET",
    "path": "/php/pcap.php", "call": "pcap", "query": "id=42", "user": "al ice", "login": "static", "tenant": "acme",
    "session": "0123abcd", "address": "192.0.2.7", "reason": "missing_flag", "detail": "can_pcap is missing", "ms": 1.5,
}  # fmt: skip


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "authgw.toml").write_text(
        '[gateway]\npublic_url = "http://127.0.0.1:8080"\n[upstream]\nurl = "http://127.0.0.1:8081"\n'
        'identity = "none"\n[login]\nchain = ["static"]\n[login.static]\nusers = "users.toml"\n'
    )
    return tmp_path / "authgw.toml"


def write(file: Path, *lines: dict[str, Any] | str, opened: Callable[..., Any] = open, age: int = 0) -> None:
    with opened(file, "wt") as out:
        out.writelines((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    os.utime(file, (1_795_000_000 - age, 1_795_000_000 - age))


def ask(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["explain", "--config", str(config), *arguments])


def test_all_that_the_trail_knows(config: Path) -> None:
    """Who, when, what, from where, why in words, and the command that asks the same again."""
    write(config.parent / "audit.jsonl", "{torn", {**LINE, "request": "000000000000"}, LINE, f'["{CODE}"]')
    asked = ask(config, "--code", CODE)
    assert asked.exit_code == 0
    assert asked.output.splitlines() == [
        f"code      {CODE}",
        "when      2026-11-26 14:35:07 UTC",
        "who       al ice (login static, tenant acme, session 0123abcd)",
        "from      192.0.2.7",
        "asked     GET /php/pcap.php?id=42",
        "call      pcap",
        "answer    403",
        "reason    missing_flag: Your account does not have the right this needs.",
        "detail    can_pcap is missing",
        f"again     authgw explain --config {config} --user 'al ice' GET '/php/pcap.php?id=42'",
    ]


@pytest.mark.parametrize("typed", ["3FA907C188E2", "3fa9-07c1-88e2", " 3fa9 07c1 88e2\n", "3fa9‑o7ci‑88e2"])
def test_however_it_was_read_out(config: Path, typed: str) -> None:
    """Case, blanks and dashes of any kind do not count; letters that no code has are the digits they look like."""
    write(config.parent / "audit.jsonl", LINE)
    assert ask(config, "--code", typed).output.startswith(f"code      {CODE}\n")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"user": ""}, "nobody is known who asked"),
        ({"method": ""}, "the trail did not keep the method"),
        ({"query": "x=" + "y" * 510}, "there was more to it than the trail keeps"),
        ({"token": "k1"}, "(for the owner: his token may do less)"),
        ({"path": "/a b/ž.php", "query": ""}, "GET /a%20b/%C5%BE.php"),
    ],
)
def test_how_to_ask_again(config: Path, more: dict[str, Any], said: str) -> None:
    """The command is one that a shell takes as it is; where there is none it says why."""
    write(config.parent / "audit.jsonl", LINE | more)
    asked = ask(config, "--code", CODE)
    assert asked.exit_code == 0
    assert said in asked.output.splitlines()[-1]


def test_an_unknown_call_and_a_hostile_name(config: Path) -> None:
    """A call without an entry says so; nothing that a terminal would obey is printed."""
    write(config.parent / "audit.jsonl", LINE | {"call": "", "reason": "unknown_call", "user": "a\x1b[2Jb"})
    output = ask(config, "--code", CODE).output
    assert "call      none: it is not in the catalogue" in output
    assert "\x1b" not in output


@pytest.mark.parametrize(
    ("name", "opened"),
    [
        ("audit.jsonl.1", open),
        ("audit.jsonl-20261101", open),
        ("audit-2026-11-01.jsonl", open),
        ("audit.jsonl.2.gz", gzip.open),
        ("audit.jsonl.3.bz2", bz2.open),
        ("audit.2026.jsonl.xz", lzma.open),
    ],
)
def test_files_it_was_renamed_to(config: Path, name: str, opened: Callable[..., Any]) -> None:
    """What lies beside the trail under its name and more is read too, packed or not."""
    write(config.parent / "audit.jsonl", {**LINE, "request": "000000000000"})
    write(config.parent / name, LINE, opened=opened, age=60)
    assert ask(config, "--code", CODE).exit_code == 0


def test_not_there(config: Path) -> None:
    """Where was looked, how far back, what could not be read, and where else a code may be: exit code 1."""
    folder = config.parent
    write(folder / "audit.jsonl", {**LINE, "request": "000000000000"})
    write(folder / "audit.jsonl.1", {**LINE, "request": "1" * 12, "time": "2026-10-01T00:00:00+00:00"}, age=60)
    (folder / "audit.jsonl.2.gz").write_bytes(b"no gzip")
    write(folder / "auditors.txt", LINE)
    write(folder / "old.audit.jsonl", LINE)
    asked = ask(config, "--code", CODE)
    assert asked.exit_code == 1
    assert f"no line of the audit trail has the code {CODE}" in asked.stderr
    assert f"looked in audit.jsonl, audit.jsonl.1 of {folder}, back to 2026-10-01 00:00:00 UTC" in asked.stderr
    assert "not read: audit.jsonl.2.gz: Not a gzipped file" in asked.stderr
    assert "another instance writes a trail of its own" in asked.stderr
    assert asked.stdout == ""


def test_no_trail_at_all(config: Path) -> None:
    """Before the first line was written the code is not there."""
    asked = ask(config, "--code", CODE)
    assert (asked.exit_code, "not read: audit.jsonl: is not there" in asked.stderr) == (1, True)


def test_what_is_no_file_is_not_read(config: Path) -> None:
    """A trail that goes into a device or a pipe cannot be read again, and reading would wait for ever."""
    (config.parent / "audit.jsonl").symlink_to("/dev/null")
    write(config.parent / "audit.jsonl.1", {**LINE, "request": "0" * 12})
    asked = ask(config, "--code", CODE)
    assert asked.exit_code == 1
    assert "not read: audit.jsonl: is no file; where it leads, nothing can be read again" in asked.stderr


def test_no_more_is_read_than_its_bounds(tmp_path: Path) -> None:
    """Files beyond the bound of files or of bytes are named, not read."""
    for number in range(5):
        write(tmp_path / f"audit.jsonl.{number}", {**LINE, "request": f"{number:012x}"}, age=number)
    write(tmp_path / "audit.jsonl", LINE | {"request": "f" * 12})
    few = lookup.find(tmp_path / "audit.jsonl", f"{4:012x}", max_files=3)
    assert (few.line, len(few.read), len(few.unread)) == (None, 3, 3)
    short = lookup.find(tmp_path / "audit.jsonl", f"{4:012x}", max_bytes=500)
    assert (short.line, len(short.read), len(short.unread)) == (None, 2, 4)
    assert lookup.find(tmp_path / "audit.jsonl", f"{4:012x}").line is not None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give --user with METHOD and URL, or --code"),
        (("--user", "alice", "GET"), "give --user with METHOD and URL, or --code"),
        (("GET", "/x"), "give --user with METHOD and URL, or --code"),
        (("--code", CODE, "GET", "/x"), "give --code alone"),
        (("--code", CODE, "--user", "alice"), "give --code alone"),
        (("--code", "3fa9", "07c1", "88e2"), "a code with blanks in quotes"),
        (("--code", CODE, "--row", "3"), "give --code alone"),
        (("--code", "3fa907c188e"), "is no support code"),
        (("--code", ""), "is no support code"),
        (("--code", "3fa907c188g2"), "is no support code"),
    ],
)
def test_arguments_that_do_not_go_together(config: Path, arguments: tuple[str, ...], said: str) -> None:
    """What is meant is not guessed: exit code 2, and a word about what to give."""
    asked = ask(config, *arguments)
    assert (asked.exit_code, said in " ".join(asked.stderr.split())) == (2, True)
