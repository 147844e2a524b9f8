"""Who does the work: this process, others on this machine, or a Dask cluster. Each is an executor.

`Workers` is called with the large thing that every task needs, and gives a `Team`: an executor
(`concurrent.futures.Executor`), and what stands for that thing in a task's arguments. It travels to each
worker once at most, not with every task.
"""

from __future__ import annotations

import os
import pickle
import signal
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar
from warnings import catch_warnings, simplefilter

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError

T = TypeVar("T")

PATIENCE = 10.0
"""Seconds to wait for a Dask scheduler to answer, and for the first of its workers."""
_AHEAD = 2
"""Tasks that wait for each worker, beside the one that it works on."""


def _still_there() -> None:
    """Nobody can be lost."""


@dataclass(frozen=True, slots=True)
class Team:
    """An executor, as far as its user must know it."""

    executor: Executor
    share: Any
    """What stands for the thing that all tasks need."""
    size: int
    """How many tasks it does at a time."""
    ahead: int
    """How many tasks to give it before the first result is fetched."""
    check: Callable[[], None] = _still_there
    """InputError when there is nobody left to do the work."""


Workers: TypeAlias = Callable[[Any], AbstractContextManager[Team]]


@contextmanager
def in_process(thing: Any) -> Iterator[Team]:
    """Everything is done here, each task when its result is wanted."""
    yield Team(_Here(), thing, size=1, ahead=0)


def processes(jobs: int) -> Workers:
    """Processes of this machine; where the system can fork they share the thing without a copy."""

    @contextmanager
    def workers(thing: Any) -> Iterator[Team]:
        forks = "fork" in get_all_start_methods()
        with _shared(thing, travels=not forks) as share:
            executor = ProcessPoolExecutor(
                jobs, get_context("fork" if forks else "spawn"), initializer=_ignore_interrupts
            )
            try:
                # All processes start now, before this one has threads that a fork would cut off.
                executor.submit(os.getpid).result()
                yield Team(executor, share, jobs, jobs * (1 + _AHEAD))
            except BrokenProcessPool:
                raise _fault(
                    "a worker process was ended from outside",
                    "the system does so when memory is short: use fewer --jobs",
                ) from None
            finally:
                executor.shutdown(cancel_futures=True)

    return workers


def lent(executor: Executor, size: int) -> Workers:
    """An executor of the caller's, whose workers see this machine's files; it does `size` tasks at a time."""

    @contextmanager
    def workers(thing: Any) -> Iterator[Team]:
        with _shared(thing, travels=True) as share:
            yield Team(executor, share, size, size * (1 + _AHEAD))

    return workers


def dask(address: str) -> Workers:
    """The workers of a Dask scheduler at `host:port`; the tasks of one that is lost are done by others.

    They need the same version of npc. InputError where there is no scheduler, or nobody works for it.
    """

    @contextmanager
    def workers(thing: Any) -> Iterator[Team]:
        client = _connected(address)
        try:
            size = _threads(client)
            _check_versions(client)
            share = _sent(client, thing)
            executor = client.get_executor(pure=False)
            yield Team(executor, share, size, size * (1 + _AHEAD), lambda: _check_alive(client, address))
        except CancelledError:
            raise _lost(address) from None
        except Exception as error:
            if _is_from_dask(error):
                raise _lost(address, f"{type(error).__name__}: {error}") from None
            raise
        finally:
            client.close(timeout=PATIENCE)

    return workers


class _Here(Executor):
    """Does a task when it is submitted."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


_shares: dict[str, Any] = {}
"""What this process has been given, by name: an executor has no other place for what its tasks share."""


@dataclass(frozen=True, slots=True)
class Shared(Generic[T]):
    """A thing that travels by its name: each process reads it once, those forked from its owner never."""

    name: str
    """A file that holds it, where it has to be read."""

    def get(self) -> T:
        """The thing itself."""
        if self.name not in _shares:
            _shares[self.name] = pickle.loads(Path(self.name).read_bytes())
        found: T = _shares[self.name]
        return found


@contextmanager
def _shared(thing: T, *, travels: bool) -> Iterator[Shared[T]]:
    """A name for a thing, in this process and its future children, or in each that can read a file."""
    with tempfile.TemporaryDirectory(prefix="npc-") as folder:
        share: Shared[T] = Shared(str(Path(folder) / "share"))
        if travels:
            Path(share.name).write_bytes(pickle.dumps(thing, pickle.HIGHEST_PROTOCOL))
        _shares[share.name] = thing
        try:
            yield share
        finally:
            del _shares[share.name]


def _ignore_interrupts() -> None:
    """An interrupt from the keyboard reaches every process; the one that reads results ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _connected(address: str) -> Any:
    """A client of the scheduler; the package has no annotations for it."""
    try:
        import distributed
    except ImportError:
        raise _fault(
            "dask:// needs the package distributed, which is not installed",
            "pip install 'npc-compiler[dask]'",
        ) from None
    try:
        client: Any = distributed.Client
        return client(f"tcp://{address}", timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:  # asyncio's and Dask's own timeouts are OSErrors
        raise _fault(f"no Dask scheduler answers at {address}", f"{type(error).__name__}: {error}") from None


def _sent(client: Any, thing: Any) -> Any:
    """A thing in a worker's memory, from where the others fetch it.

    It is the result of a task, which is done again where need be: scattered data may be lost with a worker.
    """
    data = pickle.dumps(thing, pickle.HIGHEST_PROTOCOL)
    with catch_warnings():
        simplefilter("ignore", UserWarning)  # that the graph is large: it is sent once
        return client.submit(pickle.loads, data, pure=False)


def _threads(client: Any) -> int:
    """How many tasks the workers do at a time; there is one at least."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        raise _fault(
            f"the Dask scheduler has had no worker for {PATIENCE:.0f} seconds",
            "start some with `dask worker`",
        ) from None
    return sum(client.nthreads().values())


def _check_versions(client: Any) -> None:
    """Another version of npc may make other rules of the same policies."""
    own = own_version()
    for worker, found in sorted(client.run(version, "npc-compiler", on_error="return").items()):
        if found != own:
            theirs = f"npc {found}" if isinstance(found, str) else "no npc that can be used"
            raise _fault(f"the Dask worker {worker} has {theirs}", f"all workers need npc {own}, as here")


def own_version() -> str:
    """The version of this npc."""
    return version("npc-compiler")


def _check_alive(client: Any, address: str) -> None:
    """Where no worker is left, one that is started again has a while to come back."""
    if client.status != "running":
        raise _lost(address, "the connection to the scheduler is lost")
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        raise _lost(address, f"there has been no worker for {PATIENCE:.0f} seconds") from None


def _is_from_dask(error: Exception) -> bool:
    return type(error).__module__.partition(".")[0] in ("distributed", "dask", "tornado")


def _lost(address: str, why: str = "") -> InputError:
    return _fault(f"the Dask cluster at {address} could not do the work", why)


def _fault(message: str, help: str) -> InputError:
    return InputError([Diagnostic(codes.EXECUTOR, message, help=help)])
