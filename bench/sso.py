"""Peers that log people in by OpenID Connect: oauth2-proxy and Apache's mod_auth_openidc, with real sessions.

Each session is made as a browser makes it, through `bench.provider`.
"""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
from collections.abc import Iterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, Request, build_opener

from bench.place import Absent, Peer, Place, program, server, version
from bench.provider import CLIENT, SECRET
from kit.servers import free_port

APACHE = """
ServerRoot {room}
ServerName 127.0.0.1
PidFile {room}/apache.pid
ErrorLog {room}/log
{user}
{modules}
Listen 127.0.0.1:{port}
KeepAlive On
KeepAliveTimeout 600
MaxKeepAliveRequests 0
ServerLimit 1
ThreadLimit 128
StartServers 1
ThreadsPerChild 128
MaxRequestWorkers 128
MinSpareThreads 1
MaxSpareThreads 128
OIDCProviderMetadataURL {provider}/.well-known/openid-configuration
OIDCClientID {client}
OIDCClientSecret {secret}
OIDCRedirectURI http://127.0.0.1:{port}/_oidc
OIDCCryptoPassphrase {passphrase}
OIDCScope "openid email"
OIDCSessionInactivityTimeout 3600
{cache}
ProxyPass /_oidc !
ProxyPass /live/ http://127.0.0.1:{upstream}/live/ upgrade=websocket
ProxyPass / http://127.0.0.1:{upstream}/ keepalive=On
<Location />
    AuthType openid-connect
    Require valid-user
</Location>
"""
MODULES = ("mpm_event", "authz_core", "authz_user", "authn_core", "proxy", "proxy_http", "auth_openidc")
FOLDER = Path("/usr/lib/apache2/modules")


class _WithoutTls(HTTPRedirectHandler):
    """Goes by http where it is sent by https: as what ends TLS in front of a peer would ask it."""

    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Request | None:
        return super().redirect_request(req, fp, code, msg, headers, newurl.replace("https://", "http://", 1))


def cookies(port: int) -> str:
    """Log in like a browser that follows every redirect; the `Cookie` it has then for this peer."""
    jar = CookieJar(DefaultCookiePolicy(rfc2965=False, netscape=True, secure_protocols=("https", "http")))
    browser = build_opener(HTTPCookieProcessor(jar), _WithoutTls())
    browser.addheaders = [("Accept", "text/html")]
    try:
        with browser.open(f"http://127.0.0.1:{port}/allowed", timeout=20) as answer:
            answer.read()
    except HTTPError as error:
        raise Absent(f"the login ended with {error.code} at {error.url}: {error.read()[:120]!r}") from None
    except OSError as error:
        raise Absent(f"the login failed: {error}") from None
    mine = [cookie for cookie in jar if cookie.domain == "127.0.0.1"]
    kept = [cookie for cookie in mine if "csrf" not in cookie.name and "state" not in cookie.name]
    if not kept:
        raise Absent("the login made no session")
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in kept)


@contextlib.contextmanager
def oauth2_proxy_redis(place: Place) -> Iterator[Peer]:
    store = ["--session-store-type=redis", f"--redis-connection-url=redis://127.0.0.1:{place.redis}/0"]
    with _oauth2_proxy(place, "oauth2-proxy, Redis", store, "session in Redis") as peer:
        yield peer


@contextlib.contextmanager
def oauth2_proxy_cookie(place: Place) -> Iterator[Peer]:
    with _oauth2_proxy(place, "oauth2-proxy, cookie", ["--session-store-type=cookie"], "session in the cookie") as peer:
        yield peer


@contextlib.contextmanager
def _oauth2_proxy(place: Place, name: str, store: list[str], what: str) -> Iterator[Peer]:
    room, port = place.room(name.replace(", ", "-")), free_port()
    binary = program("oauth2-proxy")
    command = [
        binary,
        f"--http-address=127.0.0.1:{port}",
        "--provider=oidc",
        f"--oidc-issuer-url={place.provider}",
        f"--client-id={CLIENT}",
        f"--client-secret={SECRET}",
        f"--redirect-url=http://127.0.0.1:{port}/oauth2/callback",
        f"--upstream=http://127.0.0.1:{place.upstream}/",
        f"--cookie-secret={base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}",
        "--cookie-secure=false",
        "--email-domain=*",
        "--skip-provider-button=true",
        "--request-logging=false",
        "--standard-logging=false",
        "--auth-logging=false",
        *store,
    ]
    # Built by `go install` it does not know its own version; the pinned one is in bench/setup.
    about = version([binary, "--version"]).replace("undefined", "v7.15.6")
    with server(["env", "GOMAXPROCS=1", *command], port, room) as process:
        yield Peer(name, port, (process.pid,), f"{about}, GOMAXPROCS=1; {what}", {"": cookies(port)})


@contextlib.contextmanager
def apache_redis(place: Place) -> Iterator[Peer]:
    cache = f"OIDCCacheType redis\nOIDCRedisCacheServer 127.0.0.1:{place.redis}"
    with _apache(place, "mod_auth_openidc, Redis", cache, "session in Redis") as peer:
        yield peer


@contextlib.contextmanager
def apache_memory(place: Place) -> Iterator[Peer]:
    with _apache(place, "mod_auth_openidc, memory", "OIDCCacheType shm", "session in shared memory") as peer:
        yield peer


@contextlib.contextmanager
def _apache(place: Place, name: str, cache: str, what: str) -> Iterator[Peer]:
    room, port = place.room(name.replace(", ", "-")), free_port()
    binary = program("apache2")
    if missing := [each for each in MODULES if not (FOLDER / f"mod_{each}.so").exists()]:
        raise Absent(f"Apache's mod_{missing[0]} is not installed (bench/setup installs it as root on Debian)")
    (room / "apache.conf").write_text(
        APACHE.format(
            room=room,
            user="User www-data\nGroup www-data" if os.geteuid() == 0 else "",
            modules="\n".join(f"LoadModule {each}_module {FOLDER}/mod_{each}.so" for each in MODULES),
            port=port,
            upstream=place.upstream,
            provider=place.provider,
            client=CLIENT,
            secret=SECRET,
            passphrase=secrets.token_hex(16),
            cache=cache,
        )
    )
    about = version([binary, "-v"]).removeprefix("Server version: ")
    with server([binary, "-f", str(room / "apache.conf"), "-DFOREGROUND"], port, room) as process:
        yield Peer(name, port, (process.pid,), f"{about}, event, one process; {what}", {"": cookies(port)})
