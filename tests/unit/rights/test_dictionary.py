"""The table of keys against the Web API description."""

from __future__ import annotations

import re
from pathlib import Path

from authgw.rights.dictionary import KEYS, Place

DESCRIPTION = Path(__file__).parents[2] / "data" / "web-api.txt"


def described() -> list[str]:
    text = DESCRIPTION.read_text("utf-8")
    part = text[text.index("The array can return those parameters:") : text.index("CDR HTTP API")]
    return re.findall(r"^- (\w+)", part, re.MULTILINE)


def test_every_described_key_is_declared_once() -> None:
    """The keys are the 84 of the description's list and `id`, which its example calls required; none twice."""
    names = described()
    assert len(names) == len(set(names)) == 84
    assert set(KEYS) == {*names, "id"}


def test_a_name_tells_what_a_key_becomes() -> None:
    """Every can_* key and is_admin is a flag, every uc_* key is carried only."""
    assert {name for name, key in KEYS.items() if key.place is Place.FLAG} == {
        name for name in KEYS if name.startswith("can_") or name == "is_admin"
    }
    assert {name for name, key in KEYS.items() if key.place is Place.PREFERENCE} == {
        name for name in KEYS if name.startswith("uc_") or name == "count_audit_log"
    }


def test_what_a_group_never_touches() -> None:
    """Identity, second factor, expiry, notes, blocks and sensors are the user's own."""
    assert {name for name, key in KEYS.items() if not key.from_group} == {
        *("id", "username", "name", "id_group", "group_name", "note"),
        *("req_2fa", "secret", "password_expired", "blocked", "blocked_reason", "enable_sensors"),
    }
