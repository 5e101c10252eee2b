"""Undoing content codings piece by piece."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authgw.errors import UpstreamError
from authgw.upstream.coding import Inflate


def undone(coding: str, pieces: list[bytes], size: int) -> list[bytes]:
    inflate = Inflate(coding)
    out = [part for piece in pieces for part in inflate.pieces(piece, size)]
    inflate.end()
    return out


@given(st.binary(max_size=3000).map(lambda body: body * 7), st.integers(1, 200), st.integers(1, 5000), st.booleans())
def test_round_trip(body: bytes, step: int, size: int, gzipped: bool) -> None:
    """However the body is cut and however small the portions, it comes back whole, in portions no larger than asked."""
    packed = gzip.compress(body) if gzipped else zlib.compress(body)
    pieces = [packed[at : at + step] for at in range(0, len(packed), step)]
    out = undone("gzip" if gzipped else "deflate", pieces, size)
    assert b"".join(out) == body
    assert all(0 < len(part) <= size for part in out)


@given(st.binary(min_size=1, max_size=300), st.data())
def test_cut(body: bytes, data: st.DataObject) -> None:
    """A compressed body that stops early never passes for a whole one."""
    packed = gzip.compress(body)
    with pytest.raises(UpstreamError):
        undone("gzip", [packed[: data.draw(st.integers(1, len(packed) - 1))]], 100)


@given(st.binary(max_size=300), st.binary(min_size=1, max_size=30), st.booleans())
def test_bytes_behind(body: bytes, more: bytes, together: bool) -> None:
    """Bytes behind the end are refused, with the last piece or after it."""
    packed = gzip.compress(body)
    with pytest.raises(UpstreamError):
        undone("gzip", [packed + more] if together else [packed, more], 100)


def test_bomb_unfolds_in_portions() -> None:
    """A megabyte of bomb gives its first portion without unfolding the rest."""
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    assert next(Inflate("gzip").pieces(bomb, 1000)) == bytes(1000)
