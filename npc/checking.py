"""Everything that can be said about policies and inventories without compiling them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date

from npc.compiler.ask.assumptions import AS_COMPILED
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, has_errors
from npc.compiler.frontend.documents import Loaded, load
from npc.compiler.frontend.files import ASSERTIONS_SUFFIX, NOTHING, Exclude, sources
from npc.compiler.frontend.kinds import CONTROLLERS
from npc.compiler.frontend.source import Source
from npc.compiler.inventory import Inventory
from npc.compiler.inventory_builder import build_inventory
from npc.compiler.lint.checked import Checked
from npc.compiler.lint.levels import DEFAULTS, Levels
from npc.compiler.resolve import Model
from npc.compiler.services import unmet_services
from npc.models import at_odds, collector_paused, duplicates, idle, model_of, no_inventory, standard_input


def check_paths(
    paths: Iterable[str],
    *,
    assertions: Iterable[str] = (),
    today: date | None = None,
    levels: Levels = DEFAULTS,
    exclude: Exclude = NOTHING,
    stdin: Callable[[], bytes] | None = None,
) -> tuple[Diagnostic, ...]:
    """Everything that can be said about policies and inventories without compiling them.

    `assertions` are files of assertions besides those that are among the paths by their names.
    """
    found, faults = sources(paths, stdin or standard_input, exclude=exclude)
    asserted, unread = sources(assertions, stdin or standard_input, (ASSERTIONS_SUFFIX,))
    return (*faults, *unread, *check_sources(found, today=today, levels=levels, assertions=asserted))


def check_sources(
    found: Iterable[Source],
    *,
    today: date | None = None,
    inventory: Inventory | None = None,
    levels: Levels = DEFAULTS,
    assertions: Sequence[Source] = (),
) -> tuple[Diagnostic, ...]:
    """As `check_paths`, of what sources hold; `inventory` takes the place of one among them.

    The lints look at policies without errors; those that need an inventory are silent where there is none.
    """
    from npc.compiler.lint.lints import findings, searched  # compile need not wait for them

    listed = list(found)
    with collector_paused():
        files = [*(one for one in listed if one.name.endswith(ASSERTIONS_SUFFIX)), *assertions]
        loaded = load(listed, today=today, controllers=CONTROLLERS if files else ())
        own, faults = build_inventory(loaded.inventory, (one.namespace for one in loaded.policies))
        diagnostics = [*loaded.diagnostics, *duplicates(loaded), *faults]
        if has_errors(diagnostics):
            return tuple(levels.judged(diagnostics))
        is_known = inventory is not None or bool(loaded.inventory)
        model = model_of(loaded, own if inventory is None else inventory)
        if is_known:
            diagnostics += at_odds(model)
            if has_errors(diagnostics):
                return tuple(levels.judged(diagnostics))
            diagnostics += idle(model)
        if files and (is_known or loaded.controllers):
            diagnostics += _asserted(model, loaded, files, diagnostics)
        elif assertions:
            diagnostics.append(no_inventory())
        checked = Checked.of(model.policies, model.cluster_policies, model if is_known else None)
        diagnostics += findings(checked, levels)
        if levels.of(codes.UNUSED_ALLOW) is not None:
            from npc.compiler.lint.allowances import unused

            is_whole = any(one.in_folder for one in listed)
            diagnostics += unused(diagnostics, listed, searched(checked, levels, is_whole=is_whole))
        return tuple(levels.judged(diagnostics))


def _asserted(
    model: Model, loaded: Loaded, files: Sequence[Source], said: Sequence[Diagnostic]
) -> list[Diagnostic]:
    """What comes of the assertions in some files, with the pods that controllers in the input will make."""
    from npc.asserting import failed_assertions  # others need not wait for the language
    from npc.compiler.expected import with_expected

    inventory, found = with_expected(model.inventory, loaded.controllers, AS_COMPILED)
    found += list(unmet_services((*model.policies, *model.cluster_policies), inventory))
    if not has_errors(found):
        found += failed_assertions(files, Model(model.policies, model.cluster_policies, inventory))
    return [one for one in found if one not in said]
