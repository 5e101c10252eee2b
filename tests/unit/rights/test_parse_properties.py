"""What holds for any dictionary: no scope is ever dropped, and spelling changes nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from authgw.rights.dictionary import KEYS, Kind
from authgw.rights.parse import Invalid, Parsed, parse

DIMENSIONS = {
    "enable_sensors": "sensors",
    "ip": "ip",
    "number": "number",
    "domain": "domain",
    "vlan": "vlan",
    "custom_headers_cdr": "headers_cdr",
    "custom_headers_message": "headers_message",
    "ip_number_domain_or": "any_dimension",
    "show_only_connected_calls": "connected_only",
}

ADDRESSES = st.ip_addresses().map(str)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from(["0", "1", "2,3", "10.0.0.0/8", "!", "+44%", '[0,"X-A:b"]', "X-A: b", "\n", ",", "[["])
    | ADDRESSES
)  # fmt: skip
ANYTHING = (
    SCALARS | st.lists(SCALARS, max_size=4) | st.dictionaries(st.text(max_size=3) | st.integers(), SCALARS, max_size=3)
)
DICTIONARIES = st.dictionaries(st.sampled_from(sorted(KEYS)) | st.text(max_size=8), ANYTHING, max_size=8)


def stated(key: str, value: Any) -> bool:
    """Whether a value says something, told without the parser: a text of nothing but separators and blanks does not."""
    if value is None or value is False or value in ("", 0, "0") or value in ([], {}):
        return key == "enable_sensors" and value is not None
    if isinstance(value, str) and KEYS[key].kind is not Kind.FLAG:
        parting = "" if KEYS[key].kind is Kind.HEADERS else ",;"
        return key == "enable_sensors" or value.translate(str.maketrans("", "", parting)).strip() != ""
    return True


@settings(deadline=None)
@given(DICTIONARIES, st.booleans())
def test_no_scope_is_ever_dropped(dictionary: dict[str, Any], strict: bool) -> None:
    """Any dictionary is either refused, or its scope has exactly the dimensions that the dictionary states."""
    parsed = parse({"id": 1, **dictionary}, "plugin", strict=strict)
    if isinstance(parsed, Invalid):
        assert parsed.problems
        assert all(problem.where and problem.message for problem in parsed.problems)
        return
    for key, field in DIMENSIONS.items():
        value = getattr(parsed.grant.scope, field)
        configured = value is not None if key == "enable_sensors" else bool(value)
        assert configured == stated(key, dictionary.get(key)), key


SENSORS = st.lists(st.integers(0, 9999), min_size=1, max_size=6, unique=True)


@settings(deadline=None)
@given(SENSORS, st.sampled_from(["\n", "\r\n", ",", ";", " , ", ";\n", "\n\n"]))
def test_spelling_changes_no_list(numbers: list[int], parting: str) -> None:
    """Numbers, their texts, PHP's object form and every way to part a text give the same list, in the same order."""
    spellings: list[Any] = [
        numbers,
        [str(number) for number in numbers],
        {str(at): number for at, number in enumerate(numbers)},
        parting.join(map(str, numbers)),
        parting + parting.join(map(str, numbers)) + parting,
    ]
    for spelling in spellings:
        parsed = parse({"id": 1, "enable_sensors": spelling}, "plugin")
        assert isinstance(parsed, Parsed)
        assert parsed.grant.scope.sensors == tuple(numbers)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([key for key in KEYS if KEYS[key].kind is Kind.FLAG]), st.booleans()))
def test_spelling_changes_no_flag(flags: dict[str, bool]) -> None:
    """A dictionary spelt in PHP's texts means the same as one in booleans."""
    texts = {key: "1" if on else "0" for key, on in flags.items()}
    numbers = {key: 1 if on else 0 for key, on in flags.items()}
    assert parse({"id": 1, **flags}, "p") == parse({"id": "1", **texts}, "p") == parse({"id": 1, **numbers}, "p")


@settings(deadline=None)
@given(
    st.sampled_from([key for key in KEYS if KEYS[key].kind is not Kind.PREFERENCE]), st.binary(max_size=3) | st.floats()
)
def test_no_key_takes_what_no_plugin_can_mean(key: str, value: Any) -> None:
    """Bytes and fractions are no value of any key that decides something."""
    parsed = parse({"id": 1, key: value}, "plugin")
    assert isinstance(parsed, Invalid)
    assert [problem.where for problem in parsed.problems] == [key]
