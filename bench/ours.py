"""authgw itself, as `authgw serve` with everything on: intake, decision, audit log."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.loads import PASSWORD, usual
from bench.place import OURS, Absent, Peer, Place, on
from kit.gateway import PROGRAM, configure, started
from kit.servers import free_port

# As deploy/authgw.service sets them; and with bytecode on the disk, as pip leaves it there.
SETTING = [
    *("-u", "PYTHONDONTWRITEBYTECODE"),
    *("MALLOC_TRIM_THRESHOLD_=134217728", "MALLOC_MMAP_THRESHOLD_=33554432", "MALLOC_ARENA_MAX=1"),
]
POOL = 32
"""Sessions of the service account: as many as the load has connections."""


@contextlib.contextmanager
def authgw(
    place: Place,
    name: str,
    about: str,
    *,
    store: str = "memory://",
    cores: str = OURS,
    pool: int = POOL,
    people: Sequence[Mapping[str, Any]] | None = None,
    enter: bool = True,
    program: Sequence[str] = (PROGRAM,),
    **sections: Mapping[str, Any],
) -> Iterator[tuple[Peer, float]]:
    """The gateway and the seconds until it was ready. `enter`: with a session of every user. `people`: other users
    than the usual ones.

    `program`: another way to run the command. `sections`: more settings.
    """
    people = usual() if people is None else people
    room, port = place.room(name.replace(", ", "-")), free_port()
    more: dict[str, Any] = {name: dict(table) for name, table in sections.items()}
    more["sessions"] = {"store": store, **more.get("sessions", {})}
    more["upstream"] = {"pool": pool, **more.get("upstream", {})}
    config = configure(room, f"http://127.0.0.1:{place.upstream}", port=port, users=people, **more)
    command = on(cores, ["env", *SETTING, *program, "serve", "--config", str(config)])
    start = time.perf_counter()
    with contextlib.ExitStack() as stack:
        try:
            process, _ = stack.enter_context(started(command, room / "log"))
        except AssertionError as error:
            raise Absent(f"it did not start: {' '.join(str(error).split()[-60:])}") from None
        took = time.perf_counter() - start
        cookies = {str(user["username"]): session(port, str(user["username"])) for user in people if enter}
        yield Peer(name, port, (process.pid,), about, cookies, ours=True), took


def session(port: int, user: str) -> str:
    """The `Cookie` of a new session, by the product's own login."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", f"/php/model/sql.php?module=bypass_login&user={user}&pass={PASSWORD}")
        said = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return f"{said['cookie_name']}={said['SID']}"
