"""Lists that come in pieces are cut between their rows, wherever the pieces end and whatever the rows say."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authgw.errors import UpstreamError
from authgw.narrow import flow
from authgw.narrow.flow import Filtered, Splitter, head

pytestmark = pytest.mark.anyio

# What looks like the end of a row, in texts and inside of rows.
TEXT = st.sampled_from(["", "},{", "] , {", '"},{"', "\\", '\\"},{', "],[", "ž", '{"results":[{', "a" * 50])
VALUE = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=8,
)
ROWS = st.lists(st.dictionaries(TEXT, VALUE, max_size=4), min_size=1, max_size=12)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cuts are looked for after every few bytes."""
    monkeypatch.setattr(flow, "CHUNK", 24)
    monkeypatch.setattr(flow, "TRIES", 64)


def pieces(document: bytes, sizes: Sequence[int]) -> list[bytes]:
    found, at = [], 0
    for size in sizes:
        found.append(document[at : at + size])
        at += size
    return [*found, document[at:]]


class Reply:
    """Notes that it was closed."""

    status, headers, location, closed = 200, (), None, 0

    async def read(self, limit: int) -> bytes:
        raise AssertionError

    def stream(self) -> AsyncIterator[bytes]:
        raise AssertionError

    async def close(self) -> None:
        self.closed += 1


async def flowing(found: list[bytes]) -> AsyncIterator[bytes]:
    for piece in found:
        yield piece


async def passed(document: bytes, at: str | None, sizes: Sequence[int], keep: Any, cleaned: Any = bytes) -> bytes:
    begun = head(document[: sizes[0]] if sizes else document, at)
    assert begun is not None
    rest = pieces(document[sizes[0] :] if sizes else b"", sizes[1:])
    reply, ended = Reply(), []
    found = Filtered(reply, begun, flowing(rest), keep, cleaned, lambda: ended.append(1))
    try:
        return b"".join([piece async for piece in found.stream()])
    finally:
        await found.close()
        await found.close()
        assert (ended, reply.closed >= 1) == ([1], True)


async def every(document: bytes) -> list[bytes]:
    return [json.dumps(row).encode() for row in json.loads(document)]


async def second(document: bytes) -> list[bytes]:
    return [json.dumps(row).encode() for row in json.loads(document) if row.get("", 0) is None]


SIZES = st.lists(st.integers(1, 40), max_size=60)
SPACED = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n ", " : ")])


@settings(max_examples=50, deadline=None)
@given(rows=ROWS, sizes=SIZES, spaced=SPACED, ascii=st.booleans())
async def test_a_bare_list_comes_through(
    rows: list[dict[str, Any]], sizes: list[int], spaced: tuple[str, str], ascii: bool
) -> None:
    """Each row once and in order, however the bytes were cut; and with a filter just those that it leaves."""
    document = json.dumps(rows, separators=spaced, ensure_ascii=ascii).encode()
    assert json.loads(await passed(document, None, [60, *sizes], every)) == rows
    left = json.loads(await passed(document, None, [60, *sizes], second))
    assert left == [row for row in rows if row.get("", 0) is None]


@settings(max_examples=50, deadline=None)
@given(rows=ROWS, sizes=SIZES, before=st.dictionaries(TEXT, VALUE, max_size=3), after=st.dictionaries(TEXT, VALUE))
async def test_an_envelope_comes_through(
    rows: list[dict[str, Any]], sizes: list[int], before: dict[str, Any], after: dict[str, Any]
) -> None:
    """What stands around the rows stays where it is."""
    whole = {**before, "total": "3", "results": rows, **{f"z{name}": value for name, value in after.items()}}
    document = json.dumps(whole).encode()
    start = len(json.dumps({**before, "total": "3"})) + len(', "results": [{')
    found = json.loads(await passed(document, "results", [start, *sizes], every), object_pairs_hook=list)
    assert found == json.loads(document, object_pairs_hook=list)


@pytest.mark.parametrize(
    "document",
    [
        b'[{"a":1},{"b":2}',
        b'[{"a":1},{"b":2}]]',
        b'[{"a":1},{"b":2}] x',
        b'[{"a":1}{"b":2}]',
        b'[{"a":1},{"b":2},]',
        b'[{"a":1},{"b":"\xff"}]',
        b'[{"a":1},{"b":2',
    ],
)
async def test_what_is_no_list_to_its_end_is_broken_off(document: bytes) -> None:
    """Cut short, followed by something, or malformed in the middle: never an answer that looks whole."""
    with pytest.raises(UpstreamError):
        await passed(document, None, [4], every)


@pytest.mark.parametrize(
    "behind", [b"", b"x", b',"results":[{"c":3}]}', b',"a":}', b',"a":"\xff"}', b"} {}", b',"a":1}]']
)
async def test_an_envelope_that_does_not_end_is_broken_off(behind: bytes) -> None:
    """So is one that brings rows a second time, which nobody has judged."""
    with pytest.raises(UpstreamError):
        await passed(b'{"results":[{"a":1},{"b":2}]' + behind, "results", [15], every)


@pytest.mark.parametrize(
    ("start", "at"),
    [
        (b"Warning: x\n[{", None),
        (b"[[{", None),
        (b'["a"', None),
        (b'{"success":false', "results"),
        (b'{"a":{"results":[{"b":1', "results"),
        (b'{"a":"\\"results\\":[{","b":1', "results"),
        (b'{"results":[1,', "results"),
        (b'x{"results":[{', "results"),
    ],
)
def test_what_begins_otherwise_is_not_cut(start: bytes, at: str | None) -> None:
    """Text before, lists in lists, rows deeper inside or only in a text: such a reply is read whole or not at all."""
    assert head(start, at) is None


def test_a_row_without_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded also where no cut comes."""
    monkeypatch.setattr(flow, "MAX_ROW", 1000)
    splitter = Splitter()
    fed = (splitter.feed(b'{"a":"' + b"x" * 100) for _ in range(100))
    with pytest.raises(UpstreamError):
        list(fed)


async def test_fields_around_the_rows_are_cleaned() -> None:
    """What an envelope may not say is taken out before and behind the rows."""

    def cleaned(document: bytes) -> bytes:
        return json.dumps({k: v for k, v in json.loads(document).items() if k != "sql"}, separators=(",", ":")).encode()

    document = b'{"sql":"SELECT","total":2,"results":[{"a":1},{"b":2}],"sql":"x","end":1}'
    said = await passed(document, "results", [40], every, cleaned)
    assert json.loads(said) == {"total": 2, "results": [{"a": 1}, {"b": 2}], "end": 1}
