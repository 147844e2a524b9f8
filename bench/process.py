"""Run a program to its end and report what it cost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


class RunFailedError(Exception):
    """The program ended with a status other than 0; the message holds its last words."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one run of a program took: seconds of wall clock and of CPU, and its peak resident bytes."""

    wall: float
    cpu: float
    peak_bytes: int
    stdout: str


def run_python(*arguments: str | Path) -> Usage:
    """Run this interpreter with the arguments, from the project's root, and wait for its end.

    The peak is the kernel's `ru_maxrss` of that process alone. It is never below the caller's own
    resident size, which a forked child starts with: measure nothing from a process that holds a cluster.
    """
    argv = [sys.executable, *map(str, arguments)]
    start = time.perf_counter()
    process = subprocess.Popen(argv, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    with process.stdout:
        output = process.stdout.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    # Popen must not wait for a process that is already reaped.
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RunFailedError(f"{' '.join(argv)} ended with {process.returncode}:\n{output[-2000:]}")
    return Usage(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, output)
