"""One user of one site: how he asks, what he should see, and how a difference is told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx2

from authgw.rights.claims import Claims
from oracle.data import Record
from oracle.formula import allowed, visible
from oracle.site import Site


class Differs(AssertionError):
    """The gateway says something else than the formula."""


@dataclass
class Tally:
    """What a run has looked at, so that a run that looked at nothing is seen to have done so."""

    counts: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return ", ".join(f"{count} {name}" for name, count in sorted(self.counts.items()))


@dataclass(frozen=True)
class Case:
    """One user of one site: his claims, a client that carries his session, and the case's own chance."""

    site: Site
    claims: Claims
    http: httpx2.AsyncClient
    cookie: str
    random: Random
    tally: Tally

    @property
    def simple(self) -> bool:
        """Some grant for calls has reduced rows: then only ids are compared."""
        return any("simple_cdr" in grant.limits for grant in allowed(self.claims.grants, "can_cdr"))

    def seen(self, flag: str) -> list[Record]:
        """The records that the grants with that flag show."""
        grants = allowed(self.claims.grants, flag)
        return [record for record in self.site.records if visible(grants, self.site.calls[record["ID"]])]

    async def ask(self, path: str, fields: dict[str, str], *, get: bool = False) -> httpx2.Response:
        self.tally.counts["requests"] += 1
        headers = {"cookie": self.cookie}
        if get:
            return await self.http.get(path, params=fields, headers=headers)
        return await self.http.post(path, data=fields, headers=headers)

    def agree(self, what: str, found: Any, expected: Any) -> None:
        if found != expected:
            raise Differs(f"{what}\n  gateway: {_short(found)}\n  formula: {_short(expected)}\n  {self.claims.grants}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 1500 else f"{text[:1500]}… ({len(text)})"
