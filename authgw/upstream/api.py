"""What the rest of the gateway sees of the upstream: a call to make, a reply to read or stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Sequence
from functools import lru_cache
from typing import Protocol

import msgspec


class Call(msgspec.Struct, frozen=True):
    """One request to the GUI, written anew. `path` is below the GUI's base path and begins with `/`.

    GET sends `fields` as the query, POST as an urlencoded body (and then no query at all).
    `headers` are the client's that the entry lets pass (accept, user-agent, range …), lower-case names.
    `credentials`: api.php wants the service account's name and password beside the fields (then always POST).
    `safe`: nothing changes upstream, so the call may be sent again when an old connection died or the session ended.
    A call that is not safe is sent again only after the answer "no session", which says that nothing was done.
    `decode`: the reply will be read whole, so a compressed one may be asked for.
    """

    method: str
    path: str
    fields: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    credentials: bool = False
    safe: bool = True
    decode: bool = False


class Reply(Protocol):
    """A reply whose head is in. Exactly one of `read` and `stream` is used; `close` is always called in the end.

    `headers`: lower-case names, allow-listed already; `content-length` is there where the body's length is known
    (of the decoded body: a compressed one has none). `location` is a redirect's target as upstream wrote it, to be
    rewritten or refused. Errors are `authgw.errors.UpstreamError`.
    """

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Sequence[tuple[str, str]]: ...

    @property
    def location(self) -> str | None: ...

    def read(self, limit: int) -> Awaitable[bytes]:
        """The whole body, content coding undone. More than `limit` bytes (after decoding): UPSTREAM_TOO_LARGE."""

    def stream(self) -> AsyncIterator[bytes]:
        """The body as it comes, with back-pressure. A body cut short raises UPSTREAM_CUT."""

    async def close(self) -> None:
        """Give the connection back if the reply was read to its end, else drop it. May be called twice."""


class Upstream(Protocol):
    """The GUI as asked with the service account."""

    async def send(self, call: Call) -> Reply: ...


def kind_of(reply: Reply) -> str:
    """The media type of a reply, in lower case and without parameters; empty if it names none."""
    for name, value in reply.headers:
        if name == "content-type":
            return _kind(value)
    return ""


@lru_cache(256)  # there are few types, and every reply has one
def _kind(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
