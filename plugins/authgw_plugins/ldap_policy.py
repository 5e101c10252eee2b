"""What a directory adds to a bind about the password's age: the password policy control.

draft-behera-ldap-password-policy-10, section 6: OpenLDAP's ppolicy and its kin answer so to whoever asks. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

OID = "1.3.6.1.4.1.42.2.27.8.5.1"
REQUEST = (OID, False, None)
"""The control as ldap3 takes it; a directory that does not know it goes on without."""
_SEQUENCE, _WARNING, _ERROR, _GRACE = 0x30, 0xA0, 0x81, 0x81
# passwordExpired and changeAfterReset.
_EXPIRED = (b"\x00", b"\x02")


class Bound(msgspec.Struct, frozen=True):
    """How a bind ended: result code, the server's message, and whether the password, which is right, has expired."""

    code: int
    message: str = ""
    expired: bool = False


def expired(controls: Mapping[str, Any]) -> bool:
    """Whether the reply's controls say that the password is right and must be changed: a server tells of age only then.

    The last logins that a policy still grants count as expired: they are there to change the password.
    """
    value = controls.get(OID, {}).get("value")
    if not isinstance(value, bytes) or not value:
        return False
    parts = dict(_parts(dict(_parts(value)).get(_SEQUENCE, b"")))
    error = parts.get(_ERROR)
    grace = dict(_parts(parts.get(_WARNING, b"")))
    return _GRACE in grace or (error is not None and error in _EXPIRED)


def _parts(data: bytes) -> list[tuple[int, bytes]]:
    """Tags and contents of BER in short form, which is all that so little takes; what breaks off is left out."""
    found = []
    while len(data) >= 2 and data[1] < 0x80 and len(data) >= 2 + data[1]:
        found.append((data[0], data[2 : 2 + data[1]]))
        data = data[2 + data[1] :]
    return found
