"""The processes of the php login: their limits, their lives, and what one login may leave to the next."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path

import pytest

from authgw.contract import Credentials, Failed, Granted, Rejected
from authgw_plugins.php_worker import DRIVER
from kit.custom_login import GRANT, WHO, answer, dictionary, opened, script
from kit.loopback import until
from kit.servers import need

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _php() -> None:
    need("php")


async def test_too_much_output(tmp_path: Path) -> None:
    """A script that writes past every bound is ended, and the next login is served."""
    body = f"if ($user === 'loud') while (true) fwrite(STDOUT, str_repeat('x', 65536)); {GRANT}"
    async with opened(tmp_path, body) as plugin:
        found = await plugin.login(Credentials("loud", "x"))
        assert isinstance(found, Failed)
        assert found.reason.endswith("custom_login.php: custom_login wrote more than 1048576 bytes")
        assert isinstance(await plugin.login(WHO), Granted)


@pytest.mark.parametrize("reuse", [1, 100])
@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ("while (true) {}", "gave no answer within 1 s"),
        ("sleep(600);", "gave no answer within 1 s"),
        ("$a = array(); while (true) $a[] = str_repeat('x', 100000);", "fatal error (line 3); the log has its text"),
        ("exit(1);", "called exit or die"),
        ("posix_kill(getmypid(), SIGSEGV);", "ended without an answer"),
    ],
)
async def test_one_bad_login_spoils_no_other(tmp_path: Path, trouble: str, said: str, reuse: int) -> None:
    """A login that hangs, eats memory or dies has failed; its process is replaced and the next logins are served."""
    body = f"if ($user === 'mallory') {{ {trouble} }} {GRANT}"
    async with opened(tmp_path, body, workers=1, seconds=1, memory="16M", reuse=reuse) as plugin:
        for _ in range(2):
            failed = await plugin.login(Credentials("mallory", "x"))
            assert isinstance(failed, Failed)
            assert said in failed.reason
            assert not failed.busy
            assert isinstance(await plugin.login(WHO), Granted)


async def test_children_of_a_login_that_hangs_end_with_it(tmp_path: Path) -> None:
    """When time is up, what the script has started ends too: a pipe that a child holds comes to its end."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        found = await answer(tmp_path, f"system('exec sleep 600 > {pipe}');", seconds=0.6)
        assert isinstance(found, Failed)
        async with asyncio.timeout(5):
            loop, ended = asyncio.get_running_loop(), asyncio.Event()
            loop.add_reader(reader, ended.set)
            await ended.wait()
            loop.remove_reader(reader)
        assert os.read(reader, 1) == b""
    finally:
        os.close(reader)


@pytest.mark.parametrize("reuse", [1, 1000])
async def test_a_hundred_at_once(tmp_path: Path, reuse: int) -> None:
    """A hundred logins over two processes each get their own answer."""
    body = "return $password === \"of $user\" ? array('id' => (int)substr($user, 1), 'username' => $user) : NULL;"
    async with opened(tmp_path, body, reuse=reuse) as plugin:
        asked = [Credentials(f"u{n}", f"of u{n}" if n % 5 else "wrong") for n in range(1, 101)]
        found = await asyncio.gather(*map(plugin.login, asked))
    for n, outcome in enumerate(found, 1):
        assert (outcome.identity.id if isinstance(outcome, Granted) else outcome) == (
            n if n % 5 else Rejected("rejected")
        )


async def test_too_many_at_once(tmp_path: Path) -> None:
    """Who finds the line full is told that it is busy, which is neither a wrong password nor a broken script."""
    async with opened(tmp_path, GRANT, workers=1, waiting=1) as plugin:
        found = await asyncio.gather(*(plugin.login(WHO) for _ in range(4)))
    assert [isinstance(each, Granted) for each in found] == [True, True, False, False]
    assert all(isinstance(each, Failed) and each.busy for each in found[2:])


async def test_its_own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script sees PATH of the gateway's environment and nothing else, and runs in its own folder."""
    monkeypatch.setenv("AUTHGW_UPSTREAM__PASSWORD", "service-secret")
    found = dictionary(await answer(tmp_path, "return array('id' => 1, 'env' => getenv(), 'name' => getcwd());"))
    assert found["env"] == {"PATH": os.environ["PATH"]}
    assert found["name"] == str(tmp_path)


