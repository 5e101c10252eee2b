"""The account of a gateway, put together from its settings."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

from redis.asyncio import Redis
from starlette.routing import Route

from authgw.account.challenges import Challenges
from authgw.account.confirm import Confirm
from authgw.account.expired import Expired
from authgw.account.factors import APP, CODES, REMOVE, OwnFactors
from authgw.account.guard import CONFIRM, HOME, Guard
from authgw.account.pages import END, LOOK, AccountPages, SensorNames
from authgw.account.passkeys import ADD, OwnPasskeys
from authgw.account.passwords import PASSWORD, PasswordPages, Passwords
from authgw.account.proofs import Proofs
from authgw.account.seen import Seen
from authgw.account.stepup import StepUps
from authgw.account.tokens import NEW, REVOKE, TokenPages, TokenRules
from authgw.audit.log import Audit
from authgw.durable.tokens import Tokens
from authgw.login.assemble import Chain
from authgw.login.attempt import Attempts
from authgw.login.bearer import TokenLogin
from authgw.login.browser import Browser
from authgw.login.front import Front
from authgw.login.throttle import Throttle
from authgw.session.cookie import Found
from authgw.session.epochs import Epochs
from authgw.session.handles import Handles
from authgw.session.keys import Keys
from authgw.settings import Settings


def token_login(
    settings: Settings, chain: Chain, tokens: Tokens, epochs: Epochs, throttle: Throttle, audit: Audit
) -> TokenLogin:
    """What judges API tokens."""
    return TokenLogin(
        tokens,
        epochs,
        chain.instances,
        chain.rights,
        throttle,
        rights_age=settings.tokens.rights_age,
        audit=lambda event: audit.write("login", event),
        now=time.time,
        clock=time.monotonic,
    )


def expired(browser: Browser, front: Front, handles: Handles, audit: Audit) -> Expired:
    """What takes people on whose password has expired."""
    return Expired(browser, front, Passwords(front.instances), Challenges(handles), audit)


def proved(redis: Redis, keys: Keys) -> Callable[[Found], Awaitable[None]]:
    """Notes that somebody has proved once more who he is, elsewhere than on these pages."""
    step_ups = StepUps(redis, keys, time.time)
    return lambda found: step_ups.hold(found)


def routes(
    settings: Settings,
    browser: Browser,
    front: Front,
    tokens: Tokens,
    login: TokenLogin,
    seen: Seen,
    redis: Redis,
    keys: Keys,
    handles: Handles,
    sensor_names: SensorNames,
    audit: Audit,
) -> Sequence[Route]:
    """The account pages."""
    proofs = Proofs(front)
    forms = Attempts(keys.derive("account-form"), time.time)
    guard = Guard(browser, forms, StepUps(redis, keys, time.time), proofs.has_none)
    rules = TokenRules(settings.tokens.lifetime, settings.tokens.longest, settings.tokens.per_user)
    challenges = Challenges(handles)
    confirm = Confirm(guard, proofs, challenges)
    passwords = Passwords(front.instances)
    password_pages = PasswordPages(guard, proofs, passwords, audit)
    factors = OwnFactors(guard, front.second.factors)
    passkeys = OwnPasskeys(guard, front.second.factors, factors, challenges)
    token_pages = TokenPages(guard, tokens, login, seen, rules, audit)
    pages = AccountPages(guard, tokens, sensor_names, audit, front.second.factors, changing=passwords.can)
    return [
        browser.at(HOME, pages.overview, "GET"),
        browser.at(LOOK, pages.look, "POST"),
        browser.at(END, pages.end, "POST"),
        browser.at(CONFIRM, confirm.form, "GET"),
        browser.at(CONFIRM, confirm.post, "POST"),
        browser.at(PASSWORD, password_pages.form, "GET"),
        browser.at(PASSWORD, password_pages.post, "POST"),
        browser.at(PASSWORD + "/changed", password_pages.changed, "GET"),
        browser.at(NEW, token_pages.form, "GET"),
        browser.at(NEW, token_pages.make, "POST"),
        browser.at(APP, factors.form, "GET"),
        browser.at(APP, factors.enrol, "POST"),
        browser.at(ADD, passkeys.form, "GET"),
        browser.at(ADD, passkeys.add, "POST"),
        browser.at(REMOVE, factors.remove, "POST"),
        browser.at(CODES, factors.codes, "POST"),
        browser.at(REVOKE, token_pages.revoke, "POST"),
    ]
