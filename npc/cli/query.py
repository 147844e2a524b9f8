"""`npc query`: may it pass, and why."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from npc.backends.base import OwnNode
from npc.cli.clock import Today, day
from npc.cli.colours import is_coloured, painter
from npc.cli.configured import Config, configured
from npc.cli.output import print_bytes, print_whole
from npc.cli.progress import progress_bar
from npc.cli.readings import Assumption, OwnNodeOption, reading_of
from npc.cli.reporting import EXIT_INPUT, report
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, Format, InputError

if TYPE_CHECKING:
    from npc.compiler.ask.asking import Reply
    from npc.compiler.ask.assumptions import Reading
    from npc.compiler.frontend.source import Source
    from npc.compiler.resolve import Model
    from npc.configuration import Configuration

_COLOURS = {"allowed": "\033[1;32m", "denied": "\033[1;31m", "dim": "\033[2m"}
_CHUNK = 1 << 16
_MOST = 50
"""Answers that are shown as text, unless more are wanted."""


class Output(StrEnum):
    """How the answer is written."""

    TEXT = "text"
    JSON = "json"


class Expectation(StrEnum):
    """What the answer is to be."""

    ALLOWED = "allowed"
    DENIED = "denied"


_END = (
    "A pod (NAMESPACE/NAME), a workload (NAMESPACE/deploy/NAME), pods(app=web) in ns/shop, ns(env=dev), "
    "svc/db in ns/shop, nodes, an address, a CIDR, @clients (a set), or any."
)


def command(
    source: Annotated[str | None, typer.Argument(metavar="SRC", help=f"Who sends. {_END}")] = None,
    destination: Annotated[str | None, typer.Argument(metavar="DST", help="Who receives: as SRC.")] = None,
    traffic: Annotated[
        str | None,
        typer.Argument(
            metavar="[TRAFFIC]",
            help="tcp/443, udp/53, tcp/8000-8999, tcp/http, icmp, gre, @dns; some by commas. Default: any.",
        ),
    ] = None,
    policies: Annotated[
        list[str] | None,
        typer.Option(
            "--policies",
            "-p",
            metavar="PATH",
            help="Policies: files, directories, or - for standard input; may be given more than once.",
        ),
    ] = None,
    inventory: Annotated[
        list[str] | None,
        typer.Option(
            "--inventory",
            "-i",
            metavar="PATH",
            help="Pods, namespaces, nodes and services, as for `npc compile`; "
            "may stand among the policies instead.",
        ),
    ] = None,
    namespace: Annotated[
        str | None,
        typer.Option(
            "--namespace", "-n", help="The namespace of names and pods(...) that are given without one."
        ),
    ] = None,
    batch: Annotated[
        str | None,
        typer.Option(
            "--batch",
            metavar="FILE",
            help='Instead of SRC and DST: {"src", "dst", "protocol", "port"}, a JSON object a line; '
            "- for standard input.",
        ),
    ] = None,
    expect: Annotated[
        Expectation | None,
        typer.Option("--expect", help="The exit code is 1 unless all of it is so."),
    ] = None,
    assume: Annotated[
        list[Assumption] | None,
        typer.Option(
            "--assume", help="Answer as tools do that read policies so; may be given more than once."
        ),
    ] = None,
    own_node: OwnNodeOption = OwnNode.ALWAYS,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            min=0,
            metavar="N",
            help=f"Explain no more than N answers; 0: all. Default: {_MOST} as text, all as JSON.",
        ),
    ] = None,
    format: Annotated[Output, typer.Option("--format", help="How the answer is written.")] = Output.TEXT,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No warnings and notes, and no progress bar.")
    ] = False,
    config: Config = None,
    today: Today = None,
) -> None:
    """Tell whether packets may pass, and which rules decide.

    The answer goes to standard output, findings about the input to standard error.
    """
    paths = [*(policies or ()), *(inventory or ())]
    _check_usage(source, destination, batch, expect, paths)
    reading = reading_of(assume, own_node)
    is_as_expected = True
    try:
        settings = configured(config, None)
        model, definitions = _model(paths, settings, quiet, reading, today=day(today))
        if batch is not None:
            is_as_expected = _batch(model, batch, reading)
        elif source is not None and destination is not None:
            from npc.compiler.ask.asking import ask

            most = _MOST if limit is None and format is Output.TEXT else limit or None
            reply = ask(
                model,
                source,
                destination,
                traffic,
                namespace=namespace or settings.namespace,
                reading=reading,
                definitions=definitions,
                limit=most,
            )
            report(reply.warnings, Format.TEXT, quiet=quiet)
            _print(reply, format)
            is_as_expected = expect is None or reply.verdict is (expect is Expectation.ALLOWED)
    except InputError as error:
        report(error.diagnostics, Format.TEXT, quiet=quiet)
        raise typer.Exit(EXIT_INPUT) from None
    if not is_as_expected:
        raise typer.Exit(EXIT_INPUT)


def _check_usage(
    source: str | None,
    destination: str | None,
    batch: str | None,
    expect: Expectation | None,
    paths: list[str],
) -> None:
    if not paths:
        raise typer.BadParameter(
            "which policies? Give --policies PATH, and --inventory PATH where the pods are not among them",
            param_hint="--policies",
        )
    if batch is None and (source is None or destination is None):
        raise typer.BadParameter(
            "who sends and who receives? Give both, or --batch FILE", param_hint="SRC DST"
        )
    if batch is not None and (source is not None or expect is not None):
        raise typer.BadParameter("it stands instead of SRC, DST and --expect", param_hint="--batch")
    if batch == "-" and "-" in paths:
        raise typer.BadParameter("standard input cannot be policies, too", param_hint="--batch")


def _model(
    paths: list[str], settings: Configuration, quiet: bool, reading: Reading, *, today: date
) -> tuple[Model, list[Source]]:
    """The model of what is in some paths, and those in the policy language; findings are reported."""
    from npc.asking import in_the_language, unchecked_sources
    from npc.models import collector_paused, readable

    with collector_paused(), progress_bar(quiet=quiet) as progress:
        found = readable(paths, exclude=settings.exclude)
        model, diagnostics = unchecked_sources(
            found, reading=reading, progress=progress, today=today, levels=settings.levels
        )
        gc.freeze()  # what was read stays to the end: nothing for the collector to look at, even once
    report(diagnostics, Format.TEXT, quiet=quiet)
    return model, in_the_language(found)


def _print(reply: Reply, format: Output) -> None:
    from npc.compiler.ask import report as answer_report

    if format is Output.JSON:
        import msgspec

        values = msgspec.json.encode(answer_report.values(reply))
        print_whole(msgspec.json.format(values, indent=2).decode() + "\n")
    else:
        print_whole(answer_report.text(reply, painter(_COLOURS, wanted=is_coloured(sys.stdout))))


def _batch(model: Model, path: str, reading: Reading) -> bool:
    """Answer the questions of a file, as they come; whether all lines were questions."""
    from npc.compiler.ask.asking import check
    from npc.compiler.ask.batch import Batch
    from npc.compiler.ask.narrowing import as_read
    from npc.compiler.ask.relation import Relation

    model = as_read(model, reading)
    check(model)
    answers = Batch(Relation(model, reading))
    with _opened(path) as file:
        for lines in _chunks(file):
            print_bytes(b"".join(answers.answers(lines)))
    return answers.bad_lines == 0


def _chunks(file: BinaryIO) -> Iterator[list[bytes]]:
    """Lines, as many at a time as there are: one by one where another program waits for each answer."""
    read = getattr(file, "read1", file.read)
    rest = b""
    while data := read(_CHUNK):
        *lines, rest = (rest + data).split(b"\n")
        yield lines
    if rest:
        yield [rest]


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    if path == "-":
        yield sys.stdin.buffer
        return
    try:
        file = Path(path).open("rb")  # noqa: SIM115
    except OSError as error:
        fault = Diagnostic(codes.UNREADABLE, f"cannot read {path}: {error.strerror}")
        raise InputError([fault]) from None
    with file:
        yield file
