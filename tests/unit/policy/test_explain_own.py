"""`explain` for calls that the gateway answers itself."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from authgw.catalogue.load import load
from authgw.intake.limits import Limits
from authgw.policy.decide import Rules
from authgw.policy.explain import Setting, explain, raw_of
from authgw.rights.claims import Claims, Grant, Scope

SETTING = Setting(
    load(["voipmonitor"], Path()), Limits(), "", Rules("unscoped", "https://gw"), 31, datetime(2026, 11, 23)
)
CLAIMS = Claims(login="static", user="alice", id=1, grants=(Grant(frozenset({"can_cdr"}), frozenset(), Scope()),))


@pytest.mark.parametrize(
    ("url", "allowed", "last"),
    [
        ("/php/model/sql.php?module=logout", True, "answer    by the gateway itself, never sent upstream"),
        ("/php/model/sql.php?module=logout&foo=1", False, "answer    400"),
    ],
)
def test_the_conditions_hold_for_them_too(url: str, allowed: bool, last: str) -> None:
    """A call that the gateway answers is explained as refused where it would be, here for an unknown field."""
    said = explain(raw_of("POST", url, "", ""), CLAIMS, SETTING)
    assert (said.allowed, said.lines[-1]) == (allowed, last)
