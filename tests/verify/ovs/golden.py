"""The golden cases of the target: what they compile to, and their options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from npc.api import compile_paths
from npc.backends.base import Options
from npc.backends.ovs import BACKEND
from npc.compiler.plan import Plan
from npc.compiler.verify.program import Program
from npc.testing import Case
from tests.golden.cases import expected_artifacts, find_cases, settings_of

CASES: Final = [case for case in find_cases() if expected_artifacts(case, BACKEND.templates)]


@dataclass(frozen=True, slots=True)
class Golden:
    """A compiled case."""

    text: str
    plan: Plan
    options: Options

    def read(self, text: str) -> Program:
        """What a text does, under the case's options."""
        return read({"npc.flows": text}, self.plan, self.options)


def read(texts: Mapping[str, str], plan: Plan, options: Options | None = None) -> Program:
    """The target's reader."""
    assert BACKEND.read is not None
    return BACKEND.read(texts, plan, options or Options())


@cache
def compiled(name: str) -> Golden:
    """The case of a name."""
    (case,) = (one for one in CASES if one.name == name)
    return compiled_case(case)


def compiled_case(case: Case) -> Golden:
    """What a case compiles to."""
    settings = settings_of(case)
    paths = [*map(str, case.inputs()), *(str(case.folder / one) for one in settings.input)]
    done = compile_paths(paths, "ovs", node=settings.node, options=settings.options, today=settings.today)
    return Golden(done.artifacts["npc.flows"], done.plan, settings.options)
