"""May they: the one decision. `explain` runs the same conditions and keeps them all.

Every condition is a function from the case to None (it holds) or a `Deny`. The first that does not hold decides;
an allow is built in one place, after all of them held.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import msgspec

from authgw.catalogue.model import EXPIRY, Entry
from authgw.intake.request import Body, Request
from authgw.narrow.scope import is_sensors_only, is_unscoped
from authgw.policy import fields as check_fields
from authgw.policy.decision import Allow, Condition, Decision, Deny
from authgw.policy.kinds import scalar
from authgw.reasons import Reason
from authgw.rights.claims import Claims, Grant
from authgw.session.model import Kind

MAX_LIMIT = 5000


class Rules(msgspec.Struct, frozen=True):
    """The operator's choices that a decision depends on. `origin`: scheme://host of the public URL."""

    pages: str = "unscoped"
    origin: str = ""


class Case(msgspec.Struct, frozen=True, dict=True):
    """One question: this call, by this user, over this kind of session (None: credentials in the call itself).

    What several conditions ask for is found out once.
    """

    entry: Entry
    request: Request
    fields: check_fields.Fields
    claims: Claims
    kind: Kind | None
    rules: Rules

    @cached_property
    def flagged(self) -> list[int]:
        """The grants with the flags of the entry, and those that the values of this call need."""
        opens, chosen = self.entry.opens, self.chosen
        return [
            at
            for at, grant in enumerate(self.claims.grants)
            if opens(grant) and (not chosen or grant.flags.issuperset(chosen))
        ]

    @cached_property
    def opening(self) -> tuple[int, ...]:
        """The grants that open this very call: flags there, limits not in the way, no hidden column asked for."""
        grants = self.claims.grants
        return tuple([at for at in self.flagged if not self.barred(grants[at]) and not self.hidden(grants[at])])

    @cached_property
    def scoped(self) -> bool:
        """Whether no grant that opens the call is without row scope."""
        grants = self.claims.grants
        return not any(map(is_unscoped, [grants[at] for at in self.opening]))

    @property
    def chosen(self) -> list[str]:
        choose = self.entry.choose
        if choose is None:
            return []
        return [choose.flags[text] for text in self.values(choose.field) if text in choose.flags]

    def values(self, field: str) -> list[str]:
        """What a field says, in the call and in each element of its JSON."""
        found = [self.fields.named[field]] if field in self.fields.named else []
        return found + [text for element in self.fields.elements if (text := scalar(element.get(field))) is not None]

    def barred(self, grant: Grant) -> list[str]:
        if not self.entry.barred and not self.entry.barred_values:
            return []
        by_value = [
            f"{rule.claim} ({rule.field})"
            for rule in self.entry.barred_values
            if rule.claim in grant.limits and any(text in rule.values for text in self.values(rule.field))
        ]
        limits = grant.limits | {EXPIRY} if grant.remove_expire_hours else grant.limits
        return [limit for limit in self.entry.barred if limit in limits] + by_value

    def hidden(self, grant: Grant) -> list[str]:
        """Columns that the request filters or sorts by and that this grant does not show."""
        simple = self.entry.rows.simple if self.entry.rows is not None else self.entry.simple
        if not simple or "simple_cdr" not in grant.limits:
            return []
        return [column for column in self.fields.columns if column not in simple]


def decide(case: Case) -> Decision:
    for _, condition in _CONDITIONS:
        if (refusal := condition(case)) is not None:
            return msgspec.structs.replace(refusal, entry=case.entry.name)
    opening = case.opening
    limits = [case.claims.grants[at].limits for at in opening]
    return Allow(
        entry=case.entry,
        fields=case.fields.named,
        elements=case.fields.elements,
        batch=case.fields.batch,
        grants=opening,
        unscoped=not case.scoped,
        limits=limits[0].intersection(*limits[1:]) if limits else frozenset(),
    )


def conditions(case: Case) -> list[Condition]:
    """Every condition with its outcome: what `explain` prints."""
    found = []
    for name, condition in _CONDITIONS:
        refusal = condition(case)
        found.append(Condition(name, refusal is None, refusal.detail if refusal else _asked(case, condition)))
    return found


def _asked(case: Case, condition: Callable[[Case], Deny | None]) -> str:
    """What was asked for where it held, as far as that differs from call to call."""
    if condition is _flags:
        return _needed(case)
    if condition is _limits:
        return ", ".join(f"not under {limit}" for limit in case.entry.barred)
    return ", ".join(case.fields.named) if condition is _fields else ""


