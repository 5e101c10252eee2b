"""The JSON in a reply of the GUI, which PHP may have written warnings before or after."""

from __future__ import annotations

import json
import re

import msgspec

from authgw.errors import UpstreamError
from authgw.reasons import Reason

# How many places in the text before the JSON may look like its beginning.
_MAX_STARTS = 64
_START = re.compile(r"[\[{]")
_BEGINS_JSON = re.compile(r'\{\s*["}]|\[\s*["\[{]')
_PLAIN = (b"{", b"[")


def plain(body: bytes) -> bytes | None:
    """A reply that begins as a document and is UTF-8, not looked at any further; None: it is to be extracted."""
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    stripped = body.strip()
    return stripped if stripped[:1] in _PLAIN else None


def extract(body: bytes) -> bytes:
    """The one JSON document of a reply, as it was written. Anything that is not clearly one: `UPSTREAM_MALFORMED`.

    Text around it is taken off; text that could itself be read as an object or a list is not understood.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _malformed(f"no UTF-8 at byte {error.start}") from None
    stripped = body.strip()
    if stripped[:1] in _PLAIN:
        try:
            _WHOLE.decode(stripped)
        except (msgspec.MsgspecError, RecursionError):
            pass
        else:
            return stripped
    found = _candidates(text)
    if not found and text.rstrip().endswith("\n[]"):
        return b"[]"
    if len(found) != 1:
        raise _malformed("no JSON document could be told from the text around it")
    start, end = found[0]
    return text[start:end].encode()


def _candidates(text: str) -> list[tuple[int, int]]:
    """Every object, and every list that is not inside one, from left to right; empty lists are prose, not data."""
    spans: list[tuple[int, int]] = []
    at = 0
    for _ in range(_MAX_STARTS):
        hit = _START.search(text, at)
        if hit is None:
            return spans
        try:
            value, end = _DECODER.raw_decode(text, hit.start())
        except (ValueError, RecursionError):
            if _BEGINS_JSON.match(text, hit.start()):
                # A document that broke off: what is inside it is no document of its own.
                raise _malformed("a JSON document that does not end") from None
            at = hit.end()
            continue
        if isinstance(value, dict) or any(isinstance(item, dict | list) for item in value):
            spans.append((hit.start(), end))
        at = end
    raise _malformed("too much text around the JSON document")


def _malformed(detail: str) -> UpstreamError:
    return UpstreamError(Reason.UPSTREAM_MALFORMED, detail)


_DECODER = json.JSONDecoder()
# Raw: the whole document is checked, nothing of it is built.
_WHOLE = msgspec.json.Decoder(msgspec.Raw)
