"""WebSockets: judged like any call, opened only where a policy names them, closed when their session ends.

Messages are passed on as they are, for nobody knows what they hold: an entry with `reply = "websocket"` is for users
without row scope. With a browser's cookie, which its browser sends along for every site, our own `Origin` is demanded.
"""

from __future__ import annotations

import asyncio
import logging
from time import perf_counter
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from authgw import edge, present
from authgw.answer import Answer
from authgw.doors import Visitor
from authgw.errors import StoreError, UpstreamError
from authgw.intake.read import read
from authgw.intake.request import Raw, Refused, Request
from authgw.parts import Parts
from authgw.policy import fields as typed
from authgw.policy.decide import Case, decide
from authgw.policy.decision import Allow, Deny
from authgw.reasons import Reason
from authgw.session.model import Kind
from authgw.trail import SWITCHING, Trail
from authgw.upstream.turns import asker
from authgw.upstream.websocket import Dialler
from authgw.watch import ALIVE_SECONDS

log = logging.getLogger("authgw.sockets")

OWN = "/authgw/"
# RFC 6455, 7.4.1: going away, policy violation, internal error.
GOING_AWAY, POLICY, BROKEN = 1001, 1008, 1011


class Sockets:
    """Serves ASGI's websocket scopes."""

    def __init__(self, parts: Parts, dialler: Dialler) -> None:
        self._parts = parts
        self._dialler = dialler

    async def serve(self, scope: edge.Scope, receive: edge.Receive, send: edge.Send) -> None:
        trail = Trail(self._parts.new_id(), perf_counter())
        await receive()  # websocket.connect
        outcome = await self._judged(scope, trail)
        if isinstance(outcome, Deny | Answer):
            await self._refuse(outcome, scope, send, trail)
            return
        allow, visitor = outcome
        try:
            fields = tuple(allow.fields.items())
            async with self._dialler.open(trail.path, fields, scope.get("subprotocols", ())) as upstream:
                trail.status = SWITCHING
                trail.write(self._parts.audit, perf_counter())
                await send({"type": "websocket.accept", "subprotocol": upstream.subprotocol})
                code = await self._relay(receive, send, upstream, visitor)
                await send({"type": "websocket.close", "code": code})
        except UpstreamError as error:
            log.warning("%s upstream: %s", trail.id, error)
            await self._refuse(present.unasked(error, allow.entry.name), scope, send, trail)
        except (OSError, RuntimeError):
            log.info("%s: the client left", trail.id)

    async def _judged(self, scope: edge.Scope, trail: Trail) -> tuple[Allow, Visitor] | Deny | Answer:
        """Every failure is a refusal, as for any call."""
        try:
            return await self._judge(scope, trail)
        except StoreError as error:
            log.error("%s store: %s", trail.id, error)
            return Deny(Reason.STORE_UNAVAILABLE, 503, "sessions cannot be read at the moment")
        except Exception:
            log.exception("%s failed", trail.id)
            return Deny(Reason.INTERNAL, 500, "something went wrong here; the log knows more")

    async def _judge(self, scope: edge.Scope, trail: Trail) -> tuple[Allow, Visitor] | Deny | Answer:
        parts = self._parts
        raw = _raw(scope)
        request = read(raw, parts.limits, parts.heads)
        if isinstance(request, Refused):
            trail.raw(scope)
            return Deny(request.reason, request.status, request.detail)
        trail.request = request
        path = parts.below(request.path)
        own = request.path.startswith(OWN)
        hit = None if path is None or own else parts.catalogue.match(path, request.fields)
        entry, named = hit if hit is not None else (None, {})
        trail.path, trail.entry = path or request.path, entry.name if entry else ""
        visitor = await parts.doors.enter(request, path, entry)
        if not isinstance(visitor, Visitor):
            return visitor
        trail.visitor = visitor
        asker.set(f"{visitor.claims.login}/{visitor.claims.user}")
        if entry is None or entry.reply != "websocket":
            return Deny(Reason.UNKNOWN_CALL, 403, "this call is not in the catalogue as a WebSocket", trail.entry)
        if visitor.grace:
            return Deny(Reason.STORE_UNAVAILABLE, 503, "sessions cannot be read at the moment", entry.name)
        if visitor.kind is Kind.BROWSER and request.headers.get("origin") != parts.rules.origin:
            return Deny(Reason.CROSS_SITE, 403, "a browser opens it from the gateway's own pages", entry.name)
        decision = decide(Case(entry, request, typed.read(entry, named), visitor.claims, visitor.kind, parts.rules))
        return decision if isinstance(decision, Deny) else (decision, visitor)

    async def _refuse(self, outcome: Deny | Answer, scope: edge.Scope, send: edge.Send, trail: Trail) -> None:
        if isinstance(outcome, Deny):
            trail.refused = outcome
            answer = present.refusal(outcome, _as_script(trail.request), trail.path, trail.id, always_200=False)
        else:
            answer = outcome
        trail.status = answer.status
        trail.write(self._parts.audit, perf_counter())
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": POLICY})
            return

        async def said(message: dict[str, Any]) -> None:
            await send({**message, "type": "websocket." + message["type"]})

        await edge.send_answer(said, answer, trail.id)

    async def _relay(self, receive: edge.Receive, send: edge.Send, upstream: ClientConnection, visitor: Visitor) -> int:
        """Until one side closes or the session ends; the code to close the client's side with."""
        ways = (_down(upstream, send), _up(receive, upstream), self._ended(visitor))
        tasks = [asyncio.ensure_future(way) for way in ways]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return next(iter(done)).result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _ended(self, visitor: Visitor) -> int:
        while True:
            if not await self._parts.doors.still(visitor):
                return POLICY
            await asyncio.sleep(ALIVE_SECONDS)


async def _down(upstream: ClientConnection, send: edge.Send) -> int:
    try:
        while True:
            message = await upstream.recv()
            await send({"type": "websocket.send", "text" if isinstance(message, str) else "bytes": message})
    except ConnectionClosed:
        code = upstream.close_code
        return code if code is not None and (code in {1000, 1001, 1003} or 3000 <= code < 5000) else BROKEN


async def _up(receive: edge.Receive, upstream: ClientConnection) -> int:
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return GOING_AWAY
        try:
            text = message.get("text")
            await upstream.send(text if text is not None else message["bytes"])
        except ConnectionClosed:
            await asyncio.Event().wait()  # what the other way says of it counts


def _raw(scope: edge.Scope) -> Raw:
    """The handshake as the GET that it is."""
    client = scope.get("client")
    path = scope.get("raw_path") or scope["path"].encode()
    headers = tuple(scope["headers"])
    return Raw("GET", path, scope.get("query_string", b""), headers, b"", client[0] if client else "")


def _as_script(request: Request | None) -> Request | None:
    """No page is shown in answer to a handshake."""
    if request is None:
        return None
    headers = {name: value for name, value in request.headers.items() if name != "accept"}
    return Request(
        request.method, request.head, request.path, request.fields, request.body, headers, request.cookies,
        request.address,
    )  # fmt: skip
