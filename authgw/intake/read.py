"""Bytes in, one canonical request out. What two readers could take for two things is refused here, never later."""

from __future__ import annotations

from authgw.intake import body
from authgw.intake.fields import merge, query
from authgw.intake.head import Head, Heads, judge
from authgw.intake.limits import Limits
from authgw.intake.path import normalise
from authgw.intake.request import Body, Raw, Refused, Request, Value
from authgw.reasons import Reason

__all__ = ["Heads", "Limits", "read"]

# HEAD is judged as the GET it stands for.
_METHODS = {"GET": ("GET", False), "HEAD": ("GET", True), "POST": ("POST", False)}


def read(raw: Raw, limits: Limits, heads: Heads | None = None) -> Request | Refused:
    """The canonical request, or the first thing that is wrong with it. Pure: no clock, no I/O.

    Statuses: 400, 405 (method), 413 (body), 414 (path and query), 415 (content type or coding), 431 (headers).
    A refusal's detail names fields, never values. `heads`: remembers headers that were judged under these limits.
    """
    known = _METHODS.get(raw.method)
    if known is None:
        return Refused(Reason.METHOD_NOT_ALLOWED, 405, "method: only GET, HEAD and POST")
    method, is_head = known
    if len(raw.path) + len(raw.query) > limits.max_target:
        too_long = Reason.PATH_MALFORMED if len(raw.path) > len(raw.query) else Reason.QUERY_MALFORMED
        return Refused(too_long, 414, f"path and query: more than {limits.max_target} bytes")
    path = normalise(raw.path)
    if isinstance(path, Refused):
        return path
    head = judge(raw, limits) if heads is None else heads.of(raw)
    if isinstance(head, Refused):
        return head
    written = _fields(raw, method, head, limits)
    if isinstance(written, Refused):
        return written
    kind, fields = written
    return Request(method, is_head, path, fields, kind, head.headers, head.cookies, head.address)


def _fields(raw: Raw, method: str, head: Head, limits: Limits) -> tuple[Body, dict[str, Value]] | Refused:
    """Query and body merged."""
    fields = query(raw.query, limits)
    if isinstance(fields, Refused):
        return fields
    if head.coding:
        return Refused(Reason.BODY_TYPE, 415, "header content_encoding: requests are read uncoded only")
    if not raw.body:
        return Body.NONE, fields
    written = body.read(method, raw.body, head.content_type, limits)
    if isinstance(written, Refused) or not written[1]:
        return written if isinstance(written, Refused) else (written[0], fields)
    merged = merge(fields, written[1], limits)
    return merged if isinstance(merged, Refused) else (written[0], merged)
