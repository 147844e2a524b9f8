"""From paths or sources to a model: valid policies and an inventory, and what is to be said of them."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import date

from npc.compiler.ambiguity import ambiguous_priorities
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError, Related, has_errors
from npc.compiler.frontend.documents import Loaded, Progress, load
from npc.compiler.frontend.files import NOTHING, Exclude, sources
from npc.compiler.frontend.source import Source
from npc.compiler.frontend.syntax import Direction, Policy
from npc.compiler.idle_rules import idle_rules
from npc.compiler.inventory import Inventory
from npc.compiler.inventory_builder import build_inventory
from npc.compiler.lint.levels import DEFAULTS, Levels
from npc.compiler.resolve import Model
from npc.compiler.services import unmet_services

_FEW = 5
"""Policies that a message names."""


def readable(
    paths: Iterable[str], stdin: Callable[[], bytes] | None = None, exclude: Exclude = NOTHING
) -> list[Source]:
    """The sources that paths name; InputError where one cannot be read."""
    found, faults = sources(paths, stdin or standard_input, exclude=exclude)
    if faults:
        raise InputError(faults)
    return found


def model_paths(
    paths: Iterable[str],
    *,
    progress: Progress | None = None,
    today: date | None = None,
    levels: Levels = DEFAULTS,
    exclude: Exclude = NOTHING,
    stdin: Callable[[], bytes] | None = None,
) -> tuple[Model, tuple[Diagnostic, ...]]:
    """As `model_sources`, of what files and directories hold."""
    found = readable(paths, stdin, exclude)
    return model_sources(found, progress=progress, today=today, levels=levels)


def model_sources(
    found: Iterable[Source],
    *,
    progress: Progress | None = None,
    today: date | None = None,
    levels: Levels = DEFAULTS,
) -> tuple[Model, tuple[Diagnostic, ...]]:
    """The policies and the inventory in sources, resolved, with what was found; raises as `compile_paths`.

    What `at_odds` finds is not among them.
    """
    with collector_paused():
        loaded, inventory, diagnostics = read_input(found, progress, today, levels)
        return model_of(loaded, inventory), tuple(diagnostics)


def read_input(
    found: Iterable[Source],
    progress: Progress | None,
    today: date | None,
    levels: Levels,
    controllers: Collection[str] = (),
) -> tuple[Loaded, Inventory, list[Diagnostic]]:
    """What sources hold, its inventory, and all diagnostics; InputError when one of them is an error."""
    loaded = load(found, progress, today=today, controllers=controllers)
    (progress or nobody)("resolving", 0, 1)
    return loaded, *inventory_of(loaded, levels)


def inventory_of(loaded: Loaded, levels: Levels) -> tuple[Inventory, list[Diagnostic]]:
    """The inventory and all diagnostics so far; InputError when one of them is an error."""
    namespaces = (one.namespace for one in loaded.policies)
    inventory, found = build_inventory(loaded.inventory, namespaces)
    diagnostics = levels.judged([*loaded.diagnostics, *duplicates(loaded), *found])
    if not (loaded.inventory or loaded.controllers) and not has_errors(diagnostics):
        diagnostics.append(no_inventory())
    if has_errors(diagnostics):
        raise InputError(diagnostics)
    return inventory, diagnostics


def no_inventory(where: str = "") -> Diagnostic:
    """That there is no inventory, in the input or in a part of it."""
    return Diagnostic(
        codes.NO_INVENTORY,
        f"there is no inventory{where}: no pod, namespace or node in the input",
        help="add --inventory FILE as `kubectl get pods,namespaces,nodes,services -A -o json` prints",
    )


def checked_model(
    loaded: Loaded, inventory: Inventory, levels: Levels, diagnostics: list[Diagnostic]
) -> Model:
    """The model; what is to be said of it is added to the diagnostics, InputError when that is an error."""
    model = model_of(loaded, inventory)
    tell(at_odds(model), levels, diagnostics)
    return model


def tell(found: Iterable[Diagnostic], levels: Levels, diagnostics: list[Diagnostic]) -> None:
    """Add to the diagnostics those that count; InputError when one of them is an error."""
    told = levels.judged(found)
    diagnostics += told
    if has_errors(told):
        raise InputError(diagnostics)


def at_odds(model: Model) -> Iterator[Diagnostic]:
    """What is to be said of policies that are valid by themselves, once their inventory is known.

    A model of which one of these is an error is not to be asked anything.
    """
    found = list(unmet_services((*model.policies, *model.cluster_policies), model.inventory))
    yield from found
    if not has_errors(found):
        yield from idle_rules(model)
        yield from ambiguous_priorities(model)


def merged_model(parts: Iterable[Loaded], inventory: Inventory) -> tuple[Model, tuple[Diagnostic, ...]]:
    """The policies of several parts of the input with an inventory, and what stands in two of them."""
    listed = list(parts)
    whole = Loaded(
        tuple(policy for one in listed for policy in one.policies),
        tuple(policy for one in listed for policy in one.cluster_policies),
    )
    return model_of(whole, inventory), tuple(duplicates(whole))


def model_of(loaded: Loaded, inventory: Inventory) -> Model:
    """The policies that were read, each once and in order of their names, with an inventory."""
    policies = {(one.namespace, one.name): one for one in loaded.policies}
    cluster_policies = {(one.kind, one.name): one for one in loaded.cluster_policies}
    return Model(
        tuple(policies[key] for key in sorted(policies)),
        tuple(cluster_policies[key] for key in sorted(cluster_policies)),
        inventory,
    )


def duplicates(loaded: Loaded) -> Iterator[Diagnostic]:
    """Two policies of one kind and name: an error when they differ, else worth a warning."""
    seen: dict[tuple[str, str], Policy] = {}
    policies: tuple[Policy, ...] = (*loaded.policies, *loaded.cluster_policies)
    for policy in policies:
        first = seen.setdefault((policy.kind, str(policy)), policy)
        if first is policy:
            continue
        same = first == policy
        yield Diagnostic(
            codes.REPEATED if same else codes.DUPLICATE_POLICY,
            f"the {policy.kind} {policy} stands in the input twice" + ("" if same else ", and differs"),
            policy.origin.at("metadata", "name"),
            related=(Related(first.origin.at("metadata", "name"), "first here"),),
        )


def idle(model: Model) -> list[Diagnostic]:
    """The policies that are for nobody."""
    return [
        Diagnostic(codes.NO_ENDPOINT, f"the {one.kind} {one} selects no endpoint", one.origin)
        for one in model.idle()
    ]


def on_no_node(model: Model) -> list[Diagnostic]:
    """Whom policies decide for, and no ruleset of a node rules."""
    found = sorted(
        {str(one) for direction in Direction for one, _ in model.deciding(direction, "") if not one.node}
    )
    if not found:
        return []
    few = ", ".join(found[:_FEW]) + (", ..." if len(found) > _FEW else "")
    message = f"policies decide for endpoints that run on no node, and no ruleset rules: {few}"
    return [Diagnostic(codes.ON_NO_NODE, message, help="say in the inventory which node each runs on")]


def nothing_isolated(model: Model, node: str | None) -> Diagnostic:
    """Why everything passes: no policy, nobody whom one selects, or nothing that one denies."""
    where = f" of the node {node}" if node is not None else ""
    if not (model.policies or model.cluster_policies):
        why, help = f"there is no policy that isolates an endpoint{where}", "add files with policies"
    elif node is not None and not model.population.on_node(node):
        why, help = f"no endpoint runs on the node {node}", ""
    elif selecting := _selecting(model, node):
        why = f"no policy of the input denies anything to an endpoint{where}"
        few = ", ".join(map(str, selecting[:_FEW])) + (", ..." if len(selecting) > _FEW else "")
        help = f"these select endpoints, but deny nothing: {few}"
    else:
        why = f"no policy of the input selects an endpoint{where}"
        help = "check the policies' namespaces and selectors"
    return Diagnostic(codes.NO_SUBJECTS, f"{why}: everything passes", help=help)


def _selecting(model: Model, node: str | None) -> list[Policy]:
    """The policies that are for an endpoint of a node, or for any; of the latter those without rules, too."""
    found: dict[int, Policy] = {}
    for direction in Direction:
        for _, deciders in model.deciding(direction, node):
            found.update((id(one), one) for one in deciders.policies)
    if node is None:
        found |= {id(one): one for one in model.cluster_policies if model.subjects(one)}
    return sorted(found.values(), key=str)


def standard_input() -> bytes:
    """All of it; nothing where the process was started without one."""
    return sys.stdin.buffer.read() if sys.stdin is not None else b""


def nobody(_words: str, _done: int, _total: int) -> None:
    """Nobody wants to know of progress."""


@contextmanager
def collector_paused() -> Iterator[None]:
    """Without the cyclic garbage collector: it finds nothing here, and trebles the time to decode."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
