"""Facts about calls: by the GUI one by one, and by the product's database, hundreds by one SELECT."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
import time
from pathlib import Path

from authgw.narrow.facts import CallFacts
from bench.timing import spread, table
from kit.call_tables import fill
from kit.facts import asking, telling
from kit.mariadb import mariadb
from kit.world import lookalike
from oracle.data import VOIP_V6, records_of

TITLE = "Look-ups: calls a second, and microseconds of the gateway's CPU for each"
COUNTS = (1, 460, 5000)
ONE_BY_ONE = 50
FIRST = 5000
PATH = "/usr/sbin:/usr/local/sbin:/usr/bin:/bin"


def run(rounds: int, seed: int) -> tuple[str, list[dict[str, object]]]:
    """A table and its figures; `seed` is not needed, the calls are fixed."""
    if shutil.which("mariadbd", path=PATH) is None:
        return "not measured: mariadbd is not installed", []
    with tempfile.TemporaryDirectory() as folder:
        taken = asyncio.run(_measured(Path(folder), min(rounds, 5)))
    shown, kept = [], list[dict[str, object]]()
    for (teller, count), times in taken.items():
        rates = [count / seconds for seconds, _ in times]
        costs = [cpu / count * 1e6 for _, cpu in times]
        shown.append([f"{count} by {teller}", spread(rates).show(), spread(costs).show()])
        kept.append({"teller": teller, "count": count, "per_second": rates, "cpu_us": costs})
    return table(["look-ups", "calls a second", "µs each"], shown), kept


async def _measured(folder: Path, rounds: int) -> dict[tuple[str, int], list[tuple[float, float]]]:
    """Seconds and CPU seconds of each round, by teller and number of calls."""
    taken: dict[tuple[str, int], list[tuple[float, float]]] = {}
    data = _calls(folder / "data")
    with mariadb(_made(folder / "mariadb")) as server, lookalike(folder / "gui", data) as url:
        database_url = fill(server, "lookups", data, ipv6=True)
        async with asking(url) as gui, telling(database_url, threads=4) as database:
            for turn in range(rounds + 1):
                for teller in (gui, database):
                    for count in COUNTS:
                        facts = CallFacts(teller, time.monotonic)
                        questions = ONE_BY_ONE if count == 1 else 1
                        began, busy = time.perf_counter(), time.process_time()
                        for first in range(FIRST, FIRST + questions):
                            assert all((await facts.many(range(first, first + count))).values())
                        spent = ((time.perf_counter() - began) / questions, (time.process_time() - busy) / questions)
                        if turn:  # the first round only warms up
                            taken.setdefault((teller.name, count), []).append(spent)
    return taken


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _calls(folder: Path) -> Path:
    """The real calls again and again, under new ids."""
    records, most = records_of(VOIP_V6), max(COUNTS)
    lines = [json.dumps({**records[at % len(records)], "ID": FIRST + at}) for at in range(most)]
    (_made(folder) / "cdr.jsonl").write_text("\n".join(lines) + "\n")
    shutil.copy(VOIP_V6 / "sensors.jsonl", folder / "sensors.jsonl")
    return folder
