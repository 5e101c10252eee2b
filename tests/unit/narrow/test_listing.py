"""Pages, totals and walks for one user, over an upstream of plain rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from authgw.catalogue.model import Rows
from authgw.narrow.facts import CallFacts
from authgw.narrow.facts_gui import GuiFacts
from authgw.narrow.judge import Judge
from authgw.narrow.listing import Listing, stable_sort
from authgw.narrow.rows import Reader
from authgw.narrow.scan import Window
from authgw.narrow.scope import compile_scope
from authgw.narrow.sieve import Sieve
from authgw.narrow.walk import walk
from authgw.rights.claims import Scope
from authgw.upstream.api import Call

LISTING = Rows(at="results", total="total", id="ID", pages="start", sensor="id_sensor", number=("caller", "called"),
               simple=("ID", "caller"))  # fmt: skip
WALKED = Rows(id="cdrId", pages="id", sensor="id_sensor")


class FakeReply:
    status, headers, location = 200, (), None

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self, limit: int) -> bytes:
        return self._body

    async def close(self) -> None:
        pass

    def stream(self) -> Any:
        raise AssertionError("lists are read")


class Calls:
    """An upstream that holds `rows` (oldest first), with vlan known only to SINGLEROW."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        self.asked = 0
        self.looked_up: list[int] = []
        self.facts = CallFacts(GuiFacts(self), lambda: 0.0)

    async def send(self, call: Call) -> FakeReply:
        wanted = int(dict(call.fields)["ID"])
        self.looked_up.append(wanted)
        found = [row for row in self.rows if int(row["ID"]) == wanted]
        return FakeReply(json.dumps({"success": True, "total": str(len(found)), "results": found}).encode())

    async def fetch(self, fields: Mapping[str, str], most: int | None = None) -> bytes:
        self.asked += 1
        if "params" in fields:
            asked = json.loads(fields["params"])
            rows = [row for row in self.rows if int(row["ID"]) >= int(asked["offset"])][: int(asked["size"])]
            return json.dumps([{"cdrId": row["ID"], "id_sensor": row["id_sensor"]} for row in rows]).encode()
        shown = [{key: value for key, value in row.items() if key != "vlan"} for row in self.rows]
        start, limit = int(fields["start"]), int(fields["limit"])
        return json.dumps({"success": True, "total": len(shown), "results": shown[start : start + limit]}).encode()


def rows(count: int) -> list[dict[str, Any]]:
    return [
        {"ID": str(n), "id_sensor": n % 3, "caller": f"+44{n}", "called": "1", "vlan": 100 if n % 5 == 0 else None}
        for n in range(1, count + 1)
    ]


def judge(*scopes: Scope, limits: tuple[frozenset[str], ...] = ()) -> Judge:
    return Judge([compile_scope(scope) for scope in scopes], limits or [frozenset[str]()] * len(scopes))


def ids(found: list[bytes], key: str = "ID") -> list[int]:
    return [int(json.loads(row)[key]) for row in found]


