"""What workers are given to do in the tests; they import it from here."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

SECONDS = 0.3
"""How long a task takes at least: time enough to end the worker that is at it."""


def linger(folder: Path, node: str, artifacts: Mapping[str, str]) -> Mapping[str, str]:
    """The files as they are, after a while; who began and who ended stands in a folder."""
    (folder / f"{node} begun {os.getpid()}").touch()
    time.sleep(SECONDS)
    (folder / f"{node} ended {os.getpid()}").touch()
    return artifacts


def first_line(_node: str, artifacts: Mapping[str, str]) -> tuple[int, str]:
    """The process that is asked, and the first comment of its first file."""
    text = next(iter(artifacts.values()))
    return os.getpid(), text.splitlines()[1]


def give_up(_node: str, _artifacts: Mapping[str, str]) -> None:
    """End this process as the system does when memory is short."""
    os.kill(os.getpid(), 9)
