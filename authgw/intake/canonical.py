"""A canonical request as lines for a person: what was understood, and nothing that must stay secret."""

from __future__ import annotations

import re

from authgw.intake.encode import as_text
from authgw.intake.request import Request

# user_hash, code2fa, api_token, old_password: whatever could open something is masked, by its name.
SECRET = re.compile(r"pass|pwd|secret|hash|token|otp|2fa|pin$|^sid$|cookie|key$", re.IGNORECASE)
_SECRET_HEADERS = frozenset({"authorization"})
_LONGEST = 400
MASK = "…"


def is_secret(name: str) -> bool:
    """Whether a field of this name is shown masked."""
    return SECRET.search(name) is not None


def render(request: Request) -> list[str]:
    """Readable lines: method and path, where it comes from, each field, header and cookie.

    Secret fields, authorization and cookie values are masked; long values are cut; no line holds a control
    character.
    """
    lines = [
        f"{request.method} {_shown(request.path)}" + (" (HEAD: without the body)" if request.head else ""),
        f"from {request.address or 'an unknown address'}, body {request.body.value}",
    ]
    for name, value in sorted(request.fields.items()):
        lines += [f"field  {name} = {MASK if is_secret(name) else _shown(as_text(value))}"]
    for name, value in sorted(request.headers.items()):
        lines += [f"header {name} = {MASK if name in _SECRET_HEADERS else _shown(value)}"]
    for name in sorted(request.cookies):
        count = len(request.cookies[name])
        lines.append(f"cookie {_shown(name)} = {MASK}" + (f" ({count} different values)" if count > 1 else ""))
    return lines


def _shown(text: str) -> str:
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}{MASK} ({len(text)} characters)"
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in cut)
