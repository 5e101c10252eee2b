"""Share pages: open only by links that were issued through this gateway, to those they were issued for."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from authgw.answer import Answer
from authgw.catalogue.model import Entry
from authgw.doors import Doors, Visitor
from authgw.intake.encode import as_text
from authgw.intake.request import Request
from authgw.narrow.job import Outcome
from authgw.narrow.run import Narrow
from authgw.policy import fields as typed
from authgw.policy.decide import Case, Rules, decide
from authgw.policy.decision import Deny
from authgw.reasons import Reason
from authgw.rights.claims import Claims, Grant
from authgw.session.links import Link, Links
from authgw.trail import Trail


class Shares:
    """Every refusal looks like a page that does not exist: a guess learns nothing."""

    def __init__(self, links: Links, doors: Doors, narrow: Narrow, rules: Rules) -> None:
        self._links = links
        self._doors = doors
        self._narrow = narrow
        self._rules = rules

    async def open(
        self, request: Request, path: str, entry: Entry, fields: Mapping[str, Any], trail: Trail
    ) -> Outcome | Answer:
        """Raises `UpstreamError` and `StoreError`."""
        opened = await self._links.find(path, {name: as_text(value) for name, value in fields.items()})
        if opened is None or not opened.fits(entry.params.keys() - {"*"}):
            return _no_page(entry)
        link = opened.link
        claims = _bearer(link)
        if not link.public:
            visitor = await self._doors.enter(request, path, entry)
            if not isinstance(visitor, Visitor):
                return visitor
            trail.visitor, claims = visitor, visitor.claims
            limits = await self._narrow.limits_of(claims, link.calls)
            if limits is None:
                return _no_page(entry)
            if (closed := _closed(link, limits)) is not None:
                return Deny(Reason.LIMITED, 403, closed, entry.name)
        trail.calls = link.calls
        decision = decide(Case(entry, request, typed.read(entry, fields), claims, None, self._rules))
        if isinstance(decision, Deny):
            return decision
        return await self._narrow.run(decision, claims, request, path, calls=link.calls)


def _bearer(link: Link) -> Claims:
    """Whoever holds a public link: nobody in particular, in the tenant of the one who shared it."""
    return Claims(login=link.login, user="", id=0, grants=(Grant(label="public link"),), tenant=link.tenant)


def _closed(link: Link, limits: Container[str]) -> str | None:
    """Why a link for users shows more of its calls than this user sees; None where it does not."""
    if "simple_cdr" in limits:
        return "closed by simple_cdr: the page shows the whole call"
    return "closed by no_rtp: the link is with RTP" if link.rtp and "no_rtp" in limits else None


def _no_page(entry: Entry) -> Deny:
    return Deny(Reason.NOT_FOUND, 404, "there is no such page or file", entry.name)
