"""The symbolic walk against the trace of every packet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npc.compiler.verify import walk as walking
from npc.compiler.verify.products import Product
from npc.compiler.verify.program import Chain, Scenario
from npc.compiler.verify.trace import Packet, trace
from npc.compiler.verify.walk import walk
from tests.verify.programs import SCENARIOS, dispatches, packets, pipelines, programs

PACKETS = packets()


@pytest.mark.parametrize("factor_from", [0, 1, 2, 100])
@given(data=st.data(), scenario=SCENARIOS)
def test_what_passes_is_what_passes_one_by_one(
    factor_from: int, data: st.DataObject, scenario: Scenario
) -> None:
    chains = data.draw(programs())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walking, "FACTOR_FROM", factor_from)
        compare(chains, scenario)


@pytest.mark.parametrize("factor_from", [0, 100])
@given(chains=dispatches(), scenario=SCENARIOS)
def test_what_comes_back_from_a_dispatch_goes_on(
    factor_from: int, chains: dict[str, Chain], scenario: Scenario
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walking, "FACTOR_FROM", factor_from)
        compare(chains, scenario)


@pytest.mark.parametrize("factor_from", [0, 2, 100])
@given(chains=pipelines(), scenario=SCENARIOS)
def test_registers_hold_what_was_set(factor_from: int, chains: dict[str, Chain], scenario: Scenario) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walking, "FACTOR_FROM", factor_from)
        compare(chains, scenario)


def compare(chains: dict[str, Chain], scenario: Scenario) -> None:
    apart = walk(chains, scenario, diagonal=False).products
    same = [one.sent for one in walk(chains, scenario, diagonal=True).products if one.sent is not None]
    for packet in PACKETS:
        if packet.source == packet.destination:
            found = any(
                packet.source in subjects and kinds.at(packet.traffic)
                for region in same
                for subjects, kinds in region.rows
            )
        else:
            found = any(is_in(one, packet) for one in apart)
        assert found is trace(chains, scenario, packet).passes, packet


def is_in(product: Product, packet: Packet) -> bool:
    sides = (
        (product.sent, packet.source, packet.destination),
        (product.received, packet.destination, packet.source),
    )
    for region, subject, peer in sides:
        if region is None:
            continue
        rows = [row for subjects, row in region.rows if subject in subjects]
        if not any((peers := row.at(packet.traffic)) is not None and peer in peers for row in rows):
            return False
    return True
