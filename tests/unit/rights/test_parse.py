"""From a permission dictionary, as plugins and PHP spell it, to a grant, gates and warnings, or to every problem."""

from __future__ import annotations

from typing import Any

import pytest

from authgw.rights.claims import Grant, Scope
from authgw.rights.dictionary import KEYS, Kind
from authgw.rights.parse import Gates, Invalid, Parsed, parse

LIMITS = {
    "no_rtp",
    "simple_cdr",
    "hide_cdr_groups",
    "hide_license_information",
    "hide_change_password",
    "hide_user_configuration",
    "dashboard_read_only",
}


def good(**keys: Any) -> Parsed:
    parsed = parse({"id": 7, **keys}, "plugin")
    assert isinstance(parsed, Parsed), parsed
    return parsed


def wrong(dictionary: dict[str, Any], *, strict: bool = False) -> dict[str, str]:
    """The problems by key. Each names the source."""
    parsed = parse(dictionary, "plugin", strict=strict)
    assert isinstance(parsed, Invalid), parsed
    assert {problem.source for problem in parsed.problems} == {"plugin"}
    assert len({problem.where for problem in parsed.problems}) == len(parsed.problems)
    return {problem.where: problem.message for problem in parsed.problems}


def warned(parsed: Parsed) -> dict[str, str]:
    return {problem.where: problem.message for problem in parsed.warnings}


def test_nothing_but_an_id_gives_nothing() -> None:
    """A dictionary with an id alone has no flags, no limits, and the whole of the rows, as the contract says."""
    assert good() == Parsed(id=7, grant=Grant(), gates=Gates())


@pytest.mark.parametrize("value", [True, 1, "1"])
def test_spellings_of_yes(value: Any) -> None:
    """Whatever PHP writes for yes is on."""
    assert good(can_cdr=value).grant.flags == {"can_cdr"}


@pytest.mark.parametrize("value", [False, 0, "0", "", None])
def test_spellings_of_no(value: Any) -> None:
    """Whatever PHP writes for no is off; "0" too, although it is not empty."""
    assert good(can_cdr=value).grant.flags == frozenset()


@pytest.mark.parametrize("value", ["true", "yes", "on", "00", " 1", 2, -1, 1.0, 0.0, [], [1], {}, b"1"])
def test_anything_else_is_no_flag(value: Any) -> None:
    """A flag that is spelt otherwise is a problem that names the key, never a guess."""
    assert "is not a flag" in wrong({"id": 7, "blocked": value})["blocked"]


@pytest.mark.parametrize("value", [None, "", 0, -1, "0", "x", "007", "1.0", 1.0, True, [1], 2**63, "9" * 30])
def test_an_id_is_never_invented(value: Any) -> None:
    """Without a positive whole number as id there is no login."""
    assert set(wrong({"id": value})) == {"id"}


def test_an_id_is_required_and_may_be_text() -> None:
    """No id is the problem "id"; decimal text is a number."""
    assert "required" in wrong({})["id"]
    parsed = parse({"id": "101"}, "plugin")
    assert isinstance(parsed, Parsed)
    assert parsed.id == 101


def test_every_problem_at_once() -> None:
    """Every key that cannot be understood is named, with the source."""
    found = wrong(
        {"id": 0, "can_cdr": "yes", "ip": ["10.0.0.300"], "vlan": [4096], "number": 5, "can_audit": 3, "name": 1}
    )
    assert set(found) == {"id", "can_cdr", "ip", "vlan", "number", "can_audit", "name"}


def test_unknown_keys() -> None:
    """An unknown key is a warning with the likely name, and a problem in strict mode."""
    assert "did you mean can_cdr?" in warned(good(can_cdrs=True))["can_cdrs"]
    assert set(wrong({"id": 7, "can_cdrs": True, "xyz": None}, strict=True)) == {"can_cdrs", "xyz"}


@pytest.mark.parametrize("key", [name for name, key in KEYS.items() if key.kind is Kind.FLAG])
def test_every_flag_key_arrives(key: str) -> None:
    """Each flag turned on changes exactly its own place: a flag, a limit, a gate or the scope."""
    parsed, plain = good(**{key: 1}), good()
    grant, gates, scope = parsed.grant, parsed.gates, parsed.grant.scope
    places = {
        "flags": key in grant.flags,
        "limits": key in grant.limits,
        "gates": gates != plain.gates and getattr(gates, key, False) is True,
        "any": key == "ip_number_domain_or" and scope == Scope(any_dimension=True),
        "connected": key == "show_only_connected_calls" and scope == Scope(connected_only=True),
    }
    assert sum(places.values()) == 1, places
    assert places["flags"] == (key.startswith("can_") or key == "is_admin")
    assert places["limits"] == (key in LIMITS)


