"""What plans become is read, whatever its form, and proven to enforce them."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given, settings

from npc.backends.base import Options, OwnNode
from npc.backends.iptables import BACKEND
from npc.backends.iptables.layout import Layout
from npc.backends.iptables.lowering import lower
from npc.backends.iptables.reader import read
from npc.backends.printing import render
from npc.compiler.plan import Plan
from npc.compiler.verify.proof import prove
from tests.backends import dense
from tests.backends.test_iptables_equivalence import ALL_PAIRS, FORMS
from tests.compiler.compiling import MANY_CLUSTERS

ALL_FORMS: Final[dict[str, tuple[Options, Layout]]] = FORMS | {
    "policed": (Options(own_node=OwnNode.POLICED), Layout()),
    "policed, pairs": (Options(own_node=OwnNode.POLICED), ALL_PAIRS),
}


@pytest.mark.parametrize("form", ALL_FORMS)
@settings(max_examples=MANY_CLUSTERS // 40)
@given(plan=dense.plans(logs=True))
def test_where_everything_overlaps(form: str, plan: Plan) -> None:
    options, layout = ALL_FORMS[form]
    ruleset = lower(plan, options, layout)
    texts = {name: render(template, None, ruleset=ruleset) for name, template in BACKEND.templates.items()}
    assert prove(read(texts, plan, options), plan).refutations == ()
