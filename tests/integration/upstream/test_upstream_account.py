"""The service account against a small GUI that logs in by `bypass_login` and locks a session while it serves it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from authgw.errors import UpstreamError
from authgw.reasons import Reason
from authgw.upstream.account import Account
from authgw.upstream.anonymous import Anonymous
from authgw.upstream.api import Call
from authgw.upstream.client import Base, Client, ClientLimits
from kit.loopback import Asked, Line, Server, reply, serving, until

pytestmark = pytest.mark.anyio
LIMITS = ClientLimits(connect=5, reply=5, idle=5, whole=5, keep=5, pool=32)
NO_SESSION = b'{"success":false,"error":{"type":"no_session"}}'
KILL_SESSION = b'{"success":false,"error":{"type":"kill_session"}}'
LIST = Call("POST", "/php/model/sql.php", (("task", "LISTING"), ("module", "CDR")))


class Gui:
    """What the product does, as far as sessions go. Knobs are plain attributes."""

    def __init__(self) -> None:
        self.password = "geheim & süß"
        self.sessions: set[str] = set()
        self.refusal = reply(NO_SESSION)
        self.login: bytes | None = None
        self.logins: list[Asked] = []
        self.asked: list[Asked] = []
        self.at_once: Counter[str] = Counter()
        self.most_per_session = self.most = 0
        self.answer: Callable[[Asked], bytes] = lambda asked: reply(b"[]")
        self.gate = asyncio.Event()
        self.gate.set()

    async def talk(self, line: Line) -> None:
        while asked := await line.asked():
            if asked.path.endswith("/sql.php") and asked.form.get("module") == "bypass_login":
                await line.say(self.log_in(asked))
                continue
            self.asked.append(asked)
            name, _, sid = asked.headers.get("cookie", "").partition("=")
            if name != "PHPSESSID-demo" or sid not in self.sessions:
                await line.say(self.refusal)
                continue
            self.at_once[sid] += 1
            self.most_per_session = max(self.most_per_session, self.at_once[sid])
            self.most = max(self.most, self.at_once.total())
            await asyncio.sleep(0)
            await self.gate.wait()
            self.at_once[sid] -= 1
            await line.say(self.answer(asked))

    def log_in(self, asked: Asked) -> bytes:
        self.logins.append(asked)
        if self.login is not None:
            return self.login
        if (asked.form["user"], asked.form["pass"]) != ("authgw", self.password):
            return reply(b'{"success":false,"error":"Invalid username or password."}')
        sid = f"sid{len(self.logins):020d}"
        self.sessions.add(sid)
        return reply(opened(sid))


def opened(
    sid: object = "ahs2ubdhc0ukb262be60v900ko", cookie: object = "PHPSESSID-demo", success: object = True
) -> bytes:
    found = {"SID": sid, "cookie_name": cookie, "success": success, "_vm_version": 240034, "_debug": False}
    return json.dumps(found).encode()


@asynccontextmanager
async def between(**more: Any) -> AsyncIterator[tuple[Account, Gui, Server]]:
    gui = Gui()
    async with serving(gui.talk) as server:
        client = Client(Base("127.0.0.1", server.port, path="/demo"), LIMITS)
        account = Account(client, "authgw", "geheim & süß", **more)
        try:
            yield account, gui, server
        finally:
            await account.close()


async def ask(account: Account | Anonymous, call: Call = LIST) -> bytes:
    found = await account.send(call)
    try:
        return await found.read(1 << 20)
    finally:
        await found.close()


async def refused(account: Account | Anonymous, call: Call = LIST) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await ask(account, call)
    return caught.value


async def test_login_when_needed() -> None:
    """Nothing is asked before the first call; then one login serves all calls that come one by one."""
    async with between() as (account, gui, server):
        assert server.lines == 0
        for _ in range(3):
            assert await ask(account) == b"[]"
        assert len(gui.logins) == 1
        login = gui.logins[0]
        assert (login.method, login.target) == ("POST", "/demo/php/model/sql.php")
        assert login.form == {"module": "bypass_login", "user": "authgw", "pass": "geheim & süß"}
        assert account.state() is None


async def test_how_a_call_is_written() -> None:
    """Fields go where the method wants them, byte-exactly encoded, and the session rides in its cookie."""
    fields = (("fcaller", "+44 20%&=ü"), ("empty", ""))
    async with between() as (account, gui, _):
        await ask(account, Call("GET", "/php/pcap.php", fields, (("accept", "*/*"),)))
        await ask(account, Call("POST", "/php/model/sql.php", fields))
        await ask(account, Call("GET", "/a b/ü.php"))
        await ask(account, Call("GET", "/php/api.php", (("task", "listCdrIds"),), credentials=True))
    get, post, odd, api = gui.asked
    assert get.target == "/demo/php/pcap.php?fcaller=%2B44+20%25%26%3D%C3%BC&empty="
    assert (get.body, get.headers["accept"], get.headers["cookie"]) == (b"", "*/*", f"PHPSESSID-demo=sid{1:020d}")
    assert (post.target, post.body) == ("/demo/php/model/sql.php", b"fcaller=%2B44+20%25%26%3D%C3%BC&empty=")
    assert post.headers["content-type"] == "application/x-www-form-urlencoded"
    assert odd.target == "/demo/a%20b/%C3%BC.php"
    assert (api.method, api.target) == ("POST", "/demo/php/api.php")
    assert api.form == {"task": "listCdrIds", "user": "authgw", "password": "geheim & süß"}


async def test_one_request_per_session() -> None:
    """However many call at once, a session serves one of them at a time, and all sessions are used."""
    async with between(pool_size=4) as (account, gui, _):
        answers = await asyncio.gather(*(ask(account) for _ in range(60)))
        assert answers == [b"[]"] * 60
        assert gui.most_per_session == 1
        assert 1 < gui.most <= 4
        assert len(gui.logins) <= 4


async def test_lease_lasts_until_close() -> None:
    """A reply that is still read keeps its session to itself."""
    async with between(pool_size=1, wait=0.05) as (account, gui, _):
        first = await account.send(LIST)
        assert (await refused(account)).reason is Reason.UPSTREAM_BUSY
        await first.close()
        await first.close()
        assert await ask(account) == b"[]"
        assert len(gui.logins) == 1


async def test_first_come_first_served() -> None:
    """Calls that wait for a session are served in the order in which they came."""
    async with between(pool_size=1) as (account, gui, _):
        await ask(account)
        gui.gate.clear()
        tasks = [asyncio.ensure_future(ask(account, Call("GET", f"/{number}"))) for number in range(20)]
        await until(lambda: gui.at_once.total() == 1)
        gui.gate.set()
        await asyncio.gather(*tasks)
        assert [asked.target for asked in gui.asked[1:]] == [f"/demo/{number}" for number in range(20)]


@pytest.mark.parametrize(
    "answer",
    [
        reply(NO_SESSION),
        reply(KILL_SESSION, "Content-Type: application/json"),
        reply(NO_SESSION, status="401 Unauthorized"),
        reply(b"<br />\n<b>Warning</b>: odd {\n" + NO_SESSION + b"\n", "Content-Type: text/html"),
        reply(b"", "Location: /demo/index.php", status="302 Found"),
        reply(b"", "Location: ./", status="302 Found"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2f\r\n" + NO_SESSION + b"\r\n0\r\n\r\n",
    ],
)
async def test_forgotten_session(answer: bytes) -> None:
    """When the GUI has forgotten the session, however it says so, one new login answers the call all the same."""
    async with between() as (account, gui, _):
        await ask(account)
        gui.refusal = answer
        gui.sessions.clear()
        assert await ask(account) == b"[]"
        assert (len(gui.logins), len(gui.asked)) == (2, 3)
        assert account.state() is None


async def test_session_refused_for_good() -> None:
    """A GUI that forgets every session at once is asked twice, not for ever."""
    async with between() as (account, gui, _):
        gui.login = reply(opened())
        error = await refused(account)
        assert error.reason is Reason.UPSTREAM_LOGIN
        assert (len(gui.logins), len(gui.asked)) == (2, 2)
        assert account.state() is not None


async def test_changing_call() -> None:
    """A call that changes something is repeated after "no session" (nothing was done), but not after a redirect."""
    call = Call("POST", "/php/model/utilities.php", (("task", "shareCdr"),), safe=False)
    async with between() as (account, gui, _):
        await ask(account)
        gui.sessions.clear()
        assert await ask(account, call) == b"[]"
        assert len(gui.asked) == 3
        gui.refusal = reply(b"", "Location: /demo/index.php", status="302 Found")
        gui.sessions.clear()
        assert (await refused(account, call)).reason is Reason.UPSTREAM_LOGIN
        assert len(gui.asked) == 4
        assert await ask(account, call) == b"[]"


@pytest.mark.parametrize(
    "body",
    [
        b'{"results":[{"callername":"{\\"success\\":false,\\"error\\":{\\"type\\":\\"no_session\\"}}"}]}',
        b'text with {"success":false,"error":{"type":"no_session"}} inside',
        b'[{"success":false,"error":{"type":"no_session"}}]',
        b'{"success":true,"error":{"type":"no_session"}}',
        b'{"success":false,"error":"no match cdr"}',
        b'{"success":false,"error":{"type":"other"}}',
        NO_SESSION + b" " * 4096,
        b"access denied",
        b"",
    ],
)
async def test_what_is_no_refusal(body: bytes) -> None:
    """Only the product's own answer as a whole means "no session", not the words inside somebody's call record."""
    async with between() as (account, gui, _):
        gui.answer = lambda asked: reply(body, "Content-Type: application/json")
        assert await ask(account) == body
        assert len(gui.logins) == 1


async def test_capture_is_not_looked_into() -> None:
    """A binary reply is handed on as it begins, without waiting for more of it."""
    async with between() as (account, gui, _):
        begin = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.tcpdump.pcap\r\nContent-Length: 100\r\n\r\nabc"
        gui.answer = lambda asked: begin
        found = await account.send(Call("GET", "/php/pcap.php", (("id", "1"),)))
        assert await anext(found.stream()) == b"abc"
        await found.close()


async def test_head() -> None:
    """HEAD is asked as GET, so that a forgotten session is noticed, and gives the head alone."""
    async with between() as (account, gui, _):
        await ask(account)
        gui.sessions.clear()
        gui.answer = lambda asked: reply(b"x" * 100_000, "Content-Type: application/octet-stream")
        found = await account.send(Call("HEAD", "/php/pcap.php", (("id", "1"),)))
        assert dict(found.headers)["content-length"] == "100000"
        assert await found.read(10) == b""
        await found.close()
        assert {asked.method for asked in gui.asked[1:]} == {"GET"}
        assert len(gui.logins) == 2


async def test_wrong_password() -> None:
    """A refused login is an error that names no secret, and is not tried again before its pause is over."""
    now = 1000.0
    async with between(clock=lambda: now) as (account, gui, _):
        gui.password = "another"
        errors = await asyncio.gather(*(refused(account) for _ in range(5)))
        assert {error.reason for error in errors} == {Reason.UPSTREAM_LOGIN}
        assert len(gui.logins) == 1
        now += 1.9
        await refused(account)
        assert len(gui.logins) == 1
        assert "Invalid username or password." in str(account.state())
        assert "geheim" not in str(account.state())
        now += 0.2
        gui.password = "geheim & süß"
        assert await ask(account) == b"[]"
        assert len(gui.logins) == 2
        assert account.state() is None


async def test_failed_login_is_shared_by_those_who_waited() -> None:
    """When a login fails for another reason than a refusal, those who waited fail with it; the next one tries."""
    async with between() as (account, gui, _):
        gui.login = b"garbage"
        errors = await asyncio.gather(*(refused(account) for _ in range(5)))
        assert {error.reason for error in errors} == {Reason.UPSTREAM_MALFORMED}
        assert len(gui.logins) == 1
        gui.login = None
        assert await ask(account) == b"[]"


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"<!DOCTYPE html><title>VoIPmonitor</title>", "Content-Type: text/html"),
        reply(b""),
        reply(b"null"),
        reply(b"[]"),
        reply(opened(success=False)),
        reply(opened(success="true")),
        reply(opened(sid="a; path=/")),
        reply(opened(sid="a\r\nX: y" * 5)),
        reply(opened(sid=12345678)),
        reply(opened(sid="")),
        reply(opened(cookie="PHPSESSID=x; a")),
        reply(opened(cookie="")),
        reply(opened()[:-1]),
        reply(opened() + b"{}"),
        reply(opened(), status="500 Internal Server Error"),
        reply(b"", "Location: /demo/index.php", status="302 Found"),
    ],
)
async def test_odd_answer_to_the_login(answer: bytes) -> None:
    """Whatever does not plainly open a session is a failed login."""
    async with between() as (account, gui, _):
        gui.login = answer
        assert (await refused(account)).reason is Reason.UPSTREAM_LOGIN
        assert gui.asked == []


async def test_warning_before_the_login_answer() -> None:
    """PHP's warnings before the login's JSON do no harm."""
    async with between() as (account, gui, _):
        sid = "ahs2ubdhc0ukb262be60v900ko"
        gui.sessions.add(sid)
        gui.login = reply(b"<br />\n<b>Warning</b>:  something {odd}\n" + opened(sid))
        assert await ask(account) == b"[]"


async def test_upstream_down() -> None:
    """An upstream that is gone is unreachable, and the readiness text says so."""
    async with between() as (account, _, server):
        port = server.port
        assert await account.check() is None
    client = Client(Base("127.0.0.1", port, path="/demo"), LIMITS)
    account = Account(client, "authgw", "geheim & süß")
    assert (await refused(account)).reason is Reason.UPSTREAM_UNREACHABLE
    assert "upstream_unreachable" in str(await account.check())


async def test_check() -> None:
    """The check asks the GUI for its sensors, rarely, and tells what is wrong before anybody calls."""
    now = 1000.0
    async with between(clock=lambda: now) as (account, gui, _):
        assert await account.check() is None
        assert await account.check() is None
        assert [asked.form for asked in gui.asked] == [{"task": "LISTING", "module": "sensors"}]
        now += 6
        gui.sessions.clear()
        gui.password = "another"
        assert "upstream_login" in str(await account.check())


async def test_failed_call_frees_its_session() -> None:
    """A call that fails or is cancelled leaves its session to others."""
    async with between(pool_size=1, wait=1) as (account, gui, _):
        gui.answer = lambda asked: b"garbage"
        assert (await refused(account)).reason is Reason.UPSTREAM_MALFORMED
        gui.answer = lambda asked: reply(b"[]")
        gui.gate.clear()
        task = asyncio.ensure_future(ask(account))
        await until(lambda: gui.at_once.total() == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gui.gate.set()
        assert await ask(account) == b"[]"


async def test_given_up_session_comes_last() -> None:
    """A session whose call was given up may still be locked by PHP: another is opened while there may be more."""
    async with between(pool_size=2) as (account, gui, _):
        gui.answer = lambda asked: b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 100\r\n\r\nabc"
        found = await account.send(LIST)
        await found.close()
        gui.answer = lambda asked: reply(b"[]")
        await ask(account)
        await ask(account)
        first, second, third = (asked.headers["cookie"] for asked in gui.asked)
        assert first != second == third


async def test_anonymous() -> None:
    """Without an account nothing is added to a call, and a GUI that wants a login is a clear failure."""
    gui = Gui()
    async with serving(gui.talk) as server:
        account = Anonymous(Client(Base("127.0.0.1", server.port, path="/demo"), LIMITS))
        gui.refusal = reply(b"[]")
        assert await ask(account, msgspec.structs.replace(LIST, credentials=True)) == b"[]"
        assert "cookie" not in gui.asked[0].headers
        assert gui.asked[0].form == {"task": "LISTING", "module": "CDR"}
        gui.refusal = reply(NO_SESSION)
        assert (await refused(account)).reason is Reason.UPSTREAM_LOGIN
        assert "upstream_login" in str(account.state())
        await account.close()
