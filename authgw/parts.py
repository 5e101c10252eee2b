"""The parts of a running gateway, as the request path needs them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from authgw.audit.log import Audit
from authgw.catalogue.match import Catalogue
from authgw.doors import Doors
from authgw.edge import Receive, Scope, Send
from authgw.intake.limits import Limits
from authgw.intake.read import Heads
from authgw.narrow.run import Narrow
from authgw.policy.decide import Rules
from authgw.policy.remembered import Decisions
from authgw.services import Services
from authgw.shares import Shares
from authgw.watch import Watch

_ids: list[str] = []


def request_id() -> str:
    """A support code: short enough to read out, too many to guess. Randomness is fetched for many at once."""
    if not _ids:
        bits = secrets.token_hex(6 * 256)
        _ids.extend([bits[at : at + 12] for at in range(0, len(bits), 12)])
    return _ids.pop()


class Socket(Protocol):
    """Serves WebSockets; None where no policy names any."""

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None: ...


@dataclass
class Parts:
    """`base_path`: the GUI's path, the same outside and upstream; "" or "/demo". `always_200`: see present.

    `body_seconds`: for a request's body to come in, and for a client to take the next piece of a stream.
    """

    limits: Limits
    heads: Heads
    body_seconds: float
    base_path: str
    catalogue: Catalogue
    rules: Rules
    doors: Doors
    narrow: Narrow
    audit: Audit
    shares: Shares
    services: Services
    always_200: bool = False
    sockets: Socket | None = None
    watch: Watch = field(default_factory=Watch)
    decisions: Decisions = field(default_factory=Decisions)
    new_id: Callable[[], str] = request_id

    def below(self, path: str) -> str | None:
        """A normalised path below the base path; None: outside of it."""
        if not self.base_path:
            return path
        if path == self.base_path:
            return "/"
        return path[len(self.base_path) :] if path.startswith(self.base_path + "/") else None
