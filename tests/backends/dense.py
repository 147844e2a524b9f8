"""Small plans in which everything overlaps: nested blocks with holes, groups inside blocks, ports in ranges.

Random clusters seldom have enough on one pod to make a target choose its less usual forms; here most do.
The holes are of both kinds: addresses that no block has, and groups that a rule took away from a block.
"""

from __future__ import annotations

from ipaddress import ip_address
from itertools import product
from random import Random
from typing import Final

from hypothesis import strategies as st

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import EVERY_ADDRESS, EVERY_V4, EVERY_V6, parse_cidr
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.peers import Group, Peers
from npc.compiler.arms import Arm
from npc.compiler.arms import packets as union
from npc.compiler.frontend.source import Origin, Source
from npc.compiler.frontend.syntax import Direction
from npc.compiler.inventory import Endpoint
from npc.compiler.optimize.passes import PASSES, optimize
from npc.compiler.plan import Class, Hairpin, LoggedRule, Plan
from tests.compiler.compiling import on_line
from tests.reference.evaluator import Packet
from tests.reference.manifests import Address

PODS: Final = 6
BASES: Final = tuple(map(ip_address, ("10.0.0.0", "fd00::")))
SPAN: Final = 16
"""How many addresses from each base packets are asked about."""
OUTSIDE: Final = tuple(map(ip_address, ("9.255.255.255", "10.0.1.0", "192.0.2.1", "fcff::", "2001:db8::1")))

BLOCKS: Final = tuple(
    parse_cidr(f"{base}{suffix}/{bits + length}").block
    for base, bits in (("10.0.0.", 24), ("fd00::", 120))
    for length in range(3, 9)
    for suffix in {offset & ~((1 << (8 - length)) - 1) for offset in range(SPAN)}
    if base == "10.0.0." or suffix < 10
)
WHOLE: Final = (EVERY_V4, EVERY_V6, EVERY_ADDRESS)
TRAFFIC: Final = (
    traffic.ANY,
    traffic.every(traffic.TCP),
    traffic.every(traffic.UDP),
    traffic.every(47),
    traffic.of(traffic.TCP, 80, 80),
    traffic.of(traffic.TCP, 79, 97),
    traffic.of(traffic.TCP, 1, 65535),
    traffic.of(traffic.TCP, 443, 443),
    traffic.of(traffic.UDP, 53, 54),
    traffic.of(traffic.SCTP, 7, 9),
    traffic.of(traffic.ICMP, 0x0800, 0x08FF),
    traffic.of(traffic.ICMP, 0x0301, 0x0301),
    traffic.of(traffic.ICMP, 0x02FF, 0x0501),
    traffic.of(traffic.ICMPV6, 0x8001, 0x8102),
    traffic.of(traffic.ICMPV6, 0x8000, 0x80FF),
    traffic.ANY - traffic.of(traffic.TCP, 80, 80),
    traffic.ANY - traffic.every(traffic.UDP) - traffic.of(traffic.ICMP, 0x0800, 0x08FF),
)
ASKED: Final = (
    *((traffic.TCP, port) for port in (0, 1, 78, 79, 80, 81, 97, 98, 442, 443, 65535)),
    *((traffic.UDP, port) for port in (52, 53, 54, 55)),
    *((traffic.SCTP, port) for port in (6, 7, 9, 10)),
    *((traffic.ICMP, kind) for kind in (0, 0x02FE, 0x02FF, 0x0300, 0x0301, 0x0501, 0x0502, 0x0800, 0x08FF)),
    *((traffic.ICMPV6, kind) for kind in (0x8000, 0x8001, 0x80FF, 0x8100, 0x8102, 0x8103)),
    (47, 0),
)


def addresses(number: int) -> tuple[Address, Address]:
    """One of each family, so far from where they begin; the first are the pods'."""
    v4, v6 = BASES
    return v4 + number, v6 + number


def _endpoint(number: int) -> Endpoint:
    return Endpoint("x", f"p{number}", {}, tuple(map(on_line, addresses(number))), node="n")


ENDPOINTS: Final = tuple(map(_endpoint, range(PODS)))
GROUPS: Final = tuple(
    Group(f"g{number}", frozenset(address for one in members for address in ENDPOINTS[one].addresses))
    for number, members in enumerate([(0,), (0, 1), (1, 2, 3), (2, 3, 4), (0, 1, 2, 3, 4, 5)])
)


