"""One allowed call on its way, and what becomes of it."""

from __future__ import annotations

import msgspec

from authgw.answer import Answer
from authgw.intake.request import Request
from authgw.narrow.judge import Judge
from authgw.narrow.mask import Masks
from authgw.policy.decision import Allow, Deny
from authgw.rights.claims import Claims
from authgw.upstream.api import Reply


class Bounds(msgspec.Struct, frozen=True):
    """`scan_days`: calendar width of a scan, 0 for none. `scan_seconds`: how long one may take. Bytes of a reply.
    `large`: replies too large to be held that are under way at once."""

    scan_days: int = 31
    scan_seconds: float = 60.0
    max_reply: int = 64 << 20
    large: int = 4


class Passed(msgspec.Struct, frozen=True):
    """A reply to be streamed through. `calls`: the ids of the calls that it holds."""

    reply: Reply
    calls: tuple[int, ...] = ()


class Said(msgspec.Struct, frozen=True):
    """A whole answer made here. `calls` as in `Passed`."""

    answer: Answer
    calls: tuple[int, ...] = ()


Outcome = Passed | Said | Deny


class Job(msgspec.Struct, frozen=True):
    """One allowed call on its way: the decision, its judge, the request and its path below the base path.

    `reason`: what the user gave as reason for a download, empty if nothing.
    """

    allow: Allow
    claims: Claims
    judge: Judge
    request: Request
    path: str
    shows_sql: bool
    masks: Masks
    reason: str = ""
