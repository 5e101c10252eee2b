"""Second factors in the database: authenticator apps, passkeys, recovery codes, and the last code that was used.

A user is (login instance, key), the key being the id, or the canonical name before an id is known. Secrets are sealed
by the vault, recovery codes are kept as hashes under a key of the user's own, which is sealed too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from authgw.durable.database import Database
from authgw.durable.sealed import Part, plain
from authgw.durable.vault import Vault
from authgw.errors import StoreError
from authgw.reasons import Reason
from authgw.session.keys import Keys

SCHEMA_VERSION = 1
NAME_LENGTH = 64
MAX_FACTORS = 10

_tables = sa.MetaData()
_users = sa.Table(
    "authgw_factor_user",
    _tables,
    sa.Column("login", sa.String(64), primary_key=True),
    sa.Column("user_key", sa.String(191), primary_key=True),
    sa.Column("user_name", sa.String(256), nullable=False),
    sa.Column("last_step", sa.BigInteger, nullable=False),
    sa.Column("code_key", sa.LargeBinary(256)),
)
_factors = sa.Table(
    "authgw_factor",
    _tables,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("login", sa.String(64), nullable=False, index=True),
    sa.Column("user_key", sa.String(191), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("name", sa.String(NAME_LENGTH), nullable=False),
    sa.Column("secret", sa.LargeBinary(4096), nullable=False),
    sa.Column("uses", sa.BigInteger, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("used", sa.BigInteger, nullable=False),
)
_codes = sa.Table(
    "authgw_recovery",
    _tables,
    sa.Column("login", sa.String(64), primary_key=True),
    sa.Column("user_key", sa.String(191), primary_key=True),
    sa.Column("hash", sa.String(64), primary_key=True),
)
PURPOSE = "factor"
PART = Part(
    "factors",
    _tables,
    SCHEMA_VERSION,
    sealed=(
        plain(_factors.c.secret, PURPOSE, lambda row: str(row.id)),
        plain(_users.c.code_key, PURPOSE, lambda row: _place(row.login, row.user_key)),
    ),
)


class Who(msgspec.Struct, frozen=True):
    """A user as factors are kept for him. `user` is the canonical name, for administrators to find him by."""

    login: str
    key: str
    user: str


class Stored(msgspec.Struct, frozen=True):
    """A factor. `kind`: totp or passkey; `uses`: a passkey's sign counter; times are seconds since 1970, 0: never."""

    id: str
    kind: str
    name: str
    secret: bytes
    uses: int
    created: int
    used: int

    def __repr__(self) -> str:
        return f"Stored({self.kind!r}, {self.name!r})"


