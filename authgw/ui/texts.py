"""What the pages say, in every language they speak.

Texts are gettext catalogues, `locale/LANGUAGE/AREA.po`: the id as msgid, the words as msgstr. A folder more is a
language more; an id that one language lacks is a failing test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polib

from authgw.reasons import Reason

_LOCALE = Path(__file__).parent / "locale"
DEFAULT = "en"
LANGUAGES = (DEFAULT, *sorted(folder.name for folder in _LOCALE.iterdir() if folder.name != DEFAULT))
_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
_MAX_HEADER = 512
# What a person chose on the account page; both win over what his browser says.
LANGUAGE_COOKIE, THEME_COOKIE = "authgw-language", "authgw-theme"
THEMES = ("auto", "light", "dark")


def catalogue(language: str, area: str = "*") -> dict[str, str]:
    """The texts of one language by id, of all areas or of one."""
    return {
        entry.msgid: entry.msgstr
        for file in sorted((_LOCALE / language).glob(f"{area}.po"))
        for entry in polib.pofile(str(file), encoding="utf-8")
    }


TEXTS: dict[str, dict[str, str]] = {language: catalogue(language) for language in LANGUAGES}

LOGIN: dict[Reason, str] = {
    Reason.BAD_CREDENTIALS: "login.bad",
    Reason.USER_MALFORMED: "login.bad",
    Reason.EMPTY_CREDENTIALS: "login.empty",
    Reason.BLOCKED: "login.blocked",
    Reason.ADDRESS_NOT_ALLOWED: "login.address",
    Reason.PASSWORD_EXPIRED: "login.expired",
    Reason.SECOND_FACTOR_NEEDED: "factor.needed",
    Reason.SECOND_FACTOR_WRONG: "factor.wrong",
    Reason.SECOND_FACTOR_CLOCK: "factor.clock",
    Reason.SECOND_FACTOR_USED: "factor.used",
    Reason.RECOVERY_WRONG: "factor.recovery",
    Reason.PASSKEY_REFUSED: "factor.passkey",
    Reason.TOO_MANY_FACTORS: "factor.many",
    Reason.ENROLMENT_NEEDED: "factor.enrol",
    Reason.TOKEN_NEEDED: "factor.token",
    Reason.ATTEMPT_OVER: "attempt.over",
    Reason.RIGHTS_INVALID: "login.rights",
    Reason.THROTTLED: "login.wait",
    Reason.LOCKED_OUT: "login.wait",
    Reason.NOT_ADMITTED: "sso.not_admitted",
    Reason.PROVIDER_REFUSED: "sso.refused",
    Reason.LOGIN_EXPIRED: "sso.expired",
    Reason.LOGIN_FAILED: "login.failed",
    Reason.LOGIN_BUSY: "login.busy",
    Reason.STORE_UNAVAILABLE: "login.store",
}

# What a provider answers instead of signing somebody in (RFC 6749, 4.1.2.1; OpenID Connect Core 1.0, 3.1.2.6).
PROVIDER = {
    "access_denied": "sso.denied",
    "login_required": "sso.interaction",
    "interaction_required": "sso.interaction",
    "consent_required": "sso.interaction",
    "account_selection_required": "sso.interaction",
    "temporarily_unavailable": "sso.busy",
    "server_error": "sso.busy",
}

_DENIED = {
    Reason.MISSING_FLAG: "denied.flag",
    Reason.LIMITED: "denied.limited",
    Reason.UNSCOPED_ONLY: "denied.scope",
    Reason.PAGES_NOT_SERVED: "denied.pages",
    Reason.UNKNOWN_CALL: "denied.call",
    Reason.NEVER: "denied.call",
    Reason.REASON_DEMANDED: "denied.reason",
}


class Texts:
    """The texts of one language: `t("login.bad")`. `theme`: "light" or "dark", or "auto" as the browser has it."""

    def __init__(self, language: str, theme: str = THEMES[0]) -> None:
        self.language = language if language in LANGUAGES else DEFAULT
        self.theme = theme if theme in THEMES else THEMES[0]
        self.direction = "rtl" if self.language in _RIGHT_TO_LEFT else "ltr"
        self._texts = TEXTS[self.language]

    def __call__(self, id: str, **values: object) -> str:
        text = self._texts[id]
        return text.format(**values) if values else text

    def wait(self, seconds: int) -> str:
        """A time to wait, as people say it: up to two minutes in seconds, then in whole minutes."""
        if seconds <= 120:
            return self("wait.seconds", n=seconds)
        return self("wait.minutes", n=-(-seconds // 60))


def heading_and_text(status: int, reason: Reason) -> tuple[str, str]:
    """The ids of the heading and the sentence for a refusal."""
    if reason is Reason.NO_SESSION or status == 401:
        return "session.title", "session.text"
    if status == 404:
        return "missing.title", "missing.text"
    if status == 403:
        return "denied.title", _DENIED.get(reason, "denied.other")
    if reason in (Reason.SCAN_TOO_WIDE, Reason.SCAN_TIMEOUT):
        return "request.title", "scan.text"
    if status < 500:
        return "request.title", "request.text"
    if reason is Reason.STORE_UNAVAILABLE:
        return "trouble.title", "trouble.store"
    return "trouble.title", "trouble.upstream" if reason.value.startswith("upstream") else "trouble.internal"


def reader(accept_language: str, cookies: Mapping[str, Sequence[str]]) -> Texts:
    """The texts for a reader: in the language and the theme that he chose, else as his browser asks."""
    language = next((name for name in cookies.get(LANGUAGE_COOKIE, ()) if name in LANGUAGES), "")
    theme = next((name for name in cookies.get(THEME_COOKIE, ()) if name in THEMES), "")
    return Texts(language or choose(accept_language), theme)


def choose(accept_language: str) -> str:
    """The language of a reader: the one with the highest quality in Accept-Language (RFC 9110, 12.5.4) that we have."""
    best, language = 0.0, DEFAULT
    for part in accept_language[:_MAX_HEADER].split(","):
        tag, _, parameter = part.strip().partition(";")
        name = tag.strip().lower().partition("-")[0]
        quality = _quality(parameter)
        if name in LANGUAGES and quality > best:
            best, language = quality, name
    return language


def _quality(parameter: str) -> float:
    if not parameter.strip():
        return 1.0
    name, _, value = parameter.partition("=")
    try:
        quality = float(value) if name.strip().lower() == "q" else 0.0
    except ValueError:
        return 0.0
    return quality if 0 < quality <= 1 else 0.0
