"""The virtual authenticator of the Chrome DevTools Protocol, beside a page of Chromium."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import CDPSession, Page


class Device:
    """A platform authenticator that says yes by itself."""

    def __init__(self, page: Page) -> None:
        self._cdp: CDPSession = page.context.new_cdp_session(page)
        self._cdp.send("WebAuthn.enable")
        self.id = self._added()

    def change(self) -> None:
        """Another device lies there in its place, which has nothing yet."""
        self._cdp.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self.id})
        self.id = self._added()

    def _added(self) -> str:
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        return str(self._cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"])

    def credentials(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.id})[
            "credentials"
        ]
        return found

    def rewind(self) -> None:
        """As a copy that was made before: the same key, its count back at the beginning."""
        [one] = self.credentials()
        self._cdp.send("WebAuthn.clearCredentials", {"authenticatorId": self.id})
        self._cdp.send("WebAuthn.addCredential", {"authenticatorId": self.id, "credential": {**one, "signCount": 0}})

    def refuse(self) -> None:
        """Whoever is there does not prove who it is."""
        self._cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": False})
        self._cdp.send("WebAuthn.clearCredentials", {"authenticatorId": self.id})
