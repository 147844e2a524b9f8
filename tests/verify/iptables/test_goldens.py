"""What every golden case expects is read, and proven to enforce the case's policies."""

from __future__ import annotations

import pytest

from npc.api import plan_sources
from npc.backends.iptables import BACKEND
from npc.backends.iptables.reader import read
from npc.compiler.frontend.files import sources
from npc.compiler.plan import Plan
from npc.compiler.verify.proof import prove
from npc.testing import Case
from tests.golden.cases import expected_artifacts, find_cases, settings_of

CASES = [case for case in find_cases() if expected_artifacts(case, BACKEND.templates)]


def plan_of(case: Case) -> Plan:
    settings = settings_of(case)
    paths = [*case.inputs(), *(case.folder / text for text in settings.input)]
    found, _ = sources(list(map(str, paths)), bytes)
    return plan_sources(found, node=settings.node, today=settings.today).plan


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_is_proven(case: Case) -> None:
    texts = expected_artifacts(case, BACKEND.templates)
    plan = plan_of(case)
    assert prove(read(texts, plan, settings_of(case).options), plan).refutations == ()
