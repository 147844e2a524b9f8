"""From sources to a model that questions are asked of: with pods that are not there yet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from npc.compiler.ask.assumptions import AS_COMPILED, Reading
from npc.compiler.ask.narrowing import as_read
from npc.compiler.expected import with_expected
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError, has_errors
from npc.compiler.frontend.documents import Progress
from npc.compiler.frontend.kinds import CONTROLLERS
from npc.compiler.frontend.source import Source
from npc.compiler.lint.levels import DEFAULTS, Levels
from npc.compiler.resolve import Model
from npc.compiler.services import unmet_services
from npc.models import collector_paused, model_of, read_input


def asked_sources(
    found: Iterable[Source],
    *,
    reading: Reading = AS_COMPILED,
    progress: Progress | None = None,
    today: date | None = None,
    levels: Levels = DEFAULTS,
) -> tuple[Model, tuple[Diagnostic, ...]]:
    """As `model_sources`, for questions: with the pods that controllers in the input will make.

    Pods that have no address yet are endpoints too. InputError also for Services that are not there.
    """
    with collector_paused():
        loaded, inventory, diagnostics = read_input(found, progress, today, levels, CONTROLLERS)
        read = as_read(model_of(loaded, inventory), reading)
        inventory, faults = with_expected(read.inventory, loaded.controllers, reading)
        model = Model(read.policies, read.cluster_policies, inventory)
        faults += unmet_services((*model.policies, *model.cluster_policies), inventory)
    judged = levels.judged(faults)
    diagnostics = [one for one in diagnostics if one.code is not codes.NO_ADDRESS] + judged
    if has_errors(diagnostics):
        raise InputError(diagnostics)
    return model, tuple(diagnostics)
