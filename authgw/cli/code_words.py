"""What the trail says of a support code, in words for an operator. Pure."""

from __future__ import annotations

import shlex
from datetime import datetime
from pathlib import Path

from authgw.audit.log import MAX_FIELD
from authgw.cli.code import Line, Search
from authgw.cli.common import plain
from authgw.intake import encode
from authgw.reasons import Reason
from authgw.ui.texts import DEFAULT, Texts, heading_and_text


def told(line: Line, config: Path) -> list[str]:
    """Who, when, what was asked, why it came out as it did, and how to ask the same again."""
    rows = (
        ("code", line.request),
        ("when", _when(line.time)),
        ("who", _who(line)),
        ("from", line.address),
        ("asked", f"{line.method} {_target(line)}".strip()),
        ("call", line.call or ("none: it is not in the catalogue" if line.reason == Reason.UNKNOWN_CALL else "")),
        ("answer", str(line.status or "")),
        ("reason", _reason(line)),
        ("detail", line.detail),
        ("calls", ", ".join(map(str, line.calls))),
        ("said", line.said),
        ("cut", line.cut),
        ("again", _again(line, config)),
    )
    return [f"{name:<10}{plain(value)}" for name, value in rows if value]


def missing(code: str, file: Path, search: Search) -> list[str]:
    """That no line has the code, where was looked, and where else it may be."""
    oldest = f", back to {_when(search.oldest)}" if search.oldest else ""
    lines = [f"no line of the audit trail has the code {code}"]
    lines += [f"looked in {', '.join(search.read)} of {file.parent}{oldest}"] if search.read else []
    lines += [f"not read: {each}" for each in search.unread]
    return [
        *map(plain, lines),
        "an older line may have been moved away with its file; another instance writes a trail of its own",
        "pages below /authgw/ leave their codes in the log; of what was let through downloads alone leave a line",
    ]


def _when(time: str) -> str:
    try:
        return datetime.fromisoformat(time).strftime("%Y-%m-%d %H:%M:%S UTC")
    except ValueError:
        return time


def _who(line: Line) -> str:
    if not line.user:
        return "nobody that was known"
    named = (("login", line.login), ("tenant", line.tenant), ("session", line.session), ("token", line.token))
    return f"{line.user} ({', '.join(f'{name} {value}' for name, value in named if value)})"


def _target(line: Line) -> str:
    path = encode.path(line.path).decode()
    return f"{path}?{line.query}" if line.query else path


def _reason(line: Line) -> str:
    """The reason, and what a page says of it."""
    if line.reason not in set(Reason):
        return line.reason
    # With refusals = "200" the status tells nothing.
    status = line.status if line.status >= 400 else 403
    return f"{line.reason}: {Texts(DEFAULT)(heading_and_text(status, Reason(line.reason))[1])}"


def _again(line: Line, config: Path) -> str:
    """The command that says what becomes of the same request now; or why there is none."""
    if not line.user:
        return "cannot be asked: nobody is known who asked"
    if not line.method:
        return "cannot be asked: the trail did not keep the method"
    if len(line.query) >= MAX_FIELD:
        return "cannot be asked as it was: there was more to it than the trail keeps"
    command = ["authgw", "explain", "--config", str(config), "--user", line.user, line.method, _target(line)]
    return shlex.join(command) + ("  (for the owner: his token may do less)" if line.token else "")
