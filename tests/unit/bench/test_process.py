"""What processes cost, read from Linux: against Python's own clocks."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

from bench.process import cpu_ns, memory_mb, tree


def spin(seconds: float) -> None:
    ends = time.thread_time() + seconds
    while time.thread_time() < ends:
        pass


def test_cpu_is_that_of_the_process() -> None:
    """The clock read for a process from outside is the one that it reads itself."""
    before, own = cpu_ns([os.getpid()]), time.process_time_ns()
    spin(0.05)
    used, own = cpu_ns([os.getpid()]) - before, time.process_time_ns() - own
    assert 0.8 * own <= used <= 1.2 * own


def test_threads_that_have_ended_count() -> None:
    """A hash that was made in a thread of its own is paid for by the process."""
    before = cpu_ns([os.getpid()])
    thread = threading.Thread(target=spin, args=(0.05,))
    thread.start()
    thread.join()
    assert cpu_ns([os.getpid()]) - before >= 50_000_000


def test_children_are_part_of_the_tree() -> None:
    """Workers count for the server that started them, and one that has ended counts no more."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert child.pid in tree([os.getpid()])
    finally:
        child.communicate(b"\n")
    assert child.pid not in tree([os.getpid()])


def test_shared_memory_is_not_more_than_resident() -> None:
    """The share of pages is at most the pages, and a process has some."""
    pss, rss = memory_mb([os.getpid()])
    assert 0 < pss <= rss


def test_a_process_that_is_gone_costs_nothing() -> None:
    """Measuring what has ended is no error."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert (cpu_ns([child.pid]), memory_mb([child.pid])) == (0, (0.0, 0.0))
