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
from npc.compiler.frontend.files import LANGUAGE_SUFFIX, STDIN
from npc.compiler.frontend.kinds import CONTROLLERS
from npc.compiler.frontend.recognition import is_meant_as_the_language
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
    model, diagnostics = unchecked_sources(
        found, reading=reading, progress=progress, today=today, levels=levels
    )
    faults = tuple(levels.judged(unmet_services((*model.policies, *model.cluster_policies), model.inventory)))
    if has_errors(faults):
        raise InputError((*diagnostics, *faults))
    return model, (*diagnostics, *faults)


def unchecked_sources(
    found: Iterable[Source],
    *,
    reading: Reading = AS_COMPILED,
    progress: Progress | None = None,
    today: date | None = None,
    levels: Levels = DEFAULTS,
) -> tuple[Model, tuple[Diagnostic, ...]]:
    """As `asked_sources`, without a look at the Services in rules: who asks looks at those that matter."""
    with collector_paused():
        loaded, inventory, diagnostics = read_input(found, progress, today, levels, CONTROLLERS)
        read = as_read(model_of(loaded, inventory), reading)
        inventory, faults = with_expected(read.inventory, loaded.controllers, reading)
    told = [one for one in diagnostics if one.code is not codes.NO_ADDRESS]
    diagnostics = told + levels.judged(faults)
    if has_errors(diagnostics):
        raise InputError(diagnostics)
    return Model(read.policies, read.cluster_policies, inventory), tuple(diagnostics)


def in_the_language(found: Iterable[Source]) -> list[Source]:
    """The sources that are in the policy language, as `load` tells."""
    return [
        one
        for one in found
        if one.name.endswith(LANGUAGE_SUFFIX) or (one.name == STDIN and is_meant_as_the_language(one.data()))
    ]
