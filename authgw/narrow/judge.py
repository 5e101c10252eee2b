"""A user's open grants, compiled: which rows exist for him, and under which content limits."""

from __future__ import annotations

from collections.abc import Sequence

from authgw.narrow.scope import CompiledScope, Facts, Test, Verdict, compile_scope
from authgw.rights.claims import Claims, Grant

# can_audit = 1: downloads need a reason.
REASON = "can_audit"
REASON_DEMANDED = 1
# Choices of grants of one user whose judges are kept.
MAX_CHOICES = 64


class Judge:
    """Some grants of one user's claims. They are never flattened: each row is judged grant by grant."""

    __slots__ = ("_limits", "_scopes", "needs", "sensors", "sensors_only", "shows_sql", "unscoped", "verdict")

    def __init__(
        self, scopes: Sequence[CompiledScope], limits: Sequence[frozenset[str]], *, shows_sql: bool = False
    ) -> None:
        self.shows_sql = shows_sql
        self._scopes = tuple(scopes)
        self._limits = tuple(limits)
        self.unscoped = any(scope.unscoped for scope in scopes)
        self.sensors_only = all(scope.sensors_only for scope in scopes)
        self.needs = frozenset[str]().union(*(scope.needs for scope in scopes))
        # Asked for every row: what decides alone is asked without a detour.
        self.verdict: Test = self._scopes[0].judge if len(self._scopes) == 1 else self._verdict
        known = [scope.sensors for scope in scopes]
        self.sensors: frozenset[int] | None = None
        if known and None not in known:
            self.sensors = frozenset[int]().union(*(sensors for sensors in known if sensors is not None))

    def _verdict(self, facts: Facts) -> Verdict:
        """Whether the call is visible under some grant."""
        answer: Verdict = False
        for scope in self._scopes:
            verdict = scope.judge(facts)
            if verdict:
                return True
            if verdict is None:
                answer = None
        return answer

    def limits(self, facts: Facts) -> frozenset[str] | None:
        """The content limits of a visible call: those of every grant that shows it. None: no grant shows it."""
        seen = [limits for scope, limits in zip(self._scopes, self._limits, strict=True) if scope.judge(facts) is True]
        return frozenset.intersection(*seen) if seen else None

    def settled(self, facts: Facts, limit: str) -> bool:
        """Whether nothing still unknown could lift that limit from a call that is visible already."""
        return all(
            scope.judge(facts) is not None
            for scope, limits in zip(self._scopes, self._limits, strict=True)
            if limit not in limits
        )

    def any_limited(self, limit: str) -> bool:
        return any(limit in limits for limits in self._limits)

    def shows_sensor(self, number: int | None) -> bool:
        """Whether a sensor of that number is one of the user's."""
        return self.sensors is None or number in self.sensors


class Judges:
    """Compiles the scopes of a session once: the last sessions' scopes are kept, the oldest forgotten first."""

    def __init__(self, number_match: str, size: int = 1024) -> None:
        self._number_match = number_match
        self._size = size
        self._kept: dict[tuple[str, str, int], _Compiled] = {}

    def of(self, claims: Claims, grants: Sequence[int]) -> Judge:
        key = (claims.login, claims.user, claims.id)
        kept = self._kept.get(key)
        if kept is None or (kept.claims is not claims and kept.claims.grants != claims.grants):
            self._kept.pop(key, None)
            kept = self._kept[key] = _Compiled(claims, self._number_match)
            if len(self._kept) > self._size:
                del self._kept[next(iter(self._kept))]
        return kept.judge(tuple(grants))


class _Compiled:
    """The scopes of one user's claims, and a judge for each choice of grants that calls have needed so far."""

    __slots__ = ("_judges", "_scopes", "claims")

    def __init__(self, claims: Claims, number_match: str) -> None:
        self.claims = claims
        self._scopes = [compile_scope(grant.scope, number_match) for grant in claims.grants]
        self._judges: dict[tuple[int, ...], Judge] = {}

    def judge(self, grants: tuple[int, ...]) -> Judge:
        found = self._judges.get(grants)
        if found is None:
            if len(self._judges) >= MAX_CHOICES:
                self._judges.clear()
            limits = [_limits(self.claims.grants[at]) for at in grants]
            shows_sql = any("can_show_sql_query" in self.claims.grants[at].flags for at in grants)
            found = self._judges[grants] = Judge([self._scopes[at] for at in grants], limits, shows_sql=shows_sql)
        return found


def _limits(grant: Grant) -> frozenset[str]:
    """A demanded reason holds like a content limit: only where every grant that shows the call demands it."""
    return grant.limits | {REASON} if grant.can_audit == REASON_DEMANDED else grant.limits
