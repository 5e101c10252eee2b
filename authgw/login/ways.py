"""The ways in that the login page shows: the form, a button for each provider, and who comes in without either."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial

import msgspec

from authgw.contract import Failed, Fronted, Granted, NotMine, Redirecting, Rejected
from authgw.intake.request import Raw
from authgw.login.chain import PLUGIN_SECONDS, Instance, guarded
from authgw.login.front import Front
from authgw.login.outcome import LoggedIn, Pending, Turned, turned
from authgw.login.redirect import start
from authgw.reasons import Reason

log = logging.getLogger("authgw.login")


class Ways(msgspec.Struct, frozen=True):
    """`form`: some login takes passwords. `buttons`: address and title of each provider. `auto`: straight there."""

    form: bool = True
    buttons: tuple[tuple[str, str], ...] = ()
    auto: str = ""


def ways(instances: Sequence[Instance]) -> Ways:
    """Of a chain. Only where there is one provider can the page go straight to it."""
    away = [(start(one.name), one.plugin) for one in instances if isinstance(one.plugin, Redirecting)]
    form = any(not isinstance(one.plugin, Redirecting | Fronted) for one in instances)
    auto = away[0][0] if len(away) == 1 and away[0][1].auto else ""
    return Ways(form, tuple((address, plugin.title) for address, plugin in away), auto)


async def fronted(front: Front, raw: Raw, address: str) -> LoggedIn | Pending | Turned | None:
    """Who a proxy in front says it is. None: it says nothing that counts."""
    headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw.headers]
    for instance in front.instances:
        if not isinstance(instance.plugin, Fronted):
            continue
        outcome = await guarded(instance, partial(instance.plugin.fronted, raw.peer, headers), PLUGIN_SECONDS)
        match outcome:
            case NotMine():
                continue
            case Granted():
                return await front.arrived(outcome, instance.name, address, origin="header")
            case Failed():
                log.error("login %s failed: %s", instance.name, outcome.reason)
                return turned(Reason.LOGIN_FAILED)
            case Rejected():
                log.info("login %s: %s", instance.name, outcome.reason)
                return turned(Reason.NOT_ADMITTED)
    return None
