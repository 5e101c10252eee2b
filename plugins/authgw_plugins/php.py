"""The `php` login: an operator's own custom_login.php, as it is, run by the php command.

    [login.old]
    plugin = "php"
    script = "/var/www/html/scripts/custom_login.php"

`custom_login($user, $password)` returns the permission array. NULL, false and array('error' => …) are a rejection;
anything else, an exception, exit and a fatal error are a failure of this login. The script cannot say that it does
not know a user, so that in a chain it stands last or has `sufficient = false`.

Each login gets a PHP process of its own, as it does in the GUI; they are started ahead, so that nobody waits for it.
`reuse` lets a process serve several logins, for scripts that leave nothing behind. A script that has changed is used
as it is now from the next login on; files that it requires count as changed with `reuse = 1` only.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from authgw import contract
from authgw.contract import ConfigError, Credentials, Failed, Identity, NotMine, Outcome, Problem, Rejected
from authgw_plugins import answers
from authgw_plugins.php_pool import Full, Pool
from authgw_plugins.php_worker import Command, Said, Worker, environment

MAX_LINE = 1000
MAX_LINES = 50
# What a login may take in all, its time in the line included: the chain gives up soon after.
TOTAL_SECONDS = 9.5
FUNCTION = "custom_login"
_SYNTAX = re.compile(r"(?:Parse|Fatal) error:\s*(.+) in .+ on line (\d+)")
log = logging.getLogger("authgw.login.php")


class PhpConfig(contract.Config):
    """`script`: the file; `php`: the command. `workers` at the same time, `waiting` logins more in line.

    `seconds` for each login; `memory` as PHP's memory_limit; `ini`: further settings, `name=value`; `reuse`: logins
    that one process serves.
    """

    script: Path
    php: str = Field(default="php", min_length=1)
    workers: int = Field(default=2, ge=1, le=64)
    waiting: int = Field(default=128, ge=0, le=10_000)
    seconds: float = Field(default=8.0, gt=0, le=9.0)
    memory: str = Field(default="128M", pattern=r"^[1-9][0-9]{0,9}[KMG]?$")
    ini: tuple[str, ...] = ()
    reuse: int = Field(default=1, ge=1, le=100_000)


class Php:
    """Asks the script at every login."""

    Config: ClassVar[type[contract.Config]] = PhpConfig

    def __init__(self, config: PhpConfig) -> None:
        self._config = config
        self._path = Path(os.path.abspath(config.script))
        self._pool: Pool | None = None

    async def open(self) -> None:
        stamp = _checked(self._path)
        command = Command(self._program(), self._options(), self._path)
        await asyncio.to_thread(_lint, command, self._config.seconds)
        pool = Pool(command, self._config.workers, self._config.waiting, self._config.reuse)
        try:
            await self._probe(await Worker.start(command, stamp))
            await pool.fill(stamp)
        except OSError as error:
            await pool.close()
            raise ConfigError([Problem("php", command.program, f"cannot be run: {error.strerror}")]) from error
        self._pool = pool

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    async def login(self, credentials: Credentials) -> Outcome:
        pool = self._pool
        if pool is None:
            return Failed(f"script {self._path} is not loaded")
        try:
            stamp = _checked(self._path)
        except ConfigError as error:
            return Failed(f"script {error.problems[0]}")
        question = {"call": True, "user": credentials.user, "password": credentials.password}
        hidden = [credentials.password]
        began = asyncio.get_running_loop().time()
        try:
            async with pool.worker(stamp, TOTAL_SECONDS) as worker:
                left = TOTAL_SECONDS - (asyncio.get_running_loop().time() - began)
                said = await worker.ask(question, min(self._config.seconds, left), hidden)
                worker.fine = said.frame is not None and said.frame.get("state") == "answer"
        except Full as error:
            return Failed(f"workers: {error}", busy=True)
        except OSError as error:
            return Failed(f"php: {self._config.php} cannot be run: {error.strerror}")
        self._log(said)
        if said.late and left < self._config.seconds:
            return Failed(f"workers: {said.trouble} that were left after the line", busy=True)
        return self._outcome(credentials, said)

    async def refresh(self, identity: Identity) -> Outcome:
        """A function of user and password cannot be asked without the password."""
        return NotMine()

    def version(self) -> str:
        try:
            return _stamp(self._path.stat())
        except OSError:
            return "gone"

    def _program(self) -> str:
        found = shutil.which(self._config.php, path=environment()["PATH"])
        if found is None:
            message = "is not there to be run; install php-cli or name the command"
            raise ConfigError([Problem("php", self._config.php, message)])
        return os.path.abspath(found)

    def _options(self) -> tuple[str, ...]:
        """Ours come last, so that they hold: errors belong to standard error, without what functions were given."""
        ours = (
            "display_errors=stderr", "log_errors=0", "html_errors=0", "zend.exception_ignore_args=1",
            "output_buffering=0", f"memory_limit={self._config.memory}",
        )  # fmt: skip
        return tuple(part for each in (*self._config.ini, *ours) for part in ("-d", each))

    async def _probe(self, worker: Worker) -> None:
        """Loads the script once, to see that it can be. ConfigError: it cannot."""
        try:
            said = await worker.ask({"call": False}, self._config.seconds)
        finally:
            await worker.gone()
        self._log(said)
        frame: Mapping[str, Any] = said.frame or {}
        state = frame.get("state")
        if state == "ready":
            return
        message = {
            "absent": f"defines no function {FUNCTION}($user, $password)",
            "parameters": f"{FUNCTION} must take exactly ($user, $password)",
            "exit": "calls exit while it is loaded",
            "thrown": f"throws {frame.get('class')} while it is loaded",
            "fatal": "has a fatal error while it is loaded",
        }.get(str(state), said.trouble or "cannot be loaded")
        detail = next((line for line in said.told.splitlines() if line.startswith("PHP ")), "")
        line = _line(frame, self._path)
        text = f"{message}: {_shown(detail)}" if detail else message
        raise ConfigError([Problem(str(self._path), line.strip(" ()"), text)])

    def _outcome(self, credentials: Credentials, said: Said) -> Outcome:
        frame = said.frame
        if frame is None:
            return self._failed(said.trouble)
        match frame.get("state"), frame.get("type"):
            case "answer", "null" | "false":
                return Rejected("rejected")
            case "answer", "array":
                return self._dictionary(credentials, frame.get("value"))
            case "answer", kind:
                return self._failed(f"returned {kind}, not an array of permissions")
            case "unusable", _:
                return self._failed(f"returned an array that cannot be used: {frame.get('why')}")
            case "thrown", _:
                return self._failed(f"threw {_shown(str(frame.get('class')))}{_line(frame, self._path)}")
            case "fatal", _:
                return self._failed(f"ended with a fatal error{_line(frame, self._path)}; the log has its text")
            case "exit", _:
                return self._failed("called exit or die, which is no answer")
        return Failed(f"script {self._path} defines no function {FUNCTION} any more")

    def _failed(self, what: str) -> Failed:
        return Failed(f"script {self._path}: {FUNCTION} {what}")

    def _dictionary(self, credentials: Credentials, value: object) -> Outcome:
        if value == []:
            value = {}
        if not isinstance(value, dict) or any(_is_index(key) for key in value):
            return self._failed("returned a list, not an array of permissions by their names")
        return answers.outcome(credentials, {key: _plain(each) for key, each in value.items()})

    def _log(self, said: Said) -> None:
        """What was told about a question; after a failure it is what somebody must look at."""
        fine = said.frame is not None and said.frame.get("state") in ("answer", "ready")
        level = logging.INFO if fine else logging.WARNING
        lines = [line for line in said.told.splitlines() if line.strip()]
        for line in lines[:MAX_LINES]:
            log.log(level, "%s: %s", self._path.name, _shown(line))
        if len(lines) > MAX_LINES:
            log.log(level, "%s: … and %d lines more", self._path.name, len(lines) - MAX_LINES)


def _checked(path: Path) -> str:
    """The file's stamp. ConfigError: not there, or others may write it."""
    try:
        state, folder = path.stat(), path.parent.stat()
        with path.open("rb"):
            pass
    except OSError as error:
        raise ConfigError([Problem(str(path), "", f"cannot be read: {error.strerror}")]) from error
    if not stat.S_ISREG(state.st_mode):
        raise ConfigError([Problem(str(path), "", "is no file")])
    if state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ConfigError([Problem(str(path), "", f"others can write it; run: chmod go-w {path}")])
    if folder.st_mode & stat.S_IWOTH and not folder.st_mode & stat.S_ISVTX:
        message = f"everybody can write its folder; run: chmod o-w {path.parent}"
        raise ConfigError([Problem(str(path), "", message)])
    return _stamp(state)


