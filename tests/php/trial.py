"""Many generated requests in a row, judged and shown to PHP."""

from __future__ import annotations

import random
from collections import Counter

import msgspec

from authgw.intake.request import Body, Raw
from php.generate import request
from php.oracle import Outcome, Php, compare


class Tally(msgspec.Struct):
    """What a run showed. `disagreements` is cut at 20: one is enough."""

    outcomes: Counter[str]
    forms: Counter[str]
    disagreements: list[tuple[Raw, list[str]]]

    def line(self, seed: int, count: int) -> str:
        """One line for a log."""
        told = [f"{self.outcomes[outcome]} {outcome}" for outcome in Outcome]
        told += [f"{self.forms[form]} by {form}" for form in Body]
        return f"seed {seed}: {count} requests, {', '.join(told)}, {len(self.disagreements)} disagreements"


def run(php: Php, count: int, seed: int) -> Tally:
    """`count` requests of this seed."""
    rng = random.Random(seed)
    tally = Tally(Counter(), Counter(), [])
    for _ in range(count):
        raw = request(rng)
        outcome, form, wrong = compare(php, raw)
        tally.outcomes[outcome] += 1
        if form is not None:
            tally.forms[form] += 1
        if wrong and len(tally.disagreements) < 20:
            tally.disagreements.append((raw, wrong))
    return tally
