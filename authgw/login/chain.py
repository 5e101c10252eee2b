"""The chain: plugins asked in order, until one of them answers for all.

    Granted    stops: these credentials are right.
    Rejected   stops, unless the instance is `sufficient = false`: then the next one is asked.
    NotMine    the next one is asked.
    Failed     the next one is asked only where `on_failure = "next"`. An exception, a time-out and an answer that is
               none of the four count as Failed.

At the end, without Granted: any Failed on the way makes it LOGIN_FAILED, for nobody knows what that plugin would have
said; otherwise the credentials are wrong.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from time import perf_counter

import msgspec

from authgw.contract import (
    Credentials,
    Failed,
    Fronted,
    Granted,
    Identity,
    Login,
    NotMine,
    Outcome,
    Redirecting,
    Rejected,
    Versioned,
)
from authgw.login.user import apart
from authgw.reasons import Reason
from authgw.rights.claims import Claims

PLUGIN_SECONDS = 10.0
log = logging.getLogger("authgw.login")


class Instance(msgspec.Struct, frozen=True):
    """A plugin under its name in the chain. `digest` stands for its settings."""

    name: str
    plugin: Login
    on_failure: str = "stop"
    sufficient: bool = True
    digest: str = ""


class Tried(msgspec.Struct, frozen=True):
    """One plugin's answer, for the log: `outcome` is granted, rejected, not_mine or failed."""

    instance: str
    outcome: str
    detail: str
    seconds: float


class Verdict(msgspec.Struct, frozen=True):
    """`granted`, or the `reason` why not. `login` is the instance that decided, empty where none did.

    `counts`: some plugin has judged the credentials, so that this was a guess, whatever else went wrong.
    """

    granted: Granted | None
    reason: Reason | None
    login: str
    counts: bool
    max_attempts: int | None
    tried: tuple[Tried, ...]


async def ask(
    instances: Sequence[Instance],
    credentials: Credentials,
    *,
    seconds: float = PLUGIN_SECONDS,
    clock: Callable[[], float] = perf_counter,
) -> Verdict:
    """Asks the plugins in order. `seconds` is what each of them has. Raises nothing that a plugin raised."""
    answers: list[tuple[Instance, Outcome]] = []
    tried: list[Tried] = []
    for instance in instances:
        began = clock()
        outcome = await guarded(instance, partial(instance.plugin.login, credentials), seconds)
        answers.append((instance, outcome))
        tried.append(Tried(instance.name, _WORDS[type(outcome)], _detail(outcome), clock() - began))
        if _is_final(instance, outcome):
            break
    return _conclude(answers, tuple(tried))


async def refresh(
    instances: Sequence[Instance], login: str, identity: Identity, *, seconds: float = PLUGIN_SECONDS
) -> Outcome:
    """Whether the user of this instance is still who he was. Raises nothing that a plugin raised."""
    for instance in instances:
        if instance.name == login:
            return await guarded(instance, partial(instance.plugin.refresh, identity), seconds)
    return Failed(f"there is no login {login} any more")


def version(instances: Sequence[Instance]) -> str:
    """Changes whenever an earlier Granted of this chain may no longer hold, as far as its plugins can tell."""
    parts = [
        (each.name, each.digest, each.plugin.version() if isinstance(each.plugin, Versioned) else "")
        for each in instances
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def with_passwords(instances: Sequence[Instance]) -> frozenset[str]:
    """The instances whose people sign in with a password here, not at a provider or a proxy."""
    return frozenset(each.name for each in instances if not isinstance(each.plugin, Redirecting | Fronted))


def counted(claims: Claims, with_passwords: frozenset[str]) -> str:
    """Under what failures of this user count: his name where a password can be tried for it, since no more than that is
    known before some login knows him; else his id in his login."""
    return claims.user if claims.login in with_passwords else apart(claims.login, claims.id)


_WORDS: dict[type, str] = {Granted: "granted", Rejected: "rejected", NotMine: "not_mine", Failed: "failed"}


def _is_final(instance: Instance, outcome: Outcome) -> bool:
    match outcome:
        case Granted():
            return True
        case Rejected():
            return instance.sufficient
        case NotMine():
            return False
        case Failed():
            return instance.on_failure != "next"


def _conclude(answers: Sequence[tuple[Instance, Outcome]], tried: tuple[Tried, ...]) -> Verdict:
    last, outcome = answers[-1] if answers else (None, NotMine())
    if isinstance(outcome, Granted) and last is not None:
        return Verdict(outcome, None, last.name, False, None, tried)
    failed = [(instance, answer) for instance, answer in answers if isinstance(answer, Failed)]
    rejected = [(instance, answer) for instance, answer in answers if isinstance(answer, Rejected)]
    limits = [answer.max_attempts for _, answer in rejected if answer.max_attempts]
    counts = len(failed) < len(answers)
    attempts = min(limits, default=None)
    if failed:
        reason = Reason.LOGIN_BUSY if all(answer.busy for _, answer in failed) else Reason.LOGIN_FAILED
        return Verdict(None, reason, failed[-1][0].name, counts, attempts, tried)
    login = rejected[-1][0].name if rejected else ""
    return Verdict(None, Reason.BAD_CREDENTIALS, login, counts, attempts, tried)


async def guarded(instance: Instance, ask: Callable[[], Awaitable[object]], seconds: float) -> Outcome:
    """What a plugin answers within its time. Raises nothing that it raised."""
    try:
        async with asyncio.timeout(seconds):
            outcome = await ask()
    except TimeoutError:
        return Failed(f"no answer within {seconds:g} s")
    except Exception as error:
        # Only the type goes on: the text of a foreign exception may quote what it was given.
        log.error("login plugin %s raised %s", instance.name, type(error).__name__, exc_info=_where(error))
        return Failed(f"raised {type(error).__name__}")
    if isinstance(outcome, Granted | Rejected | NotMine | Failed):
        return outcome
    return Failed(f"answered a {type(outcome).__name__}, which is no outcome")


def _where(error: Exception) -> BaseException:
    """The place without the words: the same traceback under an exception that quotes nothing."""
    return RuntimeError(type(error).__name__).with_traceback(error.__traceback__)


def _detail(outcome: Outcome) -> str:
    return outcome.reason if isinstance(outcome, Rejected | Failed) else ""