def _stamp(state: os.stat_result) -> str:
    return f"{state.st_ino}.{state.st_size}.{state.st_mtime_ns}.{state.st_ctime_ns}"


def _lint(command: Command, seconds: float) -> None:
    """ConfigError: the file is no PHP, with the line where; or the command is not PHP's."""
    call = [command.program, *command.options, "-l", str(command.script)]
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own command on his own file
            call, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, env=environment(), check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError([Problem("php", command.program, f"cannot be run: {type(error).__name__}")]) from error
    if done.returncode == 0:
        return
    text = (done.stderr + done.stdout).decode(errors="backslashreplace")
    found = _SYNTAX.search(text)
    first = next((line for line in text.splitlines() if line.strip()), f"php -l ended with {done.returncode}")
    place, message = (f"line {found[2]}", found[1]) if found else ("", first)
    raise ConfigError([Problem(str(command.script), place, _shown(message))])


def _line(frame: Mapping[str, Any], path: Path) -> str:
    """` (line 7)`, with the file's name where it is another one."""
    file, line = frame.get("file"), frame.get("line")
    if not isinstance(file, str) or not isinstance(line, int):
        return ""
    return f" (line {line})" if Path(file).name == path.name else f" ({_shown(Path(file).name)} line {line})"


def _is_index(key: str) -> bool:
    return key.isascii() and key.removeprefix("-").isdigit()


def _plain(value: Any) -> Any:
    """PHP keeps the numbers of a list of which some were taken out: it is a list all the same."""
    if isinstance(value, dict):
        plain = {key: _plain(each) for key, each in value.items()}
        return list(plain.values()) if all(map(_is_index, plain)) else plain
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _shown(text: str) -> str:
    """One line of the log, nothing in it unprintable."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text[:MAX_LINE])