def _built(case: Case) -> Deny | None:
    if case.entry.refuse is None:
        return None
    if case.entry.refuse == "never":
        return Deny(Reason.NEVER, 403, "this call is never let through, for anybody")
    return Deny(Reason.NOT_BUILT, 403, "this version does not handle this call yet")


def _session(case: Case) -> Deny | None:
    if case.entry.auth == "page" and case.kind is not Kind.BROWSER:
        return Deny(Reason.NO_SESSION, 401, "pages need a browser's own session")
    return None


def _method(case: Case) -> Deny | None:
    if case.request.method in case.entry.methods:
        return None
    return Deny(Reason.METHOD_NOT_ALLOWED, 405, f"{case.request.method} is not among {', '.join(case.entry.methods)}")


def _body(case: Case) -> Deny | None:
    if case.request.body is Body.NONE or case.request.body.value in case.entry.bodies:
        return None
    return Deny(Reason.BODY_TYPE, 415, f"a {case.request.body} body is not among {', '.join(case.entry.bodies)}")


def _same_site(case: Case) -> Deny | None:
    """Only the browser's cookie is ambient: another site's page can make the browser send it along."""
    if not case.entry.changes or case.kind is not Kind.BROWSER:
        return None
    headers = case.request.headers
    site, origin = headers.get("sec_fetch_site"), headers.get("origin")
    same = site == "same-origin" or (site is None and origin == case.rules.origin)
    if case.request.method == "POST" and same and origin in {None, case.rules.origin}:
        return None
    return Deny(Reason.CROSS_SITE, 403, "a state-changing call needs POST from the gateway's own pages")


def _fields(case: Case) -> Deny | None:
    return case.fields.refusal


def _flags(case: Case) -> Deny | None:
    if case.flagged:
        return None
    return Deny(Reason.MISSING_FLAG, 403, f"no grant has {_needed(case) or 'any right'}")


def _needed(case: Case) -> str:
    alternatives = " or ".join(case.entry.needs_any)
    return " and ".join([*case.entry.needs, *case.chosen, *([alternatives] if alternatives else [])])


def _limits(case: Case) -> Deny | None:
    if case.opening or not case.flagged:
        return None
    grants = [case.claims.grants[at] for at in case.flagged]
    barred = sorted({limit for grant in grants for limit in case.barred(grant)})
    if barred:
        return Deny(Reason.LIMITED, 403, f"closed by {', '.join(barred)}")
    hidden = sorted({column for grant in grants for column in case.hidden(grant)})
    return Deny(Reason.LIMITED, 403, f"filters or sorts by {', '.join(hidden)}, which simple_cdr does not show")


def _scope(case: Case) -> Deny | None:
    if not case.scoped:
        return None
    grants = [case.claims.grants[at] for at in case.opening]
    if case.entry.aggregate and not all(map(is_sensors_only, grants)):
        return Deny(Reason.UNSCOPED_ONLY, 403, "sums cannot be narrowed: only for users whose whole scope are sensors")
    if case.entry.unscoped and not _for_tenant(case):
        return Deny(Reason.UNSCOPED_ONLY, 403, "the reply cannot be narrowed: only for users without row scope")
    if case.entry.auth == "page" and case.entry.reply == "page" and case.rules.pages == "unscoped":
        return Deny(Reason.PAGES_NOT_SERVED, 403, 'pages are for users without row scope (upstream.pages = "unscoped")')
    if case.fields.references:
        names = ", ".join(case.fields.references)
        return Deny(Reason.PARAM_REFUSED, 403, f"{names}: saved filters hide what they select")
    limit = case.fields.named.get("limit")
    if case.entry.rows and case.entry.rows.pages == "start" and limit and int(limit) > MAX_LIMIT:
        return Deny(Reason.PARAM_TYPE, 400, f"limit: must be at most {MAX_LIMIT}")
    return None


def _for_tenant(case: Case) -> bool:
    """The operator has listed this very value for the user's tenant."""
    return any(
        case.claims.tenant and all(case.claims.tenant in tenants.get(text, ()) for text in texts)
        for field, tenants in case.entry.tenants.items()
        if (texts := case.values(field))
    )


_CONDITIONS: tuple[tuple[str, Callable[[Case], Deny | None]], ...] = (
    ("the session may open it", _session),
    ("the flags are there", _flags),
    ("the call is handled", _built),
    ("the method is known", _method),
    ("the body is of a known type", _body),
    ("it comes from our own pages", _same_site),
    ("every field is known and typed", _fields),
    ("no content limit closes it", _limits),
    ("the row scope can be kept", _scope),
)
