"""What a session keeps when its login is asked again: never more than it began with."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from authgw.rights.claims import Claims, Grant, Scope
from authgw.rights.lessen import lessened


def grant(flags: str = "can_cdr", sensors: tuple[int, ...] | None = (2, 3), label: str = "", **more: Any) -> Grant:
    return Grant(flags=frozenset(flags.split()), scope=Scope(sensors=sensors), label=label, **more)


def claims(*grants: Grant, name: str = "Alice") -> Claims:
    return Claims("corp", "alice", 101, grants, name=name)


@pytest.mark.parametrize(
    ("old", "new", "left"),
    [
        (grant("can_cdr can_pcap"), grant("can_cdr"), grant("can_cdr")),
        (grant("can_cdr"), grant("can_cdr can_pcap"), grant("can_cdr")),
        (grant(sensors=(2, 3)), grant(sensors=(3,)), grant(sensors=(3,))),
        (grant(sensors=(2, 3)), grant(sensors=(3, 4)), grant(sensors=(3,))),
        (grant(sensors=(2, 3)), grant(sensors=None), grant(sensors=(2, 3))),
        (grant(sensors=None), grant(sensors=(2,)), grant(sensors=(2,))),
        (grant(sensors=()), grant(sensors=(3,)), grant(sensors=())),
        (grant(), grant(limits=frozenset({"no_rtp"})), grant(limits=frozenset({"no_rtp"}))),
        (grant(limits=frozenset({"no_rtp"})), grant(), grant(limits=frozenset({"no_rtp"}))),
        (grant(), grant(can_audit=1), grant(can_audit=1)),
        (grant(remove_expire_hours=5), grant(), grant(remove_expire_hours=5)),
    ],
)
def test_what_is_left_of_one_grant(old: Grant, new: Grant, left: Grant) -> None:
    """Flags and sensors of both, limits of either."""
    found = lessened(claims(old), claims(new))
    assert found is not None
    assert found.grants == (left,)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (grant("can_cdr"), grant("can_pcap")),
        (grant(), Grant(frozenset({"can_cdr"}), scope=Scope(sensors=(2, 3), number=("+4420%",)))),
        (Grant(frozenset({"can_cdr"}), scope=Scope(number=("+44%",))), Grant(frozenset({"can_cdr"}))),
        (grant(sensors=(2,)), grant(sensors=(3,))),
        (grant(can_audit=1), grant(can_audit=0)),
    ],
)
def test_nothing_is_left(old: Grant, new: Grant) -> None:
    """Rights that cannot be compared with the old ones, or share nothing with them, are a new login's."""
    assert lessened(claims(old), claims(new)) is None


def test_grants_are_not_mixed() -> None:
    """A flag of one old grant does not cover rows of another; what one of them covers stays, the rest waits."""
    acme, globex = grant("can_cdr can_pcap", (2,), "acme"), grant("can_cdr", (3,), "globex")
    found = lessened(claims(acme, globex), claims(grant("can_cdr can_pcap", (3,), "globex"), acme))
    assert found is not None
    assert found.grants == (globex, acme)


def test_the_same_rights_bring_what_else_is_new() -> None:
    """Name and preferences are as they are now."""
    assert lessened(claims(grant()), claims(grant(), name="Alice B.")) == claims(grant(), name="Alice B.")


@pytest.mark.parametrize("change", [{"user": "bob"}, {"id": 102}, {"login": "other"}, {"tenant": "globex"}], ids=str)
def test_somebody_else_has_nothing(change: dict[str, Any]) -> None:
    """Another user, id, login or tenant is another session's."""
    old = replace(claims(grant()), tenant="acme")
    assert lessened(old, replace(old, **change)) is None


def test_one_tenant_of_several_is_left() -> None:
    """Who had two tenants and lost one goes on, under no tenant's name."""
    found = lessened(claims(grant(label="a"), grant(label="b")), replace(claims(grant(label="a")), tenant="acme"))
    assert found is not None
    assert found.tenant == ""
    assert found.grants == (grant(label="a"),)
