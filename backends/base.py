"""What a backend is, and the options that all targets share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from npc.backends.printing import BUILT_IN
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
    """The argv that loads the artifacts, in their directory; empty where nothing loads them."""
    check: tuple[str, ...]
    """The argv that checks them without loading; empty where nothing does."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """The names that `--set NAME=VALUE` may set for this target, each with its meaning in a line."""
    template_folder: Path = BUILT_IN
    """Where the templates are: a third party's target has its own folder."""


def find_backend(name: str) -> Backend:
    """The target of that name; InputError with the nearest one when there is none.

    InputError too where the name is claimed by two packages, or what it leads to is no `Backend`.
    """
    found = {entry.value: entry for entry in entry_points(group=GROUP, name=name)}
    if not found:
        raise _no_target(f"there is no target {name!r}", did_you_mean(name, target_names()))
    if len(found) > 1:
        claims = " and ".join(sorted(found))
        raise _no_target(f"two installed targets are called {name!r}", f"{claims}: uninstall one of them")
    (entry,) = found.values()
    try:
        backend = entry.load()
    except Exception as error:  # a third party's code: whatever it raises is not npc's bug
        message = f"the installed target {name!r} cannot be loaded: {type(error).__name__}: {error}"
        raise _no_target(message, f"its entry point is {entry.value}") from error
    if not isinstance(backend, Backend):
        raise _no_target(
            f"the installed target {name!r} is no npc backend", f"{entry.value} must be a Backend"
        )
    return backend


def target_names() -> list[str]:
    """The targets that are installed, sorted."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def _no_target(message: str, help: str) -> InputError:
    return InputError([Diagnostic(codes.NO_TARGET, message, help=help)])
