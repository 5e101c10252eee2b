"""What one request leaves behind in the audit trail."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from authgw.audit.log import MAX_FIELD, Audit
from authgw.doors import Doors, Visitor
from authgw.edge import Scope
from authgw.intake import encode
from authgw.intake.canonical import SECRET
from authgw.intake.request import Request, Value
from authgw.policy.decision import Deny
from authgw.reasons import Reason

# The names in a JSON text.
_KEYS = re.compile(r'"([^"\\]{1,128})"\s*:')
# RFC 9110, 15.2.2: what an opened WebSocket is answered with.
SWITCHING = 101


class Trail:
    """Filled along the request path, written once at its end. Lists leave no line of their own."""

    __slots__ = (
        "asked",
        "began",
        "calls",
        "cut",
        "entry",
        "id",
        "path",
        "peer",
        "refused",
        "request",
        "said",
        "size",
        "status",
        "visitor",
        "written",
    )

    def __init__(self, id: str, began: float) -> None:
        self.id = id
        self.began = began
        self.request: Request | None = None
        self.visitor: Visitor | None = None
        self.refused: Deny | None = None
        self.cut: Reason | None = None
        self.calls: tuple[int, ...] = ()
        self.said = self.path = self.entry = self.peer = self.asked = ""
        self.status = self.size = 0
        self.written = False

    def raw(self, scope: Scope) -> None:
        """A request that could not be read: only what is certain about it."""
        client = scope.get("client")
        self.peer = client[0] if client else ""
        self.path = (scope.get("raw_path") or b"").decode("ascii", "backslashreplace")

    def still(self, doors: Doors) -> Callable[[], Awaitable[bool]] | None:
        """Asks whether the visitor's session goes on; None for nobody in particular."""
        visitor = self.visitor
        return None if visitor is None else lambda: doors.still(visitor)

    def write(self, audit: Audit, ended: float) -> None:
        """At most one line, whoever asks again."""
        lasting = "websocket" if self.status == SWITCHING else None
        event = "refusal" if self.refused else "download" if self.calls else lasting
        if event is None or self.written:
            return
        self.written = True
        fields: dict[str, Any] = {"request": self.id, "status": self.status, "path": self.path, "call": self.entry}
        fields["method"] = self.request.method if self.request else ""
        if self.visitor is not None:
            claims = self.visitor.claims
            fields |= {"user": claims.user, "login": claims.login, "tenant": claims.tenant}
            fields |= {"session": self.visitor.handle, "token": self.visitor.token}
        fields["address"] = self.request.address if self.request else self.peer
        if self.refused:
            fields |= {"asked": self.asked, "reason": self.refused.reason.value, "detail": self.refused.detail}
            # What strangers send may be a password under any name.
            fields["query"] = _query(self.request.fields) if self.request and self.visitor else ""
        said = self.request.fields.get("auditReason") if self.request else None
        fields["said"] = said if isinstance(said, str) and said else self.said
        fields |= {"calls": list(self.calls), "bytes": self.size, "ms": round((ended - self.began) * 1000, 1)}
        if self.cut:
            fields["cut"] = self.cut.value
        audit.write(event, fields)


def _query(fields: Mapping[str, Value]) -> str:
    """What was asked for, so that it can be asked again. What could open something, by its name at any depth, is left
    out."""
    shown: list[tuple[str, str]] = []
    length = 0
    for name, value in fields.items():
        if length > MAX_FIELD:
            break  # as much as a line keeps
        text = (value if isinstance(value, str) else encode.as_text(value))[:MAX_FIELD]
        if SECRET.search(name) or any(map(SECRET.search, _KEYS.findall(text))):
            continue
        shown.append((name, text))
        length += len(name) + len(text)
    return encode.query(shown).decode()
