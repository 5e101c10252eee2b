"""Rows read in bulk are judged and written as the exact reader does it, whatever a reply looks like."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authgw.catalogue.model import Rows
from authgw.errors import UpstreamError
from authgw.narrow.bulk import BulkRow
from authgw.narrow.judge import Judge
from authgw.narrow.rows import Page, Reader, _columns, bulk, written
from authgw.narrow.scope import compile_scope
from authgw.rights.claims import Scope

SPEC = Rows(
    at="results",
    total="total",
    sensor="id_sensor",
    number=("caller", "called"),
    ip=("sipcallerip", "sipcalledip"),
    domain=("caller_domain", "called_domain"),
    vlan="vlan",
    connected="connect_duration",
)
BARE = SPEC.model_copy(update={"at": None, "total": None})
SCOPES = {
    "domain": Scope(domain=("acme.example",)),
    "number": Scope(number=("4420%", "!%99")),
    "ip": Scope(ip=("192.0.2.0/24",)),
    "sensor and vlan": Scope(sensors=(2, 3), vlan=(7,)),
    "connected": Scope(connected_only=True),
    "any": Scope(domain=("acme.example",), ip=("2001:db8::/32",), any_dimension=True),
}

ODD = st.one_of(st.none(), st.booleans(), st.integers(-5, 70000), st.floats(allow_nan=False), st.just([]), st.just({}))


def values(usual: list[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.sampled_from(usual), st.sampled_from(usual), ODD)


FIELDS = {
    "ID": values([1, 2, 3, "4", 2**40]),
    "id_sensor": values([2, 3, 4, "2", "65535", None]),
    "caller": values(["442079460123", "4420", "+1", "", None, 4420]),
    "called": values(["442079460199", "1001", ""]),
    "sipcallerip": values(["192.0.2.10", "198.51.100.1", "2001:db8::1", 3221225994, "x"]),
    "sipcalledip": values(["192.0.2.10", "198.51.100.1", ""]),
    "caller_domain": values(["acme.example", "ACME.example", "other.example", ""]),
    "called_domain": values(["acme.example", "other.example", None]),
    "vlan": values([7, "7", 65534, None]),
    "connect_duration": values([0, 12, "12", "", None, 1.5]),
    "whohanged": st.sampled_from(["caller", "called", "caller_domain", 'a "caller": b']),
}


@st.composite
def rows(draw: st.DrawFn) -> bytes:
    """One row as text: fields in some order, some missing, some twice, some spelt oddly."""
    names = draw(st.permutations(list(FIELDS)))
    if draw(st.integers(0, 3)) == 0:
        names = names[: draw(st.integers(0, len(names)))] + draw(st.lists(st.sampled_from(list(FIELDS)), max_size=2))
    parts = []
    for name in names:
        key = json.dumps(name)
        if draw(st.integers(0, 30)) == 0:
            key = '"\\u%04x%s"' % (ord(name[0]), name[1:])  # noqa: UP031  braces and backslashes
        gap = draw(st.sampled_from([""] * 12 + [" ", "\n", " \t"]))
        parts.append(f"{key}{gap}:{json.dumps(draw(FIELDS[name]), ensure_ascii=draw(st.booleans()))}")
    return ("{" + ",".join(parts) + "}").encode()


@st.composite
def replies(draw: st.DrawFn, bare: bool) -> bytes:
    found = b"[" + b",".join(draw(st.lists(rows(), max_size=4))) + b"]"
    if bare:
        return found
    total = draw(st.sampled_from([b'"3"', b"3", b"null", b'"x"', b"-1"]))
    return b'{"success":true,"total":%s,"results":%s}' % (total, found)


def outcome(reader: Reader, body: bytes) -> Page | str:
    try:
        return reader.page(body)
    except UpstreamError as error:
        return error.reason.value


def pairs(row: bytes) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = json.loads(row, object_pairs_hook=list)
    return found


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("name", SCOPES)
@given(data=st.data())
def test_in_bulk_nothing_is_judged_or_written_otherwise(name: str, bare: bool, data: st.DataObject) -> None:
    """The same rows seen, with the same verdicts and ids, as by the exact reader; and in what goes out every field that
    was judged is there once, with the value that was judged."""
    spec, scope = BARE if bare else SPEC, compile_scope(SCOPES[name])
    judge = Judge([scope], [frozenset()])
    body = data.draw(replies(bare))
    exact, quick = outcome(Reader(spec), body), outcome(Reader(spec, judge.needs), body)
    if isinstance(exact, str) or isinstance(quick, str):
        assert exact == quick
        return
    assert exact.total == quick.total
    assert [row.id for row in exact.rows] == [row.id for row in quick.rows]
    verdicts = [judge.verdict(row.facts) for row in exact.rows]
    assert verdicts == [judge.verdict(row.facts) for row in quick.rows]
    seen = [row for row, verdict in zip(quick.rows, verdicts, strict=True) if verdict]
    same = [row for row, verdict in zip(exact.rows, verdicts, strict=True) if verdict]
    judged = {_columns(spec)[fact][0] for fact in judge.needs}
    for one, other in zip(written(seen, bulk(spec, judge.needs)), written(same, None), strict=True):
        assert json.loads(one) == json.loads(other)
        keys = [key for key, _ in pairs(one)]
        assert all(keys.count(key) <= 1 for key in judged)


def test_usual_replies_are_read_in_bulk() -> None:
    """What the GUI sends day by day takes the quick way: else its tests would test nothing."""
    row = b'{"ID":1,"caller_domain":"acme.example","called_domain":"other.example","whohanged":"caller_domain"}'
    for spec, body in ((BARE, b"[%s,%s]"), (SPEC, b'{"success":true,"total":"2","results":[%s,%s]}')):
        needs = compile_scope(SCOPES["domain"]).needs
        page = Reader(spec, needs).page(body % (row, row.replace(b'ID":1', b'ID":2')))
        assert all(isinstance(found, BulkRow) for found in page.rows)
        assert written(page.rows, bulk(spec, needs)) == [row, row.replace(b'ID":1', b'ID":2')]


@pytest.mark.parametrize("gap", [b"", b" ", b"  ", b"   ", b'" :', b'":'])
def test_a_field_that_is_there_twice_goes_out_once(gap: bytes) -> None:
    """However far its second name stands from its colon: a reader who takes the first of two sees nothing else."""
    scope = compile_scope(SCOPES["domain"])
    row = b'{"ID":1,"caller_domain":"other.example","called_domain":"x","a":"%b","caller_domain"%b:"acme.example"}'
    gap, text = (b"", gap.replace(b'"', b'\\"')) if b'"' in gap else (gap, b"")
    page = Reader(BARE, scope.needs).page(b"[%b]" % (row % (text, gap)))
    (written_row,) = written(page.rows, bulk(BARE, scope.needs))
    assert [value for key, value in pairs(written_row) if key == "caller_domain"] == ["acme.example"]
