"""What a backend is, and the options that all targets share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError, did_you_mean

if TYPE_CHECKING:  # the command line's help needs the options alone
    from importlib.metadata import EntryPoint

    from npc.backends.statistics import Statistics
    from npc.compiler.language.conversion import Written
    from npc.compiler.plan import Plan
    from npc.compiler.verify.program import Program

GROUP = "npc.backends"
"""The entry-point group in which targets are found, the built-in ones too."""
BUILT_IN = Path(__file__).with_name("templates")
"""The templates of npc's own targets."""


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
    series: Callable[[Options], Callable[[Plan], Any]] | None = None
    """Where given: for some options, a `lower` for plans of one cluster, which may keep what they share."""
    statistics: Callable[[Any], Statistics] | None = None
    """Where given: what a ruleset, as `lower` makes it, comes to, for `--stats`."""
    read: Callable[[Mapping[str, str], Plan, Options], Program] | None = None
    """Where given: what a loaded ruleset does, for `npc verify`: of texts by file name, the artifacts or what
    the dataplane lists. The plan says whose packets there can be. Raises Unsupported for unknown words."""


@dataclass(frozen=True, slots=True)
class Printer:
    """A target that rules no packets: the policies themselves in another notation, without an inventory.

    `write` gives the text of all policies, and raises InputError where the notation cannot say one.
    """

    name: str
    summary: str
    artifact: str
    """The name of the file that the text is."""
    write: Callable[[Sequence[Written], date | None], str]
    """Takes the day, too: rules that have ended before it are left out."""


Target: TypeAlias = Backend | Printer


def find_target(name: str) -> Target:
    """The target of that name; InputError with the nearest one when there is none.

    InputError too where the name is claimed by two packages, or what it leads to is no target.
    """
    found = {entry.value: entry for entry in _entry_points() if entry.name == name}
    if not found:
        raise _no_target(f"there is no target {name!r}", did_you_mean(name, target_names()))
    if len(found) > 1:
        claims = " and ".join(sorted(found))
        raise _no_target(f"two installed targets are called {name!r}", f"{claims}: uninstall one of them")
    (entry,) = found.values()
    try:
        target = entry.load()
    except Exception as error:  # a third party's code: whatever it raises is not npc's bug
        message = f"the installed target {name!r} cannot be loaded: {type(error).__name__}: {error}"
        raise _no_target(message, f"its entry point is {entry.value}") from error
    if not isinstance(target, Backend | Printer):
        raise _no_target(
            f"the installed target {name!r} is no npc backend",
            f"{entry.value} must be a Backend or a Printer",
        )
    return target


def target_names() -> list[str]:
    """The targets that are installed, sorted."""
    return sorted({entry.name for entry in _entry_points()})


def _entry_points() -> Iterable[EntryPoint]:
    from importlib.metadata import entry_points  # a tenth of the time of `npc --help`

    return entry_points(group=GROUP)


def _no_target(message: str, help: str) -> InputError:
    return InputError([Diagnostic(codes.NO_TARGET, message, help=help)])
