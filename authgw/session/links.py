"""Share links that were issued through this gateway: what opens without a session of its own, or with one in scope.

A link is known by a keyed hash of its path and fields; who reads the database learns no link.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Container, Mapping, Sequence
from itertools import combinations

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from authgw.durable.database import Database
from authgw.durable.sealed import Part
from authgw.rights.claims import Claims

SCHEMA_VERSION = 1
# More fields than a share page and its files have; each subset of them may be the link.
MAX_FIELDS = 6

_tables = sa.MetaData()
_links = sa.Table(
    "authgw_link",
    _tables,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("record", sa.LargeBinary, nullable=False),
    sa.Column("issued", sa.BigInteger, nullable=False),
)
PART = Part("links", _tables, SCHEMA_VERSION)


class Link(msgspec.Struct, frozen=True):
    """What a link shows: calls by id. `public`: to anybody; else to sessions in whose scope all of them are.
    `rtp`: their voice too. `history`: their SIP history and no files at all."""

    calls: tuple[int, ...]
    public: bool
    rtp: bool
    user: str
    login: str
    tenant: str
    history: bool = False


class Opened(msgspec.Struct, frozen=True):
    """The link that a request opens, and the fields of the request that are not the link's own."""

    link: Link
    more: dict[str, str]

    def fits(self, names: Container[str]) -> bool:
        """Whether the request says nothing beyond the link but, by one of the names, which of its calls it means."""
        if self.more and (self.link.history or ("audio" in self.more and not self.link.rtp)):
            return False  # a file that the link was not made with, whatever upstream says
        calls = {str(call) for call in self.link.calls}
        return len(self.more) <= 1 and all(name in names and text in calls for name, text in self.more.items())


class Links:
    """Raises StoreError where the database cannot be asked. `keys`: the current one first, links of the others still
    open. `clock`: seconds since 1970."""

    def __init__(self, url: str, keys: Sequence[bytes], clock: Callable[[], float]) -> None:
        self._keys = tuple(keys)
        self._clock = clock
        self._database = Database(url, PART.name, PART.tables, PART.version)

    async def open(self) -> None:
        await self._database.run(lambda: None)

    async def close(self) -> None:
        await self._database.close()

    async def keep(
        self,
        path: str,
        fields: Mapping[str, str],
        calls: Sequence[int],
        claims: Claims,
        *,
        public: bool,
        rtp: bool,
        history: bool = False,
    ) -> None:
        """Remember a link and who made it. Given twice by upstream, it shows what was shared last."""
        link = Link(tuple(calls), public, rtp, claims.user, claims.login, claims.tenant, history)
        digest = _digest(self._keys[0], path, sorted(fields.items()))
        values = {"record": msgspec.msgpack.encode(link), "issued": int(self._clock())}

        def write() -> None:
            try:
                with self._database.engine.begin() as database:
                    database.execute(_links.insert().values(digest=digest, **values))
            except IntegrityError:
                with self._database.engine.begin() as database:
                    database.execute(_links.update().where(_links.c.digest == digest).values(**values))

        await self._database.run(write)

    async def find(self, path: str, fields: Mapping[str, str]) -> Opened | None:
        """The link that a request opens: the path's, with at least the fields of the link."""
        if not 0 < len(fields) <= MAX_FIELDS:
            return None
        items = sorted(fields.items())
        subsets = [list(some) for size in range(len(items), 0, -1) for some in combinations(items, size)]
        known = {_digest(key, path, some): some for some in subsets for key in self._keys}

        def read() -> dict[str, bytes]:
            with self._database.engine.connect() as database:
                rows = database.execute(sa.select(_links).where(_links.c.digest.in_(known))).all()
            return {row.digest: row.record for row in rows}

        found = await self._database.run(read)
        for digest, own in known.items():
            if digest in found:
                link = msgspec.msgpack.decode(found[digest], type=Link)
                return Opened(link, {name: text for name, text in items if (name, text) not in own})
        return None


def _digest(key: bytes, path: str, items: list[tuple[str, str]]) -> str:
    return hmac.new(key, msgspec.json.encode([path, items]), hashlib.sha256).hexdigest()
