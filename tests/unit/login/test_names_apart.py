"""Failures of a name and of somebody of that name who signs in elsewhere: two counts, each for all ways in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from authgw.contract import NotMine, Outcome
from authgw.login.chain import Instance
from authgw.login.factors import Code, who_of
from authgw.login.outcome import LoggedIn, Pending, Turned
from authgw.reasons import Reason
from authgw.session.model import Kind, Session
from kit.codes import code_at
from kit.logins import Desk, Scripted, by_password, granted
from kit.sessions import claims

pytestmark = pytest.mark.anyio
HERE = "192.0.2.7"
SSO = granted("anna", 7)


class Proxy(Scripted):
    """Somebody signs in at a proxy in front: no password of his is ever seen here."""

    async def fronted(self, peer: str, headers: Sequence[tuple[str, str]]) -> Outcome:
        return NotMine()


def desk() -> Desk:
    return Desk(by_password(anna="right"), more=(Instance("sso", Proxy(NotMine())),))


async def guess(desk: Desk, way: Any, times: int = 10) -> None:
    """So many wrong ones, as fast as the pauses let them be judged."""
    for _ in range(times):
        await way()
        desk.clock.now += 17


async def test_guessed_passwords_keep_nobody_out_who_signs_in_elsewhere() -> None:
    """After ten guesses at "anna" the local Anna is locked out, and the Anna of the single sign-on comes in, by the
    browser and by her access token."""
    here = desk()
    await guess(here, lambda: here.login("Anna", "wrong"))
    assert (await here.login("anna", "right")).reason is Reason.LOCKED_OUT
    assert isinstance(await here.front.arrived(SSO, "sso", HERE, origin="redirect"), LoggedIn)
    assert isinstance(await here.front.borne(SSO, "sso", "a.b.c", HERE), LoggedIn)


async def test_wrong_codes_of_somebody_elsewhere_lock_no_name() -> None:
    """Ten wrong codes of the Anna of the single sign-on lock her out, everywhere; the local Anna signs in."""
    here = desk()
    who = who_of(claims("anna", 7, "sso"))
    secret = here.factors.draft(who).secret
    await here.factors.confirm(who, secret, code_at(secret, here.clock.now))
    pending = await here.front.arrived(SSO, "sso", HERE, origin="redirect")
    assert isinstance(pending, Pending)
    await guess(here, lambda: here.second.prove(pending, Code("000000"), HERE, origin="page"), 5)
    session = Session("h", Kind.BROWSER, claims("anna", 7, "sso"), 0.0, 0.0, HERE, "", ("redirect",))
    await guess(here, lambda: here.second.step_up(session, Code("000000"), HERE), 5)
    for way in (
        here.front.arrived(SSO, "sso", HERE, origin="redirect"),
        here.front.borne(SSO, "sso", "a.b.c", HERE),
        here.second.complete(pending, ("redirect", "totp"), HERE, origin="page"),
    ):
        found = await way
        assert isinstance(found, Turned)
        assert found.reason is Reason.LOCKED_OUT
    assert isinstance(await here.login("anna", "right"), LoggedIn)
    other = await here.front.arrived(granted("anna", 8), "sso", HERE, origin="redirect")
    assert isinstance(other, LoggedIn)
