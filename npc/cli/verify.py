"""`npc verify`: does a ruleset enforce the policies, for every packet?"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from npc.backends.base import Deny, OwnNode
from npc.cli.clock import Stopwatch, Today, day
from npc.cli.colours import is_coloured, painter
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
from npc.compiler.frontend.diagnostics import Format, InputError

if TYPE_CHECKING:
    from npc.verifying.proving import Verification

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
    from npc.verifying.proving import verify_paths  # not for `npc --help`

    watch = Stopwatch()
    try:
        configuration = configured(config, level)
        with progress_bar(quiet=quiet) as progress:
            found = verify_paths(
                inputs,
                rulesets,
                target,
                node=node,
                options=options,
                template_dir=template_dir,
                progress=progress,
                today=day(today),
                levels=configuration.levels,
                exclude=configuration.exclude,
                passes=chosen(passes),
            )
    except InputError as error:
        is_sarif = format is Output.SARIF
        report(
            error.diagnostics,
            Format.SARIF if is_sarif else Format.TEXT,
            quiet=quiet,
            to=sys.stdout if is_sarif else None,
        )
        raise typer.Exit(EXIT_INPUT) from None
    _tell(found, format, quiet=quiet)
    if not quiet and format is Output.TEXT and sys.stderr is not None:
        sys.stderr.write(f"npc: {watch.seconds:.2f} seconds, reading included\n")
    if not found.is_proven:
        raise typer.Exit(EXIT_REFUTED)


def _tell(found: Verification, format: Output, *, quiet: bool) -> None:
    """What was said of the input to standard error, and the outcome to standard output."""
    from npc.verifying import report as verification_report

    if format is Output.SARIF:
        listed = [*found.diagnostics, *verification_report.findings(found)]
        report(listed, Format.SARIF, quiet=quiet, to=sys.stdout)
        return
    if not quiet:
        report(found.diagnostics, Format.TEXT, quiet=False)
    if format is Output.JSON:
        import msgspec

        values = verification_report.values(found)
        print_whole(msgspec.json.format(msgspec.json.encode(values), indent=2).decode() + "\n")
        return
    print_whole(verification_report.text(found, painter(_COLOURS, wanted=is_coloured(sys.stdout))))
