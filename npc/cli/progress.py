"""A progress bar for work longer than a second, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Timer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from npc.compiler.frontend.documents import Progress

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
    """Starts rich's bar when the work has taken long enough to be worth its import.

    A timer starts it, not the work: one large file may keep the work busy for many seconds.
    """

    def __init__(self) -> None:
        self._told = ("starting", 0, 0)
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._lock = Lock()
        self._closed = False
        self._timer = Timer(PATIENCE, self._show)
        self._timer.daemon = True
        if PATIENCE > 0:
            self._timer.start()
        else:
            self._show()

    def __call__(self, words: str, done: int, total: int) -> None:
        with self._lock:
            self._told = words, done, total
            self._update()

    def close(self) -> None:
        self._timer.cancel()
        with self._lock:
            self._closed = True
            if self._bar is not None:
                self._bar.stop()

    def _show(self) -> None:
        bar = _rich_bar()
        with self._lock:
            if not self._closed:
                self._bar = bar
                self._task = bar.add_task("", total=None)
                self._update()
                bar.start()

    def _update(self) -> None:
        """Show what was told last; a step of one part only shows that it goes on."""
        if self._bar is not None and self._task is not None:
            words, done, total = self._told
            self._bar.update(
                self._task, description=words, completed=done, total=total if total > 1 else None
            )


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
