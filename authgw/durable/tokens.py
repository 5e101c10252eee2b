"""API tokens in the database: under a keyed hash, what is known of them sealed.

Who reads the database learns no token, and who writes it makes none: what a token may, whose it is and until when lies
in the sealed record alone. The plain columns only find rows. Digest and record are sealed together, so that both can be
kept under a new key of the key file without the token.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from authgw.account.token import Kind, Token, counter, digest, is_same, key_of, made, subject
from authgw.durable.database import Database
from authgw.durable.sealed import Part, Sealed
from authgw.durable.vault import Vault
from authgw.rights.claims import CLAIMS_VERSION, Claims
from authgw.rights.parse import Gates
from authgw.session.epochs import Epochs
from authgw.session.keys import Keys

SCHEMA_VERSION = 1
# How exactly the last use is known.
USED_SECONDS = 600.0
_ID_BYTES = 6
_PURPOSE = "token"
log = logging.getLogger("authgw.tokens")

_tables = sa.MetaData()
_tokens = sa.Table(
    "authgw_token",
    _tables,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    sa.Column("owner", sa.String(64), nullable=False, index=True),
    sa.Column("expires", sa.BigInteger, nullable=False),
    sa.Column("used", sa.BigInteger, nullable=False),
    # More than MariaDB's plain BLOB takes: a user may have many grants.
    sa.Column("record", sa.LargeBinary(1 << 20), nullable=False),
)
# Whoever makes a token holds its owner's row here: so nobody counts while another one writes.
_owners = sa.Table("authgw_token_owner", _tables, sa.Column("owner", sa.String(64), primary_key=True))


class _Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    token: Token
    digest: bytes


def _anew(keys: Keys, row: sa.Row[Any]) -> Mapping[str, Any] | None:
    box = Vault(keys, _PURPOSE)
    value = box.open(row.id, row.record)
    if value is None:
        return None
    known = msgspec.msgpack.decode(value, type=_Sealed).digest
    return {"record": box.close(row.id, value), "hash": _hashes(keys, known)[0]}


PART = Part("tokens", _tables, SCHEMA_VERSION, sealed=(Sealed(_tokens.c.record, _anew),))


class Kept(msgspec.Struct, frozen=True):
    """A token and when it was used last: seconds since 1970, to ten minutes; 0: never."""

    token: Token
    used: float


class Tokens:
    """Raises StoreError where the database cannot be asked. `clock`: seconds since 1970."""

    def __init__(
        self,
        url: str,
        keys: Keys,
        epochs: Epochs,
        clock: Callable[[], float],
        entropy: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._database = Database(url, PART.name, _tables, SCHEMA_VERSION)
        self._vault = Vault(keys, _PURPOSE)
        self._keys = keys
        self._epochs = epochs
        self._clock = clock
        self._entropy = entropy

    async def open(self) -> None:
        await self._database.run(lambda: None)

    async def close(self) -> None:
        await self._database.close()

    async def make(
        self,
        owner: Claims,
        gates: Iterable[Gates],
        *,
        name: str,
        kind: Kind,
        flags: Iterable[str],
        seconds: float,
        most: int,
    ) -> tuple[str, Token] | None:
        """A new token: (its text, which is nowhere else, and what is kept). None: the owner has `most` already,
        counted on all instances."""
        now = self._clock()
        text = made(self._entropy)
        token = Token(
            id=self._entropy(_ID_BYTES).hex(),
            name=name,
            kind=kind,
            flags=frozenset(flags),
            created=now,
            expires=now + seconds,
            owner=owner,
            gates=_without_secrets(gates),
            seen=now,
            epoch=await self._epochs.total(subject(owner), fresh=True),
        )
        known = digest(text)
        row = {"id": token.id, "hash": _hashes(self._keys, known)[0], "owner": _owner(owner), "used": 0}
        row |= {"expires": int(token.expires), "record": self._close(token, known)}
        return (text, token) if await self._database.run(lambda: self._write(row, int(now), most)) else None

    async def find(self, known: bytes) -> Token | None:
        """The token of this digest, expired or not. None: there is none."""
        hashes = _hashes(self._keys, known)
        rows = await self._rows(_tokens.c.hash.in_(hashes))
        for token, own, _ in rows:
            if hmac.compare_digest(own, known):
                return token
        return None

    async def of(self, owner: Claims) -> list[Kept]:
        """A user's tokens that have not expired, oldest first."""
        return [one for one in await self._kept(_tokens.c.owner == _owner(owner)) if is_same(one.token.owner, owner)]

    async def all(self) -> list[Kept]:
        """Everybody's tokens that have not expired, oldest first."""
        return await self._kept(sa.true())

    async def revoke(self, token: Token) -> bool:
        """End a token, felt within a second everywhere. False: it was gone already."""

        def write() -> bool:
            with self._database.engine.begin() as database:
                return database.execute(_tokens.delete().where(_tokens.c.id == token.id)).rowcount > 0

        gone = await self._database.run(write)
        await self._epochs.bump(*counter(token.owner))
        return gone

    async def used(self, token: Token) -> None:
        """Note a use; where one was noted a moment ago, that one stands."""
        now = self._clock()
        stale = sa.and_(_tokens.c.id == token.id, _tokens.c.used < int(now - USED_SECONDS))

        def write() -> None:
            with self._database.engine.begin() as database:
                database.execute(_tokens.update().where(stale).values(used=int(now)))

        await self._database.run(write)

    async def renew(self, owner: Claims, gates: Iterable[Gates]) -> None:
        """The owner has logged in: these are his rights now. Where they are others, it is felt within a second."""
        now, kept = self._clock(), _without_secrets(gates)
        rows = await self._rows(_tokens.c.owner == _owner(owner))
        if not rows:
            return
        fresh = {
            token.id: self._close(msgspec.structs.replace(token, owner=owner, gates=kept, seen=now), own)
            for token, own, _ in rows
            if is_same(token.owner, owner)
        }

        def write() -> None:
            with self._database.engine.begin() as database:
                for id, record in fresh.items():
                    database.execute(_tokens.update().where(_tokens.c.id == id).values(record=record))

        await self._database.run(write)
        if any((token.owner, token.gates) != (owner, kept) for token, _, _ in rows):
            await self._epochs.bump(*counter(owner))

    def _write(self, row: Mapping[str, Any], now: int, most: int) -> bool:
        """Keep a token where its owner has less than `most`."""
        owner = row["owner"]
        held = _owners.update().where(_owners.c.owner == owner).values(owner=owner)
        self._ensure(owner)
        with self._database.engine.begin() as database:
            database.execute(held)
            database.execute(_tokens.delete().where(_tokens.c.expires < now))
            mine = sa.select(sa.func.count()).where(_tokens.c.owner == owner)
            if int(database.scalar(mine) or 0) >= most:
                return False
            database.execute(_tokens.insert().values(**row))
        return True

    def _ensure(self, owner: str) -> None:
        with self._database.engine.connect() as database:
            if database.execute(sa.select(_owners).where(_owners.c.owner == owner)).first():
                return
        with contextlib.suppress(IntegrityError), self._database.engine.begin() as database:
            database.execute(_owners.insert().values(owner=owner))  # unless another instance was first

    async def _kept(self, where: sa.ColumnElement[bool]) -> list[Kept]:
        now = self._clock()
        found = [Kept(token, used) for token, _, used in await self._rows(where) if token.expires > now]
        return sorted(found, key=lambda one: one.token.created)

    async def _rows(self, where: sa.ColumnElement[bool]) -> list[tuple[Token, bytes, float]]:
        def read() -> list[Any]:
            wanted = sa.select(_tokens.c.id, _tokens.c.record, _tokens.c.used).where(where)
            with self._database.engine.connect() as database:
                return list(database.execute(wanted).all())

        found = []
        for row in await self._database.run(read):
            sealed = self._open(row.id, row.record)
            if sealed is not None:
                found.append((sealed.token, sealed.digest, float(row.used)))
        return found

    def _close(self, token: Token, known: bytes) -> bytes:
        return self._vault.close(token.id, msgspec.msgpack.encode(_Sealed(token, known)))

    def _open(self, id: str, record: bytes) -> _Sealed | None:
        """None: another key sealed it, or another version wrote it. Such a token is worth nothing."""
        value = self._vault.open(id, record)
        try:
            sealed = None if value is None else msgspec.msgpack.decode(value, type=_Sealed)
        except (msgspec.DecodeError, UnicodeDecodeError):
            sealed = None
        if sealed is None or sealed.token.id != id or sealed.token.owner.version != CLAIMS_VERSION:
            log.warning("token %.32r refused: its record does not open", id)
            return None
        return sealed


def _hashes(keys: Keys, known: bytes) -> list[str]:
    """What a row is found by, under every key of the key file, the current one first."""
    return [hmac.digest(key, known, "sha256").hex() for key in keys.derive_all("token/hash")]


def _owner(owner: Claims) -> str:
    """Finds a user's rows, whatever length and letters his name has and however the database compares text."""
    return hashlib.sha256("\x00".join(key_of(owner)).encode()).hexdigest()


def _without_secrets(gates: Iterable[Gates]) -> tuple[Gates, ...]:
    return tuple(msgspec.structs.replace(gate, secret=None) for gate in gates)
