"""Distinguished names (RFC 4514), in a form in which two spellings of one name are equal and no other two.

Attribute types are compared without case, values as directories compare them (RFC 4518): compatibility forms and case
folded, blanks at the ends left out, runs of blanks as one. The parts of `cn=a+ou=b` have no order.
"""

from __future__ import annotations

import re
import unicodedata

Rdn = frozenset[tuple[str, str]]
Dn = tuple[Rdn, ...]

LONGEST = 8192
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9-]*|(?:oid\.)?[0-9]+(?:\.[0-9]+)+", re.IGNORECASE)
_HEX = re.compile(r"[0-9A-Fa-f]{2}")
_ESCAPED = frozenset(' "#+,;<=>\\')
_NEVER_BARE = frozenset('";<>\0')
# RFC 4519: the long names and numbers of the types that stand in distinguished names.
_SAME = {
    "commonname": "cn", "2.5.4.3": "cn", "surname": "sn", "2.5.4.4": "sn", "countryname": "c", "2.5.4.6": "c",
    "localityname": "l", "2.5.4.7": "l", "stateorprovincename": "st", "2.5.4.8": "st", "streetaddress": "street",
    "2.5.4.9": "street", "organizationname": "o", "2.5.4.10": "o", "organizationalunitname": "ou", "2.5.4.11": "ou",
    "domaincomponent": "dc", "0.9.2342.19200300.100.1.25": "dc", "userid": "uid", "0.9.2342.19200300.100.1.1": "uid",
}  # fmt: skip


def normal(text: str) -> Dn:
    """The name in its one form. Raises `ValueError` that says what is wrong; an empty text is no name."""
    if not text.strip() or len(text) > LONGEST:
        raise ValueError(f"is no distinguished name of 1 to {LONGEST} characters")
    found: list[Rdn] = []
    parts: list[tuple[str, str]] = []
    at = 0
    while True:
        part, at = _part(text, at)
        parts.append(part)
        if at < len(text) and text[at] == "+":
            at += 1
            continue
        found.append(frozenset(parts))
        parts = []
        if at == len(text):
            return tuple(found)
        at += 1  # a comma: _part stops nowhere else


def _part(text: str, at: int) -> tuple[tuple[str, str], int]:
    """`type=value` from `at` on, and where it ends."""
    equals = text.find("=", at)
    name = text[at:equals].strip(" ") if equals >= 0 else ""
    if not _TYPE.fullmatch(name):
        raise ValueError(f"has no attribute type at character {at + 1}; write type=value, and a comma inside as \\,")
    kind = name.lower().removeprefix("oid.")
    value, end = _value(text, equals + 1)
    return (_SAME.get(kind, kind), value), end


def _value(text: str, at: int) -> tuple[str, int]:
    raw = bytearray()
    start = at
    while at < len(text) and text[at] not in ",+":
        character = text[at]
        if character in _NEVER_BARE:
            raise ValueError(f"has {character!r} at character {at + 1}; put a backslash before it")
        if character != "\\":
            raw += character.encode("utf-8", "surrogatepass")
            at += 1
        elif _HEX.fullmatch(pair := text[at + 1 : at + 3]):
            raw += bytes.fromhex(pair)
            at += 3
        elif text[at + 1 : at + 2] in _ESCAPED and at + 1 < len(text):
            raw += text[at + 1].encode()
            at += 2
        else:
            raise ValueError(f"has a backslash at character {at + 1} with nothing to escape behind it")
    if text[start:at].lstrip(" ").startswith("#"):
        return _encoded(text[start:at].strip(" ")), at
    try:
        value = _prepared(raw.decode())
    except UnicodeDecodeError:
        raise ValueError(f"has a value at character {start + 1} that is not UTF-8") from None
    if not value:
        raise ValueError(f"has an empty value at character {start + 1}")
    return value, at


def _encoded(text: str) -> str:
    """`#04024869`: a value as its encoding, which equals only itself: the blank in front is no value's."""
    if not re.fullmatch(r"#(?:[0-9A-Fa-f]{2})+", text):
        raise ValueError(f"has {text[:20]!r}, which is no hexadecimal value; write a # at the beginning as \\#")
    return " " + text.lower()


def _prepared(value: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold())
    return " ".join(folded.split())
