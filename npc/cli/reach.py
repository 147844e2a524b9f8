"""`npc reach`: all connections that policies allow."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from npc.backends.base import OwnNode
from npc.cli.clock import Today, day
from npc.cli.configured import Config, configured
from npc.cli.output import print_whole, write
from npc.cli.progress import progress_bar
from npc.cli.readings import Assumption, OwnNodeOption, reading_of
from npc.cli.reporting import EXIT_INPUT, report
from npc.compiler.frontend.diagnostics import Format, InputError

if TYPE_CHECKING:
    from npc.reach.report import Report


class ReportFormat(StrEnum):
    """How connections are written."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"
    DOT = "dot"
    MERMAID = "mermaid"


_SUFFIXES = {
    ReportFormat.TEXT: "txt",
    ReportFormat.JSON: "json",
    ReportFormat.CSV: "csv",
    ReportFormat.MARKDOWN: "md",
    ReportFormat.DOT: "dot",
    ReportFormat.MERMAID: "mmd",
}
"""Of the file in a folder that is named as output."""
_PATHS = "Policies, inventory, and manifests of Deployments and the like: files, directories, or -."
_WHO = "as SRC and DST of npc query"


def command(
    paths: Annotated[list[str] | None, typer.Argument(metavar="[PATH]...", help=_PATHS)] = None,
    policies: Annotated[
        list[str] | None,
        typer.Option("--policies", "-p", metavar="PATH", help="The same as PATH, as for npc query."),
    ] = None,
    inventory: Annotated[
        list[str] | None,
        typer.Option("--inventory", "-i", metavar="PATH", help="Pods, namespaces, nodes and services."),
    ] = None,
    source: Annotated[
        str | None, typer.Option("--from", metavar="WHO", help=f"Only connections from these, {_WHO}.")
    ] = None,
    destination: Annotated[
        str | None, typer.Option("--to", metavar="WHO", help=f"Only connections to these, {_WHO}.")
    ] = None,
    focus: Annotated[
        str | None, typer.Option("--focus", metavar="WHO", help=f"Only connections from or to these, {_WHO}.")
    ] = None,
    namespace: Annotated[
        str | None,
        typer.Option("--namespace", "-n", metavar="NAME", help="Where names without one are looked for."),
    ] = None,
    assume: Annotated[
        list[Assumption] | None,
        typer.Option("--assume", help="A reading that other tools take; may be given more than once."),
    ] = None,
    own_node: OwnNodeOption = OwnNode.ALWAYS,
    format: Annotated[
        ReportFormat | None, typer.Option("--format", help="How they are written. Default: text.")
    ] = None,
    html: Annotated[
        str | None,
        typer.Option("--html", metavar="FILE", help="Write a page to look at in a browser, instead."),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Written whole or not at all. Default: standard output."
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only, and no progress bar.")] = False,
    config: Config = None,
    today: Today = None,
) -> None:
    """List all connections that policies allow.

    Between workloads, and with addresses outside the cluster, with all ports; and what workloads could
    exchange with pods that do not exist yet. Works from manifests alone, too.
    """
    if html is not None and output is not None:
        raise typer.BadParameter("a page goes to --html: leave out --output", param_hint="--output")
    if html is not None and format is not None:
        raise typer.BadParameter("--html is a format of its own: leave out --format", param_hint="--format")
    given = [*(paths or ()), *(policies or ()), *(inventory or ())]
    if not given:
        raise typer.BadParameter("name files or directories with policies", param_hint="PATH")
    from npc.reach.reporting import reach_paths  # not for `npc --help`

    reading = reading_of(assume, own_node)
    try:
        settings = configured(config, None)
        with progress_bar(quiet=quiet) as progress:
            found, diagnostics = reach_paths(
                given,
                source=source,
                destination=destination,
                focus=focus,
                namespace=namespace or settings.namespace,
                reading=reading,
                progress=progress,
                today=day(today),
                levels=settings.levels,
                exclude=settings.exclude,
            )
            text = _written(found, format or ReportFormat.TEXT, is_page=html is not None)
            to = html if html is not None else output
            if to not in (None, "-"):
                write(
                    {f"reach.{_SUFFIXES[format] if format else 'txt' if html is None else 'html'}": text}, to
                )
    except InputError as error:
        report(error.diagnostics, Format.TEXT, quiet=quiet)
        raise typer.Exit(EXIT_INPUT) from None
    report(diagnostics, Format.TEXT, quiet=quiet)
    if to in (None, "-"):
        print_whole(text)


def _written(found: Report, format: ReportFormat, *, is_page: bool) -> str:
    from npc.reach import graphs, listing, page, text

    if is_page:
        return page.as_html(found)
    writers = {
        ReportFormat.TEXT: text.text,
        ReportFormat.JSON: listing.as_json,
        ReportFormat.CSV: listing.as_csv,
        ReportFormat.MARKDOWN: listing.as_markdown,
        ReportFormat.DOT: graphs.as_dot,
        ReportFormat.MERMAID: graphs.as_mermaid,
    }
    return writers[format](found)
