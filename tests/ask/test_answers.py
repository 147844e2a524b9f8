"""Answers against the reference evaluator: exact, and by the rules that they name."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from npc.compiler.algebra import traffic
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.ask.answers import Answer, Asked, Between, answers
from npc.compiler.ask.ends import Place
from npc.compiler.ask.misses import Aspect, near_misses
from npc.compiler.ask.narrowing import narrowed, renumbered
from npc.compiler.ask.relation import Relation
from npc.compiler.ask.rulings import Decider, Ground, Ruling
from npc.compiler.frontend.syntax import Action, Direction
from tests.ask.asking import passes, place_of, relation_of
from tests.compiler.compiling import MANY_CLUSTERS, traffic_of
from tests.reference import evaluator
from tests.reference.evaluator import Cluster, Packet
from tests.reference.manifests import Document
from tests.strategies import boundary_packets, clusters

PACKETS = 60
TITLES: dict[Direction, evaluator.Direction] = {Direction.INGRESS: "Ingress", Direction.EGRESS: "Egress"}
TIERS: tuple[evaluator.Tier, ...] = ("Admin", "Baseline")


def covering(found: tuple[Answer, ...], source: Place, destination: Place, packet: Packet) -> Answer:
    """The one answer that is about a packet."""
    covers = [one for one in found if one.covers(source, destination, traffic_of(packet))]
    special = [one for one in covers if one.between is not Between.OTHERS]
    (answer,) = special or covers
    return answer


@settings(max_examples=MANY_CLUSTERS)
@given(clusters())
def test_all_that_was_asked_is_in_one_answer_which_is_right(documents: list[Document]) -> None:
    relation, cluster = relation_of(documents), Cluster.from_manifests(documents)
    inventory, everyone = relation.model.inventory, relation.census.everyone
    found = answers(relation, Asked.of(everyone, everyone, traffic.ANY))
    for packet in boundary_packets(documents, PACKETS):
        source, destination = place_of(inventory, packet.source), place_of(inventory, packet.destination)
        answer = covering(found, source, destination, packet)
        assert answer.allowed is passes(cluster, packet), packet


@given(clusters(), st.data())
def test_a_narrow_model_gives_the_same_answers(documents: list[Document], data: st.DataObject) -> None:
    relation = relation_of(documents)
    inventory = relation.model.inventory
    asked = boundary_packets(documents, PACKETS)
    assume(asked)
    packet = data.draw(st.sampled_from(asked))
    source, destination = place_of(inventory, packet.source), place_of(inventory, packet.destination)
    numbers, model = narrowed(relation.model, source.ends, destination.ends)
    left, right = renumbered(source.ends, numbers), renumbered(destination.ends, numbers)
    small = answers(Relation(model), Asked.of(left, right, traffic.ANY))
    whole = answers(relation, Asked.of(source.ends, destination.ends, traffic.ANY))
    assert [(one.between, one.traffic, one.rulings) for one in small] == [
        (one.between, one.traffic, one.rulings) for one in whole
    ]


def matches(cluster: Cluster, decider: Decider, direction: Direction, packet: Packet) -> bool:
    """Whether a rule matches a packet, as the reference reads the manifest that it was read from."""
    title = TITLES[direction]
    for policy in (*cluster.policies, *cluster.cluster_policies):
        if policy["kind"] == decider.policy.kind and same_name(policy, decider):
            rule = policy["spec"][direction.value][decider.index]
            if policy["kind"] == "NetworkPolicy":
                return evaluator._rule_matches(cluster, policy, rule, title, packet)
            return evaluator._fails_closed(rule, title) or evaluator._cluster_rule_matches(
                cluster, rule, title, packet
            )
    raise LookupError(str(decider.policy))


def same_name(document: Document, decider: Decider) -> bool:
    name = document["metadata"]["name"]
    if document["kind"] == "NetworkPolicy":
        name = f"{document['metadata'].get('namespace') or 'default'}/{name}"
    return bool(name == str(decider.policy))


def check(cluster: Cluster, ruling: Ruling, packet: Packet) -> None:
    """What a ruling says is so, by the reference."""
    title = TITLES[ruling.direction]
    address = packet.source if ruling.direction is Direction.EGRESS else packet.destination
    subject = cluster.endpoint_at(address)
    if ruling.ground is Ground.OUTSIDE:
        assert subject is None
        return
    if ruling.ground is Ground.OWN_NODE:
        assert evaluator.between_pod_and_its_node(cluster, packet)
        return
    assert subject is not None
    isolating = {
        "/".join((one["metadata"].get("namespace") or "default", one["metadata"]["name"]))
        for one in cluster.policies
        if evaluator.isolates(one, subject, title)
    }
    if ruling.decider is not None:
        assert matches(cluster, ruling.decider, ruling.direction, packet)
    if ruling.passed is not None:
        assert ruling.passed.rule.action is Action.PASS
        assert matches(cluster, ruling.passed, ruling.direction, packet)
    decided = {tier: evaluator.cluster_decision(cluster, tier, subject, title, packet) for tier in TIERS}
    if ruling.ground is Ground.ADMIN:
        assert decided["Admin"] is ruling.allowed
        return
    assert decided["Admin"] is None
    if ruling.ground in (Ground.NETWORK_POLICY, Ground.ISOLATED):
        assert {str(one) for one in ruling.isolating} == isolating
        assert packet.source != packet.destination
    elif ruling.ground is Ground.BASELINE:
        assert decided["Baseline"] is ruling.allowed
    else:
        assert decided["Baseline"] is None
        assert (ruling.ground is Ground.ITSELF) is (packet.source == packet.destination)
    if ruling.ground in (Ground.BASELINE, Ground.DEFAULT) and packet.source != packet.destination:
        assert not isolating


@settings(max_examples=MANY_CLUSTERS)
@given(clusters())
def test_the_rules_that_answers_name_decide(documents: list[Document]) -> None:
    relation, cluster = relation_of(documents), Cluster.from_manifests(documents)
    inventory, everyone = relation.model.inventory, relation.census.everyone
    found = answers(relation, Asked.of(everyone, everyone, traffic.ANY))
    for packet in boundary_packets(documents, PACKETS):
        source, destination = place_of(inventory, packet.source), place_of(inventory, packet.destination)
        for ruling in covering(found, source, destination, packet).rulings:
            check(cluster, ruling, packet)


OF_PORTS = {Aspect.PORT, Aspect.PROTOCOL}


@given(clusters())
def test_near_misses_miss_by_what_they_say(documents: list[Document]) -> None:
    relation, cluster = relation_of(documents), Cluster.from_manifests(documents)
    inventory = relation.model.inventory
    for packet in boundary_packets(documents, PACKETS):
        source, destination = place_of(inventory, packet.source), place_of(inventory, packet.destination)
        if source != destination:
            check_misses(relation, cluster, Direction.EGRESS, source, destination, packet)
            check_misses(relation, cluster, Direction.INGRESS, destination, source, packet)


def check_misses(
    relation: Relation, cluster: Cluster, direction: Direction, subject: Place, peer: Place, packet: Packet
) -> None:
    """Where NetworkPolicies deny a packet, the rules that are named miss it, and by what is said, by the
    reference.
    """
    endpoint = cluster.endpoint_at(packet.source if direction is Direction.EGRESS else packet.destination)
    if subject.endpoint is None or endpoint is None:
        return
    subjects = relation.of(direction, subject.endpoint)
    number = traffic_of(packet)
    asked = PacketSet.of([(Intervals.of((number, number)), peer.ends)])
    ((ruling, _),) = relation.rulings(subjects, asked)
    if ruling.ground is not Ground.ISOLATED:
        return
    own = relation.model.inventory.endpoints[subject.endpoint]
    traffic_ = Intervals.of((number, number))
    for miss in near_misses(relation.meaning, subjects, own, peer, traffic_, most=100):
        aspects = {one.aspect for one in miss.misses}
        assert matches(cluster, miss.rule, direction, packet) is (aspects == {Aspect.SUBJECT_LABEL})
        policy = next(one for one in cluster.policies if same_name(one, miss.rule))
        isolates = evaluator.isolates(policy, endpoint, TITLES[direction])
        assert isolates is (Aspect.SUBJECT_LABEL not in aspects)
        ports = policy["spec"][direction.value][miss.rule.index].get("ports")
        fits = not ports or any(evaluator._port_matches(cluster, one, packet) for one in ports)
        assert fits is not bool(aspects & OF_PORTS)
