"""The page that adds a passkey to one's second factors. The device answers through passkey.js, its one script."""

from __future__ import annotations

from collections.abc import Collection
from itertools import count

from authgw.account.challenges import Challenges, Purpose
from authgw.account.factors import OwnFactors
from authgw.account.guard import HOME, Guard
from authgw.answer import Answer
from authgw.durable.factors import MAX_FACTORS, NAME_LENGTH
from authgw.intake.request import Request
from authgw.login.browser import text, texts, to
from authgw.login.factors import Factors, who_of
from authgw.reasons import Reason
from authgw.session.cookie import Found
from authgw.ui import assets, page
from authgw.ui.texts import LOGIN

ADD = HOME + "/factors/passkey"


class OwnPasskeys:
    """`own`: the pages for the other factors, whose rules these keep."""

    def __init__(self, guard: Guard, factors: Factors, own: OwnFactors, challenges: Challenges) -> None:
        self._guard = guard
        self._factors = factors
        self._own = own
        self._challenges = challenges

    async def form(self, request: Request) -> Answer:
        entered = await self._own.entered(request, ADD, posted=False)
        return entered if isinstance(entered, Answer) else await self._page(request, entered[0], 200)

    async def add(self, request: Request) -> Answer:
        entered = await self._own.entered(request, ADD, posted=True)
        if isinstance(entered, Answer):
            return entered
        found, t, fields = entered[0], texts(request), request.fields
        who = who_of(found.session.claims)
        challenge = await self._challenges.take(found.sid, Purpose.MAKE, fields.get("asked"))
        if not challenge:
            return await self._page(request, found, 400, t("passkey.stale"))
        taken = [one.name for one in await self._factors.listed(who)]
        # By now the device has made the key: no name is a reason to refuse it.
        name = distinct(text(fields.get("name")), t("passkey.name"), taken)
        codes = await self._factors.add_passkey(who, challenge, text(fields.get("answer")), name)
        if isinstance(codes, Reason):
            return await self._page(request, found, 400, t(LOGIN[codes]))
        return self._own.shown(request, codes) if codes else to(HOME + "#factors")

    async def _page(self, request: Request, found: Found, status: int, alert: str = "") -> Answer:
        """With all the factors that one may have, or where there can be no passkeys, it says so and asks nothing."""
        t, who = texts(request), who_of(found.session.claims)
        names = [one.name for one in await self._factors.listed(who)]
        asked = options = ""
        if not self._factors.take_passkeys:
            alert = t("passkey.host")
        elif len(names) >= MAX_FACTORS:
            alert = t(LOGIN[Reason.TOO_MANY_FACTORS])
        else:
            asked, challenge = await self._challenges.put(found.sid, Purpose.MAKE)
            options = await self._factors.passkey_creation(who, challenge)
        body = page.render(
            "account_passkey.html",
            t,
            form=self._guard.form(found),
            alert=alert,
            fields={"asked": asked},
            options=options,
            called=distinct("", t("passkey.name"), names),
            longest=NAME_LENGTH,
            action=ADD,
            home=HOME,
        )
        return page.page(
            status, body, script=assets.sources(self._guard.browser.origin, "passkey.js") if options else ""
        )


def distinct(wanted: str, otherwise: str, taken: Collection[str]) -> str:
    """A name that can be shown and is no other factor's: as wanted, else with a number behind it. Pure."""
    shown = " ".join("".join(each if each.isprintable() else " " for each in wanted).split())
    name = shown[:NAME_LENGTH].strip() or otherwise
    ends = ("" if n == 1 else f" {n}" for n in count(1))
    return next(each for end in ends if (each := name[: NAME_LENGTH - len(end)] + end) not in taken)
