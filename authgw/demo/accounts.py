"""The users of `authgw demo`: known passwords, so they are for loopback only."""

from __future__ import annotations

from typing import Any

OPERATOR = {"can_cdr": True, "can_pcap": True, "can_play_audio": True, "can_download_audio": True}


def users() -> list[dict[str, Any]]:
    """A users table in the product's own spelling of permissions, for the records that come along.

    `password` is the plain one, to be hashed by whoever writes the table; `tenant` is a label, it adds no scope;
    `note` says in one line what the account shows.
    """
    return [
        {
            "username": "admin",
            "password": "admin-demo",
            "id": 1,
            "name": "Ada, administrator",
            "is_admin": True,
            "note": "sees every call of every tenant",
        },
        {
            "username": "acme",
            "password": "acme-demo",
            "id": 11,
            "name": "Operator of Acme",
            "tenant": "acme",
            **OPERATOR,
            "enable_sensors": [2, 5, 7],
            "domain": ["acme.example"],
            "note": "by sensor and domain: calls from or to acme.example on sensors 2, 5 and 7",
        },
        {
            "username": "globex",
            "password": "globex-demo",
            "id": 12,
            "name": "Operator of Globex",
            "tenant": "globex",
            **OPERATOR,
            # Exactly the hundred numbers +12125550100 to +12125550199: +12125550950 next door has no 1 there.
            "number": ["+121255501__"],
            "note": "by number: calls from or to +12125550100..99 (extensions are everybody's, so not those)",
        },
        {
            "username": "initech",
            "password": "initech-demo",
            "id": 13,
            "name": "Operator of Initech",
            "tenant": "initech",
            **OPERATOR,
            "ip": ["127.0.30.0/24"],
            "note": "by network: calls from or to phones in 127.0.30.0/24",
        },
        {
            "username": "auditor",
            "password": "auditor-demo",
            "id": 21,
            "name": "Auditor",
            "can_cdr": True,
            "can_pcap": True,
            "no_rtp": True,
            "note": "sees every call, but hears none: captures come without RTP, audio is refused",
        },
    ]
