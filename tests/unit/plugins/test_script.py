"""The script login: `def custom_login(user, password)` in a file."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from authgw.contract import ConfigError, Credentials, Failed, Granted, Identity, NotMine, Rejected
from authgw.testing.login import check
from authgw_plugins.script import Script, ScriptConfig

pytestmark = pytest.mark.anyio
WHO = Credentials("alice", "secret")
GOOD = """
def custom_login(user, password):
    debug_log("custom_login", user, password)
    if (user, password) == ("alice", "secret"):
        return {"id": 101, "username": user, "name": "Alice", "can_cdr": True, "enable_sensors": [2, 3]}
    return None
"""


def script(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "custom_login.py"
    path.write_text(text)
    path.chmod(mode)
    return path


async def opened(folder: Path, text: str, **more: Any) -> Script:
    plugin = Script(ScriptConfig(script=script(folder, text), **more))
    await plugin.open()
    return plugin


async def answer(folder: Path, returned: str, **more: Any) -> Any:
    plugin = await opened(folder, f"def custom_login(user, password):\n    {returned}\n", **more)
    try:
        return await plugin.login(WHO)
    finally:
        await plugin.close()


async def test_the_promises_of_a_login(tmp_path: Path) -> None:
    """The shortest form of a plugin keeps every promise of the contract."""
    path = script(tmp_path, GOOD)
    await check(lambda: Script(ScriptConfig(script=path)), WHO, Credentials("alice", "wrong"))


async def test_the_shortest_form(tmp_path: Path) -> None:
    """What the function returns is the permission dictionary; id, name and username make the identity."""
    plugin = await opened(tmp_path, GOOD)
    found = await plugin.login(WHO)
    assert isinstance(found, Granted)
    assert found.identity == Identity("alice", 101, "Alice")
    assert found.rights[0].dictionary["enable_sensors"] == [2, 3]
    await plugin.close()


@pytest.mark.parametrize(
    ("returned", "outcome"),
    [
        ("return None", Rejected("rejected")),
        ("return False", Rejected("rejected")),
        ("pass", Rejected("rejected")),
        ('return {"error": "expired in the directory"}', Rejected("expired in the directory")),
        ("return True", Failed("custom_login returned a bool, not a dictionary of permissions")),
        ("return 0", Failed("custom_login returned a int, not a dictionary of permissions")),
        ('return ""', Failed("custom_login returned a str, not a dictionary of permissions")),
        ('return [("id", 1)]', Failed("custom_login returned a list, not a dictionary of permissions")),
        ("return {1: 2}", Failed("custom_login returned a dict, not a dictionary of permissions")),
        ("raise ValueError(password)", Failed("custom_login raised ValueError (line 2)")),
        ("raise StopIteration", Failed("custom_login raised RuntimeError (line 2)")),
        ("import sys; sys.exit(3)", Failed("custom_login raised RuntimeError (line 2)")),
    ],
)
async def test_what_else_it_may_answer(tmp_path: Path, returned: str, outcome: Any) -> None:
    """Nothing, False and an error are rejections; everything that is no dictionary, and every exception, a failure."""
    found = await answer(tmp_path, returned)
    if isinstance(found, Failed):
        found = Failed(found.reason.removeprefix(f"script {tmp_path / 'custom_login.py'}: "))
    assert found == outcome


@pytest.mark.parametrize(
    ("stated", "id"),
    [("101", 101), ('"101"', 101), ("0", 0), ("-1", 0), ("True", 0), ("1.5", 0), ('"x"', 0), ("None", 0)],
)
async def test_no_id_is_invented(tmp_path: Path, stated: str, id: int) -> None:
    """Only a positive number is an id; without one the identity has none, and that is no login."""
    found = await answer(tmp_path, f'return {{"id": {stated}, "can_cdr": 1}}')
    assert found.identity.id == id


async def test_a_coroutine_function(tmp_path: Path) -> None:
    """The function may be asynchronous."""
    plugin = await opened(tmp_path, 'async def custom_login(user, password):\n    return {"id": 7}\n')
    assert isinstance(await plugin.login(WHO), Granted)
    await plugin.close()


@pytest.mark.parametrize("prefix", ["", "async "])
async def test_a_function_that_never_returns(tmp_path: Path, prefix: str) -> None:
    """A function that hangs has failed after its time; with all threads stuck the next login is told busy."""
    wait = "import asyncio; await asyncio.sleep(60)" if prefix else "release.wait(60)"
    text = f"import threading\nrelease = threading.Event()\n{prefix}def custom_login(user, password):\n    {wait}\n"
    plugin = await opened(tmp_path, text, threads=1, waiting=0, timeout=0.05)
    found = await plugin.login(WHO)
    assert found == Failed(f"script {tmp_path / 'custom_login.py'}: custom_login gave no answer within 0.05 s")
    if not prefix:
        found = await plugin.login(WHO)
        assert isinstance(found, Failed)
        assert found.busy
        plugin._function.__globals__["release"].set()  # type: ignore[union-attr]
    await plugin.close()


async def test_the_log_never_shows_the_password(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """debug_log writes one escaped line to the gateway's log, with the password of the call left out."""
    plugin = await opened(tmp_path, GOOD)
    with caplog.at_level(logging.INFO):
        await plugin.login(Credentials("al\nice", "hunter2"))
    await plugin.close()
    assert "custom_login al\\nice ***" in caplog.text
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("def custom_login(user, password)\n    return None\n", "line 1", "expected"),
        ("x = 1\n", "", "defines no function custom_login"),
        ("custom_login = 7\n", "", "defines no function custom_login"),
        ("def custom_login(user):\n    return None\n", "custom_login", "(user, password)"),
        ("x = 1\nimport no_such_module_here\n", "line 2", "ModuleNotFoundError"),
        ("import sys\nsys.exit(1)\n", "line 2", "SystemExit"),
        ("x = '\x00'", "", "null bytes"),
    ],
)
async def test_mistakes_are_located(tmp_path: Path, text: str, where: str, said: str) -> None:
    """A script that cannot be used opens nothing; the problem names file and line."""
    with pytest.raises(ConfigError) as caught:
        await opened(tmp_path, text)
    (problem,) = caught.value.problems
    assert problem.source.endswith("custom_login.py")
    assert problem.where == where or not where
    assert said in problem.message


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
async def test_a_file_that_others_may_write(tmp_path: Path, mode: int) -> None:
    """A script that somebody else may change is not run."""
    with pytest.raises(ConfigError, match="chmod go-w"):
        await Script(ScriptConfig(script=script(tmp_path, "raise RuntimeError\n", mode))).open()


async def test_an_absent_file(tmp_path: Path) -> None:
    """A script that is not there is told with its path."""
    with pytest.raises(ConfigError, match="cannot be read"):
        await Script(ScriptConfig(script=tmp_path / "none.py")).open()


async def test_nobody_is_known_without_a_password(tmp_path: Path) -> None:
    """Whether a user is still who he was cannot be told without his password."""
    plugin = await opened(tmp_path, GOOD)
    assert await plugin.refresh(Identity("alice", 101)) == NotMine()
    await plugin.close()
