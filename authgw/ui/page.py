"""Pages as bytes: the templates, the headers every page carries, and the pages that show a refusal."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from authgw.answer import Answer
from authgw.reasons import Reason
from authgw.ui import assets, words
from authgw.ui.texts import Texts, heading_and_text

if TYPE_CHECKING:
    from jinja2 import Environment

HTML = "text/html; charset=utf-8"
# Everything from this origin, nothing inline, no script but those that a page names.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_STANDING = (
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("vary", "Accept-Language, Cookie"),
)
HEADERS = (("content-security-policy", POLICY), *_STANDING)
_FLAG = re.compile(r"\b(?:is_admin|can_[a-z0-9_]+|no_rtp|simple_cdr|hide_[a-z_]+)\b")
# Refusals whose particulars help the person who is refused. Others are for the log.
_TOLD = frozenset(
    {Reason.SCAN_TOO_WIDE, Reason.SCAN_TIMEOUT, Reason.PARAM_MISSING, Reason.PARAM_TYPE, Reason.PARAM_REFUSED}
)


@cache
def _templates() -> Environment:
    # With the first page: a worker that answers API calls alone does without (2.5 MB).
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(Path(__file__).parent / "templates")
    templates = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    templates.globals["asset"] = assets.address
    return templates


def render(name: str, t: Texts, **context: Any) -> bytes:
    """A template's page in a reader's language and theme. A value left out is an error."""
    return _templates().get_template(name).render(t=t, **context).encode()


def page(status: int, body: bytes, headers: tuple[tuple[str, str], ...] = (), *, script: str = "") -> Answer:
    """A page with the headers that every page has; caching is forbidden where all answers are sent.

    `script`: the scripts that it may run, as `assets.sources` spells them; none unless given.
    """
    policy = f"{POLICY}; script-src {script}" if script else POLICY
    return Answer(status, body, HTML, (("content-security-policy", policy), *_STANDING, *headers))


def message(
    status: int,
    t: Texts,
    heading: str,
    lines: tuple[str, ...],
    *,
    facts: tuple[tuple[str, str], ...] = (),
    code: str = "",
    command: str = "",
    button: tuple[str, str] | None = None,
    links: tuple[tuple[str, str], ...] = (),
    headers: tuple[tuple[str, str], ...] = (),
) -> Answer:
    """A page that says one thing. `button` posts to an address, `links` lead to one: (address, words). `command`: what
    an operator asks about the support code."""
    said = {"heading": heading, "lines": lines, "facts": facts, "code": code, "command": command}
    body = render("message.html", t, **said, button=button, links=links)
    return page(status, body, headers)


def refusal_page(status: int, reason: Reason, detail: str, request_id: str, t: Texts) -> Answer:
    """A refusal for a person: what happened, which right is missing, whom to ask, and the code an operator needs.

    A page of status 404 is the same whatever was asked for, and carries no code.
    """
    heading, text = heading_and_text(status, reason)
    facts: list[tuple[str, str]] = []
    if status == 403:
        named = dict.fromkeys(_FLAG.findall(detail)) if reason in (Reason.MISSING_FLAG, Reason.LIMITED) else {}
        if named:
            label = "message.missing" if reason is Reason.MISSING_FLAG else "message.why"
            facts.append((t(label), ", ".join(f"{words.of_key(flag, t.language)} ({flag})" for flag in named)))
        facts.append((t("message.whom"), t("message.administrator" if request_id else "message.administrator.alone")))
    elif reason in _TOLD and detail:
        facts.append((t("message.why"), detail))
    # Whoever is denied may have another account: without a way out of this one the browser is stuck with it.
    links = {
        401: (("/authgw/login", t("message.login")),),
        403: (("/authgw/account", t("account.title")), ("/authgw/logout", t("logout.submit"))),
    }.get(status, ())
    code = "" if status == 404 else request_id
    # What was denied is in the audit trail; other codes may be in the log alone.
    command = f"authgw explain --config authgw.toml --code {code}" if status == 403 and code else ""
    retry = (("retry-after", "5"),) if status == 503 else ()
    lines, told = (t(text),), tuple(facts)
    return message(status, t, t(heading), lines, facts=told, code=code, command=command, links=links, headers=retry)
