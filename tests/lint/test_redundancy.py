"""Rules that are reported can go, all at once; those that are not cannot, unless they match nothing."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from npc.compiler.algebra.addresses import EVERY_ADDRESS
from npc.compiler.algebra.traffic import ANY
from npc.compiler.frontend.documents import load
from npc.compiler.frontend.source import Origin
from npc.compiler.frontend.syntax import ClusterPolicy, Direction, NetworkPolicy
from npc.compiler.inventory_builder import build_inventory
from npc.compiler.lint.checked import Checked
from npc.compiler.lint.decisions import idle_here, overruled_rules
from npc.compiler.lint.redundancy import covered, shadowed
from npc.compiler.optimize import build_plan
from npc.compiler.resolve import Model
from tests.compiler.compiling import source
from tests.reference.manifests import Document
from tests.strategies import clusters, plain_clusters

EXAMPLES = max(100, settings().max_examples)


def checked(documents: list[Document]) -> Checked:
    loaded = load([source(documents)])
    inventory, _ = build_inventory(loaded.inventory, [policy.namespace for policy in loaded.policies])
    policies = tuple(sorted(loaded.policies, key=str))
    cluster_policies = tuple(sorted(loaded.cluster_policies, key=str))
    return Checked(policies, cluster_policies, Model(policies, cluster_policies, inventory))


def reported(one: Checked) -> set[Origin]:
    """Where the rules stand that are found to add nothing, or never to decide."""
    symbolic = {placed.rule.origin for placed, _ in (*covered(one), *shadowed(one))}
    exact = {found.origin for found in (*overruled_rules(one), *idle_here(one)) if found.origin is not None}
    return symbolic | exact


def without(one: Checked, gone: Container[Origin]) -> Checked:
    """The same but for some rules."""
    assert one.model is not None
    policies = tuple(_less_network(policy, gone) for policy in one.policies)
    cluster_policies = tuple(_less_cluster(policy, gone) for policy in one.cluster_policies)
    return Checked(policies, cluster_policies, Model(policies, cluster_policies, one.model.inventory))


def _less_network(policy: NetworkPolicy, gone: Container[Origin]) -> NetworkPolicy:
    ingress = tuple(rule for rule in policy.ingress if rule.origin not in gone)
    return replace(policy, ingress=ingress, egress=tuple(r for r in policy.egress if r.origin not in gone))


def _less_cluster(policy: ClusterPolicy, gone: Container[Origin]) -> ClusterPolicy:
    ingress = tuple(rule for rule in policy.ingress if rule.origin not in gone)
    return replace(policy, ingress=ingress, egress=tuple(r for r in policy.egress if r.origin not in gone))


def meaning(one: Checked) -> object:
    """What passes, by addresses: however the plan says it."""
    assert one.model is not None
    plan = build_plan(one.model)
    decisions = {
        (group.direction, str(subject)): group.decision.map(lambda peers: peers.addresses()).parts
        for group in plan.classes
        for subject in group.subjects
    }
    everything = ((ANY.ranges[0][0], ANY.ranges[0][1], EVERY_ADDRESS),)
    return {key: parts for key, parts in decisions.items() if parts != everything}, plan.hairpins


def matches_nothing(one: Checked, policy: NetworkPolicy, direction: Direction, index: int) -> bool:
    assert one.model is not None
    return not any(
        peers.addresses()
        for endpoint, deciders in one.model.deciding(direction)
        if any(found is policy for found in deciders.network)
        for _, _, peers in one.model.match(policy, index, direction, endpoint).packets.parts
    )


@settings(max_examples=EXAMPLES)
@given(clusters())
def test_what_is_reported_can_be_removed_all_at_once(documents: list[Document]) -> None:
    whole = checked(documents)
    assert meaning(without(whole, reported(whole))) == meaning(whole)


@settings(max_examples=EXAMPLES)
@given(clusters())
def test_what_is_said_without_an_inventory_holds_in_one(documents: list[Document]) -> None:
    whole = checked(documents)
    bare = Checked(whole.policies, whole.cluster_policies)
    gone = {placed.rule.origin for placed, _ in (*covered(bare), *shadowed(bare))}
    assert meaning(without(whole, gone)) == meaning(whole)


@settings(max_examples=EXAMPLES)
@given(plain_clusters(), st.data())
def test_what_is_left_is_needed(documents: list[Document], data: st.DataObject) -> None:
    whole = checked(documents)
    left = without(whole, reported(whole))
    rules = [
        (policy, direction, index)
        for policy in left.policies
        for direction in Direction
        for index in range(len(policy.rules(direction)))
    ]
    if rules:
        policy, direction, index = data.draw(st.sampled_from(rules))
        rest = without(left, {policy.rules(direction)[index].origin})
        changes = meaning(rest) != meaning(left)
        assert changes or matches_nothing(left, policy, direction, index)


@settings(max_examples=EXAMPLES)
@given(plain_clusters(), st.data())
def test_a_rule_that_is_added_again_is_found(documents: list[Document], data: st.DataObject) -> None:
    policies = [one for one in documents if one["kind"] == "NetworkPolicy" and one["spec"].get("ingress")]
    if policies:
        chosen = data.draw(st.sampled_from(policies))
        rules = chosen["spec"]["ingress"]
        rules.append(data.draw(st.sampled_from(rules)))
        one = checked(documents)
        (policy,) = (found for found in one.policies if found.name == chosen["metadata"]["name"])
        if policy.rules(Direction.INGRESS) and policy.ingress[-1].peers != ():
            found = {placed.rule.origin for placed, _ in covered(one)}
            assert found & {rule.origin for rule in policy.ingress}
