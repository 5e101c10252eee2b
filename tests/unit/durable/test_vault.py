"""The vault: what is sealed opens in its own place only, under the keys that the file has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authgw.durable.vault import Vault
from authgw.session.keys import Key, Keys

OLD, NEW, OTHER = Key("k1", b"1" * 32), Key("k2", b"2" * 32), Key("k1", b"3" * 32)


def vault(*keys: Key, purpose: str = "totp") -> Vault:
    return Vault(Keys(keys), purpose)


@given(st.binary(max_size=200), st.text(max_size=40))
def test_what_is_closed_opens(value: bytes, row: str) -> None:
    """Any value comes out as it went in, and its sealed form does not hold it."""
    blob = vault(OLD).close(row, value)
    assert vault(OLD).open(row, blob) == value
    assert len(value) < 4 or value not in blob


@pytest.mark.parametrize(
    ("opener", "row"),
    [(vault(OLD), "8"), (vault(OLD, purpose="passkey"), "7"), (vault(NEW), "7"), (vault(OTHER), "7")],
    ids=["another row", "another purpose", "the key is gone", "another key of that id"],
)
def test_it_opens_nowhere_else(opener: Vault, row: str) -> None:
    """Moved to another row, read as something else, or under another key it is nothing."""
    assert opener.open(row, vault(OLD).close("7", b"secret")) is None


def test_no_changed_or_cut_byte_opens() -> None:
    """Every byte of the sealed form is guarded, its key id and version too, and every shorter form is nothing."""
    blob = vault(OLD, NEW).close("7", b"secret")
    for place in range(len(blob)):
        assert vault(OLD, NEW).open("7", blob[:place] + bytes([blob[place] ^ 1]) + blob[place + 1 :]) is None
        assert vault(OLD, NEW).open("7", blob[:place]) is None


def test_keys_rotate() -> None:
    """With a new key on top old values open and are known as old; sealed anew they need the old key no more."""
    blob = vault(OLD).close("7", b"secret")
    rotated = vault(NEW, OLD)
    assert (rotated.open("7", blob), rotated.is_current(blob)) == (b"secret", False)
    fresh = rotated.close("7", b"secret")
    assert (vault(NEW).open("7", fresh), rotated.is_current(fresh)) == (b"secret", True)
