"""The README as data: its code blocks with their commands and output, and its tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Block:
    """A fenced block. `info` is what stands behind the fence, `line` where the block begins, from 1."""

    info: str
    text: str
    line: int


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def heading(text: str) -> str:
    """What a link to this heading ends with, as GitHub makes it: lower case, hyphens for blanks, few other signs."""
    return re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-")


def blocks(prefix: str) -> list[Block]:
    """Fenced blocks whose info begins so, in their order."""
    text = readme()
    found = []
    for match in re.finditer(r"^```([^\n`]+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if match[1] == prefix or match[1].startswith(prefix + " "):
            found.append(Block(match[1], match[2], text.count("\n", 0, match.start()) + 1))
    return found


def commands(block: Block) -> list[tuple[str, str]]:
    """The commands of a console block, without the prompt, each with the output below it."""
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]
    return [(part.partition("\n")[0], part.partition("\n")[2].strip()) for part in parts]


def section(title: str) -> str:
    """The text below a heading of level two or three, up to the next one."""
    found = re.search(rf"^##+ {re.escape(title)}$\n(.*?)(?=^##+ |\Z)", readme(), re.MULTILINE | re.DOTALL)
    assert found is not None, f"the README has no section {title}"
    return found[1]


def rows(text: str, columns: int) -> list[tuple[str, ...]]:
    """The rows of all tables of so many columns, without heads and rules."""
    found = []
    lines = text.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        cells = tuple(cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1])
        is_rule = bool(cells) and all(set(cell) <= set("-: ") for cell in cells)
        if len(cells) == columns and not is_rule and not re.match(r"^\|[-: |]+\|$", following):
            found.append(cells)
    return found