class FactorStore:
    """What the database holds. Every async method raises StoreError where it cannot be asked, or a secret does not
    open: then nobody may pass as if there were no factor."""

    def __init__(self, url: str, keys: Keys) -> None:
        self._database = Database(url, PART.name, PART.tables, PART.version)
        self._vault = Vault(keys, PURPOSE)

    async def open(self) -> None:
        await self._database.run(lambda: None)

    async def close(self) -> None:
        await self._database.close()

    async def of(self, who: Who) -> tuple[Stored, ...]:
        """The user's factors, oldest first."""
        rows = await self._database.run(lambda: self._select(_factors, who))
        found = [
            Stored(row.id, row.kind, row.name, self._opened(row.id, row.secret), row.uses, row.created, row.used)
            for row in rows
        ]
        return tuple(sorted(found, key=lambda one: (one.created, one.id)))

    async def add(
        self, who: Who, factor: Stored, *, alone: bool, first: bool = False, most: int = MAX_FACTORS
    ) -> Reason | None:
        """Keep a factor. `alone`: it takes the place of those of its kind.

        Or why nothing was kept: ATTEMPT_OVER, it was to be the user's `first` and he has one; TOO_MANY_FACTORS, he
        would have more than `most`. Atomic, on all instances.
        """
        row = msgspec.structs.asdict(factor) | {"secret": self._vault.close(factor.id, factor.secret)}
        row |= {"login": who.login, "user_key": who.key, "name": factor.name[:NAME_LENGTH]}

        def work() -> Reason | None:
            self._ensure(who)
            with self._database.engine.begin() as database:
                # Whoever has changed the user's row is waited for, and everybody else waits for this one.
                database.execute(_users.update().where(_of(_users, who)).values(user_name=who.user))
                kinds = list(database.scalars(sa.select(_factors.c.kind).where(_of(_factors, who))))
                if first and kinds:
                    return Reason.ATTEMPT_OVER
                if len([kind for kind in kinds if not (alone and kind == factor.kind)]) >= most:
                    return Reason.TOO_MANY_FACTORS
                if alone:
                    database.execute(_factors.delete().where(_of(_factors, who), _factors.c.kind == factor.kind))
                database.execute(_factors.insert().values(**row))
            return None

        return await self._database.run(work)

    async def remove(self, who: Who, id: str) -> bool:
        """Take one factor away; whether it was there."""
        return await self._changed(_factors.delete().where(_of(_factors, who), _factors.c.id == id))

    async def touch(self, who: Who, id: str, uses: int, now: int) -> bool:
        """Note a use: the sign counter may not go back (0 stays 0: an authenticator without one). Atomic."""
        fits = sa.or_(_factors.c.uses < uses, sa.and_(_factors.c.uses == 0, sa.literal(uses) == 0))
        which = (_of(_factors, who), _factors.c.id == id, fits)
        return await self._changed(_factors.update().where(*which).values(uses=uses, used=now))

    async def spend_step(self, who: Who, step: int) -> bool:
        """Whether this time step is later than any that was accepted before; then it is the last. Atomic."""

        def work() -> bool:
            self._ensure(who)
            with self._database.engine.begin() as database:
                later = sa.and_(_of(_users, who), _users.c.last_step < step)
                return database.execute(_users.update().where(later).values(last_step=step)).rowcount == 1

        return await self._database.run(work)

    async def code_key(self, who: Who) -> bytes | None:
        """The key of the user's recovery codes, None where he has never had any."""
        rows = await self._database.run(lambda: self._select(_users, who))
        return self._opened(_row(who), rows[0].code_key) if rows and rows[0].code_key is not None else None

    async def set_codes(self, who: Who, key: bytes, hashes: Sequence[str]) -> None:
        """New recovery codes; those from before are void."""
        sealed = self._vault.close(_row(who), key)

        def work() -> None:
            self._ensure(who)
            with self._database.engine.begin() as database:
                database.execute(_users.update().where(_of(_users, who)).values(code_key=sealed))
                database.execute(_codes.delete().where(_of(_codes, who)))
                for hash in hashes:
                    database.execute(_codes.insert().values(login=who.login, user_key=who.key, hash=hash))

        await self._database.run(work)

    async def spend_code(self, who: Who, hash: str) -> bool:
        """Whether this recovery code was there; it is not any more. Atomic: of several tries one succeeds."""
        return await self._changed(_codes.delete().where(_of(_codes, who), _codes.c.hash == hash))

    async def codes_left(self, who: Who) -> int:
        return len(await self._database.run(lambda: self._select(_codes, who)))

    async def clear(self, who: Who) -> int:
        """Take away all factors and recovery codes; how many factors there were. The last step stays: a code that was
        used is never good again."""

        def work() -> int:
            with self._database.engine.begin() as database:
                database.execute(_codes.delete().where(_of(_codes, who)))
                database.execute(_users.update().where(_of(_users, who)).values(code_key=None))
                return database.execute(_factors.delete().where(_of(_factors, who))).rowcount

        return await self._database.run(work)

    async def named(self, user: str) -> tuple[Who, ...]:
        """Everybody of this name, in whichever login instance."""

        def work() -> list[Any]:
            with self._database.engine.connect() as database:
                return list(database.execute(sa.select(_users).where(_users.c.user_name == user)))

        # Databases disagree on which names are equal; here only the same one is.
        rows = await self._database.run(work)
        return tuple(Who(row.login, row.user_key, row.user_name) for row in rows if row.user_name == user)

    def _ensure(self, who: Who) -> None:
        """The user's row, under the name he has now."""
        with self._database.engine.begin() as database:
            if database.execute(_users.update().where(_of(_users, who)).values(user_name=who.user)).rowcount:
                return
        try:
            with self._database.engine.begin() as database:
                row = {"login": who.login, "user_key": who.key, "user_name": who.user, "last_step": -1}
                database.execute(_users.insert().values(**row))
        except IntegrityError:
            return  # another instance was first

    def _select(self, table: sa.Table, who: Who) -> list[Any]:
        with self._database.engine.connect() as database:
            return list(database.execute(sa.select(table).where(_of(table, who))))

    async def _changed(self, statement: sa.Update | sa.Delete) -> bool:
        def work() -> bool:
            with self._database.engine.begin() as database:
                return database.execute(statement).rowcount == 1

        return await self._database.run(work)

    def _opened(self, row: str, blob: bytes) -> bytes:
        value = self._vault.open(row, blob)
        if value is None:
            raise StoreError("factors: a stored secret does not open: the key file lacks the key that sealed it")
        return value


def _of(table: sa.Table, who: Who) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.login == who.login, table.c.user_key == who.key)


def _row(who: Who) -> str:
    return _place(who.login, who.key)


def _place(login: str, key: str) -> str:
    return f"{login}\x00{key}"
