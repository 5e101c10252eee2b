"""Ids."""

from __future__ import annotations

import pytest

from authgw.intake.ids import cdr_id


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
