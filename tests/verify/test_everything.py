"""Everything that npc makes is proven: golden cases, conformance cases, random clusters and plans."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npc.backends.base import Options, OwnNode
from npc.compiler.frontend.diagnostics import InputError
from npc.compiler.plan import Plan
from npc.compiler.verify.proof import Proof
from tests.backends import dense
from tests.compiler.compiling import compiled
from tests.conformance.cases import (
    Case,
    Traffic,
    cluster_policy_cases,
    plain_network_policy_cases,
    requires_conformance_data,
)
from tests.conformance.compiling import compile_documents
from tests.dataplane.test_conformance import EVERYWHERE
from tests.reference.manifests import Document
from tests.strategies import NODES, clusters
from tests.verify.rulesets import FORMS, TARGETS, Ruleset, golden, lowered

GOLDEN = tuple(golden())
TARGETS_AND_FORMS = [(target, form) for target, forms in FORMS.items() for form in forms]


def faults(proof: Proof) -> list[str]:
    """What is refuted, in a line each: the packet, and the rules that it met."""
    return [
        f"{one.scenario.title}: {one.packet} should {'' if one.should_pass else 'not '}pass: "
        + ", ".join(str(rule.line) for rule in one.trace.met)
        for one in proof.refutations
    ]


@pytest.mark.parametrize("ruleset", GOLDEN, ids=str)
def test_golden_cases(ruleset: Ruleset) -> None:
    proof = ruleset.proof
    assert faults(proof) == []
    assert proof.scenarios
    assert proof.subjects == len(
        {address for one in ruleset.plan.classes for subject in one.subjects for address in subject.addresses}
    )


def test_every_target_has_golden_cases() -> None:
    assert {ruleset.target for ruleset in GOLDEN} == set(TARGETS)


def _conformance() -> Iterator[object]:
    for case in (*plain_network_policy_cases(), *cluster_policy_cases()):
        for target in TARGETS:
            marks = [] if case.category in EVERYWHERE or target == "nft" else [pytest.mark.slow]
            yield pytest.param(case, target, id=f"{target}-{case.id}", marks=marks)


@requires_conformance_data
@pytest.mark.parametrize(("case", "target"), list(_conformance()))
def test_conformance_cases(case: Case[Traffic], target: str) -> None:
    for own_node in OwnNode:
        options = Options(own_node=own_node)
        made = compile_documents(case.documents, options=options, target=target)
        assert faults(Ruleset(case.id, target, made.plan, options, made.artifacts).proof) == []


@pytest.mark.parametrize(("target", "form"), TARGETS_AND_FORMS)
@settings(max_examples=8)
@given(documents=clusters(), node=st.none() | st.sampled_from(sorted(NODES)))
def test_random_clusters(target: str, form: str, documents: list[Document], node: str | None) -> None:
    try:
        plan = compiled(documents, node).plan
    except InputError:
        plan = compiled(documents).plan  # the cluster has no such node
    check(plan, target, form)


@pytest.mark.parametrize(("target", "form"), TARGETS_AND_FORMS)
@settings(max_examples=5)
@given(plan=dense.plans())
def test_plans_where_everything_overlaps(target: str, form: str, plan: Plan) -> None:
    check(plan, target, form)


@pytest.mark.parametrize(
    ("target", "form"), [(target, form) for target, form in TARGETS_AND_FORMS if target != "ovs"]
)
@settings(max_examples=3)
@given(plan=dense.plans(logs=True))
def test_rules_that_log(target: str, form: str, plan: Plan) -> None:
    check(plan, target, form)


def check(plan: Plan, target: str, form: str) -> None:
    ruleset = lowered(plan, target, form)
    assert ruleset is not None
    assert faults(ruleset.proof) == []
