"""Whether the database can be used, without changing anything in it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from authgw.durable import engine, schema
from authgw.durable.database import said
from authgw.durable.sealed import Part
from authgw.errors import ConfigError, StoreError


def probe(url: str, parts: Sequence[Part]) -> str:
    """Connects, reads the versions, writes a row and takes it back. What was seen, in words.

    StoreError: it cannot be asked or written. ConfigError: a newer version wrote it.
    """
    if not engine.is_there(url):
        return _absent(Path(url.partition(":///")[2]))
    own = engine.make(url, pooled=False)
    try:
        with own.connect() as database:
            found = schema.versions(database)
            problems = [problem for part in parts for problem in schema.newer(part.name, found, part.version)]
            if problems:
                raise ConfigError(problems)
            if not found:
                return "connected; empty: the tables are made at the first start"
            schema.write_and_forget(database, f"probe-{secrets.token_hex(8)}")
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(said(error)) from error
    finally:
        own.dispose()
    older = [part.name for part in parts if found.get(part.name, part.version) < part.version]
    upgrade = f"; the next start upgrades {', '.join(older)}" if older else ""
    return f"connected, read and written{upgrade}"


def _absent(file: Path) -> str:
    """An SQLite file is made at the first start, where its folder lets that be."""
    if not os.access(file.parent, os.W_OK | os.X_OK):
        raise StoreError(f"{file} is not there, and its folder cannot be written by this account")
    return f"{file} is made at the first start"
