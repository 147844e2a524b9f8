"""A cluster, node by node: the files of each node from one Model, wherever the work is done.

Takes a model and what is to be made of it, gives the files of any node. They depend on the node alone: not
on the nodes that came before it, nor on who does the work.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from npc.api import emitter
from npc.backends.base import Backend, Options
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError
from npc.compiler.frontend.documents import Progress
from npc.compiler.optimize import Planner
from npc.compiler.optimize.passes import PASSES, Pass
from npc.compiler.plan import Plan
from npc.compiler.resolve import Model
from npc.models import collector_paused
from npc.workers import Shared, Team, Workers, in_process

T = TypeVar("T")

Artifacts = Mapping[str, str]
"""A node's files: name to text."""

_LARGEST_CHUNK = 8
"""Nodes that are given to a worker at a time: enough that handing over costs little, and little is lost."""
_CHUNKS_EACH = 4
"""Chunks for each worker at least, where there are so many nodes: so that all end at about the same time."""


@dataclass(slots=True)
class NodeCompiler:
    """Compiles one node after the other; what it has worked out for one it keeps for the others.

    Travels to other processes without what it has worked out.
    """

    model: Model
    backend: Backend
    options: Options
    template_dir: Path | None = None
    passes: tuple[Pass, ...] = PASSES
    """Of the optimizer."""
    verify: bool = False
    """Whether each node's files are proven before they are given away."""
    _planner: Planner = field(init=False, repr=False)
    _emit: Callable[..., Artifacts] = field(init=False, repr=False)
    _lock: Any = field(init=False, repr=False)
    """A model is asked by one thread at a time: each question may make it remember something."""

    def __post_init__(self) -> None:
        self._planner = Planner(self.model, self.passes)
        self._emit = emitter(self.backend, self.options, self.template_dir)
        self._lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        template_dir = None if self.template_dir is None else self.template_dir.resolve()
        return NodeCompiler, (
            self.model,
            self.backend,
            self.options,
            template_dir,
            self.passes,
            self.verify,
        )

    def rules_anyone(self, nodes: Iterable[str]) -> bool:
        """Whether there is an endpoint on a node to which not everything passes."""
        plans = map(self._planner.plan, nodes)
        return any(one.classes or one.hairpins for one in plans)

    def compile(self, node: str) -> Artifacts:
        """The files of one node; InputError where the target cannot express what it decides.

        NotProven where they were to be proven and are not.
        """
        if self.template_dir is not None and not self.template_dir.is_dir():
            message = f"a worker has no folder {self.template_dir} with templates"
            raise InputError([Diagnostic(codes.TEMPLATE, message, help="it has to be there on each machine")])
        with self._lock, collector_paused():
            plan = self._planner.plan(node)
            artifacts = self._emit(plan)
            if self.verify:
                from npc.verifying.proving import check_own  # not needed otherwise

                check_own(self.backend, artifacts, plan, self.model, self.options, self.template_dir)
            return artifacts

    def plan(self, node: str) -> Plan:
        """What is decided for the endpoints of one node."""
        with self._lock, collector_paused():
            return self._planner.plan(node)


@dataclass(frozen=True, slots=True)
class Fleet:
    """All nodes of an inventory, to be compiled; iterating over it does so, one after the other, here."""

    nodes: tuple[str, ...]
    """By name."""
    compiler: NodeCompiler
    diagnostics: tuple[Diagnostic, ...]
    """Warnings and notes about the policies and the inventory, each once."""

    def __iter__(self) -> Iterator[tuple[str, Artifacts]]:
        return self.compile()

    def compile(
        self, workers: Workers = in_process, progress: Progress | None = None
    ) -> Iterator[tuple[str, Artifacts]]:
        """Each node with its files, in order of the nodes' names.

        InputError as soon as one cannot be compiled, or when the workers cannot be reached or are lost.
        """
        with workers(self.compiler) as team:
            yield from self.each(_as_it_is, team, progress)

    def each(
        self, then: Callable[[str, Artifacts], T], team: Team, progress: Progress | None = None
    ) -> Iterator[tuple[str, T]]:
        """Each node, in order, with what `then` makes of its name and its files.

        `then` is called where the node was compiled: only what it returns travels. It is called again where
        a worker was lost before it could tell.
        """
        return self.over(partial(_compile, then), team, "compiling nodes", progress)

    def over(
        self,
        task: Callable[[NodeCompiler, str], T],
        team: Team,
        words: str,
        progress: Progress | None = None,
    ) -> Iterator[tuple[str, T]]:
        """Each node, in order, with what a task makes of the compiler and the node's name; as `each`."""
        size = max(1, min(_LARGEST_CHUNK, len(self.nodes) // (_CHUNKS_EACH * team.size)))
        chunks = [self.nodes[start : start + size] for start in range(0, len(self.nodes), size)]
        pending: deque[Future[list[tuple[str, T]]]] = deque()
        done = 0
        try:
            for number in range(len(chunks) + team.ahead):
                if number < len(chunks):
                    pending.append(team.executor.submit(_work, team.share, chunks[number], task))
                if number >= team.ahead:
                    for result in _result(pending.popleft(), team):
                        done += 1
                        if progress is not None:
                            progress(words, done, len(self.nodes))
                        yield result
        finally:
            for one in pending:
                one.cancel()


def _compile(then: Callable[[str, Artifacts], T], compiler: NodeCompiler, node: str) -> T:
    """The task of compiling a node."""
    return then(node, compiler.compile(node))


def _work(
    share: NodeCompiler | Shared[NodeCompiler], nodes: Sequence[str], task: Callable[[NodeCompiler, str], T]
) -> list[tuple[str, T]]:
    """What a worker does at a time."""
    compiler = share.get() if isinstance(share, Shared) else share
    return [(node, task(compiler, node)) for node in nodes]


def _result(future: Future[list[tuple[str, T]]], team: Team) -> list[tuple[str, T]]:
    """What a task came to; asks now and then whether there is anyone left to do it."""
    while not wait([future], timeout=1.0).done:
        team.check()
    return future.result()


def _as_it_is(_node: str, artifacts: Artifacts) -> Artifacts:
    return artifacts
