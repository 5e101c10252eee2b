"""Bytes in, one canonical request out. What two readers could take for two things is refused here, never later."""

from __future__ import annotations

from authgw.intake import body, cookies, headers
from authgw.intake.fields import merge, query
from authgw.intake.limits import Limits
from authgw.intake.path import normalise
from authgw.intake.peer import client_address
from authgw.intake.request import Body, Raw, Refused, Request, Value
from authgw.reasons import Reason

__all__ = ["Limits", "read"]

# HEAD is judged as the GET it stands for.
_METHODS = {"GET": ("GET", False), "HEAD": ("GET", True), "POST": ("POST", False)}


def read(raw: Raw, limits: Limits) -> Request | Refused:
    """The canonical request, or the first thing that is wrong with it. Pure: no clock, no I/O.

    Statuses: 400, 405 (method), 413 (body), 414 (path and query), 415 (content type or coding), 431 (headers).
    A refusal's detail names fields, never values.
    """
    known = _METHODS.get(raw.method)
    if known is None:
        return Refused(Reason.METHOD_NOT_ALLOWED, 405, "method: only GET, HEAD and POST")
    method, head = known
    if len(raw.path) + len(raw.query) > limits.max_target:
        too_long = Reason.PATH_MALFORMED if len(raw.path) > len(raw.query) else Reason.QUERY_MALFORMED
        return Refused(too_long, 414, f"path and query: more than {limits.max_target} bytes")
    path = normalise(raw.path)
    if isinstance(path, Refused):
        return path
    heads = headers.judge(raw.headers, limits)
    if isinstance(heads, Refused):
        return heads
    address = client_address(raw.peer, heads.forwarded_for, limits.trusted_proxies)
    if isinstance(address, Refused):
        return address
    jar = cookies.parse(heads.cookie, limits.max_cookies) if heads.cookie else {}
    if isinstance(jar, Refused):
        return jar
    written = _fields(raw, method, heads, limits)
    if isinstance(written, Refused):
        return written
    kind, fields = written
    return Request(method, head, path, fields, kind, heads.kept, jar, address)


def _fields(raw: Raw, method: str, heads: headers.Heads, limits: Limits) -> tuple[Body, dict[str, Value]] | Refused:
    """Query and body merged. The content type stays in the headers as its bare type, or not at all."""
    fields: dict[str, Value] | Refused = query(raw.query, limits)
    if isinstance(fields, Refused):
        return fields
    if heads.content_encoding:
        return Refused(Reason.BODY_TYPE, 415, "header content_encoding: requests are read uncoded only")
    content_type = heads.kept.pop("content_type", "")
    if content_type and (found := body.media_type(content_type)):
        heads.kept["content_type"] = found[0]
    written = body.read(method, raw.body, content_type, limits)
    if isinstance(written, Refused) or not written[1]:
        return written if isinstance(written, Refused) else (written[0], fields)
    merged = merge(fields, written[1], limits)
    return merged if isinstance(merged, Refused) else (written[0], merged)
