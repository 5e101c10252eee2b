"""Headers: the few that mean something here, each at most once. All others are as if they had not been sent."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from authgw.intake.limits import Limits
from authgw.intake.request import Refused
from authgw.reasons import Reason

# Keyed by the one real spelling. `x_forwarded_for` or `content.type`, which some servers fold onto a real name,
# is not in here, and so is as unknown as any other header: it is neither judged nor sent on.
_KEPT = {
    name.encode(): name.replace("-", "_")
    for name in (
        "accept",
        "accept-language",
        "user-agent",
        "range",
        "if-range",
        "if-none-match",
        "origin",
        "sec-fetch-site",
        "sec-fetch-mode",
        "sec-fetch-dest",
        "x-requested-with",
        "host",
        "authorization",
        "upgrade",
        "content-type",
        "content-encoding",
        "cookie",
        "x-forwarded-for",
    )
}
_LISTS = frozenset({"accept", "accept_language", "if_none_match"})
_ANY_BYTES = frozenset({"user_agent", "cookie"})
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,253})|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?")


class Heads(msgspec.Struct, frozen=True):
    """`kept` goes into the request (content type still as sent); the others are for intake alone."""

    kept: dict[str, str]
    cookie: str
    forwarded_for: tuple[str, ...]
    content_encoding: str


def judge(headers: tuple[tuple[bytes, bytes], ...], limits: Limits) -> Heads | Refused:
    """The known headers, once each, names lower-case with `_` for `-`.

    Refused: too many or too large (431), control characters in any value, bytes outside ASCII in a known header
    other than User-Agent and Cookie, a known header given twice (lists such as Accept: unless equal;
    X-Forwarded-For: its lines are one list), no Host, two Hosts, or one that is not `host[:port]`.
    """
    everything = "".join([value.decode("latin-1") for _, value in headers])
    if len(headers) > limits.max_headers or len(everything) > limits.max_header_bytes:
        return Refused(Reason.HEADER_MALFORMED, 431, "headers: too many or too large")
    if not everything.isprintable() and _CONTROL.search(everything):
        return Refused(Reason.HEADER_MALFORMED, 400, "headers: a control character in a value")
    kept: dict[str, str] = {}
    forwarded_for: list[str] = []
    for raw_name, raw_value in headers:
        name = _KEPT.get(raw_name.lower())
        if name is None:
            continue
        value = raw_value.decode("latin-1").strip(" ")
        if not value.isascii() and name not in _ANY_BYTES:
            return Refused(Reason.HEADER_MALFORMED, 400, f"header {name}: not ASCII")
        if name == "x_forwarded_for":
            forwarded_for.append(value)
        elif name in kept and not (name in _LISTS and kept[name] == value):
            return Refused(_reason(name), 400, f"header {name}: given twice")
        else:
            kept[name] = value
    if not _host_is_well_formed(kept):
        return Refused(Reason.HOST_MALFORMED, 400, "header host: absent or not host[:port]")
    return Heads(kept, kept.pop("cookie", ""), tuple(forwarded_for), kept.pop("content_encoding", ""))


def _host_is_well_formed(kept: Mapping[str, str]) -> bool:
    match = _HOST.fullmatch(kept.get("host", ""))
    return match is not None and (match[1] is None or int(match[1]) < 65536)


def _reason(name: str) -> Reason:
    if name == "host":
        return Reason.HOST_MALFORMED
    return Reason.COOKIE_MALFORMED if name == "cookie" else Reason.HEADER_MALFORMED
