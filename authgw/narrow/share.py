"""Links in the replies of share calls: found as addresses, rewritten to the gateway, and told to who keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from authgw.errors import UpstreamError
from authgw.narrow.fetch import on
from authgw.policy.decision import Element
from authgw.reasons import Reason
from authgw.upstream.api import Call

MAX_LINKS = 100
# The kinds of links that lead to the GUI: for anybody, and for its users.
PUBLIC = "self_protected_link"
LOGIN = "self_login_link"


def share_call(calls: Sequence[int], element: Element) -> Call:
    """The GUI's own sharing of calls by id, as a public link. Changes something: never sent twice."""
    history = on(element, "sip_history")
    params: Element = {
        "type": "share_cdr_show",
        "type2": "rtp" if on(element, "rtp") and not history else None,
        "subType": PUBLIC,
        "id": list(calls),
        "emailFields": None,
    }
    if history:
        params["sip_history"] = True
    fields = (("task", "shareCdr"), ("params", msgspec.json.encode(params).decode()))
    return Call("POST", "/php/model/utilities.php", fields, safe=False, decode=True)


class Rewritten(msgspec.Struct, frozen=True):
    """A link to the GUI, as path below its base path and fields."""

    path: str
    fields: dict[str, str]


def rewrite_links(body: bytes, base_path: str, public_url: str) -> tuple[bytes, list[Rewritten]]:
    """The reply with every link to the GUI rewritten to `public_url`, and those links.

    Whatever host the GUI names itself by: a share link is an address whose path lies below the base path. An address
    of another form is left out of the reply: it would lead around the gateway.
    """
    found: list[Rewritten] = []

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: walk(item) for name, item in value.items()}
        if isinstance(value, list):
            return [walk(item) for item in value]
        return link(value) if isinstance(value, str) and value.startswith(("http://", "https://")) else value

    def link(text: str) -> str:
        parts = urlsplit(text)
        inside = parts.path.startswith(base_path + "/") and "//" not in parts.path and ".." not in parts.path
        fields = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=20)
        if not inside or not fields or len(dict(fields)) != len(fields) or len(found) >= MAX_LINKS:
            raise UpstreamError(Reason.UPSTREAM_MALFORMED, "a share link of a form that cannot be kept")
        path = parts.path[len(base_path) :]
        found.append(Rewritten(path, dict(fields)))
        return f"{public_url.rstrip('/')}{path}?{parts.query}"

    try:
        return msgspec.json.encode(walk(msgspec.json.decode(body))), found
    except (msgspec.MsgspecError, ValueError) as error:
        raise UpstreamError(Reason.UPSTREAM_MALFORMED, f"share links cannot be read: {error}") from None
