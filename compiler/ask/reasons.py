"""Why a packet is let through or not, in words: what a ruling rests on, and the rule by its place."""

from __future__ import annotations

from npc.compiler.ask.rulings import Decider, Ground, Ruling
from npc.compiler.ask.wording import listed
from npc.compiler.frontend.syntax import ClusterPolicy, Direction


def because(ruling: Ruling) -> str:
    """What follows "allowed" or "denied": `: no policy isolates it`, ` by shop/web, ingress rule 1`."""
    match ruling.ground:
        case Ground.ISOLATED:
            names = listed(map(str, ruling.isolating))
            return f": isolated by {names}; none of their rules matches"
        case Ground.DEFAULT if ruling.decider is not None:
            name = rule_name(ruling.decider, ruling.direction)
            return f": passed on by {name}, and nothing decides after it"
        case Ground.DEFAULT:
            return ": no policy isolates it"
        case Ground.OUTSIDE:
            return ": no pod, no policy is for it"
        case Ground.ITSELF:
            return ": a pod and itself, NetworkPolicies have no say"
        case Ground.OWN_NODE:
            return ": its own node"
        case Ground.ADMIN | Ground.BASELINE | Ground.NETWORK_POLICY:
            assert ruling.decider is not None
            return f" by {rule_name(ruling.decider, ruling.direction)}"


def rule_name(decider: Decider, direction: Direction) -> str:
    """`shop/web, ingress rule 1`."""
    policy = decider.policy
    rule = f"{direction.value} rule {decider.index + 1}"
    rule += f" ({decider.rule.name})" if decider.rule.name else ""
    if isinstance(policy, ClusterPolicy):
        return f"{policy.kind} {policy} ({policy.tier.value}, priority {policy.priority}), {rule}"
    return f"{policy}, {rule}"
