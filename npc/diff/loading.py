"""From two sets of sources to their comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from npc.compiler.ask.asking import check
from npc.compiler.ask.assumptions import AS_COMPILED, Reading
from npc.compiler.ask.differences import Comparison
from npc.compiler.ask.narrowing import as_read
from npc.compiler.ask.relation import Relation
from npc.compiler.expected import with_expected
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError, has_errors
from npc.compiler.frontend.documents import Loaded, load
from npc.compiler.frontend.files import NOTHING, Exclude
from npc.compiler.frontend.kinds import CONTROLLERS
from npc.compiler.frontend.source import Source
from npc.compiler.inventory_builder import build_inventory
from npc.compiler.lint.levels import DEFAULTS, Levels
from npc.compiler.resolve import Model
from npc.diff.revisions import is_revision, revision_sources
from npc.models import collector_paused, merged_model, no_inventory, readable


@dataclass(frozen=True, slots=True)
class Sides:
    """What is compared: policies and inventories of either side, and what both have."""

    old: Sequence[Source]
    new: Sequence[Source]
    both: Sequence[Source] = ()


def compare(
    sides: Sides, *, reading: Reading = AS_COMPILED, today: date | None = None, levels: Levels = DEFAULTS
) -> tuple[Comparison, tuple[Diagnostic, ...]]:
    """The comparison of two sides, and what was found in reading them; InputError with all errors.

    An inventory that both sides have is read once. What is found on both sides is told once.
    """
    with collector_paused():
        shared, old, new = (
            load(one, today=today, controllers=CONTROLLERS) for one in (sides.both, sides.old, sides.new)
        )
        models, diagnostics = _models(shared, old, new)
        judged = levels.judged(one for one in diagnostics if one.code is not codes.NO_ADDRESS)
        if has_errors(judged):
            raise InputError(judged)
        (before, after), found = _asked(models, shared, (old, new), reading)
        judged += levels.judged(one for one in found if one not in diagnostics)
        if has_errors(judged):
            raise InputError(judged)
        for model in (before, after):
            check(model)
        return Comparison(Relation(before, reading), Relation(after, reading)), tuple(judged)


def sources_of(paths: Iterable[str], stdin: Callable[[], bytes], exclude: Exclude = NOTHING) -> list[Source]:
    """The sources that paths name, `git:REV:PATH` among them; InputError where one cannot be read."""
    found: list[Source] = []
    for path in paths:
        if is_revision(path):
            found += revision_sources(path, exclude)
        else:
            found += readable([path], stdin, exclude)
    return found


def _asked(
    models: Sequence[Model], shared: Loaded, sides: Sequence[Loaded], reading: Reading
) -> tuple[list[Model], list[Diagnostic]]:
    """The models as they are read, with the pods that controllers will make, and those without an address.

    And what is to be said of the controllers, each once.
    """
    found: list[Model] = []
    faults: list[Diagnostic] = []
    for model, side in zip(models, sides, strict=True):
        read = as_read(model, reading)
        controllers = (*shared.controllers, *side.controllers)
        inventory, wrong = with_expected(read.inventory, controllers, reading)
        faults += wrong
        if found and inventory == found[0].inventory:
            inventory = found[0].inventory  # what both sides have is known by its identity
        found.append(Model(read.policies, read.cluster_policies, inventory))
    return found, list(dict.fromkeys(faults))


def _models(shared: Loaded, old: Loaded, new: Loaded) -> tuple[list[Model], list[Diagnostic]]:
    sides = (old, new)
    diagnostics = [*shared.diagnostics, *old.diagnostics, *new.diagnostics]
    namespaces = {one.namespace for side in (shared, *sides) for one in side.policies}
    inventories = []
    if shared.inventory and not old.inventory and not new.inventory:
        inventory, found = build_inventory(shared.inventory, sorted(namespaces))
        diagnostics += found
        inventories = [inventory, inventory]
    else:
        for side, word in zip(sides, ("OLD", "NEW"), strict=True):
            is_known = any((one.inventory or one.controllers) for one in (shared, side))
            if not is_known and not has_errors(diagnostics):
                diagnostics.append(no_inventory(f" for {word}"))
            inventory, found = build_inventory((*shared.inventory, *side.inventory), sorted(namespaces))
            diagnostics += found
            inventories.append(inventory)
    models = []
    for side, inventory in zip(sides, inventories, strict=True):
        model, twice = merged_model((shared, side), inventory)
        models.append(model)
        diagnostics += twice
    return models, list(dict.fromkeys(diagnostics))
