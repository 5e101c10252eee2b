"""PHP processes that wait for a login: started ahead, each asked one question at a time, replaced when spent.

A process has its own session, an environment of PATH alone and the script's folder as its working directory. What it
answers counts only inside a frame of a random word that it was told with the question.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import re
import secrets
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

DRIVER = Path(__file__).with_name("php_driver.php")
MAX_OUTPUT = 1024 * 1024
MAX_TOLD = 16 * 1024
_CHUNK = 65536
# How long the end of what was told is waited for, and a process that has been told to end.
_GRACE = 1.0


class Command(msgspec.Struct, frozen=True):
    """How a worker is started: the program with its options, and the script."""

    program: str
    options: tuple[str, ...]
    script: Path

    @property
    def line(self) -> list[str]:
        return [self.program, *self.options, str(DRIVER), str(self.script)]


class Said(msgspec.Struct, frozen=True):
    """What came of one question. `frame`: the answer. Without one `trouble` says why; `late`: its time ran out.

    `told`: what stood on standard error.
    """

    frame: Mapping[str, Any] | None
    trouble: str
    told: str
    late: bool = False


def environment() -> dict[str, str]:
    """All that a PHP process inherits."""
    return {"PATH": os.environ.get("PATH", os.defpath)}


class Worker:
    """One PHP process. `stamp` is the state of the script that it loads with its first question.

    `fine`: set by the asker after an answer that leaves nothing to fear.
    """

    def __init__(self, process: Process, stamp: str) -> None:
        self._process = process
        self.stamp = stamp
        self.asked = 0
        self.fine = False

    @classmethod
    async def start(cls, command: Command, stamp: str) -> Worker:
        """OSError: the program cannot be run."""
        process = await asyncio.create_subprocess_exec(
            *command.line, stdin=PIPE, stdout=PIPE, stderr=PIPE,
            env=environment(), cwd=command.script.parent, start_new_session=True,
        )  # fmt: skip
        return cls(process, stamp)

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def ask(self, question: Mapping[str, Any], seconds: float, hidden: Sequence[str] = ()) -> Said:
        """Ask, at most for `seconds`. After any trouble the process is dead. `hidden` never stands in what was told."""
        assert self._process.stdin is not None
        assert self._process.stderr is not None
        nonce = secrets.token_hex(16)
        asked = json.dumps({"nonce": nonce, "limit": math.ceil(seconds) + 1, **question})
        self.asked += 1
        frame, trouble, late = None, "", False
        told = asyncio.create_task(_told(self._process.stderr, f"\n{nonce}\n".encode()))
        try:
            try:
                async with asyncio.timeout(seconds):
                    # The answer is awaited even where the question could not be handed over: it may say why.
                    with contextlib.suppress(ConnectionError):
                        self._process.stdin.write(asked.encode() + b"\n")
                        await self._process.stdin.drain()
                    frame, trouble = await self._framed(nonce)
            except TimeoutError:
                trouble, late = f"gave no answer within {seconds:.3g} s", True
            if frame is None:
                self.kill()
            await asyncio.wait([told], timeout=_GRACE)
        finally:
            if not told.done():
                self.kill()
                told.cancel()
        text = told.result() if told.done() and not told.cancelled() else (b"", False)
        return Said(frame, trouble, redacted(*text, hidden), late)

    async def _framed(self, nonce: str) -> tuple[dict[str, Any] | None, str]:
        assert self._process.stdout is not None
        pattern = re.compile(rb"\n%b ([^\n]*) %b\n" % (nonce.encode(), nonce.encode()))
        output = bytearray()
        while (found := pattern.search(output)) is None:
            if len(output) > MAX_OUTPUT:
                return None, f"wrote more than {MAX_OUTPUT} bytes"
            chunk = await self._process.stdout.read(_CHUNK)
            if not chunk:
                return None, "ended without an answer"
            output += chunk
        try:
            frame = json.loads(found[1])
        except ValueError:
            return None, "gave an answer that is no JSON"
        return (frame, "") if isinstance(frame, dict) else (None, "gave an answer that is no object")

    def kill(self) -> None:
        """The process and whatever it has started in its session."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def end(self) -> None:
        """Let the process come to its end, so that PHP closes what the script has opened; kill it if it does not."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(_GRACE):
                await self._drained()
                await self._process.wait()
        except TimeoutError:
            pass
        finally:
            await self.gone()

    async def gone(self) -> None:
        """Wait until a killed process is no more, and let go of its pipes, whoever else may hold them."""
        self.kill()
        self._process._transport.close()  # type: ignore[attr-defined]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                await self._process.wait()

    async def _drained(self) -> None:
        """What is still written on the way out is read, so that nobody waits for a full pipe."""
        for stream in (self._process.stdout, self._process.stderr):
            while stream is not None and await stream.read(_CHUNK):
                continue


async def _told(stream: asyncio.StreamReader, end: bytes) -> tuple[bytes, bool]:
    """What stands before `end`, and whether it was cut: more than can be kept is read and forgotten."""
    kept, tail, cut = bytearray(), b"", False
    while chunk := await stream.read(_CHUNK):
        room = MAX_TOLD + len(end) - len(kept)
        cut = cut or len(chunk) > room
        kept += chunk[: max(0, room)]
        tail = tail[-len(end) :] + chunk
        if end in tail:
            break
    before = bytes(kept).split(end, 1)[0]
    return before, cut and len(before) == len(kept)


def redacted(told: bytes, cut: bool, hidden: Sequence[str]) -> str:
    """As text without what is hidden, however it was quoted; the end is left out where a piece of it may stand."""
    text = told.decode(errors="backslashreplace")
    forms = {form for secret in hidden for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "***")
    return text[: -max(map(len, forms))] if cut and forms else text


def _forms(secret: str) -> set[str]:
    """A secret as it is, and as PHP's json_encode, addslashes and var_export would show it."""
    if not secret:
        return set()
    quoted = secret.replace("\\", "\\\\").replace("'", "\\'")
    coded = json.dumps(secret)[1:-1]
    escaped = secret.encode(errors="surrogatepass").decode(errors="backslashreplace")
    return {secret, escaped, coded, coded.replace("/", "\\/"), quoted, quoted.replace('"', '\\"')}
