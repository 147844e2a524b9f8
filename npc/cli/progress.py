"""A progress bar for work longer than a second, on a terminal only."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from npc.compiler.frontend.documents import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

PATIENCE = 1.0
"""Seconds of work before the bar shows."""


@contextmanager
def progress_bar(*, quiet: bool) -> Iterator[Progress | None]:
    """What to tell of progress; None where nobody would see it. The bar is gone at the end."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    meter = _Meter()
    try:
        yield meter
    finally:
        meter.close()


class _Meter:
    """Starts rich's bar when the work has taken long enough to be worth its import."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def __call__(self, words: str, done: int, total: int) -> None:
        if self._bar is None or self._task is None:
            if time.monotonic() - self._started < PATIENCE:
                return
            self._bar = _rich_bar()
            self._task = self._bar.add_task(words, total=total)
            self._bar.start()
        self._bar.update(self._task, description=words, completed=done, total=total)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()


def _rich_bar() -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
