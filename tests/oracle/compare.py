"""One case: some claims, some requests, and what comes through the gateway beside what the formula says."""

from __future__ import annotations

from oracle import requests
from oracle.active import active_calls
from oracle.api import cdr_ids, voip_calls
from oracle.case import Case
from oracle.lists import listing, sensors, single_rows
from oracle.objects import audio, captures, histories
from oracle.selected import selected_captures, selected_recordings, shared_calls


async def whole_case(case: Case) -> None:
    """Every comparison once. Raises Differs at the first difference."""
    seen, all_ = len(case.seen("can_cdr")), len(case.site.records)
    case.tally.counts["cases"] += 1
    case.tally.counts["cases that see part"] += 0 < seen < all_
    case.tally.counts["cases that see nothing"] += seen == 0
    await listing(case, requests.everything())
    wanted = requests.listing(case.random, case.site.records, case.site.sensors, simple=case.simple)
    await listing(case, wanted)
    await sensors(case)
    await histories(case)
    await captures(case)
    await audio(case)
    await single_rows(case)
    await voip_calls(case)
    await cdr_ids(case)
    for _ in range(2):
        await selected_captures(case)
        await selected_recordings(case)
    await shared_calls(case)
    await active_calls(case)
