"""Who may use the account pages, and how they are kept from the GUI's scripts, which share their origin.

A page opens only where a person goes to it: a browser tells navigations of the whole window from what a script fetches
or frames (Fetch Metadata, `Sec-Fetch-Dest: document`), and no script can say so itself. The pages forbid framing, and
their opener policy cuts a window that the GUI opened off from it. So no script reads a form's token, which is bound to
the session; and what matters asks for the password or a factor again, typed on such a page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote

from authgw.account.stepup import Proof, StepUps
from authgw.answer import Answer
from authgw.intake.request import Refused, Request
from authgw.login import origin
from authgw.login.attempt import Attempts
from authgw.login.browser import Browser, refused, texts, to
from authgw.reasons import Reason
from authgw.rights.claims import Claims
from authgw.session.cookie import Found
from authgw.ui import page

HOME = "/authgw/account"
CONFIRM = HOME + "/confirm"


class Guard:
    """`forms` binds forms to the session they were made in, by its id; its key is no other form's.

    `cannot`: whether somebody has neither a password that could be asked for here nor a second factor.
    """

    def __init__(
        self, browser: Browser, forms: Attempts, step_ups: StepUps, cannot: Callable[[Found], Awaitable[bool]]
    ) -> None:
        self.browser = browser
        self._cannot = cannot
        self.step_ups = step_ups
        self._forms = forms

    async def enter(self, request: Request) -> Found | Answer:
        """The session whose account this is, or what is said instead."""
        found = await self.browser.found(request)
        if isinstance(found, Refused):
            return refused(found, request)
        if found is None:
            return to(f"/authgw/login?next={quote(HOME, safe='')}")
        if not is_navigation(request.headers):
            return page.refusal_page(403, Reason.CROSS_SITE, "", "", texts(request))
        if limited(found.session.claims, "hide_user_configuration"):
            return denied(request, "hide_user_configuration")
        return found

    async def posted(self, request: Request) -> Found | Answer:
        """The session that a form of ours was sent in, or what is said instead."""
        found = await self.enter(request)
        if isinstance(found, Answer):
            return found
        ours = origin.is_same(request.headers, self.browser.origin)
        if not ours or not self._forms.fits([found.sid], request.fields.get("form")):
            t = texts(request)
            return page.message(
                400, t, t("account.form.title"), (t("account.form"),), links=((HOME, t("account.back")),)
            )
        return found

    async def confirmed(self, found: Found, back: str) -> Proof | Answer:
        """His fresh proof of who he is, or the way to where he gives one and on to `back`.

        Who can give none here, because he signs in elsewhere and has no factor, has given it by signing in just now.
        """
        proof = await self.step_ups.proof(found)
        if proof is None and self.step_ups.is_fresh(found) and await self._cannot(found):
            proof = Proof(found.session.started, None)
            await self.step_ups.keep(found, proof)
        return proof or to(f"{CONFIRM}?next={quote(back, safe='')}")

    def form(self, found: Found) -> str:
        """What goes into each form as the field `form`."""
        return self._forms.form(found.sid)


def is_navigation(headers: Mapping[str, str]) -> bool:
    """Whether a person goes there with the whole window. A browser that does not tell is not believed."""
    return headers.get("sec_fetch_dest") == "document" and headers.get("sec_fetch_mode") == "navigate"


def limited(claims: Claims, limit: str) -> bool:
    """Whether a limit closes a page: any grant's does."""
    return any(limit in grant.limits for grant in claims.grants)


def denied(request: Request, limit: str) -> Answer:
    return page.refusal_page(403, Reason.LIMITED, f"closed by {limit}", "", texts(request))
