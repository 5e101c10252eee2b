"""`authgw` with a sampler inside: a thousand times per second of CPU it notes where the program is.

    python -m bench.sampled OUT serve --config FILE

It begins at SIGUSR1, so that the start is not in it. At the end OUT is a JSON object: `own` counts the function that
runs, `part` the innermost file of authgw that is at work, `all` every sample. C code counts for the Python function
that called it or that it calls next; `Runner.run` is the event loop itself.
"""

from __future__ import annotations

import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

import msgspec

EVERY = 0.001
ROOT = str(Path(__file__).resolve().parents[1])
BELOW = ("main.py", "serve.py", "common.py")
"""Files of the command line that are below everything while the server runs."""
OUTSIDE = "server (uvicorn, uvloop)"

own: Counter[str] = Counter()
part: Counter[str] = Counter()


def note(_signal: int, frame: FrameType | None) -> None:
    if frame is None:
        return
    own[_name(frame)] += 1
    at: FrameType | None = frame
    while at is not None:
        if (room := room_of(at.f_code.co_filename)) is not None:
            part[room] += 1
            return
        at = at.f_back
    part[OUTSIDE] += 1


def room_of(filename: str) -> str | None:
    """The room of a file of authgw, for its top files the file itself; None for others' files and the command line."""
    if not filename.startswith(f"{ROOT}/authgw/"):
        return None
    words = filename[len(ROOT) + 8 :].split("/")
    room = words[0].removesuffix(".py")
    return None if room == "cli" and words[-1] in BELOW else room


def _name(frame: FrameType) -> str:
    code = frame.f_code
    where = code.co_filename.removeprefix(ROOT + "/").rpartition("site-packages/")[2]
    return f"{where}:{code.co_firstlineno} {code.co_qualname}"


def main(out: str, *arguments: str) -> None:
    from authgw.cli.main import main as authgw

    # uvicorn ends by sending itself the signal again that ended it; here that must not be the end of everything.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGPROF, note)
    signal.signal(signal.SIGUSR1, lambda *_: signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY))
    try:
        authgw(list(arguments), standalone_mode=False)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        total = sum(own.values())
        Path(out).write_bytes(
            msgspec.json.encode({"all": total, "own": own.most_common(60), "part": part.most_common()})
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
