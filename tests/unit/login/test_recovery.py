"""Recovery codes as text and as hashes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authgw.login.recovery import CODE_BYTES, canonical, hashed, spell


@given(st.binary(min_size=CODE_BYTES, max_size=CODE_BYTES))
def test_every_code_can_be_typed_back(entropy: bytes) -> None:
    """Ten letters without look-alikes in two groups, which read back as they are, in capitals and without the dash."""
    code = spell(entropy)
    assert re.fullmatch(r"[0-9a-hjkmnp-tv-z]{5}-[0-9a-hjkmnp-tv-z]{5}", code)
    plain = code.replace("-", "")
    assert canonical(code) == canonical(code.upper()) == canonical(plain) == canonical(f"  {code} ") == plain


def test_fifty_bits() -> None:
    """Each of the fifty low bits makes another code."""
    codes = {spell((1 << bit).to_bytes(CODE_BYTES, "big")) for bit in range(50)}
    assert len(codes) == 50


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("O1L1I-00000", "0111100000"),
        ("abcde–fghjk", "abcdefghjk"),
        ("", None),
        ("abcd-fghjk", None),
        ("abcde-fghjk0", None),
        ("abcdu-fghjk", None),
        ("abcdé-fghjk", None),
        ("a" * 100_000, None),
    ],
)
def test_what_people_type(typed: str, code: str | None) -> None:
    """Look-alikes are read as what they look like; what is no code is nothing."""
    assert canonical(typed) == code


def test_a_hash_depends_on_key_and_code() -> None:
    """What is stored says nothing without the user's key."""
    assert len({hashed(b"a" * 32, "0000000000"), hashed(b"b" * 32, "0000000000"), hashed(b"a" * 32, "0000000001")}) == 3
