"""A call as an HTTP exchange, and how its reply says that there is no session."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from authgw.upstream import bypass, wire
from authgw.upstream.api import Call
from authgw.upstream.client import Client, HttpReply

FORM = ("content-type", "application/x-www-form-urlencoded")


class LeasedReply:
    """A reply, and the session that is free again once it is closed."""

    def __init__(self, reply: HttpReply, release: Callable[[bool], None]) -> None:
        self.status, self.headers, self.location = reply.status, reply.headers, reply.location
        self._reply, self._release = reply, release
        self._closed = False

    def read(self, limit: int) -> Awaitable[bytes]:
        return self._reply.read(limit)

    def stream(self) -> AsyncIterator[bytes]:
        return self._reply.stream()

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._release(self._reply.complete)
            self._reply.give_up()


def exchange(
    client: Client, call: Call, fields: tuple[tuple[str, str], ...], own: tuple[tuple[str, str], ...]
) -> Awaitable[HttpReply]:
    """A call as HTTP. HEAD is asked as GET, because PHP says its "no session" only in a body; the body is dropped."""
    encoded = wire.form(fields)
    headers = (*call.headers, *own)
    if call.method == "POST" or call.credentials:
        target = wire.target(client.base.path, call.path)
        return client.exchange("POST", target, (*headers, FORM), encoded, decode=call.decode, safe=call.safe)
    method = "GET" if call.method == "HEAD" else call.method
    target = wire.target(client.base.path, call.path, encoded)
    return client.exchange(method, target, headers, decode=call.decode, safe=call.safe)


async def says_no_session(reply: HttpReply, call: Call, base_path: str) -> str | None:
    """`answer` for the product's own words, `redirect` for a way to the login page, None for anything else."""
    try:
        if reply.location is not None and 300 <= reply.status < 400:
            return "redirect" if bypass.is_login_page(reply.location, base_path, call.path) else None
        headers = dict(reply.headers)
        small = int(headers.get("content-length", "0")) <= bypass.PEEK
        if small and bypass.may_be_refusal(headers.get("content-type", "")):
            start = await reply.peek(bypass.PEEK)
            if start is not None and bypass.is_no_session(start):
                return "answer"
    except BaseException:
        await reply.close()
        raise
    if call.method == "HEAD":
        reply.drop_body()
    return None
