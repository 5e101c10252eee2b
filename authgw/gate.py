"""The request path: intake, session, catalogue, policy, narrow, upstream, narrow, audit.

One ASGI callable in front of the pages: everything that is not the gateway's own passes here, and only the explicit
`Allow` of `decide` lets anything through. Whatever goes wrong on the way is a refusal with a reason.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter
from typing import Any

from authgw import edge, present
from authgw.answer import Answer, as_json
from authgw.catalogue.model import Entry
from authgw.errors import StoreError, UpstreamError
from authgw.intake.read import read
from authgw.intake.request import Refused, Request
from authgw.narrow.job import Outcome, Passed
from authgw.parts import Parts
from authgw.policy import fields as typed
from authgw.policy.decision import Deny
from authgw.reasons import Reason
from authgw.trail import Trail
from authgw.upstream.turns import asker
from authgw.watch import SessionEnded

log = logging.getLogger("authgw.gate")

OWN = b"/authgw/"


class Gate:
    """`pages` serves the gateway's own paths and its start and end."""

    def __init__(self, pages: Callable[..., Awaitable[None]], parts: Parts) -> None:
        self._pages = pages
        self._parts = parts

    def __call__(self, scope: edge.Scope, receive: edge.Receive, send: edge.Send) -> Awaitable[None]:
        kind = scope["type"]
        if kind == "http":
            if not _is_own(scope):
                return self._serve(scope, receive, send)
            return self._pages(scope, receive, edge.with_request_id(send, self._parts.new_id()))
        if kind == "lifespan":
            return self._pages(scope, receive, send)
        if self._parts.sockets is not None:
            return self._parts.sockets.serve(scope, receive, send)
        return send({"type": "websocket.close", "code": 1008})

    async def _serve(self, scope: edge.Scope, receive: edge.Receive, send: edge.Send) -> None:
        parts, trail = self._parts, Trail(self._parts.new_id(), perf_counter())
        try:
            raw = await edge.read_raw(scope, receive, parts.limits.max_body, parts.body_seconds)
            request = raw if isinstance(raw, Refused) else read(raw, parts.limits, parts.heads)
            if isinstance(request, Refused):
                trail.raw(scope)
                outcome: Outcome | Answer = Deny(request.reason, request.status, request.detail)
            else:
                trail.request = request
                outcome = await self._safely(request, receive, trail)
            await self._send(outcome, receive, send, trail)
        except edge.ClientGone:
            trail.status = 499
        finally:
            trail.write(parts.audit, perf_counter())

    async def _safely(self, request: Request, receive: edge.Receive, trail: Trail) -> Outcome | Answer:
        """Every failure is a refusal: nothing opens because something broke."""
        try:
            return await self._pass(request, receive, trail)
        except UpstreamError as error:
            log.warning("%s upstream: %s", trail.id, error)
            return present.unasked(error, trail.entry)
        except StoreError as error:
            log.error("%s store: %s", trail.id, error)
            return Deny(Reason.STORE_UNAVAILABLE, 503, "sessions cannot be read at the moment", trail.entry)
        except SessionEnded:
            return Deny(Reason.NO_SESSION, 401, "the session ended meanwhile", trail.entry)
        except edge.ClientGone:
            raise
        except Exception:
            log.exception("%s failed", trail.id)
            return Deny(Reason.INTERNAL, 500, "something went wrong here; the log knows more", trail.entry)

    async def _pass(self, request: Request, receive: edge.Receive, trail: Trail) -> Outcome | Answer:
        parts = self._parts
        path = parts.below(request.path)
        # The gateway's own paths are the GUI's in no spelling.
        own = request.path.startswith(OWN.decode())
        hit = None if path is None or own else parts.catalogue.match(path, request.fields)
        entry, named = hit if hit is not None else (None, {})
        trail.path, trail.entry = path or request.path, entry.name if entry else ""
        if entry is not None and entry.answer == "bypass_login":
            return await self._bypass_login(request, entry, named, trail)
        if entry is not None and entry.auth == "share":
            return await parts.shares.open(request, path or "", entry, named, trail)
        visitor = await parts.doors.enter(request, path, entry)
        if isinstance(visitor, Deny | Answer):
            return visitor
        trail.visitor = visitor
        asker.set(f"{visitor.claims.login}/{visitor.claims.user}")
        if entry is None or path is None:
            trail.asked = _asked(trail.path, request.fields)
            return Deny(Reason.UNKNOWN_CALL, 403, "this call is not in the catalogue")
        fields = typed.read(entry, named)
        decision = parts.decisions.of(entry, request, fields, visitor.claims, visitor.kind, parts.rules)
        if isinstance(decision, Deny):
            return decision
        if visitor.grace and entry.changes:
            return Deny(Reason.STORE_UNAVAILABLE, 503, "sessions cannot be read: only reading goes on for now")
        if entry.reply == "websocket":
            return Deny(Reason.METHOD_NOT_ALLOWED, 405, "this call opens as a WebSocket alone", entry.name)
        if entry.answer == "logout":
            return await parts.doors.logout(request, visitor)
        if entry.answer is not None:
            return await parts.services.answer(decision, visitor)
        reason = ""
        if entry.reason:
            trail.said = reason = await parts.services.reason(
                visitor, decision.fields.get(entry.object.get("cdr", ""), "")
            )
        work = parts.narrow.run(decision, visitor.claims, request, path, reason=reason)
        # What changes something is carried through; nothing else is worth a session that nobody waits for.
        if entry.changes:
            return await work
        return await parts.watch.work(receive, parts.body_seconds, trail.still(parts.doors)).over(work)

    async def _bypass_login(
        self, request: Request, entry: Entry, named: Mapping[str, Any], trail: Trail
    ) -> Outcome | Answer:
        if (wrong := typed.read(entry, named).refusal) is not None:
            trail.refused = wrong
            return as_json(wrong.status, {"success": False, "error": wrong.detail})
        return await self._parts.doors.bypass_login(request)

    async def _send(self, outcome: Outcome | Answer, receive: edge.Receive, send: edge.Send, trail: Trail) -> None:
        if isinstance(outcome, Passed):
            await self._stream(outcome, receive, send, trail)
            return
        if isinstance(outcome, Deny):
            trail.refused = outcome
            answer = present.refusal(outcome, trail.request, trail.path, trail.id, always_200=self._parts.always_200)
        else:
            answer = outcome if isinstance(outcome, Answer) else outcome.answer
            trail.calls = () if isinstance(outcome, Answer) else outcome.calls
        trail.status, trail.size = answer.status, len(answer.body)
        # Written before the client hears of it; only of a stream can nobody tell beforehand how it ends.
        trail.write(self._parts.audit, perf_counter())
        await edge.send_answer(send, answer, trail.id)

    async def _stream(self, passed: Passed, receive: edge.Receive, send: edge.Send, trail: Trail) -> None:
        trail.calls, trail.status = passed.calls, passed.reply.status
        head = trail.request is not None and trail.request.head
        work = self._parts.watch.work(receive, self._parts.body_seconds, trail.still(self._parts.doors))

        async def counted(message: dict[str, Any]) -> None:
            # Counted piece by piece: of a download that ends early the trail says how far it got.
            await send(message)
            trail.size += len(message.get("body", b""))

        try:
            await work.over(edge.send_reply(counted, passed.reply, trail.id, head=head, work=work))
        except UpstreamError as error:
            # The answer has begun: it is left unfinished, and the server breaks the connection.
            log.warning("%s upstream: %s", trail.id, error)
            trail.cut = error.reason
        except SessionEnded:
            trail.cut = Reason.NO_SESSION
        except asyncio.CancelledError:
            trail.cut = Reason.STOPPED
            raise
        finally:
            await passed.reply.close()


def _is_own(scope: edge.Scope) -> bool:
    """Decided on the raw path alone; what is not spelt exactly so goes the way of every other call."""
    return bool((scope.get("raw_path") or b"").startswith(OWN))


def _asked(path: str, fields: Mapping[str, Any]) -> str:
    """The name of a call that the catalogue lacks, for who counts what a GUI asks for."""
    told = [f"{name}={fields[name][:40]}" for name in ("task", "module", "action") if isinstance(fields.get(name), str)]
    return " ".join([path[:200], *told])
