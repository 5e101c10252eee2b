"""What the gateway makes of a request, line by line: the same reading, the same conditions, the same rewriting.

Pure: it answers for given claims; what only upstream knows (a call's facts, sensor ids) is named as asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from authgw.catalogue.match import Catalogue
from authgw.catalogue.model import Entry
from authgw.intake.canonical import render
from authgw.intake.limits import Limits
from authgw.intake.read import read
from authgw.intake.request import Raw, Refused, Request
from authgw.narrow import rewrite
from authgw.narrow.scope import is_sensors_only, is_unscoped
from authgw.narrow.width import too_wide
from authgw.policy import fields as typed
from authgw.policy.decide import Case, Rules, conditions, decide
from authgw.policy.decision import Allow, Deny
from authgw.reasons import Reason
from authgw.rights.claims import Claims
from authgw.rights.words import describe
from authgw.session.model import Kind


class Explanation(msgspec.Struct, frozen=True):
    """`allowed` and the lines that say why. `grants`: positions in the claims of those that open the call."""

    allowed: bool
    lines: list[str]
    grants: tuple[int, ...] = ()


class Setting(msgspec.Struct, frozen=True):
    """The gateway that is asked. `now`: in the product's clock; `scan_days`: the bound on a scan, 0 for none."""

    catalogue: Catalogue
    limits: Limits
    base_path: str
    rules: Rules
    scan_days: int
    now: datetime


def explain(raw: Raw, claims: Claims, setting: Setting) -> Explanation:
    """The request as a browser's own session would send it, or with user and password where api.php is asked."""
    request = read(raw, setting.limits)
    if isinstance(request, Refused):
        return Explanation(False, [f"refused   {request.reason}: {request.detail}", f"answer    {request.status}"])
    lines = _titled("request", render(request))
    path = request.path.removeprefix(setting.base_path) or "/"
    inside = request.path.startswith(setting.base_path)
    hit = setting.catalogue.match(path, request.fields) if inside else None
    if hit is None:
        lines.append("entry     none: this call is not in the catalogue")
        return Explanation(False, [*lines, *_denied(Deny(Reason.UNKNOWN_CALL, 403, "nobody may ask for it"))])
    entry, named = hit
    lines.append(f"entry     {entry.name}")
    kind = None if entry.auth == "credentials" and "user" in request.fields else Kind.BROWSER
    case = Case(entry, request, typed.read(entry, named), claims, kind, setting.rules)
    for condition in conditions(case):
        detail = f": {condition.detail}" if condition.detail else ""
        lines.append(f"  {'yes' if condition.held else 'NO '}  {condition.name}{detail}")
    decision = decide(case)
    if isinstance(decision, Deny):
        return Explanation(False, [*lines, *_denied(decision)])
    if entry.answer:
        return Explanation(True, [*lines, "answer    by the gateway itself, never sent upstream"], decision.grants)
    if (wide := _too_wide(decision, claims, setting)) is not None:
        return Explanation(
            False, [*lines, f"  NO   the dates keep to the bound of a scan: {wide.detail}", *_denied(wide)]
        )
    return Explanation(True, [*lines, *_allowed(decision, claims, request, path)], decision.grants)


def _denied(refusal: Deny) -> list[str]:
    return [f"decision  deny {refusal.reason}: {refusal.detail}", f"answer    {refusal.status}"]


def _too_wide(decision: Allow, claims: Claims, setting: Setting) -> Deny | None:
    """Where sensors alone are the scope nothing has to be scanned, as long as upstream knows all of them."""
    rows = decision.entry.rows
    pushed = decision.entry.push and all(is_sensors_only(claims.grants[at]) for at in decision.grants)
    if rows is None or rows.pages != "start" or decision.unscoped or pushed:
        return None
    problem = too_wide(decision.fields, setting.now, setting.scan_days)
    return None if problem is None else Deny(Reason.SCAN_TOO_WIDE, 400, problem)


def _allowed(decision: Allow, claims: Claims, request: Request, path: str) -> Iterable[str]:
    entry = decision.entry
    yield f"decision  allow, by {_count(len(decision.grants), 'grant')} of {len(claims.grants)}"
    for at in decision.grants:
        grant = claims.grants[at]
        label = grant.label or f"grant {at + 1}"
        words = ["every call"] if is_unscoped(grant) else describe(grant, {})
        yield f"scope     {label}: {'; '.join(words)}"
    yield from _obligations(entry, decision, claims)
    sent = rewrite.fields(decision, decision.limits)
    call = rewrite.call(decision, request, path, sent)
    yield from _titled("upstream", [f"{call.method} {path}", *_written(dict(call.fields))])


def _obligations(entry: Entry, decision: Allow, claims: Claims) -> Iterable[str]:
    for kind, name in entry.object.items():
        asked = decision.fields.get(name, "?")
        yield f"object    {kind} {asked} must be visible in that scope, else 404 as if it did not exist"
    for kind, name in entry.objects.items():
        yield f"objects   every {kind} of {name} must be visible in that scope, else 404 as if it did not exist"
    if entry.select is not None:
        yield "selected  the calls that are meant must be visible in that scope, else 404; other legs are left out"
    if entry.active:
        yield "active    the call must be under way and visible in that scope, else 404"
    if entry.auth == "share":
        yield "link      it must have been issued here, and for users all of its calls must be visible, else 404"
    if entry.reason and any(claims.grants[at].can_audit == 1 for at in decision.grants):
        yield "reason    can_audit = 1: auditReason must be sent, or saved a moment before, else 403"
    if entry.aggregate and not decision.unscoped:
        yield f"pushed    {', '.join(entry.push.values())}: the sensors of that scope, which are all of it"
    elif entry.rows is not None and not decision.unscoped:
        yield "rows      each row is judged by that scope; totals and pages count only what is visible"
        if entry.push:
            yield f"pushed    {', '.join(entry.push.values())}: the sensors of that scope, by their ids upstream"


def _written(fields: Mapping[str, str]) -> list[str]:
    return [f"{name} = {text}" for name, text in fields.items()]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _titled(title: str, lines: Iterable[str]) -> list[str]:
    """The first line behind a title, the others below it."""
    found = list(lines) or [""]
    return [f"{title:<10}{found[0]}", *(f"{'':<10}{line}" for line in found[1:])]


def raw_of(method: str, url: str, body: str, base_path: str) -> Raw:
    """A request as `curl` would send it. `url`: with or without scheme and host, below the base path or with it."""
    target = url
    if "://" in url:
        target = "/" + url.split("://", 1)[1].partition("/")[2]
    path, _, query = target.partition("?")
    if base_path and path != base_path and not path.startswith(base_path + "/"):
        path = base_path + path
    kind = b"application/json" if body.lstrip()[:1] in {"{", "["} else b"application/x-www-form-urlencoded"
    headers: tuple[tuple[bytes, bytes], ...] = ((b"host", b"localhost"), (b"sec-fetch-site", b"same-origin"))
    if body:
        headers += ((b"content-type", kind),)
    # A terminal is kinder than a browser: spaces and quotes may be typed as they are.
    quoted = encode_typed(query)
    return Raw(method.upper(), path.encode(), quoted, headers, body.encode(), "127.0.0.1")


def encode_typed(query: str) -> bytes:
    """Characters that a browser would percent-encode in a query, encoded."""
    safe = set("!#$%&'()*+,/:;=?@[]~-._")
    return b"".join(
        char.encode()
        if char.isascii() and (char.isalnum() or char in safe)
        else b"".join(b"%%%02X" % octet for octet in char.encode())
        for char in query
    )
