"""What should pass, worked out of the plan's decisions and not of what any target makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import EVERY_ADDRESS, Family
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.frontend.syntax import Direction
from npc.compiler.plan import Plan
from npc.compiler.verify.products import Product
from npc.compiler.verify.program import Box
from npc.compiler.verify.regions import ALL, OF_FAMILY, End, Packets, Region, Row

_FOREIGN = {Family.V4: traffic.ICMPV6, Family.V6: traffic.ICMP}
"""The protocol whose types packets of a family do not have, though they may carry its number."""
READ = tuple(
    Box(family.every, family.every, traffic.ANY - traffic.every(foreign))
    for family, foreign in _FOREIGN.items()
)
"""The packets whose kind policies can tell. Others need not pass, whatever policies say of types."""
END = {Direction.EGRESS: End.SOURCE, Direction.INGRESS: End.DESTINATION}
"""The end at which the decision of a direction falls (P3)."""


def decided(plan: Plan) -> Product:
    """What a plan lets pass between two addresses.

    Nobody reads types of the other family's ICMP: of that all may pass where the plan allows some types, and
    none need.
    """
    return Product(*(Region.of(end, _decisions(plan, direction)) for direction, end in END.items()))


def expected_hairpins(plan: Plan, always: Sequence[Box]) -> Region:
    """What may pass from addresses to themselves (A2, C6), seen from the sources; all addresses are peers."""
    rows: list[Row] = []
    some: list[Intervals] = []
    for one in plan.hairpins:
        addresses = Intervals.of(*((address, address) for address in one.addresses))
        some.append(addresses)
        decision = PacketSet.of([(one.traffic, EVERY_ADDRESS)])
        rows += [(addresses & family.every, _at_most(decision, family)) for family in Family]
    rows.append((EVERY_ADDRESS - Intervals.union(some), ALL))
    for box in always:
        rows.append((box.sources & box.destinations, PacketSet.of([(box.traffic, EVERY_ADDRESS)])))
    return Region.of(End.SOURCE, rows)


def _decisions(plan: Plan, direction: Direction) -> Iterator[Row]:
    """What each address may exchange in a direction: everything where the plan has no decision (P1)."""
    subjects: dict[Family, list[Intervals]] = {family: [] for family in Family}
    for one in plan.classes:
        if one.direction is not direction:
            continue
        exact = one.decision.map(lambda peers: peers.addresses())
        for family in Family:
            mine = Intervals.of(
                *(
                    (address, address)
                    for subject in one.subjects
                    for address in subject.addresses
                    if Family.of(address) is family
                )
            )
            if mine:
                subjects[family].append(mine)
                yield mine, _at_most(exact & OF_FAMILY[family], family)
    for family in Family:
        yield family.every - Intervals.union(subjects[family]), OF_FAMILY[family]


def _at_most(decision: Packets, family: Family) -> Packets:
    """A decision on packets of a family, with all types of the other family's ICMP where it allows some."""
    foreign = traffic.every(_FOREIGN[family])
    some = decision & PacketSet.of([(foreign, EVERY_ADDRESS)])
    return decision | PacketSet.of([(foreign, Intervals.union(peers for _, _, peers in some.parts))])
