"""A plugin's answer becomes claims: its dictionaries are parsed by the one parser, its identity made canonical."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from authgw.contract import Granted
from authgw.login import gates
from authgw.login.user import canonical, shown
from authgw.rights.claims import Claims
from authgw.rights.groups import Groups
from authgw.rights.parse import Gates, Invalid, Parsed, parse


class Reading(msgspec.Struct, frozen=True):
    """Claims, and the gates that stand before them. `max_attempts`: the user's own, None where he has none."""

    claims: Claims
    gates: tuple[Gates, ...]
    max_attempts: int | None
    warnings: tuple[str, ...]


class Rights:
    """Reads dictionaries with the group templates and the strictness of this gateway."""

    def __init__(self, groups: Groups, *, strict: bool) -> None:
        self._groups = groups
        self._strict = strict

    def parse(self, dictionary: Mapping[str, Any], source: str) -> Parsed | Invalid:
        """One dictionary, or every problem in it, each with its source and key."""
        return parse(dictionary, source, groups=self._groups, strict=self._strict)

    def read(self, login: str, granted: Granted) -> Reading | list[str]:
        """The claims of a right password, or every reason why there are none."""
        identity = granted.identity
        parsed: list[Parsed] = []
        problems: list[str] = []
        for right in granted.rights:
            source = f"login.{login}: {right.label or shown(identity.user)}"
            one = self.parse(right.dictionary, source)
            if isinstance(one, Parsed):
                grant = msgspec.structs.replace(one.grant, label=right.label) if right.label else one.grant
                parsed.append(msgspec.structs.replace(one, grant=grant))
            else:
                problems += map(str, one.problems)
        if problems:
            return problems
        user = canonical(identity.user) if isinstance(identity.user, str) else None
        if user is None:
            return [f"{login}: user: the plugin's identity has no usable name"]
        stop = gates.consistent(identity, parsed)
        if stop is not None:
            return [f"{login}: {stop.detail}"]
        if len(gates.secrets_of([one.gates for one in parsed])) > 1:
            return [f"{login}: secret: different ones for one user"]
        attempts = [one.gates.max_bad_login_attempt for one in parsed if one.gates.max_bad_login_attempt]
        claims = Claims(
            login=login,
            user=user,
            id=identity.id,
            grants=tuple(one.grant for one in parsed),
            name=identity.name or parsed[0].name,
            tenant=identity.tenant,
            group_name=parsed[0].group_name,
            preferences=dict(parsed[0].preferences),
        )
        warnings = tuple(str(warning) for one in parsed for warning in one.warnings)
        return Reading(claims, tuple(one.gates for one in parsed), min(attempts, default=None), warnings)
