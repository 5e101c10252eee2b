"""What remains of a session's claims when its login is asked again: what is taken away is felt, what is added waits.

A session's id changes with every gain of rights, and cannot change under requests that are on their way. So a session
never gains: rights that it did not begin with come with the next login.
"""

from __future__ import annotations

import msgspec

from authgw.rights.claims import Claims, Grant


def lessened(old: Claims, new: Claims) -> Claims | None:
    """The new claims as far as the old ones reach. None: nothing is left of them, or they are somebody else's.

    Who was of several tenants stays nobody's alone, whatever is left of them: by that name the session was made.
    """
    if not old.tenant:
        new = msgspec.structs.replace(new, tenant="")
    if (old.login, old.user, old.id, old.tenant) != (new.login, new.user, new.id, new.tenant):
        return None
    if old.grants == new.grants:
        return new
    grants = tuple(kept for each in new.grants if (kept := _within(each, old.grants)) is not None)
    return msgspec.structs.replace(new, grants=grants) if grants else None


def _within(new: Grant, old: tuple[Grant, ...]) -> Grant | None:
    """The most of a grant that one of the old ones covers; grants are never mixed."""
    met = [kept for each in old if (kept := _meet(each, new)) is not None]
    return max(met, key=lambda kept: (kept.label == new.label, len(kept.flags)), default=None)


def _meet(old: Grant, new: Grant) -> Grant | None:
    """What both allow, where their rows can be compared: all but the sensors have to be the same."""
    sensors = _sensors(old.scope.sensors, new.scope.sensors)
    if sensors == () and old.scope.sensors != () != new.scope.sensors:
        return None
    flags = old.flags & new.flags
    scope = msgspec.structs.replace(new.scope, sensors=sensors)
    if scope != msgspec.structs.replace(old.scope, sensors=sensors) or not flags:
        return None
    if old.can_audit != new.can_audit and new.can_audit != 1:
        return None
    hours = [each.remove_expire_hours for each in (old, new) if each.remove_expire_hours]
    return msgspec.structs.replace(
        new, flags=flags, limits=old.limits | new.limits, scope=scope, remove_expire_hours=min(hours, default=0)
    )


def _sensors(old: tuple[int, ...] | None, new: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """Those of both; None is all of them."""
    if old is None or new is None:
        return new if old is None else old
    return tuple(each for each in new if each in old)
