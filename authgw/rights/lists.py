"""How the lists of a permission dictionary are spelt: sensors, networks, patterns, vlans and header lines.

A list is an array, a PHP array that came as an object with whole-number keys, or text with an entry on each line
(`,` and `;` part entries too, except in header lines). An entry that cannot be understood is wrong, never left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, TypeVar

from authgw.rights import scalars
from authgw.rights.claims import HeaderLine

MOST_ENTRIES = 100_000
LARGEST_SENSOR = 2**31 - 1
_LARGEST_VLAN = 4095
_DEEPEST_LEVEL = 100
_MOST_SHOWN = 10
_MAPPED = IPv6Network("::ffff:0:0/96")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,255}")

T = TypeVar("T")
Warn = Callable[[str], None]


def entries(value: Any, parting: str = "\n\r,;") -> list[Any]:
    """The entries of a list in their order; blank ones of a text are left out, blanks around them taken off."""
    if isinstance(value, str):
        found: list[Any] = [part for raw in re.split(f"[{parting}]", value) if (part := raw.strip())]
    elif isinstance(value, list | tuple):
        found = list(value)
    elif isinstance(value, Mapping) and all(_is_index(key) for key in value):
        found = list(value.values())
    else:
        raise ValueError(f"{scalars.shown(value)} is not a list; write an array, or text with an entry on each line")
    if len(found) > MOST_ENTRIES:
        raise ValueError(f"has more than {MOST_ENTRIES} entries; write fewer, wider ones")
    return found


def _is_index(key: Any) -> bool:
    return type(key) is int or (isinstance(key, str) and re.fullmatch(r"[0-9]{1,9}", key) is not None)


def _each(found: Sequence[Any], read: Callable[[Any], T]) -> tuple[T, ...]:
    """Every entry read, equal ones once. Raises one `ValueError` that names every wrong entry."""
    good: dict[T, None] = {}
    wrong: list[str] = []
    for at, entry in enumerate(found, 1):
        try:
            good[read(entry)] = None
        except ValueError as error:
            wrong.append(f"entry {at}: {error}")
    if wrong:
        more = f"; and {len(wrong) - _MOST_SHOWN} more" if len(wrong) > _MOST_SHOWN else ""
        raise ValueError("; ".join(wrong[:_MOST_SHOWN]) + more)
    return tuple(good)


def sensors(value: Any, warn: Warn) -> tuple[int, ...]:
    """Sensor numbers. An empty list is no sensor at all."""
    found = _each(entries(value), lambda entry: scalars.whole(entry, 0, LARGEST_SENSOR))
    if not found:
        warn("is an empty list, so no call is visible; leave the key out where all sensors are meant")
    return found


def vlans(value: Any, warn: Warn) -> tuple[int, ...]:
    return _each(entries(value), lambda entry: scalars.whole(entry, 0, _LARGEST_VLAN))


def networks(value: Any, warn: Warn) -> tuple[str, ...]:
    """`[!]IP[/N]` in canonical form: IPv4-mapped IPv6 as IPv4, no bits below the mask, no mask on a single host."""
    return _each(entries(value), lambda entry: _signed(entry, lambda text: _network(text, warn)))


def login_networks(value: Any, warn: Warn) -> tuple[str, ...]:
    """`IP[/N]` in the same canonical form; there is no negation here."""
    return _each(entries(value), lambda entry: _network(_entry_text(entry), warn))


def patterns(value: Any, warn: Warn) -> tuple[str, ...]:
    """`[!]pattern` as written, blanks around it taken off."""
    return _each(entries(value), lambda entry: _signed(entry, _pattern))


def _entry_text(entry: Any) -> str:
    if not isinstance(entry, str) or not entry.strip():
        raise ValueError(f"{scalars.shown(entry)} is not text; write it in quotes, or take it out")
    return scalars.line(entry.strip())


def _signed(entry: Any, read: Callable[[str], str]) -> str:
    text = _entry_text(entry)
    return "!" + read(text[1:].strip()) if text.startswith("!") else read(text)


def _pattern(text: str) -> str:
    if not text or text.startswith("!"):
        raise ValueError('has nothing, or a second "!", behind "!"; write "!" once and a pattern behind it')
    return text


def _network(text: str, warn: Warn) -> str:
    host, slash, bits = text.partition("/")
    try:
        address = ip_address(host)
        if (slash and not re.fullmatch(r"[0-9]{1,3}", bits)) or getattr(address, "scope_id", None) is not None:
            raise ValueError
        network = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{scalars.shown(text)} is no address and no network; write 10.0.0.5 or 10.0.0.0/8") from None
    if isinstance(address, IPv6Address) and isinstance(network, IPv6Network) and address in _MAPPED:
        if network.prefixlen < _MAPPED.prefixlen:
            raise ValueError(f"{text} reaches beyond IPv4; write it as an IPv4 network, or as a plain IPv6 one")
        address = IPv4Address(int(address) & 0xFFFFFFFF)
        network = IPv4Network((int(address), network.prefixlen - _MAPPED.prefixlen), strict=False)
    if address != network.network_address:
        warn(f"{text} has bits below its mask, which are ignored: it is read as {network}")
    if slash == "" and (wider := _meant(address)):
        warn(f"{text} is read as this one host; write {wider} if the network is meant")
    return str(network) if network.prefixlen < network.max_prefixlen else str(address)


def _meant(address: IPv4Address | IPv6Address) -> str:
    """The network that a bare address with zero octets at its end may have been meant as; empty if it has none."""
    zeros = len(address.packed) - len(address.packed.rstrip(b"\0"))
    if zeros == 0 or (address.version == 6 and zeros == 1):
        return ""
    return f"{address}/{(len(address.packed) - zeros) * 8}"


def headers(value: Any, warn: Warn) -> tuple[HeaderLine, ...]:
    """`[level,"Header:pattern"]` or `Header: pattern` (level 0), in their order; text has one line for each."""
    found = _each(list(enumerate(entries(value, "\n\r"))), lambda entry: (entry[0], _header(entry[1])))
    lines = tuple(line for _, line in found)
    if lines and min(line.level for line in lines) < lines[0].level:
        raise ValueError(f"begins on level {lines[0].level}, below a later line; begin with the lowest level")
    return lines


def _header(entry: Any) -> HeaderLine:
    if isinstance(entry, str) and entry.lstrip().startswith("["):
        try:
            entry = json.loads(scalars.line(entry))
        except (ValueError, RecursionError):
            raise ValueError(f'{scalars.shown(entry)} is no header line; write [0,"Header:pattern"]') from None
    level = 0
    if isinstance(entry, list | tuple | Mapping):
        pair = entries(entry)
        if len(pair) != 2:
            raise ValueError(f'{scalars.shown(entry)} is no header line; write [0,"Header:pattern"]')
        level, entry = scalars.whole(pair[0], 0, _DEEPEST_LEVEL), pair[1]
    name, colon, pattern = (part.strip() for part in _entry_text(entry).partition(":"))
    if not colon or _HEADER_NAME.fullmatch(name) is None or not pattern:
        raise ValueError(f'{scalars.shown(entry)} is no header line; write "Header: pattern"')
    return HeaderLine(level, name, pattern)
