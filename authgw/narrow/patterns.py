"""Compiled patterns: SQL LIKE texts and networks, matched at a cost that does not grow with their number.

LIKE patterns fall into four shapes that are looked up in sets (exact, prefix, suffix, infix) and a rest that is
walked in one tree of tokens. Networks become sorted disjoint ranges, searched by bisection.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_network

import msgspec

# Tokens of a LIKE pattern beside plain characters, which stand for themselves.
_ONE = 1
_MANY = 2
Token = str | int

# IPv6 addresses lie above the IPv4 ones on one line of integers, so that one table serves both families.
_V6 = 1 << 32

# Answers remembered for one set of patterns.
MAX_KNOWN = 16_384


def fold(text: str) -> str:
    """Letter case taken off, length kept: `_` counts characters, and some upper-case letters fold to two."""
    if text.isascii():
        return text.lower()
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


def tokens(pattern: str) -> list[Token]:
    """A LIKE pattern as MySQL reads it: `%` any run, `_` one character, `\\` takes the next character literally."""
    found: list[Token] = []
    chars = iter(fold(pattern))
    for char in chars:
        if char == "\\":
            found.append(next(chars, "\\"))
        elif char == "%":
            if not found or found[-1] != _MANY:
                found.append(_MANY)
        else:
            found.append(_ONE if char == "_" else char)
    return found


class _Node:
    """A place in the tree of general patterns. `many`: the node after a `%`, which keeps itself alive."""

    __slots__ = ("chars", "end", "loops", "many", "one")

    def __init__(self, loops: bool = False) -> None:
        self.chars: dict[str, _Node] = {}
        self.one: _Node | None = None
        self.many: _Node | None = None
        self.end = False
        self.loops = loops

    def add(self, pattern: Iterable[Token]) -> None:
        node = self
        for token in pattern:
            if token == _MANY:
                node.many = node.many or _Node(loops=True)
                node = node.many
            elif token == _ONE:
                node.one = node.one or _Node()
                node = node.one
            else:
                node = node.chars.setdefault(str(token), _Node())
        node.end = True

    def matches(self, text: str) -> bool:
        live = _with_many({self})
        for char in text:
            following: set[_Node] = set()
            for node in live:
                if node.loops:
                    following.add(node)
                if node.one is not None:
                    following.add(node.one)
                if (step := node.chars.get(char)) is not None:
                    following.add(step)
            if not following:
                return False
            live = _with_many(following)
        return any(node.end for node in live)


def _with_many(nodes: set[_Node]) -> set[_Node]:
    reached = {node.many for node in nodes if node.many is not None}
    return nodes | reached if reached else nodes


class Likes:
    """A set of LIKE patterns; case-insensitive, whole-string."""

    __slots__ = ("_all", "_ends", "_exact", "_general", "_infix", "_known")

    def __init__(self, patterns: Iterable[str]) -> None:
        self._all = False
        self._exact: set[str] = set()
        # By where in the text they stand: beginnings of each length, then endings.
        ends: dict[tuple[int | None, int | None], set[str]] = {}
        self._infix: dict[int, set[str]] = {}
        self._general: _Node | None = None
        self._known: dict[str, bool] = {}
        for pattern in patterns:
            self._add(tokens(pattern), ends)
        self._ends = tuple((slice(*place), texts) for place, texts in ends.items())

    def _add(self, pattern: list[Token], ends: dict[tuple[int | None, int | None], set[str]]) -> None:
        if pattern == [_MANY]:
            self._all = True
            return
        open_front, open_back = pattern[:1] == [_MANY], pattern[-1:] == [_MANY]
        core = pattern[open_front : len(pattern) - open_back]
        if any(isinstance(token, int) for token in core):
            self._general = self._general or _Node()
            self._general.add(pattern)
            return
        text = "".join(map(str, core))
        if open_front and open_back:
            self._infix.setdefault(len(text), set()).add(text)
        elif open_back:
            ends.setdefault((None, len(text)), set()).add(text)
        elif open_front:
            ends.setdefault((-len(text), None), set()).add(text)
        elif text:
            self._exact.add(text)

    def matches(self, value: str | None) -> bool:
        """Whether some pattern matches. An empty or NULL value matches only patterns made of `%` alone."""
        if self._all:
            return True
        if not value:
            return False
        text = value.lower() if value.isascii() else fold(value)
        if text in self._exact:
            return True
        for end, known in self._ends:
            if text[end] in known:
                return True
        return self._remembered(text) if self._infix or self._general else False

    def _remembered(self, text: str) -> bool:
        """The slow shapes; numbers come again and again, and a look in here costs the same for any set of patterns."""
        known = self._known.get(text)
        if known is None:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            known = self._known[text] = self._inside(text)
        return known

    def _inside(self, text: str) -> bool:
        for size, known in self._infix.items():
            for start in range(len(text) - size + 1):
                if text[start : start + size] in known:
                    return True
        return self._general is not None and self._general.matches(text)


class Networks:
    """A set of hosts and networks, both families."""

    __slots__ = ("_ends", "_known", "_starts")

    def __init__(self, patterns: Iterable[str]) -> None:
        # Trunks and phones come again and again: a look in here costs the same however many networks there are.
        self._known: dict[int, bool] = {}
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(map(_range, patterns)):
            if self._ends and start <= self._ends[-1] + 1:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def matches(self, address: int | None) -> bool:
        """Whether an address (as `address_number` gives it) lies in one of them. NULL lies in none."""
        if address is None:
            return False
        known = self._known.get(address)
        if known is None:
            at = bisect_right(self._starts, address) - 1
            known = at >= 0 and address <= self._ends[at]
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[address] = known
        return known


def _range(pattern: str) -> tuple[int, int]:
    """First and last address of `host` or `network/bits`. Bits below the mask are ignored.

    A network inside ::ffff:0:0/96 is the IPv4 network it maps; /0 is everything of its own family only.
    """
    network = ip_network(pattern, strict=False)
    first, last = int(network[0]), int(network[-1])
    if network.version == 4:
        return first, last
    mapped = 0xFFFF << 32
    if network.prefixlen >= 96 and first >> 32 == 0xFFFF:
        return first - mapped, last - mapped
    return first + _V6, last + _V6


@lru_cache(maxsize=65536)
def address_number(text: str) -> int | msgspec.UnsetType:
    """An IPv4 or IPv6 address as one number on the common line; unknown (UNSET) if it cannot be read."""
    try:
        if ":" not in text:
            return int(IPv4Address(text))
        address = IPv6Address(text)
    except AddressValueError:
        return msgspec.UNSET
    if address.scope_id is not None:
        return msgspec.UNSET
    if (mapped := address.ipv4_mapped) is not None:
        return int(mapped)
    return int(address) + _V6
