"""What the logins of the chain make of a user, without his password: `authgw explain-login`, line by line.

By the code of a login: the plugin's own answer, the mapping's lines, the one parser of dictionaries, the gates.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from authgw.contract import Explains, Failed, Granted, Identity, Known, NotMine, Outcome, Rejected
from authgw.login import gates
from authgw.login.chain import Instance
from authgw.login.rights import Reading, Rights
from authgw.rights.claims import Grant
from authgw.rights.mapping import GroupMapping
from authgw.rights.parse import Gates
from authgw.rights.words import describe

_MOST_GROUPS = 50


class Told(msgspec.Struct, frozen=True):
    """`comes_in`: with the right password, as far as can be told. `lines`: why."""

    comes_in: bool
    lines: list[str]


class Person(msgspec.Struct, frozen=True):
    """Who is asked about. `groups`: instead of his own; `address`: where he comes from, empty where it is not given;
    `now`: seconds since 1970."""

    user: str
    groups: tuple[str, ...] | None
    address: str
    now: float


async def explain(instances: Sequence[Instance], rights: Rights, person: Person) -> Told:
    """Asks every instance, open already, and goes on as the chain would."""
    lines = [f"user      {person.user}"]
    unsure: list[str] = []
    verdict: Told | None = None
    for instance in instances:
        known = await _ask(instance, person)
        said, outcome = _login(instance, known, rights, person)
        lines += said
        if verdict is not None:
            continue
        if outcome is None:
            unsure.append(instance.name)
        elif isinstance(outcome, Granted):
            verdict = _verdict(instance.name, outcome, rights, person)
        elif isinstance(outcome, Rejected) and instance.sufficient:
            verdict = Told(False, [f"{instance.name} refuses him, and no other is asked"])
        elif isinstance(outcome, Failed) and instance.on_failure != "next":
            verdict = Told(False, [f'{instance.name} fails, and no other is asked; on_failure = "next" would go on'])
    if verdict is not None:
        doubt = [f"{name} is asked before that, and only a password shows what it says" for name in unsure]
    else:
        verdict = Told(False, ["no login lets him in that can tell without his password"])
        doubt = [f"whether {name} does, only his password shows" for name in unsure]
    return Told(verdict.comes_in, lines + _titled("result", verdict.lines + doubt))


async def _ask(instance: Instance, person: Person) -> Known | None:
    plugin = instance.plugin
    try:
        if isinstance(plugin, Explains):
            return await plugin.explain(person.user, person.groups)
        outcome = await plugin.refresh(Identity(person.user, 0))
        return None if isinstance(outcome, NotMine) else Known(outcome)
    except Exception as error:
        # As in the chain: only the type, for the text may quote what the plugin was given.
        return Known(Failed(f"raised {type(error).__name__}"))


def _login(instance: Instance, known: Known | None, rights: Rights, person: Person) -> tuple[list[str], Outcome | None]:
    """The lines of one instance, and its answer as the chain would take it."""
    if known is None:
        return _titled("login", [f"{instance.name}: cannot tell without his password"]), None
    outcome = known.outcome
    said = {Granted: "knows him", NotMine: "does not know him", Rejected: "refuses him", Failed: "fails"}
    given = "by the groups as given, " if known.groups is not None and person.groups is not None else ""
    why = f": {outcome.reason}" if isinstance(outcome, Rejected | Failed) and outcome.reason else ""
    lines = [f"{instance.name}: {given}{said[type(outcome)]}{why}"]
    looked = "found" if isinstance(outcome, Granted | Rejected) else "asked"
    lines += [f"{looked}     {known.found}"] if known.found else []
    if isinstance(outcome, Granted):
        lines.append(f"id        {outcome.identity.id}")
        lines += [f"tenant    {outcome.identity.tenant}"] if outcome.identity.tenant else []
    out = _titled("login", lines)
    if known.groups is not None:
        out += _titled("groups", _groups(known.groups, given=person.groups is not None))
    if known.mapping is not None and known.groups is not None:
        out += _mapping(known.mapping, known.groups)
    if isinstance(outcome, Granted):
        reading = rights.read(instance.name, outcome)
        who = outcome.identity
        out += _rights(reading, who, person) if isinstance(reading, Reading) else _titled("unusable", reading)
    return out, outcome


def _groups(groups: Sequence[str], *, given: bool) -> list[str]:
    if not groups:
        return ["none"]
    shown = sorted(groups)[:_MOST_GROUPS]
    more = [f"and {len(groups) - len(shown)} more"] if len(groups) > len(shown) else []
    return [*(f"{group} (as given)" if given else group for group in shown), *more]


def _mapping(mapping: GroupMapping, groups: Sequence[str]) -> list[str]:
    """Each [[grant]] of the file: whether it holds, and by which group."""
    lines = [f"mapping   {mapping.source}"]
    for line in mapping.lines:
        by = [group for group in groups if line in mapping.matching([group])]
        if by:
            lines.append(f"  yes  {line.label}: he is in {by[0]}")
        elif line.matches is None:
            lines.append(f"  NO   {line.label}: {line.group!r} is no distinguished name, so no group here is it")
        else:
            lines.append(f"  NO   {line.label}: he is not in {line.group}")
    idle = sorted(group for group in groups if not mapping.matching([group]))
    if idle:
        named = "; ".join(idle[:_MOST_GROUPS]) + ("; …" if len(idle) > _MOST_GROUPS else "")
        lines.append(f"          no line names {named}")
    return lines


def _rights(reading: Reading, identity: Identity, person: Person) -> list[str]:
    lines: list[str] = []
    for at, grant in enumerate(reading.claims.grants, 1):
        lines += _titled(f"grant {at}", _grant(grant))
    return [*lines, "gates", *_gates(reading.gates, identity, person), *_titled("warning", reading.warnings)]


def _grant(grant: Grant) -> list[str]:
    """Which calls, and what may be done with them."""
    flags = ["everything (is_admin)"] if "is_admin" in grant.flags else sorted(grant.flags - {"can_audit"})
    flags += [f"can_audit = {grant.can_audit}"] if grant.can_audit else []
    named = [f"by        {grant.label}"] if grant.label else []
    return [*named, f"sees      {'; '.join(describe(grant, {}))}", f"may       {', '.join(flags) or 'nothing else'}"]


def _gates(shut: Sequence[Gates], identity: Identity, person: Person) -> list[str]:
    """How each gate stands, in the order in which a login meets them, and whether that lets him by."""
    factor = next((name for one in shut for name in ("req_2fa", "secret") if getattr(one, name)), None)
    wanted = (
        f"a second factor is wanted, for {factor}" if factor else "no second factor is wanted, unless he has set one up"
    )
    return [
        _line(*_address(shut, person)),
        _line(*_blocked(shut)),
        _line(*_expired(shut, identity, person.now)),
        _line("ask" if factor else "yes", wanted),
    ]


def _line(mark: str, said: str) -> str:
    return f"  {mark:<3}  {said}"


def _address(shut: Sequence[Gates], person: Person) -> tuple[str, str]:
    networks = ", ".join(sorted({network for one in shut for network in one.enable_login_ip}))
    if not networks:
        return "yes", "any address may log in (no enable_login_ip)"
    if not person.address:
        return "?", f"only addresses in enable_login_ip may log in: {networks} (--address tries one)"
    if all(gates.allows(one.enable_login_ip, person.address) for one in shut if one.enable_login_ip):
        return "yes", f"{person.address} is in enable_login_ip: {networks}"
    return "NO", f"{person.address} is not in enable_login_ip: {networks}"


def _blocked(shut: Sequence[Gates]) -> tuple[str, str]:
    blocked = [one for one in shut if one.blocked or one.group_blocked]
    if not blocked:
        return "yes", "not blocked"
    why = next((one.blocked_reason for one in blocked if one.blocked_reason), "")
    group = "" if any(one.blocked for one in blocked) else ", by his group"
    return "NO", f"blocked{group}{f': {why}' if why else ''}"


def _expired(shut: Sequence[Gates], identity: Identity, now: float) -> tuple[str, str]:
    """By the code of a login, with the other gates open."""
    alone = [
        Gates(password_expired=one.password_expired, password_expiration_days=one.password_expiration_days)
        for one in shut
    ]
    days = min((one.password_expiration_days for one in alone if one.password_expiration_days), default=None)
    after = f" ({days} days)" if days else ""
    stop = gates.pass_through(alone, identity, "", now)
    return (
        ("yes", f"password not expired{after}")
        if stop is None
        else ("NO", f"password expired, by {stop.detail}{after}")
    )


def _verdict(login: str, granted: Granted, rights: Rights, person: Person) -> Told:
    reading = rights.read(login, granted)
    if not isinstance(reading, Reading):
        return Told(False, [f"{login} knows him, but his permissions cannot be used: rights_invalid"])
    shut = reading.gates
    if not person.address:
        shut = tuple(msgspec.structs.replace(one, enable_login_ip=()) for one in shut)
    stop = gates.pass_through(shut, granted.identity, person.address, person.now)
    if stop is not None:
        return Told(
            False, [f"{login} decides: refused, {stop.reason.value}{f' ({stop.detail})' if stop.detail else ''}"]
        )
    asked = " and a second factor" if any(one.req_2fa or one.secret for one in shut) else ""
    return Told(True, [f"{login} decides: with the right password{asked} he comes in"])


def _titled(title: str, lines: Sequence[str]) -> list[str]:
    """The lines side by side under one title."""
    return [f"{title if at == 0 else '':<10}{line}" for at, line in enumerate(lines)]
