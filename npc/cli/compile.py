"""`npc compile`: policies and an inventory to a target's files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from npc.backends.base import Deny, Options, OwnNode
from npc.cli.clock import Today, day
from npc.cli.configured import Config, Level, configured
from npc.cli.output import print_whole, write
from npc.cli.passes import chosen
from npc.cli.progress import progress_bar
from npc.cli.readings import OwnNodeOption
from npc.cli.reporting import EXIT_INPUT, report
from npc.compiler.frontend.diagnostics import Format, InputError, has_warnings

_PATHS = "Policies: files, directories (*.npc, *.yaml, *.yml, *.json), or - for standard input."
_INVENTORY = (
    "Pods, namespaces, nodes and services, as kubectl prints them, or the compact form; "
    "may be given more than once, and may stand among the policies instead."
)


def command(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help=_PATHS)],
    inventory: Annotated[
        list[str] | None,
        typer.Option("--inventory", "-i", metavar="PATH", help=_INVENTORY),
    ] = None,
    target: Annotated[str, typer.Option("--target", "-t", help="See `npc targets`.")] = "nft",
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
    deny_with: Annotated[Deny, typer.Option("--deny-with", help="What a denied packet meets.")] = Deny.DROP,
    log_denied: Annotated[
        bool, typer.Option("--log-denied", help="Log denied packets, at most 10 a second and class.")
    ] = False,
    hook_priority: Annotated[
        int, typer.Option("--hook-priority", help="Priority of the hooks; 0 is nftables' `filter`.")
    ] = 0,
    table: Annotated[str, typer.Option("--table", help="Name of the table that npc owns.")] = "npc",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting of the target's own: see `npc targets`."),
    ] = None,
    ovs_ports: Annotated[
        list[str] | None,
        typer.Option("--ovs-port", metavar="POD=N", help="OpenFlow port of a pod (NAMESPACE/NAME), for ovs."),
    ] = None,
    no_ipset: Annotated[
        bool, typer.Option("--no-ipset", help="For hosts without ipset; short for --set ipset=no.")
    ] = False,
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
    config: Config = None,
    level: Level = None,
    today: Today = None,
) -> None:
    """Compile policies for the pods of an inventory.

    The ruleset goes to standard output or to --output, findings to standard error.
    """
    own = _settings([*(settings or ()), *(["ipset=no"] if no_ipset else ())])
    if ovs_ports:
        own["ports"] = ",".join(filter(None, [own.get("ports"), *ovs_ports]))
    options = Options(own_node, deny_with, log_denied, table, hook_priority, own)
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


def _settings(texts: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            raise typer.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--set")
        if found.setdefault(name, value) != value:
            raise typer.BadParameter(
                f"{name!r} is set twice, to {found[name]!r} and {value!r}", param_hint="--set"
            )
    return found
