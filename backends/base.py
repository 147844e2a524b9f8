"""What a backend is, and the options that all targets share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.metadata import entry_points
from typing import Any

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError, did_you_mean
from npc.compiler.plan import Plan

GROUP = "npc.backends"
"""The entry-point group in which targets are found, the built-in ones too."""


class OwnNode(StrEnum):
    """Whether the policies rule traffic between an endpoint and the node it runs on (A3)."""

    ALWAYS = "always"
    POLICED = "policed"


class Deny(StrEnum):
    """What happens to a denied packet: nothing, or an answer (TCP reset, ICMP prohibited)."""

    DROP = "drop"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Options:
    """How a plan is enforced; the plan alone says what passes."""

    own_node: OwnNode = OwnNode.ALWAYS
    deny_with: Deny = Deny.DROP
    log_denied: bool = False
    table: str = "npc"
    hook_priority: int = 0
    """Of netfilter's hooks; 0 is `filter`."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What only one target knows, by name: see `Backend.settings`."""


@dataclass(frozen=True, slots=True)
class Backend:
    """A target: how a plan becomes the files that its dataplane loads.

    `lower` gives a tree of the target's own words, and raises InputError where the target cannot
    express the plan or an option; each template prints one artifact of it (as `ruleset`).
    """

    name: str
    summary: str
    lower: Callable[[Plan, Options], Any]
    templates: Mapping[str, str]
    """The template of each artifact, by file name; the first is what standard output gets."""
    load: tuple[str, ...]
    """The argv that loads the artifacts, in their directory."""
    check: tuple[str, ...]
    """The argv that checks them without loading."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """The names that `--set NAME=VALUE` may set for this target, each with its meaning in a line."""


def find_backend(name: str) -> Backend:
    """The target of that name; InputError with the nearest one when there is none."""
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in found:
        help = did_you_mean(name, sorted(found))
        raise InputError([Diagnostic(codes.NO_TARGET, f"there is no target {name!r}", help=help)])
    backend = found[name].load()
    if not isinstance(backend, Backend):
        raise InputError([Diagnostic(codes.NO_TARGET, f"the installed target {name!r} is no npc backend")])
    return backend


def target_names() -> list[str]:
    """The targets that are installed, sorted."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})
