"""Bounds of intake. Everything that is read has one of them."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network

import msgspec

Network = IPv4Network | IPv6Network


class Limits(msgspec.Struct, frozen=True):
    """Sizes in bytes. `max_fields` is PHP's own `max_input_vars`: it drops what comes after, silently.

    `max_name` stays far below the 5 KiB line in which PHP reads a multipart header.
    `trusted_proxies`: whose `X-Forwarded-For` is believed; nobody's unless given.
    """

    max_fields: int = 1000
    max_name: int = 128
    max_body: int = 1024 * 1024
    json_depth: int = 16
    max_target: int = 16 * 1024
    max_headers: int = 128
    max_header_bytes: int = 64 * 1024
    max_cookies: int = 200
    trusted_proxies: tuple[Network, ...] = ()
