"""A parent that is told to end leaves nobody behind, whenever it is told."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, sys
from authgw.cli import workers

def end(): os.kill(os.getpid(), signal.SIGTERM)

def interrupted_fork(fork=os.fork):
    pid = fork()
    if pid: end()
    return pid

def work(ready, parent):
    ready()
    if sys.argv[1] == "fork": signal.pause()
    os._exit(3)

if sys.argv[1] == "fork": os.fork = interrupted_fork
else: workers.time.sleep = lambda seconds: end()
sys.exit(workers.Workers(1, work, lambda: None).run())
"""


@pytest.mark.parametrize("when", ["fork", "pause"])
def test_the_end_reaches_every_worker(when: str) -> None:
    """Told between starting a worker and knowing it, or in the pause before one is started anew: all have ended, and no
    other one is started."""
    ran = subprocess.run([sys.executable, "-c", PROGRAM, when], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr


FAILING = """
import sys
from authgw.cli.workers import Workers

def work(ready, parent): raise RuntimeError("the disk is on fire")

sys.exit(Workers(2, work, lambda: None).run())
"""


def test_a_worker_that_fails_says_why() -> None:
    """An exception that nobody foresaw is told on standard error, as it is without workers."""
    ran = subprocess.run([sys.executable, "-c", FAILING], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert ran.stderr.endswith("RuntimeError: the disk is on fire\n")
