"""The ASGI edge: bytes in from the server, answers and streams out to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from authgw.answer import Answer
from authgw.intake.request import Raw, Refused
from authgw.reasons import Reason
from authgw.upstream.api import Reply
from authgw.watch import ClientGone, Work

__all__ = ["App", "ClientGone", "Receive", "Scope", "Send", "read_raw", "send_answer", "send_reply", "with_request_id"]

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# What every answer carries; a reply's own headers come from the upstream's allow-list.
_STANDING = (
    (b"cache-control", b"private, no-store"),
    (b"x-content-type-options", b"nosniff"),
)


async def read_raw(scope: Scope, receive: Receive, max_body: int, seconds: float) -> Raw | Refused:
    """The request with its whole body, or the refusal of one that is too large or too slow."""
    headers = tuple(scope["headers"])
    announced = _announced(headers)
    if announced > max_body:
        return Refused(Reason.BODY_TOO_LARGE, 413, f"body: more than {max_body} bytes")
    try:
        if announced:
            async with asyncio.timeout(seconds):
                body = await _body(receive, max_body)
        else:
            body = b""  # nothing is waited for (RFC 9112, section 6.3): most requests are as short as that
    except TimeoutError:
        return Refused(Reason.BODY_MALFORMED, 408, f"body: not complete within {seconds:g} s")
    if body is None:
        return Refused(Reason.BODY_TOO_LARGE, 413, f"body: more than {max_body} bytes")
    client = scope.get("client")
    return Raw(
        method=scope["method"],
        path=scope.get("raw_path") or scope["path"].encode(),
        query=scope.get("query_string", b""),
        headers=headers,
        body=body,
        peer=client[0] if client else "",
    )


def _announced(headers: Sequence[tuple[bytes, bytes]]) -> int:
    """Bytes of body that will come: 0 for none, 1 where only chunks will tell."""
    for name, value in headers:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < 20 else 1
        if name == b"transfer-encoding":
            return 1
    return 0


async def _body(receive: Receive, max_body: int) -> bytes | None:
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        piece = message.get("body", b"")
        size += len(piece)
        if size > max_body:
            return None
        pieces.append(piece)
        if not message.get("more_body", False):
            return b"".join(pieces)


async def send_answer(send: Send, answer: Answer, request_id: str) -> None:
    headers = [
        (b"content-type", answer.content_type.encode("latin-1")),
        (b"content-length", b"%d" % len(answer.body)),
        (b"x-request-id", request_id.encode()),
        *_STANDING,
    ]
    for name, value in answer.headers:
        headers.append((name.encode("latin-1"), value.encode("latin-1")))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def send_reply(send: Send, reply: Reply, request_id: str, *, head: bool, work: Work) -> None:
    """Stream a reply through. A body cut short raises and leaves the answer unfinished.

    One that takes no more pieces counts as gone (`ClientGone`), for a reply that is not read through keeps one of the
    few sessions of the service account.
    """
    await send({"type": "http.response.start", "status": reply.status, "headers": _reply_headers(reply, request_id)})
    if not head:
        async for piece in reply.stream():
            await work.offer(send({"type": "http.response.body", "body": piece, "more_body": True}), len(piece))
    await send({"type": "http.response.body", "body": b""})


def _reply_headers(reply: Reply, request_id: str) -> list[tuple[bytes, bytes]]:
    return [
        *((name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers),
        (b"x-request-id", request_id.encode()),
        *_STANDING,
    ]


def with_request_id(send: Send, request_id: str) -> Send:
    """Puts a support code on an answer of our own that has none."""

    async def wrapped(message: dict[str, Any]) -> None:
        headers = message.get("headers", ())
        if message["type"] == "http.response.start" and all(name != b"x-request-id" for name, _ in headers):
            message = {**message, "headers": [*headers, (b"x-request-id", request_id.encode())]}
        await send(message)

    return wrapped