def test_an_administrator_may_all() -> None:
    """is_admin implies every can_* key, also one that is off; no limit, no expiry bound, no scope."""
    parsed = good(is_admin=True, can_cdr=False, number=["222%"])
    assert parsed.grant.flags == {name for name in KEYS if name.startswith("can_")} | {"is_admin"}
    assert len(parsed.grant.flags) == 39
    assert (parsed.grant.limits, parsed.grant.remove_expire_hours) == (frozenset(), 0)
    assert parsed.grant.scope == Scope(number=("222%",))


@pytest.mark.parametrize(
    ("keys", "level", "seen"),
    [
        ({}, 0, False),
        ({"can_audit": 0}, 0, False),
        ({"can_audit": "1"}, 1, True),
        ({"can_audit": True}, 1, True),
        ({"can_audit": 2}, 2, True),
        ({"is_admin": 1}, 2, True),
        ({"is_admin": 1, "can_audit": 1}, 1, True),
        ({"is_admin": 1, "can_audit": 0}, 2, True),
    ],
)
def test_audit_levels(keys: dict[str, Any], level: int, seen: bool) -> None:
    """An administrator sees the audit and owes no reason, unless an explicit 1 demands it."""
    grant = good(**keys).grant
    assert (grant.can_audit, "can_audit" in grant.flags) == (level, seen)


@pytest.mark.parametrize("admin", [0, 1])
def test_simple_cdr_turns_captures_off(admin: int) -> None:
    """Reduced rows go without captures, for administrators too."""
    assert "can_pcap" not in good(is_admin=admin, can_pcap=1, simple_cdr=1).grant.flags
    assert "can_pcap" in good(is_admin=admin, can_pcap=1).grant.flags


def test_gates() -> None:
    """What is checked at login arrives as typed; "" and null are not set."""
    parsed = good(
        blocked="1",
        blocked_reason="left\nthe company",
        max_bad_login_attempt="3",
        password_expiration_days=90,
        secret="gezd gnbv GY3T QOJQ====",
    )
    gates = parsed.gates
    assert (gates.blocked, gates.blocked_reason, gates.group_blocked) == (True, "left\nthe company", False)
    assert (gates.max_bad_login_attempt, gates.password_expiration_days) == (3, 90)
    assert gates.secret == "GEZDGNBVGY3TQOJQ"
    assert good(max_bad_login_attempt="", password_expiration_days=None, secret="").gates == Gates()


def test_a_secret_is_never_printed() -> None:
    """Neither a right secret nor a wrong one shows in what is logged."""
    assert "GEZDGNBV" not in repr(good(secret="GEZDGNBVGY3TQOJQ"))
    assert "hunter1!" not in str(parse({"id": 7, "secret": "hunter1!"}, "plugin"))
    assert "12345678" not in str(parse({"id": 7, "secret": 12345678}, "plugin"))


OUT_OF_RANGE: dict[str, list[Any]] = {
    "max_bad_login_attempt": [0, 101, "x", 1.5, True],
    "password_expiration_days": [0, 366, -1],
    "crules_remove_expire_time": [-1, "soon", True],
    "can_audit": [3, -1, "2.0", 1.0],
    "secret": ["0189", 5, "A", ["A"]],
    "username": [5, False, "a\nb", "\ud800", "x" * 2000],
    "uc_font_main_menu": [[1], {}, float("nan"), 2**70],
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in OUT_OF_RANGE.items() for value in values])
def test_single_values_out_of_range(key: str, value: Any) -> None:
    """A value of another type or out of its range is a problem at its key."""
    assert set(wrong({"id": 7, key: value})) == {key}


def test_identity_and_preferences_are_carried() -> None:
    """Names, note and preferences arrive as they came."""
    parsed = good(
        username="alice", name="Älice", group_name="noc", note="a\nb", uc_color_theme_shift=0.5, uc_enable_dns_cdr=True,
        count_audit_log=5, uc_csv_field_separator=";", uc_font_main_menu=None,
    )  # fmt: skip
    assert (parsed.username, parsed.name, parsed.group_name, parsed.note) == ("alice", "Älice", "noc", "a\nb")
    assert parsed.preferences == {
        "uc_color_theme_shift": "0.5",
        "uc_enable_dns_cdr": True,
        "count_audit_log": 5,
        "uc_csv_field_separator": ";",
    }
    assert parsed.grant == Grant()


def test_hours_of_capture_rules() -> None:
    """The bound of a new capture rule is hours; none, 0, false and "" bound nothing."""
    assert good(crules_remove_expire_time="24").grant.remove_expire_hours == 24
    for none in (0, "0", "", False, None):
        assert good(crules_remove_expire_time=none).grant.remove_expire_hours == 0
