"""Whose address a request has: the right-most one that no trusted proxy owns."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from authgw.intake.limits import Network
from authgw.intake.request import Refused
from authgw.reasons import Reason

_MAX_HOPS = 32
Address = IPv4Address | IPv6Address


def client_address(peer: str, forwarded_for: Sequence[str], trusted: tuple[Network, ...]) -> str | Refused:
    """The client's address, IPv4-mapped IPv6 written as IPv4.

    `forwarded_for` holds the X-Forwarded-For lines in the order they came. From a peer that is not trusted they are
    ignored. From a trusted one they are read from the right up to the first address that is not trusted; a member
    on that way that is no bare address (a port counts as malformed) is refused. What stands further left was
    written by the client and is never looked at. All trusted: the left-most. No line: the peer itself.
    """
    if not trusted and not peer.startswith("::"):
        return peer
    address = _parse(peer)
    if address is None:
        return peer
    if not trusted or not forwarded_for or not _within(address, trusted):
        return str(address)
    hops = [hop.strip(" \t") for hop in ",".join(forwarded_for).rsplit(",", _MAX_HOPS)]
    if len(hops) > _MAX_HOPS:
        hops[0] = ""
    for hop in reversed(hops):
        address = _parse(hop)
        if address is None:
            return Refused(Reason.HEADER_MALFORMED, 400, "X-Forwarded-For: not a list of addresses")
        if not _within(address, trusted):
            break
    return str(address)


def _within(address: Address, trusted: tuple[Network, ...]) -> bool:
    return any(address in network for network in trusted)


def _parse(text: str) -> Address | None:
    if "%" in text or len(text) > 45:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
