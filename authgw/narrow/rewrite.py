"""The request that goes upstream, written anew from what was decided."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from authgw.intake.request import Request
from authgw.policy.decision import Allow
from authgw.upstream.api import Call

# Consumed here: the user's own credentials and reasons never go upstream.
_OURS = frozenset({"user", "password", "otp", "code2fa", "auditReason"})
# Only where credentials come in fields: elsewhere (a share link) a field of that name is the GUI's own.
_TOKEN = frozenset({"token"})
# Headers of the client that go upstream, as they are named here and there.
_PASSED = (("accept", "accept"), ("accept_language", "accept-language"), ("user_agent", "user-agent"))
_STREAMED = (*_PASSED, ("range", "range"), ("if_range", "if-range"), ("if_none_match", "if-none-match"))
# One range of a file. Any other header of that name counts as not sent (RFC 9110, section 14.2): many ranges at once
# cost the one who answers far more than the one who asks.
_RANGE = re.compile(r"bytes=(?:[0-9]{1,18}-[0-9]{0,18}|-[0-9]{1,18})")


def fields(allow: Allow, limits: frozenset[str], extra: Mapping[str, str] = {}) -> dict[str, str]:
    """The fields as they are sent: the user's, those always sent, those a limit forces, those the scope adds."""
    entry = allow.entry
    ours = _OURS | _TOKEN if entry.auth == "credentials" else _OURS
    sent = {name: value for name, value in allow.fields.items() if name not in ours and name not in entry.parts}
    if entry.json_field is not None and allow.elements:
        value = list(allow.elements) if allow.batch else allow.elements[0]
        sent[entry.json_field] = msgspec.json.encode(value).decode()
    for name, text in entry.always.items():
        sent.setdefault(name, text)
    sent.update(entry.send)
    for when in entry.when:
        if when.claim in limits:
            sent.update(when.set)
    sent.update(extra)
    return sent


def call(allow: Allow, request: Request, path: str, sent: Mapping[str, str]) -> Call:
    """`path`: below the base path. Calls with credentials go by POST, the others as they came."""
    given = request.headers
    headers = tuple(
        [
            (spelt, value)
            for name, spelt in (_STREAMED if allow.entry.reply == "stream" else _PASSED)
            if (value := given.get(name)) and (name != "range" or _RANGE.fullmatch(value))
        ]
    )
    credentials = allow.entry.auth == "credentials"
    method = "POST" if credentials else request.method
    reads = allow.entry.reply in {"rows", "json"}
    return Call(method, path, tuple(sent.items()), headers, credentials, decode=reads, safe=not allow.entry.changes)
