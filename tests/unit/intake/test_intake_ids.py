"""Ids."""

from __future__ import annotations

import pytest

from authgw.intake.ids import cdr_id, id_list


@pytest.mark.parametrize("text", ["1", "128024514", "9223372036854775807"])
def test_ids_are_plain_numbers(text: str) -> None:
    """Up to the largest that PHP holds."""
    assert cdr_id(text) == int(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "-1",
        "+12",
        "012",
        " 12",
        "12 ",
        "12\n",
        "12abc",
        "12.9",
        "1e1",
        "0x1A",
        "1_0",
        "٣",
        "９",
        "1,2",
        "null",
        "9223372036854775808",
        "9999999999999999999",
        "1" * 20,
    ],
)
def test_other_spellings_are_no_ids(text: str) -> None:
    """What PHP would quietly take for some number."""
    assert cdr_id(text) is None


def test_every_member_of_a_list_is_checked() -> None:
    """Order kept, equal ones once; one bad member spoils the list; the number is bounded."""
    assert id_list("12") == (12,)
    assert id_list("14,12,14") == (14, 12)
    for text in ("", ",", "12,", ",12", "12,,13", "12, 13", "12,x", "12;13", "12,0", "12,-1", "[12]"):
        assert id_list(text) is None
    assert id_list("1,2,3", limit=3) == (1, 2, 3)
    assert id_list("1,2,3,4", limit=3) is None
