"""The body: read as what its content type says, and refused if it is anything else."""

from __future__ import annotations

import re

from authgw.intake import json, multipart
from authgw.intake.fields import collect, urlencoded
from authgw.intake.limits import Limits
from authgw.intake.request import Body, Refused, Value
from authgw.reasons import Reason

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
MULTIPART = "multipart/form-data"
_TYPE = re.compile(r"([a-z0-9!#$&^_.+-]{1,64}/[a-z0-9!#$&^_.+-]{1,64}) *(;.*)?", re.I)
_UTF8 = re.compile(r'(?:; *(?:charset="?utf-8"?)?)?', re.I)

Fields = dict[str, Value]


def media_type(header: str) -> tuple[str, str] | None:
    """Type (lower-case) and the rest of a Content-Type header, from the first `;` on. None: it is not one."""
    match = _TYPE.fullmatch(header)
    return (match[1].lower(), match[2] or "") if match else None


def read(method: str, body: bytes, content_type: str, limits: Limits) -> tuple[Body, Fields] | Refused:
    """How the body was written, and its fields.

    No body, and exactly `{}` under any type or none, are no fields (a client in the wild sends it beside a query).
    Any other body of a GET is refused: PHP would not read it as fields, other readers might.
    """
    if not body or body == b"{}":
        return Body.NONE, {}
    if len(body) > limits.max_body:
        return Refused(Reason.BODY_TOO_LARGE, 413, f"body: more than {limits.max_body} bytes")
    if method != "POST":
        return Refused(Reason.BODY_MALFORMED, 400, f"body: {method} has none")
    found = media_type(content_type)
    if found is None:
        return _unread("no content type")
    kind, parameters = found
    if kind == MULTIPART:
        mark = multipart.boundary(parameters)
        if mark is None:
            return Refused(Reason.BODY_MALFORMED, 400, "body: multipart/form-data without one plain boundary")
        return _as(Body.MULTIPART, multipart.read(body, mark, limits))
    if kind in (FORM, JSON) and not _UTF8.fullmatch(parameters):
        return _unread("content type with other parameters than charset=utf-8")
    if kind == FORM:
        return _as(Body.FORM, _form(body, limits))
    if kind == JSON:
        return _as(Body.JSON, _json(body, limits))
    return _unread("content type is none of urlencoded, multipart and JSON")


def _form(body: bytes, limits: Limits) -> Fields | Refused:
    fields = urlencoded(body, limits, "body", Reason.BODY_MALFORMED)
    if isinstance(fields, Refused) and body.lstrip()[:1] in (b"{", b"["):
        return Refused(fields.reason, fields.status, f"{fields.detail} (JSON needs content type {JSON})")
    return fields


def _json(body: bytes, limits: Limits) -> Fields | Refused:
    value = json.strict(body, limits.json_depth)
    if isinstance(value, Refused):
        return value
    if not isinstance(value, dict):
        return Refused(Reason.JSON_MALFORMED, 400, "body: the JSON is not an object")
    return collect(value.items(), limits, "body")


def _as(kind: Body, fields: Fields | Refused) -> tuple[Body, Fields] | Refused:
    return fields if isinstance(fields, Refused) else (kind, fields)


def _unread(detail: str) -> Refused:
    return Refused(Reason.BODY_TYPE, 415, f"body: {detail}")
