"""A Dask scheduler and workers of one thread each, on this machine's loopback alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.packaging.layout import ROOT

SECONDS = 60.0
"""After which a cluster that does not come up is a failed test."""


@dataclass(slots=True)
class Cluster:
    """The address of the scheduler, and the processes of its workers."""

    folder: Path
    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]]
    _stack: ExitStack

    def add_worker(self) -> None:
        """Start one more, and wait until it is registered."""
        log = self.folder / "dask_worker.log"
        options = ("--nthreads", "1", "--no-nanny", "--local-directory", str(self.folder))
        worker = _process(self.folder, "dask_worker", f"tcp://{self.address}", *options)
        self.workers.append(self._stack.enter_context(worker))
        end = time.monotonic() + SECONDS
        while log.read_text(encoding="utf-8").count("Registered to") < len(self.workers):
            assert time.monotonic() < end, f"no worker:\n{log.read_text(encoding='utf-8')}"
            time.sleep(0.05)


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    """A scheduler with some workers, whose processes have ended when it is left."""
    told = folder / "scheduler.json"
    options = ("--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(told))
    with ExitStack() as stack:
        scheduler = stack.enter_context(_process(folder, "dask_scheduler", *options))
        found = Cluster(folder, _address(told, scheduler), scheduler, [], stack)
        for _ in range(workers):
            found.add_worker()
        yield found


@contextmanager
def _process(folder: Path, module: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments, "--no-dashboard"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}  # the tasks of the tests are imported from there
    with (folder / f"{module}.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait(SECONDS)


def _address(told: Path, scheduler: subprocess.Popen[bytes]) -> str:
    """Where the scheduler listens, as soon as it says so."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and scheduler.poll() is None:
        if told.exists() and (text := told.read_text(encoding="utf-8")).endswith("}"):
            address: str = json.loads(text)["address"]
            return address.removeprefix("tcp://")
        time.sleep(0.05)
    raise AssertionError(f"no scheduler:\n{(told.parent / 'dask_scheduler.log').read_text()}")
