"""Asking a directory: servers and their health, verified TLS, binds and searches. Blocks; runs in worker threads.

Everything that goes wrong on the way is `Unanswered`, which names the server and the setting to look at.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import ldap3
from ldap3.core import results

from authgw.contract import unreached
from authgw_plugins import ldap_policy
from authgw_plugins.ldap_policy import Bound
from authgw_plugins.ldap_values import Entry, Server

PAGE = 500
MAX_ENTRIES = 5000
REMEMBERED = 30.0
"""Seconds for which a server that did not answer is asked last."""
REST = 2.0
"""Seconds for which a server that could not be reached is not asked at all."""


_TLS_ONLY = 'the directory takes passwords over TLS only: write ldaps://, or tls = "starttls"'
# RFC 4511 A.1, as a service account meets them.
_REFUSED = {
    results.RESULT_INVALID_CREDENTIALS: "the directory does not take this name with this password",
    results.RESULT_NO_SUCH_OBJECT: "the directory has no such name",
    results.RESULT_INVALID_DN_SYNTAX: "the directory cannot read this name",
    results.RESULT_STRONGER_AUTH_REQUIRED: _TLS_ONLY,
    results.RESULT_CONFIDENTIALITY_REQUIRED: _TLS_ONLY,
}


class Unanswered(Exception):
    """The directory could not be asked, or answered what cannot be understood."""


class Directory:
    """The servers of one login. Safe for threads: it holds the servers' health and nothing else."""

    def __init__(
        self,
        servers: Sequence[Server],
        *,
        start_tls: bool,
        ca_file: Path | None,
        connect_timeout: int,
        receive_timeout: int,
        service: tuple[str, str] | None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.servers = servers
        self._start_tls = start_tls
        self._context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        self._timeouts = (connect_timeout, receive_timeout)
        self._service = service
        self._clock = clock
        self._failed: dict[str, float] = {}
        self._down: dict[str, str] = {}
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def session(self, seconds: float) -> Iterator[Session]:
        """A connection to the first server that answers, bound as the service account where there is one.

        After so many `seconds` no further server is tried.
        """
        session = self._first(self._clock() + seconds)
        try:
            yield session
        except Unanswered:
            self._remember(session.url)
            raise
        finally:
            session.close()

    def _first(self, until: float) -> Session:
        reasons: list[str] = []
        for each in self._in_order():
            if (known := self._resting(each.url)) is not None:
                reasons.append(f"{each.url}: {known}")
                continue
            if reasons and self._clock() + self._timeouts[0] > until:
                reasons.append("no time left for the others")
                break
            try:
                found = self.connect(each)
            except Exception as error:
                self._remember(each.url, told(error))
                reasons.append(f"{each.url}: {told(error)}")
            else:
                with self._lock:
                    self._failed.pop(each.url, None)
                    self._down.pop(each.url, None)
                return found
        raise Unanswered(f"servers: none can be used: {'; '.join(reasons)}")

    def _remember(self, url: str, down: str = "") -> None:
        """`down`: why no connection came about. What goes wrong later, over one person, only changes the order."""
        with self._lock:
            self._failed[url] = self._clock()
            if down:
                self._down[url] = down

    def _resting(self, url: str) -> str | None:
        """Why a server could not be reached a moment ago: then nobody waits to hear it again."""
        with self._lock:
            if self._clock() - self._failed.get(url, float("-inf")) >= REST:
                return None
            return self._down.get(url)

    def _in_order(self) -> list[Server]:
        """As configured; those that failed a moment ago come last, the longest ago first."""
        now = self._clock()
        with self._lock:
            failed = {url: at for url, at in self._failed.items() if now - at < REMEMBERED}
        return sorted(self.servers, key=lambda each: failed.get(each.url, float("-inf")))

    def connect(self, to: Server) -> Session:
        """A connection to this server, encrypted and bound as configured. Raises whatever went wrong; see `told`."""
        tls = _Tls(self._context, to.host)
        connect, receive = self._timeouts
        target = ldap3.Server(to.host, to.port, use_ssl=to.tls, get_info=ldap3.NONE, connect_timeout=connect, tls=tls)
        connection = ldap3.Connection(
            target,
            client_strategy=ldap3.SAFE_SYNC,
            auto_bind=ldap3.AUTO_BIND_NONE,
            auto_referrals=False,
            check_names=False,
            read_only=True,
            receive_timeout=receive,
        )
        try:
            connection.open(read_server_info=False)
            if self._start_tls and not to.tls and not connection.start_tls(read_server_info=False):
                raise Unanswered("StartTLS was refused")
            if (self._start_tls or to.tls) and not isinstance(connection.socket, ssl.SSLSocket):
                raise Unanswered("the connection is not encrypted")
            session = Session(to.url, connection, self._service)
            session.bind_service()
        except BaseException:
            _drop(connection)
            raise
        return session


class Session:
    """One connection, for one login."""

    def __init__(self, url: str, connection: Any, service: tuple[str, str] | None) -> None:
        self.url = url
        self._connection = connection
        self._service = service

    def close(self) -> None:
        _drop(self._connection)

    def bind(self, dn: str, password: str) -> Bound:
        """How it ended. An empty password would prove nothing (RFC 4513 5.1.2)."""
        if not dn or not password or "\0" in password:
            raise ValueError("a bind needs a name and a password")
        with self._answered("bind"):
            _, result, _, _ = self._connection.rebind(
                dn, password, ldap3.SIMPLE, read_server_info=False, controls=[ldap_policy.REQUEST]
            )
            message = str(result.get("message") or result.get("description") or "")
            return Bound(int(result["result"]), message, ldap_policy.expired(result.get("controls") or {}))

    def bind_service(self) -> None:
        """Go on as the account that may search, where there is one."""
        if self._service is None:
            return
        code = self.bind(*self._service).code
        if code != results.RESULT_SUCCESS:
            why = _REFUSED.get(code, f"the bind of {self._service[0]!r} answered {_code(code)}")
            raise Unanswered(f"bind_dn, bind_password_file: {why}")

    def read(self, dn: str, filter: str, attributes: Sequence[str]) -> Entry | None:
        """The entry of that name. None: there is none, or it may not be read, or the filter is not for it."""
        code, entries = self._search(dn, filter, attributes, ldap3.BASE, size=1)
        if code not in (results.RESULT_SUCCESS, results.RESULT_NO_SUCH_OBJECT):
            raise Unanswered(f"{self.url}: reading {dn[:200]!r} answered {_code(code)}")
        return entries[0] if entries else None

    def two(self, base: str, filter: str, attributes: Sequence[str]) -> list[Entry]:
        """The entries below `base`, two at most."""
        code, entries = self._search(base, filter, attributes, ldap3.SUBTREE, size=2)
        if code not in (results.RESULT_SUCCESS, results.RESULT_SIZE_LIMIT_EXCEEDED):
            raise Unanswered(f"{self.url}: base_dn {base!r}: the search answered {_code(code)}")
        if code == results.RESULT_SIZE_LIMIT_EXCEEDED and len(entries) < 2:
            raise Unanswered(f"{self.url}: base_dn {base!r}: the search was cut short")
        return entries

    def all(self, base: str, filter: str) -> list[str]:
        """The names of all entries below `base`, page by page; `Unanswered` rather than a part of them."""
        found: list[str] = []
        cookie: bytes | None = None
        while True:
            code, entries, cookie = self._page(base, filter, cookie)
            if code != results.RESULT_SUCCESS:
                raise Unanswered(f"{self.url}: group_base_dn {base!r}: the search answered {_code(code)}")
            found += [entry.dn for entry in entries]
            if len(found) > MAX_ENTRIES:
                raise Unanswered(f"{self.url}: group_base_dn {base!r}: more than {MAX_ENTRIES} groups answered")
            if not cookie:
                return found

    def _search(
        self, base: str, filter: str, attributes: Sequence[str], scope: str, size: int
    ) -> tuple[int, list[Entry]]:
        with self._answered("search"):
            _, result, response, _ = self._connection.search(
                base, filter, scope, ldap3.DEREF_NEVER, list(attributes), size_limit=size
            )
            return int(result["result"]), _entries(response)

    def _page(self, base: str, filter: str, cookie: bytes | None) -> tuple[int, list[Entry], bytes | None]:
        with self._answered("search"):
            _, result, response, _ = self._connection.search(
                base, filter, ldap3.SUBTREE, ldap3.DEREF_NEVER, ["1.1"], paged_size=PAGE, paged_cookie=cookie
            )
            control = result.get("controls", {}).get("1.2.840.113556.1.4.319", {})
            return int(result["result"]), _entries(response), control.get("value", {}).get("cookie") or None

    @contextlib.contextmanager
    def _answered(self, what: str) -> Iterator[None]:
        """ldap3 raises its own family, and what its decoder stumbles over when a server answers nonsense."""
        try:
            yield
        except Exception as error:
            raise Unanswered(f"{self.url}: the {what} failed: {told(error)}") from None


class _Tls(ldap3.Tls):  # type: ignore[misc]
    """TLS as Python does it now: chain, dates and host name are checked in the handshake, before a byte is sent."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = context
        self._host = host

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        connection.socket = self._context.wrap_socket(connection.socket, server_hostname=self._host)


def _drop(connection: Any) -> None:
    socket = connection.socket
    with contextlib.suppress(Exception):
        connection.unbind()
    with contextlib.suppress(Exception):
        if socket is not None:
            socket.close()
    with contextlib.suppress(Exception):
        if connection.socket is not None:
            connection.socket.close()


def _entries(response: Any) -> list[Entry]:
    return [
        Entry(str(each["dn"]), {str(name).lower(): tuple(values) for name, values in each["raw_attributes"].items()})
        for each in response or ()
        if each.get("type") == "searchResEntry"
    ]


def _code(code: int) -> str:
    return f"{results.RESULT_CODES.get(code, 'an unknown result')} ({code})"


def told(error: Exception) -> str:
    """What happened, in one line, without what was sent."""
    if isinstance(error, Unanswered):
        return str(error)
    waits = "connect_timeout and receive_timeout"
    return unreached(error, address="servers", trust="ca_file", wait=waits) or (
        "what answers there is no directory, or none that can be understood; see servers"
    )
