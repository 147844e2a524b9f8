"""Many cases: one after the other at first, in processes when that takes long."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from npc.compiler.frontend.documents import Progress
from npc.compiler.lint.levels import DEFAULTS, Levels
from npc.testing.cases import Case
from npc.testing.running import Outcome, examine

PATIENCE = 1.0
"""Seconds of work before processes are started, each of which takes a good part of one to begin."""


def examine_all(
    cases: Sequence[Case],
    jobs: int,
    progress: Progress | None = None,
    patience: float = PATIENCE,
    levels: Levels = DEFAULTS,
) -> Iterator[Outcome]:
    """The outcomes of cases, in their order, by at most `jobs` of them at a time."""
    started = time.monotonic()
    for done, case in enumerate(cases):
        rest = cases[done:]
        if jobs > 1 and len(rest) > 1 and time.monotonic() - started >= patience:
            yield from _in_processes(rest, jobs, progress, levels)
            return
        if progress is not None:
            progress("testing", done, len(cases))
        yield examine(case, levels)


def _in_processes(
    cases: Sequence[Case], jobs: int, progress: Progress | None, levels: Levels
) -> Iterator[Outcome]:
    # New interpreters, not forks: a progress bar has a thread, and a fork of a process with threads may hang.
    executor: Executor = ProcessPoolExecutor(min(jobs, len(cases)), mp_context=get_context("spawn"))
    try:
        chunk = max(1, min(16, len(cases) // (4 * jobs)))
        for done, outcome in enumerate(executor.map(partial(examine, levels=levels), cases, chunksize=chunk)):
            if progress is not None:
                progress("testing", done, len(cases))
            yield outcome
    finally:
        executor.shutdown(cancel_futures=True)
