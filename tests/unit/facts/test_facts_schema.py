"""The site's tables: what must be there, and where its custom headers are."""

from __future__ import annotations

import pytest

from authgw.facts.schema import CDR, NEXT, Column, layout


def columns(*more: tuple[str, str], without: tuple[str, str] | None = None) -> list[Column]:
    pairs = [*(("cdr", name) for name in CDR), *(("cdr_next", name) for name in NEXT), *more]
    return [Column(table, name, "latin1", "latin1_swedish_ci") for table, name in pairs if (table, name) != without]


@pytest.mark.parametrize("missing", [("cdr", "vlan"), ("cdr", "ID"), ("cdr_next", "fbasename")])
def test_a_missing_column_is_named(missing: tuple[str, str]) -> None:
    """What the account does not see is said by table and column."""
    found = layout(columns(without=missing), {})
    assert isinstance(found, str)
    assert ".".join(missing) in found


def test_headers_are_found_by_their_columns() -> None:
    """Columns of cdr_next that bear a header's name are that header, whatever its letter case; others are none."""
    found = layout(columns(("cdr_next", "custom_header__X-Tenant"), ("cdr_next", "custom_header1")), {})
    assert not isinstance(found, str)
    assert [header.name for header in found.headers] == ["x-tenant"]
    assert found.header("X-TENANT") == Column("cdr_next", "custom_header__X-Tenant", "latin1", "latin1_swedish_ci")
    assert found.header("X-Other") is None


def test_headers_may_be_named_by_the_operator() -> None:
    """A column without the header's name is used where the settings say so, and missed where it is not there."""
    third = [("cdr_next_1", name) for name in ("cdr_ID", "calldate", "custom_header_3")]
    found = layout(columns(*third), {"X-Account": "cdr_next_1.custom_header_3"})
    assert not isinstance(found, str)
    assert [(header.name, header.column.table) for header in found.headers] == [("x-account", "cdr_next_1")]
    wrong = layout(columns(*third), {"X-Account": "cdr_next_2.custom_header_1"})
    assert isinstance(wrong, str)
    assert "cdr_next_2.custom_header_1" in wrong
    assert "cdr_next_2.calldate" in wrong
