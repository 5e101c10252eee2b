"""Sealing, compared with HKDF (RFC 5869) and HMAC written out by hand."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from authgw.session.keys import Key
from authgw.session.seal import Seal, is_hash, is_secret, spell

KEY = Key("k1", bytes(range(32)))
SECRET = spell(b"\x2a" * 32)


def hkdf(material: bytes, salt: bytes, info: bytes) -> bytes:
    """RFC 5869 for 32 bytes: extract, then the first block of expand."""
    extracted = hmac.new(salt or bytes(32), material, hashlib.sha256).digest()
    return hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()


def test_a_record_opens_with_exactly_key_file_and_id() -> None:
    """From the key file's bytes and the session id alone the record can be opened: the construction is as described."""
    seal = Seal(KEY, "session")
    hash = seal.hash(SECRET)
    blob = seal.close(SECRET, hash, b"value")
    root = hkdf(bytes(range(32)), b"", b"authgw/1/session/record")
    key = hkdf(SECRET.encode(), root, b"session")
    about = b"authgw\x00\x01\x00session\x00" + hash.encode()
    assert AESGCM(key).decrypt(blob[1:13], blob[13:], about) == b"value"
    id_key = hkdf(bytes(range(32)), b"", b"authgw/1/session/id-hash")
    assert hash == hmac.new(id_key, SECRET.encode(), hashlib.sha256).hexdigest()[:32]


def test_each_part_of_the_seal_matters() -> None:
    """Another key, type, secret or hash opens nothing."""
    seal = Seal(KEY, "session")
    hash = seal.hash(SECRET)
    blob = seal.close(SECRET, hash, b"value")
    assert seal.open(SECRET, hash, blob) == b"value"
    other = spell(b"\x2b" * 32)
    assert seal.open(other, hash, blob) is None
    assert seal.open(SECRET, seal.hash(other), blob) is None
    assert Seal(KEY, "operator").open(SECRET, hash, blob) is None
    assert Seal(Key("k1", b"\x01" * 32), "session").open(SECRET, hash, blob) is None


def test_types_and_keys_have_unrelated_hashes() -> None:
    """The same text gives another hash for each record type and each key."""
    seals = [Seal(KEY, "session"), Seal(KEY, "operator"), Seal(Key("k1", b"\x01" * 32), "session")]
    assert len({seal.hash(SECRET) for seal in seals}) == 3


def test_nonces_never_repeat() -> None:
    """20,000 seals of one value under one key use 20,000 nonces (CVE-2021-32791)."""
    seal = Seal(KEY, "session")
    nonces = {seal.close(SECRET, "0" * 32, b"")[1:13] for _ in range(20_000)}
    assert len(nonces) == 20_000


@given(st.binary(max_size=200))
def test_foreign_bytes_never_open_and_never_raise(blob: bytes) -> None:
    """Whatever lies in the store, opening it gives None."""
    assert Seal(KEY, "session").open(SECRET, "0" * 32, blob) is None


@given(st.binary(min_size=32, max_size=32))
def test_spelling_keeps_all_256_bits(entropy: bytes) -> None:
    """The text stands for exactly the bytes it was made of: no bit of randomness is lost."""
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    text = spell(entropy)
    assert is_secret(text)
    assert sum(alphabet.index(letter) * 62**place for place, letter in enumerate(text)) == int.from_bytes(
        entropy, "big"
    )


@pytest.mark.parametrize("count", [0, 16, 31, 33])
def test_too_little_randomness_is_an_error(count: int) -> None:
    """An id is never made of anything but 32 bytes."""
    with pytest.raises(ValueError):
        spell(b"x" * count)


@pytest.mark.parametrize("text", ["", "A" * 42, "A" * 44, "A" * 43 + "\n", "A" * 42 + "-", "٣" * 43, "A" * 42 + "é"])
def test_what_cannot_be_an_id(text: str) -> None:
    """Only 43 ASCII letters and digits can be an id, only 32 lower-case hex digits a handle."""
    assert not is_secret(text)
    assert not is_hash(text)


def test_a_key_derives_by_purpose() -> None:
    """Purpose keys follow HKDF-SHA256 and differ from each other."""
    assert KEY.derive("csrf") == hkdf(bytes(range(32)), b"", b"authgw/1/csrf")
    assert KEY.derive("csrf") != KEY.derive("csrf2")
