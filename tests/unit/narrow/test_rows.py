"""Rows as the product writes them, in all its spellings."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import UNSET, Raw

from authgw.catalogue.model import Rows
from authgw.errors import UpstreamError
from authgw.narrow import rows as reading
from authgw.narrow.facts_gui import SINGLE_ROW
from authgw.narrow.patterns import address_number
from authgw.narrow.rows import Reader, project
from authgw.narrow.scope import Facts
from authgw.narrow.strip import strip

ARRAY = Rows(id="cdrId", number=("caller", "called"), connected="connect_duration", empty="no match cdr")


def single(row: dict[str, Any]) -> Facts:
    body = json.dumps({"success": True, "total": "1", "results": [{"ID": "7", **row}]}).encode()
    return Reader(SINGLE_ROW).page(body).rows[0].facts


@pytest.mark.parametrize(
    ("row", "field", "expected"),
    [
        ({"id_sensor": "2"}, "sensor", 2),
        ({"id_sensor": 2}, "sensor", 2),
        ({"id_sensor": None}, "sensor", None),
        ({"id_sensor": "2a"}, "sensor", UNSET),
        ({"id_sensor": True}, "sensor", UNSET),
        ({}, "sensor", UNSET),
        ({"vlan": 65534}, "vlan", None),
        ({"vlan": "100"}, "vlan", 100),
        ({"caller": 1001}, "caller", "1001"),
        ({"caller": None}, "caller", None),
        ({"sipcallerip": "10.0.0.1"}, "caller_ip", address_number("10.0.0.1")),
        ({"sipcallerip": 167837957}, "caller_ip", address_number("10.1.1.5")),
        ({"sipcallerip": "nonsense"}, "caller_ip", UNSET),
        ({"sipcallerip": ""}, "caller_ip", None),
        ({"connect_duration": None}, "connected", False),
        ({"connect_duration": "0.5"}, "connected", True),
        ({"connect_duration": 0}, "connected", True),
        ({"custom_header__X-Tenant": "acme"}, "headers", {"x-tenant": "acme"}),
        ({"custom_header__X-Tenant": None}, "headers", {"x-tenant": None}),
        ({"custom_header__X-Tenant": ["a"]}, "headers", {}),
    ],
)
def test_facts_of_a_row(row: dict[str, Any], field: str, expected: Any) -> None:
    """Numbers may be text, absent is not unknown, and what cannot be read is unknown."""
    assert getattr(single(row), field) == expected


def test_rows_go_out_as_they_came() -> None:
    """The bytes of a row are not written anew."""
    row = b'{"ID":"1",  "caller":"\\u017d\\/x", "n":1.50}'
    page = Reader(SINGLE_ROW).page(b'{"success":true,"total":"1","results":[' + row + b"]}")
    assert bytes(page.rows[0].raw) == row
    assert json.loads(project(Raw(row), ("ID", "n"))) == {"ID": "1", "n": 1.5}


@pytest.mark.parametrize("total", ["5", 5])
def test_totals_are_text_or_number(total: Any) -> None:
    """Older versions write text, newer ones a number."""
    assert Reader(SINGLE_ROW).page(json.dumps({"total": total, "results": []}).encode()).total == 5


@pytest.mark.parametrize(
    "body",
    [b"[]", b'{"success":false,"error":"x"}', b'{"total":"x","results":[]}', b'{"results":{}}', b'{"results":[1]}',
     b'{"total":"-1","results":[]}', b'{"total":"1"', b'{"success":false,"total":"0"}'],
)  # fmt: skip
def test_replies_of_another_form_are_refused(body: bytes) -> None:
    """A reply that is not of the declared form is never taken for an empty one."""
    with pytest.raises(UpstreamError):
        Reader(SINGLE_ROW).page(body)


def test_bare_arrays_and_their_empty_form() -> None:
    """A list of rows, lists of rows, or the product's words for nothing found."""
    reader = Reader(ARRAY)
    assert [row.id for row in reader.page(b'[{"cdrId":"3"},{"cdrId":4}]').rows] == [3, 4]
    nested = reader.page(b'[[{"cdrId":1},{"cdrId":2}],[],[{"cdrId":3}]]')
    assert [[row.id for row in group] for group in nested.groups()] == [[1, 2], [], [3]]
    assert reader.page(b'{"success":false,"error":"no match cdr"}').rows == []
    with pytest.raises(UpstreamError):
        reader.page(b'{"success":false,"error":"access denied"}')


def test_sql_and_debug_fields_are_stripped() -> None:
    """Fields that tell of SQL or debugging go; one that says "no debugging" stays, and so does everything else."""
    body = b'{"results":[{"ID":"1"}],"_debug":false,"sql":"SELECT","debugInfo":{"a":1},"total":1}'
    assert json.loads(strip(body)) == {"results": [{"ID": "1"}], "_debug": False, "total": 1}


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (b'{"results":[{"ID":"1","sql":1}],"total":1}', {"results": [{"ID": "1"}], "total": 1}),
        (b'{"data":{"charts":[{"x":1,"sqlQuery" : "S"}]}}', {"data": {"charts": [{"x": 1}]}}),
        (b'[{"ID":"1","_debug":{"a":1}}]', [{"ID": "1"}]),
        (b'{"a":{"\\u0073ql":"S","b":2}}', {"a": {"b": 2}}),
        (b'{"results":[{"caller":"sql: \\"debug\\": x","_debug":false}]}',
         {"results": [{"caller": 'sql: "debug": x', "_debug": False}]}),
    ],
)  # fmt: skip
def test_sql_and_debug_fields_are_stripped_however_deep(body: bytes, left: Any) -> None:
    """In rows, in what is nested, in a bare list, under a name written with escapes; values are no names."""
    assert json.loads(strip(body)) == left


def test_what_tells_of_no_query_keeps_its_bytes() -> None:
    """Where there is nothing to take off, nothing is written anew."""
    body = b'{ "results": [ {"mos": 4.10} ] }'
    assert strip(body) == body
    assert strip(b'{"a":1,  "_debug":false}') == b'{"a":1,  "_debug":false}'
    assert strip(b"[1]") == b"[1]"


def test_vlan_of_nothing() -> None:
    """65534 is how active calls say that there is no vlan."""
    assert (reading.vlan("65534"), reading.vlan(""), reading.vlan("7")) == (None, None, 7)
