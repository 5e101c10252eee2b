"""Writing anew."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authgw.intake import encode
from authgw.intake.path import normalise
from authgw.intake.request import Refused

_NAMES = st.from_regex(r"[A-Za-z0-9_]{1,8}", fullmatch=True)
_TEXTS = st.text(st.characters(codec="utf-8"))


@given(st.lists(st.tuples(_NAMES, _TEXTS)))
def test_a_query_is_read_back(fields: list[tuple[str, str]]) -> None:
    """Another reader finds the same fields, in a line of unreserved characters."""
    written = encode.query(fields)
    assert parse_qsl(written.decode("ascii"), keep_blank_values=True, strict_parsing=bool(fields)) == fields
    assert not set(written) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%=&")


@pytest.mark.parametrize("name", ["", "a.b", "a b", "a[]", "é", "a\n", "a=b", "a&b"])
def test_a_name_that_php_would_change_is_never_written(name: str) -> None:
    """A caller that has such a name has made a mistake."""
    with pytest.raises(ValueError):
        encode.query([(name, "1")])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        ("", ""),
        (12, "12"),
        (-(2**63), "-9223372036854775808"),
        (1.5, "1.5"),
        (True, "1"),
        (False, "0"),
        (None, ""),
        ([], "[]"),
        ({}, "{}"),
        ({"a": [1, None, True, 'é/"']}, '{"a":[1,null,true,"é/\\""]}'),
    ],
)
def test_values_become_text(value: Any, text: str) -> None:
    """Texts stay, structures are compact JSON, true and false are what PHP takes for them."""
    assert encode.as_text(value) == text


@given(st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc"))), min_size=1))
def test_a_canonical_path_is_canonical_for_ever(segments: list[str]) -> None:
    """What normalise lets through is written and read again as the same path, and decodes as any reader would."""
    raw = b"/" + b"/".join(encode.path(segment) for segment in segments)
    path = normalise(raw)
    if not isinstance(path, Refused):
        written = encode.path(path)
        assert normalise(written) == path
        assert unquote(written.decode("ascii"), errors="strict") == path
