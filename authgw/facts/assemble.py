"""Facts as the settings want them: from the GUI, from the product's database, or from the one where the other fails."""

from __future__ import annotations

import time

from authgw.facts.database import Database
from authgw.facts.teller import DatabaseFacts, OrElse
from authgw.narrow.facts import CallFacts
from authgw.narrow.facts_gui import GuiFacts
from authgw.narrow.facts_teller import Teller
from authgw.settings import Settings
from authgw.upstream.api import Upstream


def call_facts(settings: Settings, upstream: Upstream) -> CallFacts:
    """To be made inside the loop, and closed."""
    gui, database = GuiFacts(upstream), database_facts(settings)
    teller: Teller = gui
    if database is not None:
        teller = OrElse(database, gui) if settings.facts.fallback == "gui" else database
    return CallFacts(teller, time.monotonic)


def database_facts(settings: Settings) -> DatabaseFacts | None:
    """The database alone; None where none is set."""
    ours = settings.facts
    if ours.url is None:
        return None
    database = Database(ours.url, seconds=ours.timeout, threads=ours.threads, clock=time.monotonic)
    return DatabaseFacts(database, ours.headers, time.monotonic)


async def unready(facts: CallFacts, fresh: float = 5.0) -> str | None:
    """Why the database cannot tell, for anybody: without names and addresses. None too where the GUI would do."""
    if isinstance(facts.teller, DatabaseFacts) and await facts.teller.check(fresh) is not None:
        return "the database of facts cannot be asked"
    return None
