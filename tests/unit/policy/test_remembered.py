"""Remembered decisions: never another answer than `decide` gives."""

from __future__ import annotations

import random
from itertools import product
from pathlib import Path

from authgw.catalogue.load import load
from authgw.intake.request import Body, Request
from authgw.policy import fields as typed
from authgw.policy.decide import Case, Rules, decide
from authgw.policy.remembered import Decisions
from authgw.rights.claims import Claims, Grant, Scope
from authgw.session.model import Kind

CATALOGUE = load(["voipmonitor"], Path())
RULES = Rules(origin="https://gw")


def claims(*flags: str, limits: tuple[str, ...] = (), scope: Scope = Scope()) -> Claims:
    return Claims("static", "u", 1, (Grant(flags=frozenset(flags), limits=frozenset(limits), scope=scope),))


PEOPLE = [
    claims(),
    claims("can_cdr"),
    claims("can_cdr", "can_pcap", limits=("simple_cdr", "no_rtp"), scope=Scope(sensors=(2,))),
    claims("is_admin", "can_cdr", "can_pcap", "can_play_audio"),
]


def test_every_call_of_the_catalogue_is_decided_alike() -> None:
    """Each entry for several users, kinds, methods and bodies, with few and with more fields, in any order and twice
    over, with room for some decisions only: always what `decide` says."""
    chance = random.Random(5)
    cases = list(product(CATALOGUE.entries, PEOPLE, [*Kind, None], ["GET", "POST"], [Body.NONE, Body.FORM], [0, 1, 2]))
    chance.shuffle(cases)
    decisions, opened = Decisions(size=3000), 0
    for _ in range(2):
        for entry, who, kind, method, body, more in cases:
            given = {name: value.split("|")[0].replace("*", "") for name, value in entry.where.items()}
            if more == 2 and entry.json_field:
                given |= {entry.json_field: "[]"}
            elif more:
                given |= {name: chance.choice(["1", "", "true"]) for name in list(entry.params)[:3] if name != "*"}
            request = Request(method, False, entry.path, given, body, {}, {}, "127.0.0.1")
            fields = typed.read(entry, given)
            expected = decide(Case(entry, request, fields, who, kind, RULES))
            assert decisions.of(entry, request, fields, who, kind, RULES) == expected
            opened += hasattr(expected, "grants")
    assert opened > 100


def test_a_user_whose_rights_have_changed_is_judged_anew() -> None:
    """Other claims, of the same user and just after the old ones are gone, never meet the decision for the old ones."""
    decisions = Decisions()
    hit = CATALOGUE.match("/php/apilicensecheck.php", {"task": "licenseCheck"})
    assert hit is not None
    request = Request("GET", False, hit[0].path, {}, Body.NONE, {}, {}, "127.0.0.1")
    fields = typed.read(*hit)
    for turn in range(200):
        who = claims("can_cdr") if turn % 2 else claims()
        expected = decide(Case(hit[0], request, fields, who, Kind.API, RULES))
        assert decisions.of(hit[0], request, fields, who, Kind.API, RULES) == expected
        del who
