"""`npc verify`: does a ruleset enforce the policies, for every packet?"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from npc.backends.base import Deny, Options, OwnNode, find_target
from npc.cli.clock import Stopwatch, Today, day
from npc.cli.colours import Paint, is_coloured, painter
from npc.cli.configured import Config, Level, configured
from npc.cli.enforcing import (
    INVENTORY,
    PATHS,
    DenyWith,
    HookPriority,
    LogDenied,
    NoIpset,
    OvsPorts,
    Settings,
    Table,
    Target,
    options_of,
)
from npc.cli.output import print_whole
from npc.cli.passes import chosen
from npc.cli.progress import progress_bar
from npc.cli.readings import OwnNodeOption
from npc.cli.reporting import EXIT_INPUT, report
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, Format, InputError

if TYPE_CHECKING:
    from npc.configuration import Configuration

EXIT_REFUTED = 3

_COLOURS = {"allowed": "\033[1;32m", "denied": "\033[1;31m", "dim": "\033[2m"}


class Output(StrEnum):
    """How the outcome is written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


def command(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help=PATHS)],
    inventory: Annotated[
        list[str] | None, typer.Option("--inventory", "-i", metavar="PATH", help=INVENTORY)
    ] = None,
    ruleset: Annotated[
        list[str] | None,
        typer.Option(
            "--ruleset",
            "-r",
            metavar="PATH",
            help="What is to be proven: a file, a folder that `npc compile` wrote, or - for standard input, "
            "as the dataplane lists it; may be given more than once. Default: what npc compiles now.",
        ),
    ] = None,
    target: Target = "nft",
    node: Annotated[
        str | None,
        typer.Option("--node", help="The ruleset is of this node. Default: of all pods of the inventory."),
    ] = None,
    all_nodes: Annotated[
        bool,
        typer.Option(
            "--all-nodes",
            help="Prove the rulesets of every node of the inventory; --ruleset is the folder that "
            "`npc compile --all-nodes` wrote.",
        ),
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", metavar="N", min=1, help="Processes for --all-nodes. Default: one for each CPU."
        ),
    ] = None,
    own_node: OwnNodeOption = OwnNode.ALWAYS,
    deny_with: DenyWith = Deny.DROP,
    log_denied: LogDenied = False,
    hook_priority: HookPriority = 0,
    table: Table = "npc",
    settings: Settings = None,
    ovs_ports: OvsPorts = None,
    no_ipset: NoIpset = False,
    template_dir: Annotated[
        Path | None,
        typer.Option(
            "--template-dir",
            file_okay=False,
            exists=True,
            help="Without --ruleset: a folder whose templates come before the target's own.",
        ),
    ] = None,
    passes: Annotated[
        str | None,
        typer.Option(
            "--passes", metavar="NAMES", help="Without --ruleset: passes of the optimizer, or `none`."
        ),
    ] = None,
    format: Annotated[Output, typer.Option("--format", help="How the outcome is written.")] = Output.TEXT,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No warnings and notes, no time, and no progress bar.")
    ] = False,
    config: Config = None,
    level: Level = None,
    today: Today = None,
) -> None:
    """Prove that a ruleset enforces the policies, for every packet; or show a packet with which it does not.

    Give the options that the ruleset was compiled with. The exit code is 0 where it is proven, and 3 where it
    is refuted.
    """
    rulesets = ruleset or []
    inputs = [*paths, *(inventory or ())]
    if [*inputs, *rulesets].count("-") > 1:
        raise typer.BadParameter("standard input can be read once", param_hint="-")
    options = options_of(own_node, deny_with, log_denied, table, hook_priority, settings, ovs_ports, no_ipset)
    if jobs is not None and not all_nodes:
        raise typer.BadParameter("only with --all-nodes", param_hint="--jobs")
    watch = Stopwatch()
    try:
        configuration = configured(config, level)
        asked = _Asked(
            inputs, rulesets, target, options, template_dir, passes, day(today), configuration, format, quiet
        )
        is_proven = _all_nodes(asked, node, jobs) if all_nodes else _one(asked, node)
    except InputError as error:
        _report_faults(error.diagnostics, format, quiet=quiet)
        raise typer.Exit(EXIT_INPUT) from None
    if not quiet and format is Output.TEXT and sys.stderr is not None:
        sys.stderr.write(f"npc: {watch.seconds:.2f} seconds, reading included\n")
    if not is_proven:
        raise typer.Exit(EXIT_REFUTED)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the command line says."""

    inputs: Sequence[str]
    rulesets: Sequence[str]
    target: str
    options: Options
    template_dir: Path | None
    passes: str | None
    today: date
    configuration: Configuration
    format: Output
    quiet: bool


def _one(asked: _Asked, node: str | None) -> bool:
    """Prove one ruleset and tell the outcome; whether it is proven."""
    from npc.verifying.proving import verify_paths  # not for `npc --help`

    with progress_bar(quiet=asked.quiet) as progress:
        found = verify_paths(
            asked.inputs,
            asked.rulesets,
            asked.target,
            node=node,
            options=asked.options,
            template_dir=asked.template_dir,
            progress=progress,
            today=asked.today,
            levels=asked.configuration.levels,
            exclude=asked.configuration.exclude,
            passes=chosen(asked.passes),
        )
    from npc.verifying import report as verification_report

    _tell(
        asked,
        found.diagnostics,
        verification_report.findings(found) if asked.format is Output.SARIF else (),
        partial(verification_report.values, found),
        partial(verification_report.text, found),
    )
    return found.is_proven


def _all_nodes(asked: _Asked, node: str | None, jobs: int | None) -> bool:
    """Prove the rulesets of all nodes and tell the outcome; whether all are proven."""
    if node is not None:
        raise typer.BadParameter("not beside --node", param_hint="--all-nodes")
    if len(asked.rulesets) > 1 or "-" in asked.rulesets:
        raise typer.BadParameter("name one folder for --all-nodes", param_hint="--ruleset")
    from npc.api import compile_nodes
    from npc.cli.fleet import local_workers
    from npc.verifying import fleet as verified_fleet
    from npc.verifying.proving import check_options, verifiable

    folder = Path(asked.rulesets[0]) if asked.rulesets else None
    if folder is not None and folder.is_file():
        message = f"{folder} is a file; --all-nodes needs the folder with a folder for each node"
        help = "for the ruleset of one node give --node NAME in place of --all-nodes"
        raise InputError([Diagnostic(codes.UNREADABLE, message, help=help)])
    check_options(verifiable(find_target(asked.target)), asked.options)
    with progress_bar(quiet=asked.quiet) as progress:
        fleet = compile_nodes(
            asked.inputs,
            asked.target,
            options=asked.options,
            template_dir=asked.template_dir,
            progress=progress,
            today=asked.today,
            levels=asked.configuration.levels,
            exclude=asked.configuration.exclude,
            passes=chosen(asked.passes) if folder is None else (),
        )
    with progress_bar(quiet=asked.quiet) as progress:
        outcomes = list(verified_fleet.verify_nodes(fleet, folder, local_workers(jobs), progress))
    unread = [finding for one in outcomes if not one.is_read for finding in one.findings]
    found = [finding for one in outcomes if one.is_read for finding in one.findings]
    _tell(
        asked,
        (*fleet.diagnostics, *(unread if asked.format is Output.SARIF else ())),
        found,
        partial(verified_fleet.values, outcomes, asked.target),
        partial(verified_fleet.text, outcomes, asked.target),
    )
    if unread and asked.format is not Output.SARIF:
        report(unread, Format.TEXT, quiet=asked.quiet)
    is_refuted = any(one.is_read and not one.is_proven for one in outcomes)
    if unread and not is_refuted:  # that a host has drifted is the worse news
        raise typer.Exit(EXIT_INPUT)
    return not is_refuted


def _tell(
    asked: _Asked,
    diagnostics: Sequence[Diagnostic],
    found: Sequence[Diagnostic],
    values: Callable[[], dict[str, Any]],
    text: Callable[[Paint], str],
) -> None:
    """What was said of the input to standard error, and the outcome to standard output."""
    if asked.format is Output.SARIF:
        report([*diagnostics, *found], Format.SARIF, quiet=asked.quiet, to=sys.stdout)
        return
    if not asked.quiet:
        report(diagnostics, Format.TEXT, quiet=False)
    if asked.format is Output.JSON:
        import msgspec

        print_whole(msgspec.json.format(msgspec.json.encode(values()), indent=2).decode() + "\n")
        return
    print_whole(text(painter(_COLOURS, wanted=is_coloured(sys.stdout))))


def _report_faults(diagnostics: Sequence[Diagnostic], format: Output, *, quiet: bool) -> None:
    """Why there is no outcome: in SARIF to standard output, where one document is expected."""
    if format is Output.SARIF:
        report(diagnostics, Format.SARIF, quiet=quiet, to=sys.stdout)
    else:
        report(diagnostics, Format.TEXT, quiet=quiet)
