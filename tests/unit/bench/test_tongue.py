"""The bench's upstream says what the product says, as far as the loads need it."""

from __future__ import annotations

import json

from authgw.narrow.facts_gui import SINGLE_ROW
from authgw.narrow.rows import Reader
from authgw.upstream import bypass
from bench.tongue import COUNTRY, answer

LISTING = {"task": "LISTING", "module": "CDR", "fdatefrom": "2026-11-02T00:00:00"}


def test_its_login_opens_a_session() -> None:
    """The gateway reads the cookie out of it as out of the product's own."""
    said = answer({"module": "bypass_login", "user": "authgw", "pass": "any"})
    assert bypass.cookie(200, said).startswith("PHPSESSID=")


def test_lists_are_paged() -> None:
    """`start` and `limit` cut the list, and the total is that of the whole."""
    said = json.loads(answer({**LISTING, "start": "455", "limit": "1000"}))
    assert [row["ID"] for row in said["results"]] == [456, 457, 458, 459, 460]
    assert said["total"] == "460"


def test_the_460_rows_are_210_kilobytes() -> None:
    """The list that the targets are about is as large as the product's."""
    assert 200_000 < len(answer({**LISTING, "limit": "460"})) < 220_000


def test_half_of_the_callers_are_of_either_country() -> None:
    """Who may see the numbers of one country sees every second row."""
    rows = json.loads(answer({**LISTING, "limit": "460"}))["results"]
    assert [sum(row["caller"].startswith(begin) for row in rows) for begin in COUNTRY] == [230, 230]


def test_single_calls_carry_what_scopes_judge() -> None:
    """A looked-up call is the one that was asked for, with its sensor."""
    (row,) = Reader(SINGLE_ROW).page(answer({"task": "SINGLEROW", "module": "CDR", "ID": "42"})).rows
    assert (row.id, row.facts.sensor) == (42, 2)


def test_each_second_finds_other_calls() -> None:
    """getVoipCalls of two seconds share no call, so that each is looked up anew."""
    found = [
        {row["cdrId"] for row in json.loads(answer({"task": "getVoipCalls", "params": f'{{"startTime":"{at}"}}'}))}
        for at in ("2026-11-05 00:00:00", "2026-11-05 00:00:01")
    ]
    assert found[0].isdisjoint(found[1])
