"""The one scope algebra: which calls exist for a user. Used for filtering rows and for object checks alike.

    visible(claims, call) = some grant g of the claims: visible(g, call)
    visible(grant, call)  = sensor AND vlan AND headers AND connected AND parties

Three answers: True (visible), False (hidden), None (some field that decides is unknown). Unknown is not NULL: an
unknown field is looked up, and whoever cannot look it up must take None for hidden. Absent data never matches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from msgspec import UNSET, Struct, UnsetType, structs

from authgw.narrow.patterns import Likes, Networks
from authgw.rights.claims import Grant, HeaderLine, Scope

Verdict = bool | None


class Facts(Struct, frozen=True, omit_defaults=True):
    """What is known of one call. UNSET: unknown. None: known to be absent.

    Addresses are numbers as `address_number` gives them; header names are lower-case.
    """

    sensor: int | UnsetType | None = UNSET
    caller: str | UnsetType | None = UNSET
    called: str | UnsetType | None = UNSET
    caller_ip: int | UnsetType | None = UNSET
    called_ip: int | UnsetType | None = UNSET
    caller_domain: str | UnsetType | None = UNSET
    called_domain: str | UnsetType | None = UNSET
    vlan: int | UnsetType | None = UNSET
    connected: bool | UnsetType = UNSET
    headers: dict[str, str | None] | UnsetType = UNSET


Test = Callable[[Facts], Verdict]


class Step(Struct, frozen=True):
    """One condition of a scope, with its own answer: what `explain` shows."""

    name: str
    verdict: Verdict


class CompiledScope:
    """A scope ready to judge. Conditions are ordered by cost; `fields` names them, `needs` the facts they ask for."""

    __slots__ = ("_tests", "fields", "judge", "needs", "sensors", "sensors_only", "unscoped")

    def __init__(self, scope: Scope, number_match: str) -> None:
        self._tests = tuple(_conditions(scope, number_match))
        self.unscoped = not self._tests
        self.sensors = None if scope.sensors is None else frozenset(scope.sensors)
        self.sensors_only = scope.sensors is not None and len(self._tests) == 1
        self.fields = frozenset(name for name, _ in self._tests)
        self.needs = needs(scope)
        self.judge: Test = self._tests[0][1] if len(self._tests) == 1 else self._judge

    def _judge(self, facts: Facts) -> Verdict:
        answer: Verdict = True
        for _, test in self._tests:
            verdict = test(facts)
            if verdict is False:
                return False
            if verdict is None:
                answer = None
        return answer

    def steps(self, facts: Facts) -> list[Step]:
        return [Step(name, test(facts)) for name, test in self._tests]


def needs(scope: Scope) -> frozenset[str]:
    """The facts that a scope asks for, by name."""
    asked = [
        (scope.sensors is not None, ("sensor",)),
        (scope.connected_only, ("connected",)),
        (bool(scope.ip), ("caller_ip", "called_ip")),
        (bool(scope.number), ("caller", "called")),
        (bool(scope.domain), ("caller_domain", "called_domain")),
        (bool(scope.vlan), ("vlan",)),
        (bool(scope.headers_cdr), ("headers",)),
    ]
    return frozenset(name for holds, names in asked if holds for name in names)


def compile_scope(scope: Scope, number_match: str = "like") -> CompiledScope:
    """`number_match`: "like" (whole-string LIKE) or "prefix" (every number pattern stands for its prefix)."""
    return CompiledScope(scope, number_match)


def is_unscoped(grant: Grant) -> bool:
    """None of the keys that make calls invisible is set (those of messages hide messages only)."""
    scope = grant.scope
    return (
        scope.sensors is None
        and not (scope.ip or scope.number or scope.domain or scope.vlan or scope.headers_cdr)
        and not scope.connected_only
    )


def is_sensors_only(grant: Grant) -> bool:
    """Sensors alone decide: what is pushed to upstream by sensor is the whole scope."""
    scope = grant.scope
    return scope.sensors is not None and is_unscoped(Grant(scope=structs.replace(scope, sensors=None)))


def _conditions(scope: Scope, number_match: str) -> list[tuple[str, Test]]:
    found: list[tuple[str, Test]] = []
    if scope.sensors is not None:
        found.append(("sensors", _member(frozenset(scope.sensors), attrgetter("sensor"))))
    if scope.connected_only:
        found.append(("connected", lambda facts: None if facts.connected is UNSET else facts.connected))
    if parties := _parties(scope, number_match):
        found.append(parties)
    if scope.vlan:
        found.append(("vlan", _member(frozenset(scope.vlan), attrgetter("vlan"))))
    if scope.headers_cdr:
        found.append(("headers", _headers(scope.headers_cdr)))
    return found


def _member(allowed: frozenset[int], read: Callable[[Facts], int | UnsetType | None]) -> Test:
    def test(facts: Facts) -> Verdict:
        value = read(facts)
        return None if value is UNSET else value in allowed

    return test


def _parties(scope: Scope, number_match: str) -> tuple[str, Test] | None:
    dimensions: list[tuple[str, Test]] = []
    if scope.ip:
        shows, hides = _split(scope.ip)
        addresses = _sides(_networks(shows), _networks(hides), attrgetter("caller_ip"), attrgetter("called_ip"))
        dimensions.append(("ip", addresses))
    if scope.number:
        shows, hides = ([_prefixed(text, number_match) for text in part] for part in _split(scope.number))
        numbers = _sides(_likes(shows), _likes(hides), attrgetter("caller"), attrgetter("called"))
        dimensions.append(("number", numbers))
    if scope.domain:
        shows, hides = _split(scope.domain)
        domains = _sides(_likes(shows), _likes(hides), attrgetter("caller_domain"), attrgetter("called_domain"))
        dimensions.append(("domain", domains))
    if not dimensions:
        return None
    joiner, join = (" or ", any_of) if scope.any_dimension else (" and ", all_of)
    tests = tuple(test for _, test in dimensions)
    if len(tests) == 1:
        return dimensions[0]
    return joiner.join(name for name, _ in dimensions), lambda facts: join(tests, facts)


def any_of(tests: Sequence[Test], facts: Facts) -> Verdict:
    answer: Verdict = False
    for test in tests:
        verdict = test(facts)
        if verdict:
            return True
        if verdict is None:
            answer = None
    return answer


def all_of(tests: Sequence[Test], facts: Facts) -> Verdict:
    answer: Verdict = True
    for test in tests:
        verdict = test(facts)
        if verdict is False:
            return False
        if verdict is None:
            answer = None
    return answer


def _split(patterns: Sequence[str]) -> tuple[list[str], list[str]]:
    """Positive patterns, and those behind `!`."""
    return [p for p in patterns if p[:1] != "!"], [p[1:].strip() for p in patterns if p[:1] == "!"]


def _prefixed(pattern: str, number_match: str) -> str:
    return pattern + "%" if number_match == "prefix" else pattern


def _likes(patterns: Sequence[str]) -> Likes | None:
    return Likes(patterns) if patterns else None


def _networks(patterns: Sequence[str]) -> Networks | None:
    return Networks(patterns) if patterns else None


Side = Callable[[Facts], "int | str | UnsetType | None"]


def _sides(shows: Likes | Networks | None, hides: Likes | Networks | None, caller: Side, called: Side) -> Test:
    """Some side matches a positive pattern (if there is one), and no `!` pattern matches either side."""
    if shows is not None and hides is None:
        return _shown(shows.matches, caller, called)

    def test(facts: Facts) -> Verdict:
        a, b = caller(facts), called(facts)
        unknown = a is UNSET or b is UNSET
        if hides is not None and (_hit(hides, a) or _hit(hides, b)):
            return False
        if shows is not None and not (_hit(shows, a) or _hit(shows, b)):
            return None if unknown else False
        return None if unknown and hides is not None else True

    return test


def _shown(matches: Callable[[Any], bool], caller: Side, called: Side) -> Test:
    """`_sides` without `!` patterns, which is what most scopes are; asked for every row."""

    def test(facts: Facts) -> Verdict:
        a = caller(facts)
        if a is not UNSET and matches(a):
            return True
        b = called(facts)
        if b is not UNSET and matches(b):
            return True
        return None if a is UNSET or b is UNSET else False

    return test


def _hit(patterns: Likes | Networks, value: int | str | UnsetType | None) -> bool:
    return value is not UNSET and patterns.matches(value)  # type: ignore[arg-type]


def _headers(lines: Sequence[HeaderLine]) -> Test:
    """Lines of one level are OR-ed; the deeper lines that follow a line are AND-ed to it."""
    branches: list[Test] = []
    at = 0
    while at < len(lines):
        head = lines[at]
        deeper = at + 1
        while deeper < len(lines) and lines[deeper].level > head.level:
            deeper += 1
        test = _header(head)
        if deeper > at + 1:
            both = (test, _headers(lines[at + 1 : deeper]))
            test = _joined(both)
        branches.append(test)
        at = deeper
    return branches[0] if len(branches) == 1 else lambda facts: any_of(branches, facts)


def _joined(tests: tuple[Test, ...]) -> Test:
    return lambda facts: all_of(tests, facts)


def _header(line: HeaderLine) -> Test:
    name, likes = line.name.lower(), Likes((line.pattern,))

    def test(facts: Facts) -> Verdict:
        if facts.headers is UNSET or name not in facts.headers:
            return None
        value = facts.headers[name]
        # A call without the header matches nothing, not even `%`: absent data never matches.
        return value is not None and likes.matches(value)

    return test
