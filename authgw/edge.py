"""The ASGI edge: bytes in from the server, answers and streams out to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from authgw.answer import Answer
from authgw.intake.request import Raw, Refused
from authgw.reasons import Reason
from authgw.upstream.api import Reply

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
T = TypeVar("T")

# What every answer carries; a reply's own headers come from the upstream's allow-list.
_STANDING = (
    (b"cache-control", b"private, no-store"),
    (b"x-content-type-options", b"nosniff"),
)


class ClientGone(Exception):
    """The client left before it was answered: there is nobody to tell."""


async def read_raw(scope: Scope, receive: Receive, max_body: int, seconds: float) -> Raw | Refused:
    """The request with its whole body, or the refusal of one that is too large or too slow."""
    headers = tuple((bytes(name), bytes(value)) for name, value in scope["headers"])
    if _announced(headers) > max_body:
        return Refused(Reason.BODY_TOO_LARGE, 413, f"body: more than {max_body} bytes")
    try:
        async with asyncio.timeout(seconds):
            body = await _body(receive, max_body)
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
    length = next((value for name, value in headers if name == b"content-length"), b"0")
    return int(length) if length.isdigit() and len(length) < 20 else 0


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
        (b"content-length", str(len(answer.body)).encode()),
        (b"x-request-id", request_id.encode()),
        *_STANDING,
        *((name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def send_reply(send: Send, reply: Reply, request_id: str, *, head: bool, patience: float) -> None:
    """Stream a reply through. A body cut short raises and leaves the answer unfinished.

    `patience`: seconds for which a client may take nothing. One that takes no more counts as gone (`ClientGone`), for
    a reply that is not read through keeps one of the few sessions of the service account.
    """
    headers = [
        *((name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers),
        (b"x-request-id", request_id.encode()),
        *_STANDING,
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if not head:
        async for piece in reply.stream():
            try:
                async with asyncio.timeout(patience):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            except TimeoutError:
                raise ClientGone from None
    await send({"type": "http.response.body", "body": b""})


def with_request_id(send: Send, request_id: str) -> Send:
    """Puts a support code on an answer of our own that has none."""

    async def wrapped(message: dict[str, Any]) -> None:
        headers = message.get("headers", ())
        if message["type"] == "http.response.start" and all(name != b"x-request-id" for name, _ in headers):
            message = {**message, "headers": [*headers, (b"x-request-id", request_id.encode())]}
        await send(message)

    return wrapped


async def unless_left(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """The outcome of long work, given up when the client leaves (`ClientGone`)."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientGone
        return task.result()
    finally:
        gone.cancel()
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
