"""Signing out at the provider too, once the session here is over (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

import asyncio
import logging

from authgw.answer import Answer
from authgw.contract import Redirecting
from authgw.intake.request import Request
from authgw.login.browser import texts
from authgw.login.front import Front
from authgw.session.model import Session
from authgw.ui import page

BACK = "/authgw/logged-out"
# The browser waits for this answer, and is signed out here in any case.
SECONDS = 3.0
log = logging.getLogger("authgw.login")


class Leave:
    """`origin`: ours, where the provider sends the browser back to."""

    def __init__(self, front: Front, origin: str) -> None:
        self._plugins = {one.name: one.plugin for one in front.instances if isinstance(one.plugin, Redirecting)}
        self._back = origin + BACK

    async def address(self, session: Session) -> str | None:
        """Where the browser ends its session at the provider. None: there is nothing to end, or nobody can tell."""
        plugin = self._plugins.get(session.claims.login)
        if plugin is None or session.remote is None:
            return None
        try:
            async with asyncio.timeout(SECONDS):
                return await plugin.leave(session.remote, self._back)
        except Exception as error:
            log.warning("login %s: signing out at the provider: %s", session.claims.login, type(error).__name__)
            return None

    def page(self, request: Request, session: Session, address: str, *headers: tuple[str, str]) -> Answer:
        """A page that goes there by itself: browsers hold a form to our own origin, redirects of its answer too."""
        t = texts(request)
        title = self._plugins[session.claims.login].title
        lines = (t("sso.leaving_text", title=title),)
        links = ((address, t("sso.leave", title=title)),)
        refresh = ("refresh", f"1; url={address}")
        return page.message(200, t, t("sso.leaving"), lines, links=links, headers=(refresh, *headers))
