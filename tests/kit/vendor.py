"""The example lines of the vendor's Web API description, as they are run: by a shell, or as an address is opened.

`tests/data/vendor_lines.csv` has them, one a row, with the number of the line in the description. Its errata are
corrected, its hosts, ids and dates are those of the records, and @NAMES@ stand for what differs from run to run.
"""

from __future__ import annotations

import csv
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx2

from kit.world import World

FILE = Path(__file__).parents[1] / "data" / "vendor_lines.csv"
# Called as `php api.php` the GUI's script reads JSON from its standard input: a POST of that JSON.
SCRIPT = """
php() { curl -sS --max-time 30 -D "$HEAD" -o "$BODY" -H 'Content-Type: application/json' --data-binary @- \\
    "$SITE/php/${1#php/}"; }
curl() { command curl -sS --max-time 30 -g -D "$HEAD" -o "$BODY" "$@"; }
"""


@dataclass(frozen=True)
class Line:
    """A row: `form` is curl, echo (a pipe to php), url or fields (a form); `statuses` by user."""

    number: int
    base: str
    call: str
    form: str
    asked: str
    statuses: dict[str, int]
    reply: str

    def __str__(self) -> str:
        return f"line {self.number}: {self.asked}"


@dataclass(frozen=True)
class Said:
    status: int
    body: bytes


def lines() -> list[Line]:
    with FILE.open(encoding="utf-8", newline="") as file:
        return [
            Line(
                int(row["line"]), row["base"], row["call"], row["form"], row["asked"],
                {"whole": int(row["whole"]), "acme": int(row["acme"])}, row["reply"],
            )
            for row in csv.DictReader(file)
        ]  # fmt: skip


@dataclass(frozen=True)
class Runner:
    """One user before a running site. `names`: what stands for @NAMES@; `cookie` goes with addresses and forms."""

    site: World
    names: dict[str, str]
    cookie: str
    folder: Path

    def run(self, line: Line) -> Said:
        asked = re.sub("@([A-Z]+)@", lambda name: self.names[name[1]], line.asked)
        if line.form in {"curl", "echo"}:
            return self._in_a_shell(asked)
        headers = {"cookie": self.cookie}
        if line.form == "fields":
            # Written as fields, sent as a form is sent.
            fields = dict(part.split("=", 1) for part in asked.split("&"))
            answer = httpx2.post(f"{self.site.url}/php/model/utilities.php", data=fields, headers=headers, timeout=30)
        else:
            answer = httpx2.get(as_a_browser_writes(asked), headers=headers, timeout=30)
        return Said(answer.status_code, answer.content)

    def _in_a_shell(self, asked: str) -> Said:
        head, body = self.folder / "head", self.folder / "body"
        settings = f'HEAD="{head}"; BODY="{body}"; SITE="{self.site.url}"\n'
        done = subprocess.run(
            ["sh", "-eu"], input=settings + SCRIPT + asked, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return Said(int(head.read_text().split(" ", 2)[1]), body.read_bytes())


def as_a_browser_writes(url: str) -> str:
    """The address with the signs encoded that a browser encodes in a query (URL standard, query percent-encode set)."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}?{quote(parts.query, safe='%&=?:/,;@[]{}!$()*+~-._')}"
