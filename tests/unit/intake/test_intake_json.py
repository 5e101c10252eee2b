"""Strict and loose JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authgw.intake.json import loose, strict
from authgw.intake.request import Refused
from authgw.reasons import Reason

_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")))
_SCALAR = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(_SCALAR | _TEXT, lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner), max_leaves=12)


@given(VALUES, st.booleans())
def test_what_is_written_is_read(value: Any, escaped: bool) -> None:
    """Any JSON value within the bounds comes back as it was, escaped or not."""
    text = json.dumps(value, ensure_ascii=escaped)
    assert strict(text, 64) == value
    assert strict(text.encode(), 64) == value
    assert loose(text, 64) == value


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """No input raises, and nothing is accepted that Python's own reader does not accept."""
    answer = strict(data)
    if not isinstance(answer, Refused):
        assert answer == json.loads(data)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "}",
        "[1,]",
        '{"a":1,}',
        "{a:1}",
        "{'a':1}",
        "NaN",
        "-Infinity",
        "[Infinity]",
        "nul",
        "True",
        "01",
        "+1",
        "1.",
        ".5",
        "1e",
        "0x1",
        "1 2",
        "{}{}",
        '"a',
        '"\t"',
        '"\\x41"',
        '"\\u12"',
        "\ufeff{}",
        "// c\n1",
        "[1 2]",
        "\x0c1",
        '{"a":1,"a":1}',
        '[{"b":{"a":1,"\\u0061":2}}]',
        "1e999",
        "-1e999",
        "9223372036854775808",
        "-9223372036854775809",
        "-0",
        "9" * 5000,
        "1." + "0" * 5000,
        '"\\ud800"',
        '"\\udc00\\ud800"',
        '{"\\ud800":1}',
        chr(55296),
        f'"{chr(55296)}"',
        "１",
    ],
)
def test_odd_documents_are_refused(text: str) -> None:
    """Whatever two readers may disagree about."""
    answer = strict(text)
    assert isinstance(answer, Refused)
    assert (answer.reason, answer.status) == (Reason.JSON_MALFORMED, 400)


@pytest.mark.parametrize(
    "data", [b"\xef\xbb\xbf{}", b"\xff", b'"\xed\xa0\x80"', '{"a":1}'.encode("utf-16"), b'"\xc0\xaf"']
)
def test_bytes_must_be_plain_utf8(data: bytes) -> None:
    """No byte order mark, no UTF-16, no overlong form."""
    answer = strict(data)
    assert isinstance(answer, Refused)
    assert answer.reason is Reason.JSON_MALFORMED


@pytest.mark.parametrize(
    "text", ['"\\u0000"', '["a\\u0007"]', '{"a":{"b\\u001b":1}}', '"\\b"', '"\\f"', '"\x7f"', '"\\u0085"']
)
def test_control_characters_are_refused_at_any_depth(text: str) -> None:
    """In values and in keys, escaped or raw."""
    answer = strict(text)
    assert isinstance(answer, Refused)
    assert answer.reason is Reason.FIELD_CONTROL


def test_tab_newline_and_return_are_text() -> None:
    """The three control characters that people write."""
    assert strict('"a\\tb\\nc\\rd"') == "a\tb\nc\rd"


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_depth_is_bounded(opening: str) -> None:
    """Exactly as many levels as allowed; brackets in texts are none; a flood is refused at once."""
    closing = "]" if opening == "[" else "}"
    assert not isinstance(strict(opening * 15 + "[]" + closing * 15, 16), Refused)
    for text in (opening * 16 + "[]" + closing * 16, opening * 500_000, "[" * 17, '["\\"' * 20_000):
        answer = strict(text, 16)
        assert isinstance(answer, Refused)
        assert answer.reason in (Reason.JSON_TOO_DEEP, Reason.JSON_MALFORMED)
    assert strict(json.dumps(["[{" * 100, '"[' * 50, "\\["]), 1) == ["[{" * 100, '"[' * 50, "\\["]
    assert strict("[" + "[]," * 100 + "[]]", 2) == [[]] * 101


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{fcallid:"uDR8mtloKFa1F8625VL2OXSFp.RuG73v"}', {"fcallid": "uDR8mtloKFa1F8625VL2OXSFp.RuG73v"}),
        (
            '{ fcaller : "a:b, c:1", "fcalled":2 ,x_1:[{y:true}]}',
            {"fcaller": "a:b, c:1", "fcalled": 2, "x_1": [{"y": True}]},
        ),
        ('{a:"\\"b:1"}', {"a": '"b:1'}),
        ("{}", {}),
    ],
)
def test_loose_keys_may_be_bare(text: str, value: Any) -> None:
    """The form of links into the GUI; what looks like a key inside a text stays text."""
    assert loose(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "{fcallid:'x'}",
        "{a:1,a:2}",
        '{a:1,"a":2}',
        "{a:b}",
        "{1a:1}",
        "{a-b:1}",
        "{a:1}{b:2}",
        "{a:NaN}",
        "{a:1,}",
        "[a:1]",
        "a:1",
        "{a:true:1}",
        "{a:1e5:2}",
        '{a:"x}',
        "{é:1}",
        "{a\xa0:1}",
        "{a:alert(1)}",
        '{a:"\\',
    ],
)
def test_loose_is_strict_elsewhere(text: str) -> None:
    """Bare keys are the only liberty."""
    assert isinstance(loose(text), Refused)
