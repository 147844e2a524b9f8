"""Rules of cluster policies that can have no effect in a cluster: most often a name in them is mistyped.

A rule that allows nothing is safe, and shows when something is missing. One that denies nothing is a hole
that nobody sees.
"""

from __future__ import annotations

from collections.abc import Iterator

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic
from npc.compiler.frontend.syntax import Action, ClusterPolicy, Direction, Nodes, Rule
from npc.compiler.labels import members
from npc.compiler.resolve import Model, names_ports
from npc.compiler.tiers import Packets


def idle_rules(model: Model) -> Iterator[Diagnostic]:
    """An error for each rule that needs nodes where there are none, a warning for each that denies nobody."""
    has_nodes = any(node.addresses for node in model.inventory.nodes)
    for policy in model.cluster_policies:
        subjects = [model.inventory.endpoints[number] for number in members(model.subjects(policy))]
        for direction in Direction:
            for index, rule in enumerate(policy.rules(direction)):
                about = f"{policy.kind} {policy}"
                if not has_nodes and any(isinstance(peer, Nodes) for peer in rule.peers or ()):
                    message = "the inventory has no node with an address, and the rule has nodes as peers"
                    help = "collect nodes, too: kubectl get pods,namespaces,nodes,services -A -o json"
                    yield Diagnostic(codes.NO_NODES, message, rule.origin, help=help, about=about)
                elif rule.action is Action.DENY and subjects:
                    by_ports = direction is Direction.INGRESS and names_ports(policy, direction)
                    unlike = {one.ports: one for one in subjects}.values() if by_ports else subjects[:1]
                    matches = (model.match(policy, index, direction, subject) for subject in unlike)
                    if not any(_has_addresses(match.packets) for match in matches):
                        yield _denies_nobody(policy, rule)


def _has_addresses(packets: Packets) -> bool:
    return any(peers.addresses() for _, _, peers in packets.parts)


def _denies_nobody(policy: ClusterPolicy, rule: Rule) -> Diagnostic:
    return Diagnostic(
        codes.DENIES_NOBODY,
        "the rule denies nothing: nobody in the inventory is among its peers, or has its ports",
        rule.origin,
        help="check its selectors, namespaces and names of ports",
        about=f"{policy.kind} {policy}",
    )
