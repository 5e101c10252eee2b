"""What a call costs that is passed on: not in time, which depends on the machine, but in calls of functions."""

from __future__ import annotations

import asyncio
import gc
import json
from collections import Counter
from pathlib import Path

import uvloop

from kit.hot import Calls, hot

BODY = json.dumps({"success": True, "license": "x" * 1950}).encode()
ALICE = {"username": "alice", "password": "secret", "id": 1, "can_cdr": True}
CAROL = {"username": "carol", "password": "secret", "id": 2, "can_pcap": True}
TIMES = 20
LICENCE = b"/php/apilicensecheck.php?task=licenseCheck"
LISTING = b"/php/model/sql.php?task=LISTING&module=CDR&fdatefrom=2026-11-01T00:00:00&limit=30"


def counted(folder: Path, user: str, target: bytes) -> tuple[float, str]:
    """Calls of Python functions for one request of a known session, and where most of them are."""

    async def measure() -> Calls:
        async with hot(folder, [ALICE, CAROL], BODY) as site:
            await site.login(user, "secret")
            for _ in range(TIMES):
                await site.ask(target)
            with Calls() as calls:
                for _ in range(TIMES):
                    await site.ask(target)
            return calls

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        made = runner.run(measure()).made
    most = "\n".join(f"{count / TIMES:7.2f}  {name}" for name, count in made.most_common(40))
    return sum(made.values()) / TIMES, most


ADVICE = """
The hot path has grown. Either give it back what it gained (a loop, a generator or a helper for each request, something
that could be made once per entry, session or connection), or, where a check is worth it, raise the bound in the commit
that adds it and say there what it does. Calls of one request by function:
"""


def test_a_call_that_is_passed_on_stays_cheap(tmp_path: Path) -> None:
    """2 KB of JSON for a session that is known: everything is judged, with no more than so many calls of functions."""
    calls, most = counted(tmp_path, "alice", LICENCE)
    assert calls <= 172, f"{calls:g} calls of functions a request, 172 are allowed.{ADVICE}{most}"


def test_a_refusal_costs_less_than_what_it_refuses(tmp_path: Path) -> None:
    """A call without its flag: refused, written to the audit log, and answered."""
    calls, most = counted(tmp_path, "carol", LISTING)
    assert calls <= 175, f"{calls:g} calls of functions a refusal, 175 are allowed.{ADVICE}{most}"


def test_what_has_been_answered_is_gone(tmp_path: Path) -> None:
    """Nothing of a request waits for the garbage collector: what is not needed any more goes at once."""

    async def left() -> Counter[str]:
        async with hot(tmp_path, [ALICE, CAROL], BODY) as site:
            await site.login("alice", "secret")
            await site.ask(LICENCE)
            gc.collect()
            gc.disable()
            gc.set_debug(gc.DEBUG_SAVEALL)
            try:
                for _ in range(TIMES):
                    await site.ask(LICENCE)
                gc.collect()
                return Counter(type(each).__name__ for each in gc.garbage)
            finally:
                gc.set_debug(0)
                gc.garbage.clear()
                gc.enable()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(left())
    assert {name: count for name, count in found.items() if count >= TIMES} == {}
