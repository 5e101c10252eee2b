"""Peers that know nobody: plain proxies, and nginx asking somebody else for every request."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from urllib.request import Request, urlopen

from bench.place import PEERS, Absent, Peer, Place, program, server, version
from bench.upstream import nginx
from kit.servers import free_port

PROXY = """
    upstream gui {{ server 127.0.0.1:{upstream}; keepalive 128; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_max_temp_file_size 0;
        location / {{ {ask} proxy_pass http://gui; }}
        location /live/ {{
            {ask}
            proxy_pass http://gui;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "upgrade";
        }}
        location = /_ask {{
            internal;
            proxy_pass http://gui/allowed;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
        }}
    }}
"""

HAPROXY = """
global
    nbthread 1
    maxconn 4096
defaults
    mode http
    timeout connect 5s
    timeout client 600s
    timeout server 600s
frontend clients
    bind 127.0.0.1:{port}
    default_backend gui
backend gui
    http-reuse always
    server gui 127.0.0.1:{upstream}
"""


@contextlib.contextmanager
def proxying_nginx(place: Place) -> Iterator[Peer]:
    with _nginx(place, "nginx", "") as peer:
        yield peer


@contextlib.contextmanager
def asking_nginx(place: Place) -> Iterator[Peer]:
    with _nginx(place, "nginx + auth_request", "auth_request /_ask;") as peer:
        yield peer


@contextlib.contextmanager
def _nginx(place: Place, name: str, ask: str) -> Iterator[Peer]:
    room, port = place.room(name.replace(" ", "")), free_port()
    command = nginx(room, PROXY.format(upstream=place.upstream, port=port, ask=ask))
    about = version([command[0], "-v"]).removeprefix("nginx version: ")
    what = "each request asks an endpoint that always says yes" if ask else "proxy_pass, no access control"
    with server(command, port, room) as process:
        yield Peer(name, port, (process.pid,), f"{about}, one worker; {what}", judges=False)


@contextlib.contextmanager
def haproxy(place: Place) -> Iterator[Peer]:
    room, port = place.room("haproxy"), free_port()
    (room / "haproxy.cfg").write_text(HAPROXY.format(port=port, upstream=place.upstream))
    binary = program("haproxy")
    about = " ".join(version([binary, "-v"]).split()[:3])
    with server([binary, "-f", str(room / "haproxy.cfg")], port, room) as process:
        yield Peer("haproxy", port, (process.pid,), f"{about}, one thread; no access control", judges=False)


@contextlib.contextmanager
def jupyterhub_proxy(place: Place) -> Iterator[Peer]:
    """configurable-http-proxy with one default route."""
    room, port, api = place.room("chp"), free_port(), free_port()
    main = PEERS / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy"
    if not main.exists():
        raise Absent("npm's configurable-http-proxy is not installed (bench/setup installs it)")
    node = program("node")
    command = [node, str(main), "--ip", "127.0.0.1", "--port", str(port), "--api-ip", "127.0.0.1"]
    command += [
        "--api-port",
        str(api),
        "--default-target",
        f"http://127.0.0.1:{place.upstream}",
        "--log-level",
        "error",
    ]
    about = f"{version([node, str(main), '--version'])} on node {version([node, '--version'])}"
    with server(command, port, room) as process:
        with urlopen(Request(f"http://127.0.0.1:{api}/api/routes"), timeout=10) as said:
            said.read()
        yield Peer("configurable-http-proxy", port, (process.pid,), f"{about}; no access control", judges=False)
