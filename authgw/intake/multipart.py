"""multipart/form-data (RFC 7578), of which only what nobody can read in two ways is accepted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from authgw.intake.fields import collect
from authgw.intake.limits import Limits
from authgw.intake.request import Refused
from authgw.reasons import Reason

_BOUNDARY = re.compile(r'; *boundary=(?:"([0-9A-Za-z\'()+_./:=?-]{1,70})"|([0-9A-Za-z\'()+_./:=?-]{1,70}))', re.I)
_DISPOSITION = re.compile(r'form-data; *name=(?:"([^"\\]*)"|([A-Za-z0-9_]+))', re.I)
_FILENAME = re.compile(r"; *filename\*? *=", re.I)
_TEXT_TYPE = re.compile(r'text/plain(?:; *charset="?utf-8"?)?', re.I)


class _Refusal(Exception):
    """Carries a value out of the generator; never leaves this file."""

    def __init__(self, refused: Refused) -> None:
        self.refused = refused


def boundary(parameters: str) -> bytes | None:
    """The boundary in the parameters of a content type; None unless it is the only parameter and plain."""
    match = _BOUNDARY.fullmatch(parameters)
    return (match[1] or match[2]).encode("ascii") if match else None


def read(body: bytes, mark: bytes, limits: Limits) -> dict[str, str] | Refused:
    """The fields of a body with this boundary.

    No preamble, no epilogue, CRLF line ends, and the boundary nowhere but in delimiters: PHP looks for it behind a
    bare newline too. A part has a Content-Disposition with a name, at most a Content-Type of UTF-8 text beside it,
    and no file name.
    """
    pieces = body.split(b"--" + mark)
    if len(pieces) < 2 or pieces[0] or pieces[-1] not in (b"--", b"--\r\n"):
        return _malformed("does not begin and end with its boundary")
    if len(pieces) - 2 > limits.max_fields:
        return Refused(Reason.TOO_MANY_FIELDS, 400, f"body: more than {limits.max_fields} fields")
    try:
        return collect(_parts(pieces[1:-1]), limits, "body")
    except UnicodeDecodeError:
        return _malformed("not UTF-8")
    except _Refusal as refusal:
        return refusal.refused


def _parts(pieces: list[bytes]) -> Iterator[tuple[str, str]]:
    for piece in pieces:
        head, blank, value = piece.partition(b"\r\n\r\n")
        if not (head.startswith(b"\r\n") and blank and value.endswith(b"\r\n")):
            raise _Refusal(_malformed("a part is not framed by line ends"))
        yield _name(head[2:].decode("utf-8")).lstrip(" "), value[:-2].decode("utf-8")


def _name(head: str) -> str:
    """The field name in a part's headers."""
    headers: dict[str, str] = {}
    for line in head.split("\r\n"):
        name, colon, value = line.partition(":")
        name = name.lower()
        if not colon or name in headers or name not in ("content-disposition", "content-type"):
            raise _Refusal(_malformed("a part has other headers than Content-Disposition and Content-Type"))
        headers[name] = value.strip(" ")
    disposition = headers.get("content-disposition", "")
    if _FILENAME.search(disposition):
        raise _Refusal(Refused(Reason.FILE_UPLOAD, 400, "body: a file is uploaded"))
    match = _DISPOSITION.fullmatch(disposition)
    if match is None:
        raise _Refusal(_malformed("a part has no plain name"))
    if not _TEXT_TYPE.fullmatch(headers.get("content-type", "text/plain")):
        raise _Refusal(Refused(Reason.BODY_TYPE, 415, "body: a part is not UTF-8 text"))
    return match[1] if match[2] is None else match[2]


def _malformed(detail: str) -> Refused:
    return Refused(Reason.BODY_MALFORMED, 400, f"body: {detail}")
