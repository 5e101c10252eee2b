"""Everything of one run, started: the upstream, Redis, the provider, and every peer that can take part."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from redis import Redis

from bench import lemon, plain, pomerium, sso
from bench.loads import users
from bench.ours import authgw
from bench.place import OTHERS, Absent, Peer, Place, program, server
from bench.upstream import Upstream, upstream
from kit.redis import redis_server
from kit.servers import free_port

Start = Callable[[Place], contextlib.AbstractContextManager[Peer]]

STARTS: dict[str, Start] = {
    "nginx": plain.proxying_nginx,
    "haproxy": plain.haproxy,
    "nginx + auth_request": plain.asking_nginx,
    "mod_auth_openidc, memory": sso.apache_memory,
    "mod_auth_openidc, Redis": sso.apache_redis,
    "oauth2-proxy, cookie": sso.oauth2_proxy_cookie,
    "oauth2-proxy, Redis": sso.oauth2_proxy_redis,
    "LemonLDAP::NG": lemon.lemonldap,
    "configurable-http-proxy": plain.jupyterhub_proxy,
    "Pomerium": pomerium.pomerium,
}
OURS = "authgw"
OURS_REDIS = "authgw, Redis"
OURS_COLD = "authgw, Redis each time"


@dataclass(frozen=True)
class World:
    """`absent`: peers that are not there, with the reason. `redis`: the process."""

    place: Place
    upstream: Upstream
    redis: int
    redis_url: str
    peers: Sequence[Peer]
    absent: dict[str, str]

    def peer(self, name: str) -> Peer:
        return next(peer for peer in self.peers if peer.name == name)


@contextlib.contextmanager
def world(names: Sequence[str] | None = None) -> Iterator[World]:
    """Start everything. `names`: the peers that are wanted beside authgw itself; None: all."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="authgw-bench-")))
        folder.chmod(0o755)
        rooms = {name: folder / name for name in ("upstream", "provider")}
        for room in rooms.values():
            room.mkdir()
        asked = stack.enter_context(upstream(rooms["upstream"]))
        program("redis-server")
        store = stack.enter_context(redis_server(folder / "redis"))
        port = free_port()
        command = [sys.executable, "-m", "bench.provider", str(port)]
        stack.enter_context(server(command, port, rooms["provider"], OTHERS))
        place = Place(folder, asked.port, store.port, f"http://127.0.0.1:{port}")
        peers, absent = _started(stack, place, names)
        about = "authgw, one worker; sessions in its own process"
        peers.append(stack.enter_context(authgw(place, OURS, about, people=users()))[0])
        about = "authgw, one worker; sessions in Redis, those found are remembered in the process"
        peers.append(stack.enter_context(authgw(place, OURS_REDIS, about, store=store.url))[0])
        about = "authgw, one worker; sessions in Redis, which may not tell of changes, so each request asks it"
        peers.append(stack.enter_context(authgw(place, OURS_COLD, about, store=_silent(store.url)))[0])
        yield World(place, asked, store.pid, store.url, peers, absent)


def _silent(url: str) -> str:
    """The same store as a user of it who may not be told of changes: nothing is remembered then."""
    with Redis.from_url(url) as admin:
        admin.execute_command("ACL", "SETUSER", "silent", "on", ">silent", "~*", "&*", "+@all", "-client|tracking")
    return url.replace("://", "://silent:silent@")


def _started(
    stack: contextlib.ExitStack, place: Place, names: Sequence[str] | None
) -> tuple[list[Peer], dict[str, str]]:
    peers: list[Peer] = []
    absent: dict[str, str] = {}
    for name, start in STARTS.items():
        if names is None or name in names:
            try:
                peers.append(stack.enter_context(start(place)))
            except Absent as reason:
                absent[name] = str(reason)
    return peers, absent
