"""The head of a reply (RFC 9112, sections 4, 5 and 6.3): its status and fields, and how its body is framed. Pure.

One expression says what a head is; whatever else it is, is refused. What other readers forgive (a field folded over
two lines, a bare line feed, a space before the colon) is no head here.
"""

from __future__ import annotations

import re
from enum import Enum

import msgspec

from authgw.upstream.wire import Head, malformed

START = b"HTTP/1."
GAP = b"\r\n\r\n"
# What says how the body is framed, and whether the connection is kept.
_FRAMES = frozenset({"content-length", "transfer-encoding", "connection"})
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TEXT = r"[\t\x20-\x7e\x80-\xff]*"
_HEAD = re.compile(rf"HTTP/1\.([01]) ([1-5][0-9]{{2}})(?: {_TEXT})?\r\n((?:{_TOKEN}:{_TEXT}\r\n)*)\r\n")
# Far more than any body has, and no more than every reader's numbers hold.
_LENGTH = re.compile(r"[0-9]{1,18}")
# No beginning of a head: a control character, or half of a line's end.
_NO_HEAD = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?<!\r)\n|\r[^\n]")


class Framing(Enum):
    """How a body ends (RFC 9112, section 6.3)."""

    NONE = "none"
    LENGTH = "length"
    CHUNKED = "chunked"
    CLOSE = "close"


class Opening(msgspec.Struct, frozen=True):
    """A head that was read. `length`: of the body, where `framing` is LENGTH. `keep`: the other side keeps the
    connection (HTTP/1.0 never counts: what keeps it there was never agreed on by everybody)."""

    head: Head
    framing: Framing
    length: int
    keep: bool


def may_be_head(data: bytes, seen: int) -> bool:
    """Whether a head may begin so, its first `seen` bytes having been looked at before."""
    return (data.startswith(START) or START.startswith(data)) and _NO_HEAD.search(data, max(0, seen - 1)) is None


def opening(data: bytes, bodiless: bool) -> Opening:
    """The head whose bytes these are, with the empty line. `bodiless`: the reply to a HEAD. Raises UpstreamError."""
    match = _HEAD.fullmatch(data.decode("latin-1"))
    if match is None:
        if not data.startswith(START):
            raise malformed("the reply does not begin with HTTP/1.")
        raise malformed("not a head of HTTP/1.0 or HTTP/1.1")
    version, status, lines = match[1], int(match[2]), match[3]
    fields = []
    codings: list[str] = []
    lengths: list[str] = []
    keep = version == "1"
    for line in lines.split("\r\n")[:-1]:
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip(" \t")
        fields.append((name, value))
        if name not in _FRAMES:
            continue
        # A tab belongs to the value for some readers and not for others: none around what frames the body.
        if name == "content-length":
            lengths.append(line[len(name) + 1 :].strip(" "))
        elif name == "transfer-encoding":
            codings.append(line[len(name) + 1 :].strip(" "))
        else:
            keep = keep and "close" not in [option.strip(" \t") for option in value.lower().split(",")]
    if status == 101:
        raise malformed("the reply switches protocols")
    framing, length = _framing(status, codings, lengths, version, bodiless)
    return Opening(Head(status, tuple(fields)), framing, length, keep and framing is not Framing.CLOSE)


def _framing(status: int, codings: list[str], lengths: list[str], version: str, bodiless: bool) -> tuple[Framing, int]:
    """How the body ends, and its length where that is told."""
    if codings and (len(codings) > 1 or codings[0].lower() != "chunked" or version == "0" or lengths):
        raise malformed("a transfer coding other than chunked alone")
    if len(lengths) > 1 or (lengths and not _LENGTH.fullmatch(lengths[0])):
        raise malformed("a malformed content length")
    if (status < 200 or status == 204) and (codings or (lengths and status < 200)):
        raise malformed("body framing in a reply that has no body")
    if bodiless or status < 200 or status in (204, 304):
        return Framing.NONE, 0
    if codings:
        return Framing.CHUNKED, 0
    return (Framing.LENGTH, int(lengths[0])) if lengths else (Framing.CLOSE, 0)
