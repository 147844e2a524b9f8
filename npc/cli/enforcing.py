"""The options of how a plan is enforced, which those commands share that make rulesets or read them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from npc.backends.base import Deny, Options, OwnNode

PATHS = "Policies: files, directories (*.npc, *.yaml, *.yml, *.json), or - for standard input."
INVENTORY = (
    "Pods, namespaces, nodes and services, as kubectl prints them, or the compact form; "
    "may be given more than once, and may stand among the policies instead."
)

Target = Annotated[str, typer.Option("--target", "-t", help="See `npc targets`.")]
DenyWith = Annotated[Deny, typer.Option("--deny-with", help="What a denied packet meets.")]
LogDenied = Annotated[
    bool, typer.Option("--log-denied", help="Log denied packets, at most 10 a second and class.")
]
HookPriority = Annotated[
    int, typer.Option("--hook-priority", help="Priority of the hooks; 0 is nftables' `filter`.")
]
Table = Annotated[str, typer.Option("--table", help="Name of the table that npc owns.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A setting of the target's own: see `npc targets`."),
]
OvsPorts = Annotated[
    list[str] | None,
    typer.Option("--ovs-port", metavar="POD=N", help="OpenFlow port of a pod (NAMESPACE/NAME), for ovs."),
]
NoIpset = Annotated[
    bool, typer.Option("--no-ipset", help="For hosts without ipset; short for --set ipset=no.")
]


def options_of(
    own_node: OwnNode,
    deny_with: Deny,
    log_denied: bool,
    table: str,
    hook_priority: int,
    settings: list[str] | None,
    ovs_ports: list[str] | None,
    no_ipset: bool,
) -> Options:
    """What they come to."""
    own = _settings([*(settings or ()), *(["ipset=no"] if no_ipset else ())])
    if ovs_ports:
        own["ports"] = ",".join(filter(None, [own.get("ports"), *ovs_ports]))
    return Options(own_node, deny_with, log_denied, table, hook_priority, own)


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
