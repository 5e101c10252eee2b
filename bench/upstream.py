"""The upstream of every peer: nginx with fixed answers and files, behind it `bench.tongue` for what must be read, and
for the WebSocket."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.place import OTHERS, program, server
from kit.servers import free_port

LICENCE = '{"success":true,"licence":"' + "x" * 2019 + '"}'
"""The 2 KB of the pass-through call."""

CAPTURES = {1: 10_000, 2: 100_000_000}
"""Call id to the bytes of its capture. The others have none."""

HTTP = """
worker_processes 1;
pid {room}/nginx.pid;
error_log {room}/error.log;
daemon off;
{user}
events {{ worker_connections 8192; }}
http {{
    access_log off;
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
    client_body_temp_path {room}/body;
    proxy_temp_path {room}/proxy;
    fastcgi_temp_path {room}/fastcgi;
    uwsgi_temp_path {room}/uwsgi;
    scgi_temp_path {room}/scgi;
{inside}
}}
"""

INSIDE = """
    sendfile on;
    tcp_nopush on;
    upstream tongue {{ server 127.0.0.1:{tongue}; keepalive 128; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_buffers 64 16k;
        default_type application/json;
        location = /php/apilicensecheck.php {{ return 200 '{licence}'; }}
        location = /php/pcap.php {{
            root {room};
            default_type application/vnd.tcpdump.pcap;
            try_files /capture-$arg_id =404;
        }}
        location /php/ {{ proxy_pass http://tongue; }}
        location /live/ {{
            proxy_pass http://tongue;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "upgrade";
        }}
        location = /allowed {{ return 204; }}
        location / {{ return 404; }}
    }}
"""


def nginx(room: Path, inside: str) -> list[str]:
    """The command of an nginx of this configuration, one worker. `inside`: what stands in its `http` block."""
    # As root its worker would become somebody who cannot read the folder.
    user = "user root;" if os.geteuid() == 0 else ""
    path = room / "nginx.conf"
    path.write_text(HTTP.format(room=room, user=user, inside=inside))
    return [program("nginx"), "-p", str(room), "-e", str(room / "error.log"), "-c", str(path)]


@dataclass(frozen=True)
class Upstream:
    port: int
    roots: tuple[int, ...]


def captures(room: Path, sizes: Sequence[tuple[int, int]]) -> None:
    """Files that begin like captures and are as long as they should be."""
    for call_id, size in sizes:
        block = bytes(range(256)) * 4096
        with (room / f"capture-{call_id}").open("wb") as out:
            out.write(b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00")
            for left in range(size - 8, 0, -len(block)):
                out.write(block[:left])


@contextlib.contextmanager
def upstream(room: Path) -> Iterator[Upstream]:
    """The running upstream, kept off the core of what is measured."""
    captures(room, list(CAPTURES.items()))
    with contextlib.ExitStack() as stack:
        tongue, port = free_port(), free_port()
        speaks = stack.enter_context(
            server([sys.executable, "-m", "bench.tongue", str(tongue)], tongue, room, cores=OTHERS)
        )
        inside = INSIDE.format(tongue=tongue, port=port, licence=LICENCE, room=room)
        front = stack.enter_context(server(nginx(room, inside), port, room, cores=OTHERS))
        yield Upstream(port, (front.pid, speaks.pid))
