"""Answers agree with what other projects expect, in all the ways in which one can ask."""

from __future__ import annotations

import pytest

from npc.compiler.algebra.intervals import Intervals
from npc.compiler.ask.answers import Asked, Between, answers
from npc.compiler.ask.single import SinglePackets
from tests.ask.asking import place_of, relation_of
from tests.compiler.compiling import traffic_of
from tests.conformance.cases import (
    Case,
    Traffic,
    cluster_policy_cases,
    plain_network_policy_cases,
    probe_packets,
    requires_conformance_data,
)

pytestmark = requires_conformance_data

CASES = [*plain_network_policy_cases(), *cluster_policy_cases()]


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_traffic(case: Case[Traffic]) -> None:
    documents = case.documents
    relation = relation_of(documents)
    single = SinglePackets(relation.model)
    inventory = relation.model.inventory
    wrong = []
    for probe in case.expectation.probes:
        for packet in probe_packets(probe, documents) if probe.src != probe.dst else ():
            source, destination = place_of(inventory, packet.source), place_of(inventory, packet.destination)
            if relation.are_pod_and_own_node(source, destination):
                continue
            number = traffic_of(packet)
            asked = Asked.of(source.ends, destination.ends, Intervals.of((number, number)))
            (answer,) = answers(relation, asked)
            said = (
                number in relation.passing(source, destination),
                single.passes(source, destination, number),
                answer.allowed and answer.between is Between.OTHERS,
            )
            if said != (probe.allowed,) * 3:
                wrong.append((probe, packet, said))
    assert wrong == []
