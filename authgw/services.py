"""Small services of the GUI that the gateway answers itself: it knows the session, the product does not."""

from __future__ import annotations

import hashlib
from typing import Any

from authgw.answer import Answer, as_json
from authgw.audit.log import MAX_FIELD
from authgw.doors import Visitor
from authgw.narrow.judge import REASON_DEMANDED
from authgw.policy.decision import Allow
from authgw.policy.kinds import scalar
from authgw.session.handles import HandleKind, Handles
from authgw.session.seal import spell

# How long a reason given beforehand counts for the download that follows.
REASON_SECONDS = 60.0
_REASON_NAMES = ("auditReason", "reason", "text")
_ID_NAMES = ("cdrId", "id", "cdr_ID", "ID")


class Services:
    """Reasons given beforehand are kept in the session store, where every worker finds them."""

    def __init__(self, handles: Handles) -> None:
        self._handles = handles

    async def answer(self, allow: Allow, visitor: Visitor) -> Answer:
        """StoreError: a reason cannot be kept."""
        if allow.entry.answer == "can_audit":
            return as_json(200, {"success": True, "can_audit": _can_audit(visitor)})
        if allow.entry.answer == "save_audit":
            return await self._save(allow, visitor)
        return as_json(200, {"success": True})

    async def reason(self, visitor: Visitor, call_id: str) -> str:
        """What this session said, a moment ago, why it will download that call; empty if nothing, or if no reason is
        demanded of it. StoreError: it cannot be read."""
        if not visitor.handle or _can_audit(visitor) != REASON_DEMANDED:
            return ""
        said = await self._handles.peek(HandleKind.AUDIT_REASON, _name(visitor, call_id))
        return "" if said is None else said.decode()

    async def _save(self, allow: Allow, visitor: Visitor) -> Answer:
        given: dict[str, Any] = {**allow.fields}
        for element in allow.elements:
            given |= element
        text = next((value for name in _REASON_NAMES if (value := scalar(given.get(name)))), "")
        call_id = next((value for name in _ID_NAMES if (value := scalar(given.get(name)))), "")
        if not text.strip() or not call_id or not visitor.handle:
            return as_json(400, {"success": False, "error": "a reason and the id of its call must be set"})
        said = text[:MAX_FIELD].encode()
        await self._handles.put(HandleKind.AUDIT_REASON, said, REASON_SECONDS, _name(visitor, call_id))
        return as_json(200, {"success": True})


def _name(visitor: Visitor, call_id: str) -> str:
    """What a session's reason for one call is stored under."""
    return spell(hashlib.sha256(f"{visitor.handle}/{call_id}".encode()).digest())


def _can_audit(visitor: Visitor) -> int:
    """1 where some grant demands reasons, else the view if any grant has it."""
    values = {grant.can_audit for grant in visitor.claims.grants}
    return 1 if 1 in values else max(values, default=0)
