"""The `script` login: the contract's shortest form, one Python function in a file of the operator's.

    def custom_login(user, password):
        debug_log("asked for", user)
        if not directory_says_yes(user, password):
            return None
        return {"id": 101, "username": user, "can_cdr": True, "enable_sensors": [2, 3]}

None, False or {"error": "…"} is a rejection; anything else that is no dictionary is a failure of the script. It may
be `async def`. Otherwise it runs in one of a few threads, `timeout` seconds at most.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import stat
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any, ClassVar

from pydantic import Field

from authgw import contract
from authgw.contract import (
    ConfigError,
    Credentials,
    Failed,
    Granted,
    Identity,
    NotMine,
    Outcome,
    Problem,
    Rejected,
    Right,
)
from authgw_plugins.workers import Busy, Workers

MAX_BYTES = 1024 * 1024
MAX_LINE = 1000
FUNCTION = "custom_login"
log = logging.getLogger("authgw.login.script")


class ScriptConfig(contract.Config):
    """`script`: the file. `threads` calls at the same time, `waiting` more in line; `timeout` in seconds."""

    script: Path
    threads: int = Field(default=4, ge=1, le=64)
    waiting: int = Field(default=64, ge=0, le=10_000)
    timeout: float = Field(default=8.0, gt=0, le=9.0)


class Script:
    """Runs the file once at `open` and its function at every login."""

    Config: ClassVar[type[contract.Config]] = ScriptConfig

    def __init__(self, config: ScriptConfig) -> None:
        self._path = config.script
        self._timeout = config.timeout
        self._workers = Workers("authgw-script", config.threads, config.waiting)
        self._secret = threading.local()
        self._function: Callable[[str, str], Any] | None = None

    async def open(self) -> None:
        code = _compiled(self._path)
        try:
            self._function = await asyncio.wait_for(self._workers.run(lambda: self._load(code)), self._timeout)
        except TimeoutError as error:
            message = f"did not come to its end within {self._timeout:g} s"
            raise ConfigError([Problem(str(self._path), "", message)]) from error

    async def close(self) -> None:
        self._workers.close()

    async def login(self, credentials: Credentials) -> Outcome:
        function = self._function
        if function is None:
            return Failed(f"script {self._path} is not loaded")
        user, password = credentials.user, credentials.password
        try:
            async with asyncio.timeout(self._timeout):
                if inspect.iscoroutinefunction(function):
                    answer = await function(user, password)
                else:
                    answer = await self._workers.run(lambda: self._call(function, user, password))
        except TimeoutError:
            return Failed(f"script {self._path}: {FUNCTION} gave no answer within {self._timeout:g} s")
        except Busy as error:
            return Failed(str(error), busy=True)
        except Exception as error:
            return Failed(f"script {self._path}: {FUNCTION} raised {type(error).__name__}{_line(error, self._path)}")
        outcome = _outcome(user, answer)
        return Failed(f"script {self._path}: {outcome.reason}") if isinstance(outcome, Failed) else outcome

    async def refresh(self, identity: Identity) -> Outcome:
        """A function of user and password cannot be asked without the password."""
        return NotMine()

    def _load(self, code: CodeType) -> Callable[[str, str], Any]:
        name = f"authgw_login_{self._path.stem}"
        namespace: dict[str, Any] = {"__name__": name, "__file__": str(self._path), "debug_log": self._debug_log}
        try:
            exec(code, namespace)  # noqa: S102 - running the operator's own file is what this plugin is for
        except BaseException as error:
            message = f"raised {type(error).__name__} while it was loaded: {error}"
            raise ConfigError([Problem(str(self._path), _line(error, self._path).strip(" ()"), message)]) from None
        function = namespace.get(FUNCTION)
        if not callable(function):
            raise ConfigError([Problem(str(self._path), "", f"defines no function {FUNCTION}(user, password)")])
        try:
            inspect.signature(function).bind("user", "password")
        except TypeError:
            message = "must take exactly (user, password)"
            raise ConfigError([Problem(str(self._path), FUNCTION, message)]) from None
        found: Callable[[str, str], Any] = function
        return found

    def _call(self, function: Callable[[str, str], Any], user: str, password: str) -> Any:
        self._secret.password = password
        try:
            return function(user, password)
        finally:
            self._secret.password = None

    def _debug_log(self, *values: object) -> None:
        """What the script wants to tell goes to the log: one line, escaped, the password of the call left out."""
        text = " ".join(str(value) for value in values)
        password = getattr(self._secret, "password", None)
        if password:
            text = text.replace(password, "***")
        log.info("%s: %s", self._path.name, text[:MAX_LINE].encode("unicode_escape", "backslashreplace").decode())


def _compiled(path: Path) -> CodeType:
    """The file's code. ConfigError: unreadable, open to others for writing, or no Python."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            source = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError([Problem(str(path), "", f"cannot be read: {error.strerror}")]) from error
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ConfigError([Problem(str(path), "", f"others can write it; run: chmod go-w {path}")])
    if len(source) > MAX_BYTES:
        raise ConfigError([Problem(str(path), "", f"is larger than {MAX_BYTES} bytes")])
    try:
        return compile(source, str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        raise ConfigError([Problem(str(path), f"line {error.lineno}", str(error.msg))]) from error
    except ValueError as error:
        raise ConfigError([Problem(str(path), "", str(error))]) from error


def _line(error: BaseException, path: Path) -> str:
    """` (line 7)`: where in the script it happened, as far as the script had a part in it."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f" (line {lines[-1]})" if lines else ""


def _outcome(user: str, answer: object) -> Outcome:
    if answer is None or answer is False:
        return Rejected("rejected")
    if not isinstance(answer, dict) or not all(isinstance(key, str) for key in answer):
        return Failed(f"{FUNCTION} returned a {type(answer).__name__}, not a dictionary of permissions")
    if answer.get("error"):
        return Rejected(str(answer["error"])[:MAX_LINE])
    name, stated = answer.get("name"), answer.get("username")
    return Granted(
        Identity(
            user=stated if isinstance(stated, str) and stated.strip() else user,
            id=_id(answer.get("id")),
            name=name if isinstance(name, str) else "",
        ),
        (Right(dict(answer)),),
    )


def _id(stated: object) -> int:
    """The dictionary's id; 0 where it has none, which is no login."""
    if isinstance(stated, str) and stated.isascii() and stated.isdigit() and len(stated) < 20:
        return int(stated)
    return stated if type(stated) is int and stated > 0 else 0
