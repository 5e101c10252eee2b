"""The promises that every login plugin must keep, for their authors to run. Needs no test framework.

    import asyncio
    from authgw.contract import Credentials
    from authgw.testing.login import check

    asyncio.run(check(lambda: MyLogin(MyLogin.Config(…)), Credentials("alice", "right"), Credentials("alice", "wrong")))

Every broken promise is reported, each with what was seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from pydantic import ValidationError

from authgw.contract import Config, Credentials, Failed, Granted, Identity, Login, NotMine, Outcome, Rejected
from authgw.rights.parse import Parsed, parse

Factory = Callable[[], Login]
# A shorter password may stand in an answer by chance, as a word of it.
_TELLING = 10
NOBODY = "nobody-a8f1c0"
# Names that have broken directories, databases, shells and logs; none of them is anybody's.
ODD = (
    "*", "*)(uid=*", "admin)(|(uid=*", "\\2a", "' OR '1'='1", "a' UNION SELECT 1 -- ", "../../etc/passwd", "$(id)",
    "%s%s%n", "{user}", "İstanbul", "ß", "\u212aelvin", "名前", "a" * 256, "-", "root\\", '"',
)  # fmt: skip


class BrokenPromises(AssertionError):
    """What a plugin does that no plugin may do, or leaves undone."""

    def __init__(self, broken: list[str]) -> None:
        self.broken = broken
        super().__init__("\n".join(broken))


async def check(factory: Factory, good: Credentials, bad: Credentials, *, seconds: float = 10.0) -> None:
    """Holds a plugin to the contract. `factory` makes a fresh plugin each time; `good` logs in, `bad` must not.

    Raises BrokenPromises with all of them; each single question has `seconds`.
    """
    broken: list[str] = []
    plugin = factory()
    _config(plugin, broken)
    await _limited(factory().close(), seconds, "close() before open()", broken)
    await _limited(plugin.open(), seconds, "open()", broken)
    try:
        identity = await _right(plugin, good, seconds, broken)
        await _wrong(plugin, good, bad, seconds, broken)
        await _interleaved(plugin, good, bad, seconds, broken)
        if identity is not None:
            await _refresh(plugin, identity, seconds, broken)
    finally:
        await _limited(plugin.close(), seconds, "close()", broken)
        await _limited(plugin.close(), seconds, "a second close()", broken)
    if broken:
        raise BrokenPromises(broken)


def _config(plugin: Login, broken: list[str]) -> None:
    if not isinstance(plugin, Login):
        broken.append("has no Config, open, close, login and refresh as the contract names them")
    elif not issubclass(plugin.Config, Config):
        broken.append("Config is not made from authgw.contract.Config")
    else:
        try:
            plugin.Config.model_validate({"no such option": 1})
        except ValidationError as error:
            if not any(each["type"] == "extra_forbidden" for each in error.errors()):
                broken.append("Config takes options that it does not know")
        else:
            broken.append("Config takes options that it does not know")


async def _right(plugin: Login, good: Credentials, seconds: float, broken: list[str]) -> Identity | None:
    outcome = await _asked(plugin, good, seconds, broken)
    if not isinstance(outcome, Granted):
        broken.append(f"login() with the right password answered {_word(outcome)}")
        return None
    identity = outcome.identity
    if type(identity.id) is not int or identity.id <= 0:
        broken.append(f"Identity.id is {identity.id!r}, not a positive int")
    if not isinstance(identity.user, str) or not identity.user.strip():
        broken.append("Identity.user is empty")
    if not outcome.rights:
        broken.append("Granted without rights: no dictionary at all")
    for right in outcome.rights:
        parsed = parse(right.dictionary, "the dictionary")
        if not isinstance(parsed, Parsed):
            broken += [str(problem) for problem in parsed.problems]
        elif parsed.id != identity.id:
            broken.append(f"the dictionary's id is {parsed.id}, the identity's {identity.id}")
    return identity


async def _wrong(plugin: Login, good: Credentials, bad: Credentials, seconds: float, broken: list[str]) -> None:
    outcome = await _asked(plugin, bad, seconds, broken)
    if not isinstance(outcome, Rejected | NotMine):
        broken.append(f"login() with a wrong password answered {_word(outcome)}")
    unknown = msgspec.structs.replace(good, user=NOBODY)
    if not isinstance(outcome := await _asked(plugin, unknown, seconds, broken), Rejected | NotMine):
        broken.append(f"login() of somebody unknown answered {_word(outcome)}")
    for password in (good.password + " ", good.password + "\x00", good.password[:-1] or "x", good.password * 80):
        tried = msgspec.structs.replace(good, password=password)
        if not isinstance(outcome := await _asked(plugin, tried, seconds, broken), Rejected | NotMine):
            broken.append(f"login() with a password changed at its end answered {_word(outcome)}")
    for user in ODD:
        tried = msgspec.structs.replace(bad, user=user)
        if not isinstance(outcome := await _asked(plugin, tried, seconds, broken), Rejected | NotMine):
            broken.append(f"login() of {user[:20]!r} answered {_word(outcome)}")


async def _interleaved(plugin: Login, good: Credentials, bad: Credentials, seconds: float, broken: list[str]) -> None:
    asked = [good, bad, bad, good]
    outcomes = await asyncio.gather(*(_asked(plugin, each, seconds, broken) for each in asked))
    if [isinstance(outcome, Granted) for outcome in outcomes] != [each is good for each in asked]:
        broken.append("logins at the same time got each other's answers")


async def _refresh(plugin: Login, identity: Identity, seconds: float, broken: list[str]) -> None:
    for asked in (identity, msgspec.structs.replace(identity, id=0)):
        outcome = await _limited(plugin.refresh(asked), seconds, "refresh()", broken)
        if isinstance(outcome, Granted) and outcome.identity.id != identity.id:
            broken.append(f"refresh() gave the id {outcome.identity.id} to whoever logged in with {identity.id}")
        elif not isinstance(outcome, Granted | NotMine):
            broken.append(f"refresh() of who just logged in answered {_word(outcome)}")
    outcome = await _limited(plugin.refresh(Identity(NOBODY, 0)), seconds, "refresh()", broken)
    if not isinstance(outcome, Rejected | NotMine):
        broken.append(f"refresh() of somebody unknown answered {_word(outcome)}")


async def _asked(plugin: Login, credentials: Credentials, seconds: float, broken: list[str]) -> Outcome | None:
    outcome = await _limited(plugin.login(credentials), seconds, "login()", broken)
    if len(credentials.password) >= _TELLING and credentials.password in repr(outcome):
        broken.append("an outcome shows the password")
    return outcome if isinstance(outcome, Granted | Rejected | NotMine | Failed) else None


async def _limited(call: Awaitable[object], seconds: float, what: str, broken: list[str]) -> object:
    try:
        async with asyncio.timeout(seconds):
            return await call
    except TimeoutError:
        broken.append(f"{what} took longer than {seconds:g} s")
    except Exception as error:
        broken.append(f"{what} raised {type(error).__name__}: {error}")
    return None


def _word(outcome: object) -> str:
    return f"Failed({outcome.reason!r})" if isinstance(outcome, Failed) else type(outcome).__name__
