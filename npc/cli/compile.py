"""`npc compile`: policies and an inventory to a target's files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from npc.backends.base import Deny, OwnNode
from npc.cli.clock import Today, day
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
from npc.cli.output import print_whole, write
from npc.cli.passes import chosen
from npc.cli.progress import progress_bar
from npc.cli.readings import OwnNodeOption
from npc.cli.reporting import EXIT_INPUT, report
from npc.compiler.frontend.diagnostics import Format, InputError, has_warnings


def command(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help=PATHS)],
    inventory: Annotated[
        list[str] | None,
        typer.Option("--inventory", "-i", metavar="PATH", help=INVENTORY),
    ] = None,
    target: Target = "nft",
    node: Annotated[
        str | None,
        typer.Option("--node", help="Rule only the pods of this node. Default: all of the inventory's."),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="A file, or a folder (one that exists, or PATH/) for the target's files by their own names; "
            "each is written whole or not at all. Default: standard output.",
        ),
    ] = None,
    all_nodes: Annotated[
        bool,
        typer.Option(
            "--all-nodes",
            help="Compile for every node of the inventory, each into a folder of --output.",
        ),
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", metavar="N", min=1, help="Processes for --all-nodes. Default: one for each CPU."
        ),
    ] = None,
    executor: Annotated[
        str | None,
        typer.Option(
            "--executor",
            metavar="dask://HOST:PORT",
            help="The Dask scheduler whose workers do --all-nodes, in place of processes of this machine.",
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
            exists=True,
            file_okay=False,
            help="Templates here override npc's own of the same name.",
        ),
    ] = None,
    format: Annotated[
        Format, typer.Option("--format", help="How findings are written to standard error.")
    ] = Format.TEXT,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only, and no progress bar.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="A warning is an error: nothing is written, the exit code is 1.")
    ] = False,
    passes: Annotated[
        str | None,
        typer.Option(
            "--passes",
            metavar="NAMES",
            help="Passes of the optimizer to run, by name with commas between, or `none`. Default: all "
            "(merge,cover,widen). What passes and what does not is the same with any of them.",
        ),
    ] = None,
    stats: Annotated[
        bool,
        typer.Option("--stats", help="Tell how large the ruleset is, before the optimizer and after it."),
    ] = False,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Prove that the ruleset enforces the policies for every packet before it is written.",
        ),
    ] = False,
    config: Config = None,
    level: Level = None,
    today: Today = None,
) -> None:
    """Compile policies for the pods of an inventory.

    The ruleset goes to standard output or to --output, findings to standard error.
    """
    options = options_of(own_node, deny_with, log_denied, table, hook_priority, settings, ovs_ports, no_ipset)
    if all_nodes:
        if node is not None:
            raise typer.BadParameter("not beside --node", param_hint="--all-nodes")
        if stats:
            raise typer.BadParameter("not with --all-nodes: ask for one with --node", param_hint="--stats")
        from npc.cli.fleet import compile_fleet

        compile_fleet(
            [*paths, *(inventory or ())],
            target,
            options,
            template_dir,
            output,
            day(today),
            jobs=jobs,
            address=executor,
            format=format,
            quiet=quiet,
            strict=strict,
            configuration=partial(configured, config, level),
            passes=passes,
            verify=verify,
        )
        return
    for hint, value in (("--jobs", jobs), ("--executor", executor)):
        if value is not None:
            raise typer.BadParameter("only with --all-nodes", param_hint=hint)
    from npc.api import compile_paths  # not for `npc --help`

    if stats and format is Format.SARIF:
        raise typer.BadParameter("not with --format sarif, which is one document", param_hint="--stats")
    try:
        configuration = configured(config, level)
        with progress_bar(quiet=quiet) as progress:
            result = compile_paths(
                [*paths, *(inventory or ())],
                target,
                node=node,
                options=options,
                template_dir=template_dir,
                progress=progress,
                today=day(today),
                passes=chosen(passes),
                statistics=stats,
                verify=verify,
                levels=configuration.levels,
                exclude=configuration.exclude,
            )
            if strict and has_warnings(result.diagnostics):
                report(result.diagnostics, format, quiet=quiet, strictly="nothing is written")
                raise typer.Exit(EXIT_INPUT)
            if output not in (None, "-"):
                write(result.artifacts, output)
    except InputError as error:
        report(error.diagnostics, format, quiet=quiet)
        raise typer.Exit(EXIT_INPUT) from None
    report(result.diagnostics, format, quiet=quiet)
    if result.statistics is not None:
        from npc.cli.statistics import tell

        tell(*result.statistics, format)
    if output in (None, "-"):
        print_whole(_joined(result.artifacts))


def _joined(artifacts: Mapping[str, str]) -> str:
    """One file as it is; several one after the other, each under its name."""
    if len(artifacts) == 1:
        return next(iter(artifacts.values()))
    return "".join(f"### {name}\n{text}" for name, text in artifacts.items())
