"""The three databases that keep the same promises: an SQLite file, a real MariaDB and a real PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.mariadb import MariaDb, real_mariadb
from kit.postgres import Postgres, real_postgresql

__all__ = ["real_mariadb", "real_postgresql"]


@pytest.fixture(params=["sqlite", "mariadb", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new, empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'authgw.db'}"
    server: MariaDb | Postgres = request.getfixturevalue(f"real_{request.param}")
    return server.fresh()
