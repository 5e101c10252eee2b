"""What another program answered, read as the permission dictionary it should be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from authgw.contract import Credentials, Granted, Identity, Outcome, Rejected, Right

MAX_REASON = 1000


def outcome(credentials: Credentials, dictionary: Mapping[str, Any], tenant: str = "") -> Outcome:
    """Granted, or Rejected where the dictionary states an `error`, with the password left out of it.

    An id that is none becomes 0, which is no login.
    """
    error = dictionary.get("error")
    if error not in (None, False, ""):
        return Rejected(str(error).replace(credentials.password, "***")[:MAX_REASON])
    name, stated = dictionary.get("name"), dictionary.get("username")
    identity = Identity(
        user=stated if isinstance(stated, str) and stated.strip() else credentials.user,
        id=_id(dictionary.get("id")),
        name=name if isinstance(name, str) else "",
        tenant=tenant,
    )
    return Granted(identity, (Right(dict(dictionary)),))


def _id(stated: object) -> int:
    if isinstance(stated, str) and stated.isascii() and stated.isdigit() and len(stated) < 20:
        return int(stated)
    return stated if type(stated) is int and stated > 0 else 0
