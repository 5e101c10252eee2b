"""A database of the product's for each folder of records, filled once."""

from __future__ import annotations

import pytest

from kit.call_tables import fill
from kit.mariadb import MariaDb, real_mariadb
from oracle.data import VOIP, VOIP_V6

__all__ = ["real_mariadb"]


@pytest.fixture(scope="session")
def urls(real_mariadb: MariaDb) -> dict[str, str]:
    """A database for each folder of records: addresses as numbers, and as bytes."""
    return {
        "voip": fill(real_mariadb, "facts_voip", VOIP),
        "voip-v6": fill(real_mariadb, "facts_v6", VOIP_V6, ipv6=True),
    }
