"""Sessions put straight into the store that a running gateway reads, as if a login had just granted these claims."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator

from authgw.rights.claims import Claims
from authgw.session import keys, store
from authgw.session.epochs import Epochs
from authgw.session.model import Kind, SessionLimits
from authgw.session.sessions import Sessions
from kit.world import World

LIMITS = SessionLimits(idle=3600, absolute=43200, per_user=20)


@contextlib.asynccontextmanager
async def sessions_of(world: World) -> AsyncIterator[Sessions]:
    """The session store of that gateway: same Redis, same key file, same epochs."""
    folder = world.gateway.folder
    redis = store.connect(world.store)
    epochs = Epochs(f"sqlite:///{folder / 'authgw.db'}", time.time)
    try:
        yield Sessions(redis, keys.load(folder / "authgw.key", create=False), epochs, LIMITS, time.time)
    finally:
        await epochs.close()
        await redis.aclose()


async def put(sessions: Sessions, claims: Claims, kind: Kind = Kind.API) -> str:
    """A new session with these claims; its id."""
    sid, _ = await sessions.start(claims, kind, address="127.0.0.1", agent="oracle", factors=("password",))
    return sid
