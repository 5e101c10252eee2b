"""Which groups a person is in: by the entry itself, by the groups that name it, and by groups inside groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from authgw_plugins import ldap_entry
from authgw_plugins.ldap_directory import Session, Unanswered
from authgw_plugins.ldap_values import Entry, escaped

IN_CHAIN = "1.2.840.113556.1.4.1941"
MAX_GROUPS = 2000
_AT_ONCE = 25


class Search(msgspec.Struct, frozen=True):
    """How groups are found. `ways`: memberOf, member, uniqueMember, memberUid, in-chain. `depth`: groups in groups."""

    base: str
    ways: frozenset[str]
    depth: int
    user_attribute: str


def groups(session: Session, search: Search, entry: Entry) -> list[str]:
    """The names of all groups of an entry, each once. A circle of groups ends where it closes.

    Raises Unanswered where there are too many.
    """
    found: dict[str, str] = {}
    fresh = _new(_direct(session, search, entry), found)
    for _ in range(search.depth):
        if not fresh:
            break
        fresh = _new(_parents(session, search, fresh), found)
    return list(found.values())


def _new(names: Sequence[str], found: dict[str, str]) -> list[str]:
    """The names not seen before, which from now on are."""
    fresh = {name.casefold(): name for name in names if name.casefold() not in found}
    found |= fresh
    if len(found) > MAX_GROUPS:
        raise Unanswered(f"groups: somebody is in more than {MAX_GROUPS}; narrow group_base_dn or lower nested")
    return list(fresh.values())


def _direct(session: Session, search: Search, entry: Entry) -> list[str]:
    names = entry.texts("memberOf") if "memberOf" in search.ways else []
    if "in-chain" in search.ways:
        names += session.all(search.base, f"(member:{IN_CHAIN}:={escaped(entry.dn)})")
        primary = ldap_entry.primary_group(entry)
        if primary is not None:
            of_primary = session.all(search.base, f"(objectSid={escaped(primary)})")
            names += of_primary
            for name in of_primary:
                names += session.all(search.base, f"(member:{IN_CHAIN}:={escaped(name)})")
    terms = [*_naming(search, entry.dn), *_posix(search, entry)]
    return names + (session.all(search.base, _either(terms)) if terms else [])


def _parents(session: Session, search: Search, names: Sequence[str]) -> list[str]:
    """The groups that those groups are in."""
    found: list[str] = []
    if not search.ways & {"member", "uniqueMember"}:
        if "memberOf" in search.ways:
            for name in names:
                entry = session.read(name, "(objectClass=*)", ["memberOf"])
                found += entry.texts("memberOf") if entry is not None else []
        return found
    for part in _parts(names):
        found += session.all(search.base, _either([term for name in part for term in _naming(search, name)]))
    return found


def _naming(search: Search, name: str) -> list[str]:
    return [f"({way}={escaped(name)})" for way in ("member", "uniqueMember") if way in search.ways]


def _posix(search: Search, entry: Entry) -> list[str]:
    if "memberUid" not in search.ways:
        return []
    terms = [f"(memberUid={escaped(name)})" for name in entry.texts(search.user_attribute)]
    gid = ldap_entry.number(entry, "gidNumber")
    terms += [f"(gidNumber={gid})"] if gid is not None else []
    return [f"(&(objectClass=posixGroup){_either(terms)})"] if terms else []


def _either(terms: Sequence[str]) -> str:
    return terms[0] if len(terms) == 1 else f"(|{''.join(terms)})"


def _parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(names), _AT_ONCE):
        yield names[at : at + _AT_ONCE]
