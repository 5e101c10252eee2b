"""Pomerium with everything in one process, behind which Envoy does the proxying, where its binary is on the path.

It takes for granted that people come over https, and says so in every redirect; its login is walked here as through a
proxy that ends TLS in front of it, which is how it is asked by all loads.
"""

from __future__ import annotations

import base64
import contextlib
import json
import secrets
from collections.abc import Iterator
from typing import Any

from bench.place import Absent, Peer, Place, program, server, version
from bench.provider import CLIENT, SECRET
from bench.sso import cookies
from kit.servers import free_port

WAY_IN = "localhost"
"""Its own pages want another name than what is protected."""


def settings(place: Place, port: int, inside: int) -> dict[str, Any]:
    """What its config.yaml holds; JSON is YAML."""
    key = [base64.b64encode(secrets.token_bytes(32)).decode() for _ in range(2)]
    route = {"from": f"https://127.0.0.1:{port}", "to": f"http://127.0.0.1:{place.upstream}"}
    return {
        "address": f"127.0.0.1:{port}",
        "insecure_server": True,
        "grpc_address": f"127.0.0.1:{inside}",
        "grpc_insecure": True,
        "authenticate_service_url": f"https://{WAY_IN}:{port}",
        "idp_provider": "oidc",
        "idp_provider_url": place.provider,
        "idp_client_id": CLIENT,
        "idp_client_secret": SECRET,
        "shared_secret": key[0],
        "cookie_secret": key[1],
        "log_level": "error",
        "routes": [{**route, "allow_any_authenticated_user": True, "allow_websockets": True}],
    }


@contextlib.contextmanager
def pomerium(place: Place) -> Iterator[Peer]:
    try:
        binary = program("pomerium")
    except Absent:
        raise Absent("no pomerium on the path; neither Debian nor npm has it") from None
    room, port, inside = place.room("pomerium"), free_port(), free_port()
    (room / "config.yaml").write_text(json.dumps(settings(place, port, inside)))
    command = ["env", "GOMAXPROCS=1", f"HOME={room}", f"TMPDIR={room}", binary, "--config", str(room / "config.yaml")]
    about = f"Pomerium {version([binary, '--version'])}, GOMAXPROCS=1; session in its own memory"
    with server(command, port, room) as process:
        yield Peer("Pomerium", port, (process.pid,), about, {"": cookies(port)})