@pytest.mark.anyio
@pytest.mark.parametrize("limit", [1, 7, 30, 5000])
async def test_every_page_of_a_scan_is_exact(limit: int) -> None:
    """Walking all pages of a scan gives each visible row once, in order, with one and the same total."""
    upstream = Calls(rows(2345))
    listing = Listing(LISTING, judge(Scope(sensors=(1,), number=("%7",))), upstream)
    expected = [n for n in range(1, 2346) if n % 3 == 1 and n % 10 == 7]
    seen: list[int] = []
    for start in range(0, len(expected) + limit, max(limit, len(expected) // 3)):
        found = await listing.scan({}, Window(start, limit), 30)
        assert found.total == len(expected)
        assert ids(found.rows) == expected[start : start + limit]
        seen += ids(found.rows)
    assert seen[:limit] == expected[:limit]


@pytest.mark.anyio
async def test_unknown_fields_are_looked_up_only_where_they_decide() -> None:
    """Rows that what is known hides are not looked up; the others show exactly the calls of the vlan."""
    upstream = Calls(rows(60))
    listing = Listing(LISTING, judge(Scope(sensors=(0,), vlan=(100,))), upstream)
    found = await listing.scan({}, Window(0, 100), 30)
    assert ids(found.rows) == [n for n in range(1, 61) if n % 15 == 0]
    assert sorted(upstream.looked_up) == [n for n in range(1, 61) if n % 3 == 0]


@pytest.mark.anyio
async def test_a_foreign_row_on_a_pushed_page_is_noticed() -> None:
    """Upstream's totals are not believed once it returns a row that the user does not see."""
    assert await Listing(LISTING, judge(Scope(sensors=(1,))), Calls(rows(9))).page({}, Window(0, 9)) is None
    one_sensor = [row for row in rows(9) if row["id_sensor"] == 1]
    found = await Listing(LISTING, judge(Scope(sensors=(1,))), Calls(one_sensor)).page({}, Window(0, 2))
    assert found is not None
    assert (ids(found.rows), found.total) == ([1, 4], 3)


@pytest.mark.anyio
async def test_reduced_rows_follow_the_grant_that_shows_them() -> None:
    """A row is whole if some grant without simple_cdr shows it, and reduced if only a stricter one does."""
    both = judge(Scope(sensors=(1,)), Scope(), limits=(frozenset(), frozenset({"simple_cdr"})))
    found = await Listing(LISTING, both, Calls(rows(4))).scan({}, Window(0, 9), 30)
    assert [set(json.loads(row)) for row in found.rows] == [
        {"ID", "id_sensor", "caller", "called"},
        {"ID", "caller"},
        {"ID", "caller"},
        {"ID", "id_sensor", "caller", "called"},
    ]


@pytest.mark.anyio
async def test_rows_of_a_table_are_reduced_in_their_places() -> None:
    """Under its first row, which names the columns, a table keeps its width: what is not shown is null."""
    spec = Rows(id="id", table=True, sensor="id_sensor", simple=("callRef", "id_sensor"))
    body = b'[["callRef","id_sensor","callerip"],["0x1",1,167837957],["0x2",2,167837957]]'
    both = judge(Scope(sensors=(1,)), Scope(), limits=(frozenset(), frozenset({"simple_cdr"})))
    sieve = Sieve(spec, both, Calls([]))
    kept = await sieve.keep(Reader(spec).page(body).rows)
    assert [json.loads(row) for row in sieve.write(kept)] == [["0x1", 1, 167837957], ["0x2", 2, None]]


@pytest.mark.anyio
@pytest.mark.parametrize(("offset", "size"), [(1, 5), (100, 50), (1, 1), (2990, 50), (4000, 3)])
async def test_a_walk_gives_as_many_of_his_rows_as_he_asked_for(offset: int, size: int) -> None:
    """The first `size` visible rows from `offset` on, however many others lie between."""
    element = {"offset": offset, "size": size}
    found = await walk(WALKED, judge(Scope(sensors=(2,))), Calls(rows(3000)), {}, "params", element, 30)
    assert ids(found, "cdrId") == [n for n in range(offset, 3001) if n % 3 == 2][:size]


@pytest.mark.anyio
async def test_look_ups_are_shared_and_remembered() -> None:
    """The second question for a call or a miss is answered without asking, until it is too old."""
    now = [0.0]
    upstream = Calls(rows(3))
    facts = CallFacts(GuiFacts(upstream), lambda: now[0], ttl=10)
    assert (await facts.many([1, 1, 2, 99]))[99] is None
    assert await facts.of(99) is None
    assert sorted(upstream.looked_up) == [1, 2, 99]
    now[0] = 10.0
    await facts.of(99)
    assert sorted(upstream.looked_up) == [1, 2, 99, 99]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (None, [("calldate2", "DESC"), ("ID", "DESC")]),
        ('[{"property":"caller","direction":"ASC"}]', [("caller", "ASC"), ("ID", "ASC")]),
        ('[{"property":"ID","direction":"desc"}]', [("ID", "desc")]),
    ],
)
def test_order_ends_with_the_id(asked: str | None, expected: list[tuple[str, str]]) -> None:
    """The user's order stands; the id is put behind it where it is not in it."""
    assert [(key["property"], key["direction"]) for key in json.loads(stable_sort(asked))] == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, Window(0, 30)),
        ({"page": "3"}, Window(60, 30)),
        ({"page": "3", "limit": "10"}, Window(20, 10)),
        ({"page": "3", "start": "5"}, Window(5, 30)),
        ({"page": "0"}, Window(0, 30)),
    ],
)
def test_start_wins_over_page(fields: dict[str, str], expected: Window) -> None:
    """`start` is the offset and wins; without it `page` counts from one; 0 and 30 where nothing is given."""
    assert Window.of(fields) == expected
