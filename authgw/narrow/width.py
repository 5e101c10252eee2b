"""The bound on a scan: the calendar width of the request, known beforehand whatever rows others have."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from authgw.policy.kinds import moment


def too_wide(fields: Mapping[str, str], now: datetime, days: int) -> str | None:
    """What is wrong with the dates of a request that needs a scan, or None. `days` 0: no bound.

    `now` is in the product's clock; without `fdateto` the request reaches up to it.
    """
    if days == 0:
        return None
    since, until = moment(fields.get("fdatefrom", "")), moment(fields.get("fdateto", ""))
    if since is None:
        return f"fdatefrom: must be set, at most {days} days before fdateto, for users with row scope"
    # A moment of grace: a client's "31 days ago" was computed before it reached us.
    if (until or now) - since > timedelta(days=days, minutes=5):
        return f"fdatefrom to fdateto: at most {days} days for users with row scope"
    return None
