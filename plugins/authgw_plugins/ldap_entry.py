"""What a person's entry says: number, names, whether the account may be used. Pure."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from authgw_plugins.ldap_values import Entry

HASHED = frozenset({"entryuuid", "objectguid", "nsuniqueid", "ipauniqueid"})
"""Attributes that are unique and no number: 63 bits of their SHA-256 are the id."""
ATTRIBUTES = (
    "cn", "displayName", "memberOf", "gidNumber", "primaryGroupID", "objectSid", "shadowExpire", "shadowLastChange",
    "shadowMax", "pwdAccountLockedTime", "pwdChangedTime", "pwdReset", "nsAccountLock", "userAccountControl",
    "msDS-User-Account-Control-Computed", "accountExpires", "pwdLastSet",
)  # fmt: skip
_LARGEST_ID = 2**63 - 1
_DAY = 86_400
_NEVER = (0, 2**63 - 1)
# Windows counts tenths of microseconds since 1601.
_EPOCH_1601 = 11_644_473_600


def id_of(entry: Entry, attribute: str) -> int | str:
    """The person's number; text says why there is none. One person, one value: several are none."""
    name = attribute.lower()
    values = entry.values.get(name, ())
    if len(values) != 1 or not values[0]:
        return f"{attribute} has {len(values)} values in {entry.dn!r}, not one"
    value = values[0]
    if name == "objectsid":
        number = _rid(value)
    elif name in HASHED:
        number = int.from_bytes(hashlib.sha256(value.lower() if name != "objectguid" else value).digest()[:8], "big")
        number = (number >> 1) or 1
    else:
        number = int(value) if value.isdigit() and len(value) < 20 else 0
    return number if 0 < number <= _LARGEST_ID else f"{attribute} of {entry.dn!r} is no positive whole number"


def _rid(sid: bytes) -> int:
    """The last number of a security identifier: revision 1, a count, six octets, then four for each number."""
    if len(sid) < 12 or sid[0] != 1 or len(sid) != 8 + 4 * sid[1]:
        return 0
    return int.from_bytes(sid[-4:], "little")


def primary_group(entry: Entry) -> bytes | None:
    """The security identifier of the primary group, of which Active Directory keeps no membership."""
    sid, group = entry.values.get("objectsid", ()), number(entry, "primaryGroupID")
    if len(sid) != 1 or group is None or not 0 < group < 2**32 or not _rid(sid[0]):
        return None
    return bytes(sid[0][:-4] + group.to_bytes(4, "little"))


def display_name(entry: Entry) -> str:
    """For pages and lists: displayName, else cn; one line of it."""
    for name in ("displayName", "cn"):
        for text in entry.texts(name):
            if shown := " ".join("".join(c if c.isprintable() else " " for c in text).split())[:256]:
                return shown
    return ""


def user_name(entry: Entry, attribute: str, typed: str) -> str:
    """The name as the directory spells it, so that every spelling of it is one user."""
    names = entry.texts(attribute)
    return next((name for name in names if name.casefold() == typed.casefold()), names[0] if names else typed)


def number(entry: Entry, attribute: str) -> int | None:
    values = entry.texts(attribute)
    text = values[0].removeprefix("-") if len(values) == 1 else ""
    return int(values[0]) if text.isascii() and text.isdigit() and len(text) < 20 else None


def unusable(entry: Entry, now: float) -> str | None:
    """Why the account may not be used, although its password may be right. `now`: seconds since 1970.

    A lock for a while is not asked for: the directory says so to a bind, and somebody else's wrong guesses end nobody's
    sessions.
    """
    if (number(entry, "userAccountControl") or 0) & 0x2:
        return "disabled: userAccountControl"
    expires = number(entry, "accountExpires")
    if expires is not None and expires not in _NEVER and now >= expires / 10_000_000 - _EPOCH_1601:
        return "expired: accountExpires"
    # shadow(5): days since 1970; what 0 means is not agreed upon, so that it is taken as expired. Less is never.
    day = number(entry, "shadowExpire")
    if day is not None and day >= 0 and now >= day * _DAY:
        return "expired: shadowExpire"
    for text in entry.texts("pwdAccountLockedTime"):
        # This value is for good.
        if text.startswith("000001010000"):
            return "locked: pwdAccountLockedTime"
    if any(text.upper() == "TRUE" for text in entry.texts("nsAccountLock")):
        return "disabled: nsAccountLock"
    return None


def password_expired(entry: Entry, now: float) -> bool:
    """Whether the password must be changed before the account may be used."""
    if any(text.upper() == "TRUE" for text in entry.texts("pwdReset")):
        return True
    if (number(entry, "msDS-User-Account-Control-Computed") or 0) & 0x800000 or number(entry, "pwdLastSet") == 0:
        return True
    changed, most = number(entry, "shadowLastChange"), number(entry, "shadowMax")
    if changed == 0:
        return True
    return changed is not None and most is not None and most >= 0 and now >= (changed + most + 1) * _DAY


def password_changed_at(entry: Entry) -> float | None:
    """Seconds since 1970, where one of the three kinds of directories tells."""
    last_set = number(entry, "pwdLastSet")
    if last_set:
        return last_set / 10_000_000 - _EPOCH_1601
    for text in entry.texts("pwdChangedTime"):
        try:
            return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    day = number(entry, "shadowLastChange")
    return float(day * _DAY) if day else None
