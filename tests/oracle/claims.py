"""Claims by chance, their patterns taken from the records, so that a user sees something and not everything."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from authgw.rights.claims import Claims, Grant, HeaderLine, Scope

Record = dict[str, Any]
FLAGS = (
    "can_cdr", "can_pcap", "can_download_audio", "can_play_audio", "can_activecalls", "can_cdr_share_local_public",
)  # fmt: skip
HEADER = "custom_header__"


def claims(random: Random, records: Sequence[Record], user: int) -> Claims:
    """One to three grants. The first always has can_cdr; each flag of the others is there half the time."""
    count = random.choice((1, 1, 1, 2, 2, 3))
    grants = tuple(grant(random, records, at) for at in range(count))
    return Claims(login="static", user=f"user{user}", id=user, grants=grants)


def grant(random: Random, records: Sequence[Record], at: int) -> Grant:
    """Flags, limits and one scope."""
    flags = {flag for flag in FLAGS if random.random() < (0.8 if at == 0 else 0.6)}
    limits = {limit for limit in ("no_rtp", "simple_cdr") if random.random() < 0.12}
    if at == 0:
        flags.add("can_cdr")
    if "simple_cdr" in limits:
        flags.discard("can_pcap")
    return Grant(frozenset(flags), frozenset(limits), scope(random, records), label=f"grant {at}")


def scope(random: Random, records: Sequence[Record]) -> Scope:
    """Each key by chance; one scope in twenty has none."""
    if random.random() < 0.05:
        return Scope()

    def maybe(chance: float, make: Callable[[], Any], otherwise: Any = ()) -> Any:
        return make() if random.random() < chance else otherwise

    return Scope(
        sensors=maybe(0.35, lambda: sensors(random, records), None),
        ip=maybe(0.35, lambda: dimension(random, records, ip)),
        number=maybe(0.4, lambda: dimension(random, records, number)),
        domain=maybe(0.35, lambda: dimension(random, records, domain)),
        vlan=maybe(0.12, lambda: vlans(random, records)),
        headers_cdr=maybe(0.2, lambda: headers(random, records)),
        headers_message=maybe(0.05, lambda: headers(random, records)),
        any_dimension=random.random() < 0.4,
        connected_only=random.random() < 0.12,
    )


def sensors(random: Random, records: Sequence[Record]) -> tuple[int, ...]:
    """Most of the numbers that calls carry, or few, or none; sometimes one that nobody knows."""
    if random.random() < 0.15:
        return ()
    known = sorted({record["id_sensor"] for record in records} - {None})
    chosen = random.sample(known, random.randint(1, len(known)))
    return tuple(chosen + [4711] * (random.random() < 0.15))


def vlans(random: Random, records: Sequence[Record]) -> tuple[int, ...]:
    known = sorted({record["vlan"] for record in records} - {None}) or [100]
    return tuple(random.sample(known, random.randint(1, len(known))))


def dimension(
    random: Random, records: Sequence[Record], make: Callable[[Random, Sequence[Record]], str]
) -> tuple[str, ...]:
    """A few patterns, a fifth of them barred; now and then nothing but barred ones."""
    barred = 1.0 if random.random() < 0.15 else 0.2
    return tuple(
        "!" * (random.random() < barred) + make(random, records) for _ in range(random.choice((1, 1, 2, 3, 5)))
    )


def ip(random: Random, records: Sequence[Record]) -> str:
    """A host or network round an address of the records, spelt in one of the ways there are."""
    record = random.choice(records)
    found = record[random.choice(("sipcallerip", "sipcalledip"))]
    if found is None or random.random() < 0.05:
        return random.choice(("0.0.0.0/0", "::/0", "10.1.2.0/23", "fd00::/16"))
    address = ipaddress.ip_address(found)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    address = mapped or address
    widths = (8, 16, 20, 24, 24, 24, 28, 31, 32) if address.version == 4 else (16, 32, 48, 64, 64, 112, 127, 128)
    width = random.choice(widths)
    bits = random.random() < 0.3
    base = address if bits else ipaddress.ip_network(f"{address}/{width}", strict=False).network_address
    if address.version == 4 and random.random() < 0.15:
        return f"::ffff:{base}/{width + 96}"
    return str(address) if width in (32, 128) and random.random() < 0.5 else f"{base}/{width}"


def number(random: Random, records: Sequence[Record]) -> str:
    return pattern(random, either(random, records, "caller", "called"))


def domain(random: Random, records: Sequence[Record]) -> str:
    return pattern(random, either(random, records, "caller_domain", "called_domain"))


def either(random: Random, records: Sequence[Record], *columns: str) -> str | None:
    """A value of some record, one in five times one with a sign that means something in a pattern."""
    values: list[str | None] = [record[random.choice(columns)] for record in random.sample(records, len(records) // 3)]
    special = [value for value in values if value and set(value) & set("%_\\")]
    return random.choice(special if special and random.random() < 0.2 else values)


def escaped(text: str) -> str:
    """The text as a pattern that means exactly it."""
    return "".join("\\" + sign if sign in "\\%_" else sign for sign in text)


def pattern(random: Random, value: str | None) -> str:
    """A LIKE pattern that the value meets, or nearly; in any letter case."""
    if not value or random.random() < 0.06:
        return random.choice(("%", "%", "_%", "%%"))
    cut = random.randint(1, len(value))
    made = random.choice(
        (
            escaped(value),
            escaped(value[:cut]) + "%",
            escaped(value[:cut]) + "%",
            "%" + escaped(value[-cut:]),
            "%" + escaped(value[cut // 2 : cut]) + "%",
            escaped(value[: cut - 1]) + "_" + escaped(value[cut:]),
            escaped(value[:cut]) + "_" * (len(value) - cut),
            value[:cut].rstrip("\\") + "%",
        )
    )
    # No pattern begins with the sign that bars: that is the caller's to put there.
    made = made.lstrip("!") or "%"
    return random.choice((made, made, made.upper(), made.lower()))


def headers(random: Random, records: Sequence[Record]) -> tuple[HeaderLine, ...]:
    """Lines whose levels go down one step at a time, as a person would write them."""
    names = sorted({key[len(HEADER) :] for record in records for key in record if key.startswith(HEADER)})
    lines: list[HeaderLine] = []
    for _ in range(random.choice((1, 1, 2, 3, 4))):
        name = random.choice([*names] * 4 + ["X-Nobody-Sends"])
        value = random.choice(records).get(HEADER + name)
        level = random.randint(0, lines[-1].level + 1) if lines else 0
        wanted = pattern(random, value) if value else random.choice(("acme%", "%"))
        lines.append(HeaderLine(level, random.choice((name, name.lower(), name.upper())), wanted))
    return tuple(lines)