def _blocks(ranges: list[int], holes: list[int]) -> Intervals:
    return Intervals.of(*(BLOCKS[one].range for one in ranges)) - Intervals.of(
        *(BLOCKS[one].range for one in holes)
    )


_SOME_BLOCKS = st.builds(
    _blocks,
    st.lists(st.integers(0, len(BLOCKS) - 1), max_size=4),
    st.lists(st.integers(0, len(BLOCKS) - 1), max_size=4),
) | st.sampled_from(WHOLE)
_SOME_GROUPS = st.frozensets(st.sampled_from(GROUPS), max_size=3)
_PEERS = st.builds(
    lambda groups, blocks, taken, more: (Peers() | Peers(groups, blocks)) - Peers(taken) | Peers(more),
    _SOME_GROUPS,
    _SOME_BLOCKS,
    st.just(frozenset()) | _SOME_GROUPS,
    st.just(frozenset()) | _SOME_GROUPS,
)
_TRAFFIC = st.lists(st.sampled_from(TRAFFIC), min_size=1, max_size=4).map(Intervals.union)
_ARMS = st.lists(st.builds(Arm, _TRAFFIC, _PEERS.filter(bool)), max_size=4).map(tuple)
_DECISIONS = _ARMS.map(union)


_NOWHERE: Final = Origin(Source("dense"))
_LOGS = st.lists(_DECISIONS, max_size=2).map(
    lambda found: tuple(
        LoggedRule("", f"rule {number}", packets, _NOWHERE) for number, packets in enumerate(found)
    )
)


@st.composite
def _hairpins(draw: st.DrawFn) -> tuple[Hairpin, ...]:
    """What some of the pods' addresses may send to themselves."""
    some = st.just(Intervals()) | _TRAFFIC.filter(lambda wanted: wanted != traffic.ANY)
    alike: dict[Intervals, list[int]] = {}
    for endpoint in draw(st.lists(st.sampled_from(ENDPOINTS), max_size=3, unique=True)):
        for address in endpoint.addresses:
            alike.setdefault(draw(some), []).append(address)
    return tuple(Hairpin(allowed, tuple(found)) for allowed, found in alike.items())


@st.composite
def plans(draw: st.DrawFn, *, logs: bool = False) -> Plan:
    """A plan with up to three classes in each direction, over the same few pods, and with hairpins.

    With `logs`, classes have up to two rules that log. Some of the optimizer's passes have run.
    """
    classes = []
    for direction in Direction:
        written = draw(st.lists(_ARMS, max_size=3, unique_by=union))
        subjects = draw(st.permutations(ENDPOINTS))
        for index, arms in enumerate(written):
            members = subjects[2 * index], subjects[2 * index + 1]
            classes.append(
                Class(direction, union(arms), members, logs=draw(_LOGS) if logs else (), arms=arms)
            )
    names = {address: str(one) for one in ENDPOINTS for address in one.addresses}
    plan = Plan(
        tuple(sorted(classes, key=lambda one: one.key)), names, hairpins=draw(st.just(()) | _hairpins())
    )
    return optimize(plan, draw(st.just(PASSES) | st.lists(st.sampled_from(PASSES), max_size=1)))


def packets(limit: int) -> list[Packet]:
    """An even sample of the packets between addresses near the blocks, the same at every call.

    One in ten is from an address to itself.

    ICMP is of its own family: in the other's packets nobody reads its types.
    """
    ends = [address for number in range(SPAN) for address in addresses(number)]
    pairs = [
        pair
        for one, other in product(ends[: 2 * PODS], [*ends, *OUTSIDE])
        for pair in ((one, other), (other, one))
        if one.version == other.version
    ]
    every = [
        Packet(*pair, *asked)
        for pair, asked in product(pairs, ASKED)
        if asked[0] != (traffic.ICMPV6 if pair[0].version == 4 else traffic.ICMP)
    ]
    selves = [packet for packet in every if packet.source == packet.destination]
    others = [packet for packet in every if packet.source != packet.destination]
    chance = Random(0)
    return chance.sample(others, limit - limit // 10) + chance.sample(selves, limit // 10)
