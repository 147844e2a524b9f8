"""`npc compile --all-nodes`: a folder of files for each node, all of them or none."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from npc.backends.base import Options
from npc.cli.output import fault, move_into_place
from npc.cli.passes import chosen
from npc.cli.progress import progress_bar
from npc.cli.reporting import EXIT_INPUT, report
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, Format, InputError, has_warnings

if TYPE_CHECKING:
    from npc.configuration import Configuration
    from npc.nodes import Artifacts, Fleet
    from npc.workers import Workers

_FEW = 5
"""Nodes that a message names."""


def compile_fleet(
    paths: Sequence[str],
    target: str,
    options: Options,
    template_dir: Path | None,
    output: str | None,
    today: date | None,
    *,
    jobs: int | None,
    address: str | None,
    format: Format,
    quiet: bool,
    strict: bool,
    configuration: Callable[[], Configuration],
    passes: str | None,
    verify: bool,
) -> None:
    """Compile for every node of the inventory into `output/NODE/`.

    `address` is that of a Dask scheduler, `dask://host:port`; without one `jobs` processes do it.
    """
    if output in (None, "", "-"):
        raise typer.BadParameter("names the folder for --all-nodes", param_hint="--output")
    assert output is not None
    if jobs is not None and address is not None:
        raise typer.BadParameter("not beside --executor", param_hint="--jobs")
    from npc.api import compile_nodes  # not for `npc --help`

    try:
        settings = configuration()
        workers = _workers(jobs, address)
        folder = Path(output)
        with progress_bar(quiet=quiet) as progress:
            fleet = compile_nodes(
                paths,
                target,
                options=options,
                template_dir=template_dir,
                progress=progress,
                today=today,
                levels=settings.levels,
                exclude=settings.exclude,
                passes=chosen(passes),
                verify=verify,
            )
        findings = [*fleet.diagnostics, *settings.levels.judged(_gone(folder, fleet))]
        if strict and has_warnings(findings):
            report(findings, format, quiet=quiet, strictly="nothing is written")
            raise typer.Exit(EXIT_INPUT)
        with _staging(folder, fleet.nodes) as staging:
            _compile(fleet, workers, staging, quiet=quiet, shares_disk=address is None)
            _move(staging, folder, fleet.nodes)
    except InputError as error:
        report(error.diagnostics, format, quiet=quiet)
        raise typer.Exit(EXIT_INPUT) from None
    report(findings, format, quiet=quiet)


def _workers(jobs: int | None, address: str | None) -> Workers:
    from npc.workers import dask

    if address is not None:
        found = re.fullmatch(r"dask://((?:[^\s/@:\[\]]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5})", address)
        if not found:
            raise typer.BadParameter(
                f"{address!r} is no dask://HOST:PORT, the address of a Dask scheduler",
                param_hint="--executor",
            )
        return dask(found[1])
    return local_workers(jobs)


def local_workers(jobs: int | None) -> Workers:
    """As many processes of this machine, or one for each CPU that npc may use."""
    from npc.workers import in_process, processes

    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return in_process if (jobs or count) == 1 else processes(jobs or count)


def _compile(fleet: Fleet, workers: Workers, staging: Path, *, quiet: bool, shares_disk: bool) -> None:
    """The files of all nodes into the staging folder: by the workers themselves where they see it."""
    from npc.models import collector_paused  # also in processes that are forked here

    with collector_paused(), workers(fleet.compiler) as team, progress_bar(quiet=quiet) as progress:
        if shares_disk:
            for _ in fleet.each(partial(_stage, staging), team, progress):
                pass
        else:
            for node, artifacts in fleet.each(_bring, team, progress):
                _stage(staging, node, artifacts)


def _bring(_node: str, artifacts: Artifacts) -> Artifacts:
    return artifacts


def _stage(staging: Path, node: str, artifacts: Artifacts) -> None:
    """Write one node's files where nobody looks for them yet."""
    try:
        folder = staging / node
        folder.mkdir(exist_ok=True)  # a task may be done again
        for name, text in artifacts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise fault(f"cannot write {staging / node}: {error.strerror}") from None


@contextmanager
def _staging(folder: Path, nodes: Iterable[str]) -> Iterator[Path]:
    """A new folder inside of `folder`, which is made; gone at the end."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for node in nodes:
            if (folder / node).exists() and not (folder / node).is_dir():
                raise fault(f"{folder / node} is a file, and a folder for the node's files is needed")
        staging = Path(tempfile.mkdtemp(dir=folder, prefix=".npc-"))
    except OSError as error:
        raise fault(f"cannot write {folder}: {error.strerror}") from None
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _move(staging: Path, folder: Path, nodes: Iterable[str]) -> None:
    """Let the finished files take their places, now that every node has its own."""
    try:
        for node in nodes:
            (folder / node).mkdir(exist_ok=True)
            for path in sorted((staging / node).iterdir()):
                move_into_place(path, folder / node / path.name)
    except OSError as error:
        raise fault(f"cannot write {folder}: {error.strerror}") from None


def _gone(folder: Path, fleet: Fleet) -> list[Diagnostic]:
    """Folders that hold a file of the target's, under a name that no node has."""
    try:
        others = {one.name for one in folder.iterdir() if one.is_dir()} - set(fleet.nodes)
    except OSError:  # there is no such folder yet; if it cannot be made, whoever makes it says so
        return []
    names = fleet.compiler.backend.templates
    found = sorted(one for one in others if any((folder / one / name).is_file() for name in names))
    found = [one for one in found if not one.startswith(".")]
    if not found:
        return []
    few = ", ".join(found[:_FEW]) + (", ..." if len(found) > _FEW else "")
    many = len(found) > 1
    whose = f"{len(found):,} nodes" if many else "a node"
    message = f"{folder} has files for {whose} that the inventory does not have: {few}"
    help = f"npc leaves them; remove them if the {'nodes are' if many else 'node is'} gone"
    return [Diagnostic(codes.NODE_GONE, message, help=help)]
