"""Cookies: malformed pieces never become a session."""

from __future__ import annotations

import pytest

from authgw.intake.cookies import parse
from authgw.intake.request import Refused
from authgw.reasons import Reason


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("PHPSESSID=abc; path=/", {"PHPSESSID": ("abc",), "path": ("/",)}),
        ("a=1;b=2;  c=3\t", {"a": ("1",), "b": ("2",), "c": ("3",)}),
        ("a=1; a=2; a=1", {"a": ("1", "2")}),
        ("a=1; A=2", {"a": ("1",), "A": ("2",)}),
        (";;=;a=1;", {"a": ("1",)}),
        ("=x; a=1", {"a": ("1",)}),
        ("session", {}),
        ("session=", {"session": ("",)}),
        ('session="abc"', {"session": ('"abc"',)}),
        ("session=a%62c", {"session": ("a%62c",)}),
        ("session=abc=", {"session": ("abc=",)}),
        ("session=ab\xe9; a=1", {"a": ("1",)}),
        ("s\xe9ssion=abc", {}),
        ("a b=1", {}),
        ("a, session=abc", {}),
        ("$Version=1; session=abc", {"$Version": ("1",), "session": ("abc",)}),
        ("__Host-authgw=abc", {"__Host-authgw": ("abc",)}),
    ],
)
def test_pieces_are_kept_as_spelt_or_dropped(header: str, found: dict[str, tuple[str, ...]]) -> None:
    """Nothing is decoded, unquoted, cut or repaired."""
    assert parse(header, 200) == found


def test_the_number_of_cookies_is_bounded() -> None:
    """One piece beyond the bound refuses the request."""
    assert isinstance(parse(";".join(["a=1"] * 200), 200), dict)
    answer = parse(";".join(["a=1"] * 201), 200)
    assert isinstance(answer, Refused)
    assert (answer.reason, answer.status) == (Reason.COOKIE_MALFORMED, 400)
