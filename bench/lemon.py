"""LemonLDAP::NG's handler behind nginx's auth_request: the session lies in the same Redis, made by its own library."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from bench.place import Absent, Peer, Place, program, server
from bench.upstream import nginx
from kit.servers import free_port

WORKERS = 4
PROXY = """
    upstream gui {{ server 127.0.0.1:{upstream}; keepalive 128; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        location = /_ask {{
            internal;
            include /etc/nginx/fastcgi_params;
            fastcgi_pass 127.0.0.1:{handler};
            fastcgi_pass_request_body off;
            fastcgi_param CONTENT_LENGTH "";
            fastcgi_param HOST $host;
            fastcgi_param X_ORIGINAL_URI $request_uri;
        }}
        location / {{
            auth_request /_ask;
            proxy_pass http://gui;
        }}
        location /live/ {{
            auth_request /_ask;
            proxy_pass http://gui;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "upgrade";
        }}
    }}
"""
SESSION = """
use Apache::Session::Browseable::Redis;
my %session;
tie %session, "Apache::Session::Browseable::Redis", undef, {server => $ARGV[0]};
$session{$_->[0]} = $_->[1] for (["uid", "alice"], ["_whatToTrace", "alice"], ["_session_kind", "SSO"],
    ["_utime", time], ["_lastSeen", time], ["authenticationLevel", 2], ["ipAddr", "127.0.0.1"]);
my $id = $session{_session_id};
untie %session;
print $id;
"""


def settings(redis: int, cache: Path) -> dict[str, object]:
    """The handler's configuration: whoever has a session may see everything."""
    return {
        "cfgNum": 1,
        "cfgAuthor": "bench",
        "cfgDate": 1,
        "domain": "127.0.0.1",
        "cookieName": "lemonldap",
        "portal": "http://127.0.0.1/portal",
        "key": secrets.token_hex(16),
        "whatToTrace": "uid",
        "timeout": 72000,
        "globalStorage": "Apache::Session::Browseable::Redis",
        "globalStorageOptions": {"server": f"127.0.0.1:{redis}"},
        "localSessionStorage": "Cache::FileCache",
        "localSessionStorageOptions": {
            "namespace": "lemonldap-ng-sessions",
            "default_expires_in": 600,
            "directory_umask": "007",
            "cache_root": str(cache),
            "cache_depth": 3,
        },
        "locationRules": {"127.0.0.1": {"default": "accept"}},
        "exportedHeaders": {"127.0.0.1": {"Auth-User": "$uid"}},
    }


@contextlib.contextmanager
def lemonldap(place: Place) -> Iterator[Peer]:
    room, port, handler = place.room("lemonldap"), free_port(), free_port()
    binary = program("llng-fastcgi-server")
    (room / "conf").mkdir(exist_ok=True)
    (room / "conf" / "lmConf-1.json").write_text(json.dumps(settings(place.redis, room / "cache")))
    (room / "lemonldap-ng.ini").write_text(
        f"[all]\nlogger = Lemonldap::NG::Common::Logger::Std\nlogLevel = error\n"
        f"[configuration]\ntype = File\ndirName = {room}/conf\n[handler]\n[portal]\n[manager]\n"
    )
    if os.geteuid() == 0:
        for path in (room, *room.rglob("*")):
            shutil.chown(path, "www-data", "www-data")
    who = ["--user", "www-data", "--group", "www-data"] if os.geteuid() == 0 else []
    command = [binary, "--foreground", *who, "--proc", str(WORKERS), "--pid", str(room / "pid")]
    command += ["--listen", f"127.0.0.1:{handler}", "--socket", ""]
    env = [f"LLNG_DEFAULTCONFFILE={room}/lemonldap-ng.ini", "LLNG_DEFAULTLOGGER=Lemonldap::NG::Common::Logger::Std"]
    with (
        server(["env", *env, *command], handler, room) as asked,
        server(nginx(room, PROXY.format(port=port, upstream=place.upstream, handler=handler)), port, room) as front,
    ):
        cookie = f"lemonldap={_session(place.redis)}"
        about = f"LemonLDAP::NG {_version()}, {WORKERS} workers behind nginx; session in Redis"
        yield Peer("LemonLDAP::NG", port, (asked.pid, front.pid), about, {"": cookie})


def _session(redis: int) -> str:
    ran = subprocess.run(["perl", "-e", SESSION, f"127.0.0.1:{redis}"], capture_output=True, text=True, check=False)
    if ran.returncode or not ran.stdout:
        raise Absent(f"no session could be made: {ran.stderr.strip().splitlines()[-1:]}")
    return ran.stdout


def _version() -> str:
    path = Path("/usr/share/perl5/Lemonldap/NG/Handler.pm")
    words = path.read_text().split("$VERSION = '")[1:] if path.exists() else []
    return words[0].split("'")[0] if words else ""
