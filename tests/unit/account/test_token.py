"""What a token may: never more than its owner."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authgw.account.token import Kind, digest, is_token, looks_like_one, made, narrowed
from authgw.rights.claims import Claims, Grant, Scope

FLAGS = st.frozensets(st.sampled_from(["is_admin", "can_cdr", "can_pcap", "can_audit", "can_messages"]))
GRANTS = st.builds(
    Grant,
    flags=FLAGS,
    limits=st.frozensets(st.sampled_from(["no_rtp", "simple_cdr", "hide_license_information"])),
    scope=st.builds(Scope, sensors=st.sampled_from([None, (), (2, 3)]), number=st.sampled_from([(), ("+44%",)])),
    can_audit=st.sampled_from([0, 1, 2]),
)


@given(st.lists(GRANTS, min_size=1, max_size=3), st.sampled_from(Kind), FLAGS)
def test_never_above_the_owner(grants: list[Grant], kind: Kind, flags: frozenset[str]) -> None:
    """Grant by grant a token has no flag that its owner lacks or that it was not given; scope and limits all stay."""
    claims = Claims("corp", "alice", 101, tuple(grants))
    found = narrowed(claims, kind, flags)
    assert len(found.grants) == len(grants)
    for ours, his in zip(found.grants, grants, strict=True):
        assert ours.flags <= his.flags
        assert kind is Kind.FULL or ours.flags <= flags
        assert (ours.scope, ours.limits) == (his.scope, his.limits)
        assert ours.can_audit in (his.can_audit, 0)
        assert his.can_audit != 1 or ours.can_audit == 1
    if kind is Kind.FULL:
        assert found == claims
    if kind is Kind.LICENCE:
        assert not any(grant.flags for grant in found.grants)


@pytest.mark.parametrize("given", [b"\x00" * 32, b"\xff" * 32, b"\x80" + b"\x01" * 31])
def test_how_it_is_spelt(given: bytes) -> None:
    """A token is `agw_` and 43 letters and digits, and different bits give different ones."""
    text = made(lambda size: given[:size])
    assert is_token(text)
    assert text.startswith("agw_")
    assert len(text) == 47
    assert digest(text) != digest(made(lambda size: bytes(size - 1) + b"\x07"))


@pytest.mark.parametrize(
    "text", ["", "agw_", "agw_" + "A" * 42, "agw_" + "A" * 44, "agw_" + "-" * 43, "A" * 43, None, 7]
)
def test_what_is_none(text: object) -> None:
    """Anything else is no token; what begins like one is never taken for a password all the same."""
    assert not is_token(text)
    assert looks_like_one(text) is (isinstance(text, str) and text.startswith("agw_"))
