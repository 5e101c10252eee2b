"""Small services of the GUI that the gateway answers itself: it knows the session, the product does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from authgw.answer import Answer, as_json
from authgw.audit.log import MAX_FIELD
from authgw.doors import Visitor
from authgw.policy.decision import Allow
from authgw.policy.kinds import scalar

# How long a reason given beforehand counts for the download that follows.
REASON_SECONDS = 60.0
MAX_REASONS = 10_000
_REASON_NAMES = ("auditReason", "reason", "text")
_ID_NAMES = ("cdrId", "id", "cdr_ID", "ID")


class Services:
    """Reasons given beforehand are kept in this process; `clock`: seconds that never go back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._reasons: dict[tuple[str, str], tuple[float, str]] = {}

    def answer(self, allow: Allow, visitor: Visitor) -> Answer:
        if allow.entry.answer == "can_audit":
            return as_json(200, {"success": True, "can_audit": _can_audit(visitor)})
        if allow.entry.answer == "save_audit":
            return self._save(allow, visitor)
        return as_json(200, {"success": True})

    def reason(self, visitor: Visitor, call_id: str) -> str:
        """What this session said, a moment ago, why it will download that call; empty if nothing."""
        until, text = self._reasons.get((visitor.handle, call_id), (0.0, ""))
        return text if visitor.handle and self._clock() < until else ""

    def _save(self, allow: Allow, visitor: Visitor) -> Answer:
        given: dict[str, Any] = {**allow.fields}
        for element in allow.elements:
            given |= element
        text = next((value for name in _REASON_NAMES if (value := scalar(given.get(name)))), "")
        call_id = next((value for name in _ID_NAMES if (value := scalar(given.get(name)))), "")
        if not text.strip() or not call_id or not visitor.handle:
            return as_json(400, {"success": False, "error": "a reason and the id of its call must be set"})
        now = self._clock()
        if len(self._reasons) >= MAX_REASONS:
            self._reasons = {key: kept for key, kept in self._reasons.items() if kept[0] > now}
        if len(self._reasons) < MAX_REASONS:
            self._reasons[visitor.handle, call_id] = (now + REASON_SECONDS, text[:MAX_FIELD])
        return as_json(200, {"success": True})


def _can_audit(visitor: Visitor) -> int:
    """1 where some grant demands reasons, else the view if any grant has it."""
    values = {grant.can_audit for grant in visitor.claims.grants}
    return 1 if 1 in values else max(values, default=0)
