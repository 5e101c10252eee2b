"""Verified TLS to a database server: with it, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from authgw.durable.database import Database
from authgw.errors import StoreError
from kit.mariadb import MariaDb, mariadb
from kit.slapd import authority, certify

pytestmark = pytest.mark.anyio


async def cipher(url: str) -> str:
    """What the connection is encrypted with, as the server sees it; empty: not at all."""
    database = Database(url, "test", sa.MetaData(), 1)

    def ask() -> str:
        with database.engine.connect() as connection:
            return str(connection.execute(sa.text("SHOW STATUS LIKE 'Ssl_cipher'")).one()[1])

    try:
        return await database.run(ask)
    finally:
        await database.close()


async def test_the_authority_is_asked_for(tmp_path: Path) -> None:
    """With ?ssl_ca= the server must be certified by that authority, under the name it is called by."""
    own, stranger = authority(tmp_path), authority(tmp_path, "stranger")
    certify(tmp_path, own)
    options = [f"--ssl-cert={tmp_path / 'server.pem'}", f"--ssl-key={tmp_path / 'server.key'}"]
    with mariadb(tmp_path / "server", extra=options) as server:
        assert await cipher(server.fresh(f"?ssl_ca={own.file}"))
        with pytest.raises(StoreError, match="certificate verify failed"):
            await cipher(server.fresh(f"?ssl_ca={stranger.file}"))
        named = server.fresh(f"?ssl_ca={own.file}").replace("@127.0.0.1", "@localhost")
        with pytest.raises(StoreError, match="mismatch"):
            await cipher(named)


async def test_no_falling_back(real_mariadb: MariaDb, tmp_path: Path) -> None:
    """A server that offers no TLS is not asked without it where it was meant."""
    own = authority(tmp_path)
    with pytest.raises(StoreError):
        await cipher(real_mariadb.fresh(f"?ssl_ca={own.file}"))
    assert await cipher(real_mariadb.fresh()) == ""
