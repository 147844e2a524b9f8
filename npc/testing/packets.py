"""`packets.txt`: packets and what must become of them, one claim a line.

    shop/web -> shop/db tcp/5432 : allow     # endpoints by name, or any addresses
    192.0.2.7 -> shop/db any : deny

A claim about several kinds of traffic is about each of them. Endpoints with two addresses are checked
in every family that both ends have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from npc.backends.base import OwnNode
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family, format_address, parse_address
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.frontend.diagnostics import nearest
from npc.compiler.frontend.syntax import Direction
from npc.compiler.inventory import Inventory
from npc.compiler.plan import Class, Plan
from npc.testing.decisions import Decisions, exchanged
from npc.testing.notation import read_traffic, traffic_text

_CLAIM = re.compile(
    r"(?P<source>\S+)\s+->\s+(?P<destination>\S+)\s+(?P<traffic>\S.*?)\s*:\s*(?P<outcome>\S+)"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a line says: from every one to every other of two ends, all of the traffic passes or none."""

    line: int
    text: str
    source: str
    destination: str
    traffic: Intervals
    allowed: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a line, counted from 1: with how it is written, or with what it claims."""

    line: int
    message: str


def read_claims(text: str) -> tuple[list[Claim], list[Fault]]:
    """The claims of a file, and what cannot be read."""
    claims, faults = [], []
    for number, line in enumerate(text.splitlines(), 1):
        said = line.partition("#")[0].strip()
        if not said:
            continue
        try:
            claims.append(_claim(number, said))
        except ValueError as error:
            faults.append(Fault(number, str(error)))
    return claims, faults


def _claim(number: int, said: str) -> Claim:
    match = _CLAIM.fullmatch(said)
    if match is None:
        raise ValueError(f"{said!r} is not SOURCE -> DESTINATION TRAFFIC : allow|deny")
    if match["outcome"] not in ("allow", "deny"):
        raise ValueError(f"{match['outcome']!r} is neither allow nor deny")
    meant = read_traffic(match["traffic"])
    return Claim(number, said, match["source"], match["destination"], meant, match["outcome"] == "allow")


def check_claims(
    claims: Sequence[Claim], plan: Plan, inventory: Inventory, own_node: OwnNode = OwnNode.ALWAYS
) -> list[Fault]:
    """The claims that do not hold in a plan, or that speak of endpoints that are not there."""
    if not claims:
        return []
    checker = _Checker.of(plan, inventory, own_node)
    return [Fault(claim.line, message) for claim in claims for message in checker.faults(claim)]


@dataclass(frozen=True, slots=True)
class _Checker:
    decisions: Decisions
    classes: dict[tuple[Direction, int], Class]
    addresses: dict[str, tuple[int, ...]]
    """Of every endpoint of the inventory."""
    own_nodes: dict[int, tuple[int, ...]]
    """The addresses of the node that the endpoint with an address runs on, where they always pass (A3)."""

    @staticmethod
    def of(plan: Plan, inventory: Inventory, own_node: OwnNode) -> _Checker:
        nodes = {node.name: node.addresses for node in inventory.nodes}
        always = own_node is OwnNode.ALWAYS
        return _Checker(
            Decisions.of(plan),
            {
                (one.direction, address): one
                for one in plan.classes
                for subject in one.subjects
                for address in subject.addresses
            },
            {str(one): one.addresses for one in inventory.endpoints},
            {
                address: nodes.get(one.node, ()) if always else ()
                for one in inventory.endpoints
                for address in one.addresses
            },
        )

    def faults(self, claim: Claim) -> Iterator[str]:
        try:
            sources, destinations = self._end(claim.source), self._end(claim.destination)
        except ValueError as error:
            yield str(error)
            return
        pairs = [(a, b) for a in sources for b in destinations if Family.of(a) is Family.of(b)]
        if not pairs:
            yield f"{claim.source} and {claim.destination} have no address family in common"
        for source, destination in pairs:
            passing = self._passing(source, destination)
            asked = claim.traffic
            if not asked <= traffic.NEIGHBOUR_DISCOVERY:
                asked = asked - traffic.NEIGHBOUR_DISCOVERY
            wrong = asked - passing if claim.allowed else asked & passing
            if wrong:
                shown = traffic.example(wrong)
                several = f" ({format_address(source)} -> {format_address(destination)})"
                where = several if len(pairs) > 1 else ""
                what = "it" if wrong == claim.traffic else traffic_text(Intervals(((shown, shown),)))
                outcome = "denied" if claim.allowed else "allowed"
                why = self._why(claim, source, destination, shown)
                yield f"{claim.text}: {what} is {outcome}{where}{why}"

    def _end(self, text: str) -> tuple[int, ...]:
        """The addresses of an end of a claim; ValueError when there is no such endpoint."""
        if text in self.addresses:
            return self.addresses[text]
        try:
            return (parse_address(text),)
        except ValueError:
            close = nearest(text, self.addresses)
            help = f": did you mean {close!r}?" if close else ""
            raise ValueError(f"the inventory has no endpoint {text!r}, and it is no address{help}") from None

    def _passing(self, source: int, destination: int) -> Intervals:
        if self._is_own_node(source, destination):
            return traffic.ANY
        return self.decisions.passing(source, destination) | traffic.NEIGHBOUR_DISCOVERY

    def _is_own_node(self, one: int, other: int) -> bool:
        return one in self.own_nodes.get(other, ()) or other in self.own_nodes.get(one, ())

    def _why(self, claim: Claim, source: int, destination: int, shown: int) -> str:
        """Which ends deny a packet, or else why it passes."""
        if source == destination:
            if source in self.decisions.hairpins:
                return ": cluster policies decide on what reaches an endpoint from itself (C6)"
            return ": an endpoint always reaches itself (A2)"
        if self._is_own_node(source, destination):
            return ": a pod and its own node always reach each other (A3)"
        allow: list[str] = []
        deny: list[str] = []
        for direction, subject, peer, name in (
            (Direction.EGRESS, source, destination, claim.source),
            (Direction.INGRESS, destination, source, claim.destination),
        ):
            if (isolating := self.classes.get((direction, subject))) is not None:
                passes = shown in exchanged(self.decisions.decision(direction, subject), peer)
                words = f"the {direction.value} of {name} (isolated by {', '.join(isolating.policies)})"
                (allow if passes else deny).append(words)
        if not (deny or allow):
            return ": neither end is isolated"
        return f" by {' and by '.join(deny or allow)}"