@pytest.mark.parametrize("reuse", [1, 10])
async def test_files_beside_it(tmp_path: Path, reuse: int) -> None:
    """A script may require files of its own folder, at its top and in the function, and use its global variables."""
    (tmp_path / "config.php").write_text("<?php\n$ids = array('alice' => 101);\n")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "find.php").write_text("<?php\nfunction find_id($user) { global $ids; return $ids[$user]; }\n")
    text = """<?php
    require 'config.php';
    function custom_login($user, $password) {
        require_once './lib/find.php';
        require_once __DIR__ . '/lib/find.php';
        return array('id' => find_id($user));
    }"""
    async with opened(tmp_path, text, reuse=reuse) as plugin:
        for _ in range(3):
            assert dictionary(await plugin.login(WHO))["id"] == 101


async def test_nothing_is_left_from_the_login_before(tmp_path: Path) -> None:
    """Unless processes are reused, every login finds the script as if it were the first."""
    text = "<?php\n$last = '';\nfunction custom_login($user, $p) { global $last; static $n = 0; $n++;\n"
    text += "function inner() {} $was = $last; $last = $user; return array('id' => $n, 'name' => $was); }"
    async with opened(tmp_path, text, workers=1) as plugin:
        for user in ("alice", "bob"):
            assert dictionary(await plugin.login(Credentials(user, "x"))) == {"id": 1, "name": ""}


async def test_processes_serve_as_often_as_they_may(tmp_path: Path) -> None:
    """With `reuse` a process serves that many logins, and then another does."""
    async with opened(tmp_path, "return array('id' => getmypid());", workers=1, reuse=3) as plugin:
        ids = [dictionary(await plugin.login(WHO))["id"] for _ in range(7)]
    assert [ids.index(each) for each in ids] == [0, 0, 0, 3, 3, 3, 6]


@pytest.mark.parametrize("reuse", [1, 1000])
async def test_a_script_that_is_edited(tmp_path: Path, reuse: int) -> None:
    """The next login is judged by the script as it is now, and earlier answers are known to be old."""
    async with opened(tmp_path, "return array('id' => 1);", reuse=reuse) as plugin:
        assert dictionary(await plugin.login(WHO))["id"] == 1
        before = plugin.version()
        script(tmp_path, "return array('id' => 22);")
        assert plugin.version() != before
        assert dictionary(await plugin.login(WHO))["id"] == 22
        script(tmp_path, "return array(")
        failed = await plugin.login(WHO)
        assert isinstance(failed, Failed)
        assert "ParseError (line" in failed.reason
        script(tmp_path, "return array('id' => 1);").chmod(0o622)
        failed = await plugin.login(WHO)
        assert isinstance(failed, Failed)
        assert "chmod go-w" in failed.reason
        (tmp_path / "custom_login.php").unlink()
        assert isinstance(await plugin.login(WHO), Failed)
        assert plugin.version() == "gone"


async def test_settings_of_php(tmp_path: Path) -> None:
    """`memory` and `ini` are what PHP runs with; where errors go is not for `ini` to change."""
    names = "array('memory_limit', 'precision', 'display_errors')"
    body = f"return array('id' => 1, 'name' => join(' ', array_map('ini_get', {names})));"
    found = await answer(tmp_path, body, memory="48M", ini=("precision=5", "display_errors=1"))
    assert dictionary(found)["name"] == "48M 5 stderr"


def test_a_process_that_nobody_asks_any_more(tmp_path: Path) -> None:
    """A script that computes without end comes to it even where nobody is left to end it."""
    question = {"nonce": "word", "limit": 1, "call": True, "user": "alice", "password": "x"}
    command = [need("php"), str(DRIVER), str(script(tmp_path, "while (true) {}"))]
    done = subprocess.run(command, input=json.dumps(question), capture_output=True, text=True, timeout=30)
    assert json.loads(done.stdout.removeprefix("\nword ").removesuffix(" word\n"))["state"] == "fatal"


async def test_after_closing(tmp_path: Path) -> None:
    """Closing ends every process, at work or not, and a login that is under way has failed."""
    async with opened(tmp_path, "touch('here-' . getmypid()); sleep(600);") as plugin:
        under_way = [asyncio.create_task(plugin.login(WHO)) for _ in range(3)]
        await until(lambda: len(list(tmp_path.glob("here-*"))) == 2)
        await plugin.close()
        assert all(isinstance(each, Failed) for each in await asyncio.gather(*under_way))
        assert isinstance(await plugin.login(WHO), Failed)
