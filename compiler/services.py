"""Services in rules: those that the inventory does not know, and ports at which nobody is met (X5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from npc.compiler.algebra import traffic
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, did_you_mean
from npc.compiler.frontend.source import Origin
from npc.compiler.frontend.syntax import BehindService, Direction, NetworkPolicy, Policy, Ports, Rule
from npc.compiler.inventory import Inventory, Service


def unmet_services(policies: Iterable[Policy], inventory: Inventory) -> Iterator[Diagnostic]:
    """An error for each place that names a Service behind which nobody is known.

    And a warning where a rule names none of the Service's target ports: often it has the Service's own port.
    """
    known = {(one.namespace, one.name): one for one in inventory.services}
    told: set[tuple[Origin, str]] = set()  # a set's Service is one of each policy that uses the set
    for policy, direction, rule, peer in _named(policies):
        namespace = peer.namespace or (policy.namespace if isinstance(policy, NetworkPolicy) else "")
        name = f"{namespace}/{peer.name}"
        service = known.get((namespace, peer.name))
        code = codes.UNKNOWN_SERVICE
        if service is None:
            names = [one for space, one in known if space == namespace]
            message = f"the inventory has no Service {name}"
            help = did_you_mean(peer.name, names) if names else f"it has none in {namespace}"
        elif not service.selector:
            message = f"the Service {name} selects no pods: it has no selector"
            help = "name its addresses instead"
        elif direction is Direction.EGRESS and not service.ports:
            message = f"the Service {name} has no ports, and is met at its target ports alone"
            help = "name its pods instead"
        elif direction is Direction.EGRESS and not _may_meet(rule, service):
            code = codes.OTHER_PORTS
            message = f"the rule has none of the target ports of the Service {name}: it means nothing there"
            served = traffic.describe(_numbers(service))
            help = f"its pods serve {served}; leave the ports out for all of them"
        else:
            continue
        origin = peer.origin or rule.origin
        if (origin, message) not in told:
            told.add((origin, message))
            yield Diagnostic(code, message, origin, help=help, about=f"{policy.kind} {policy}")


def _may_meet(rule: Rule, service: Service) -> bool:
    """Whether a rule may have a target port: ports by name are other numbers at other pods."""
    if rule.ports is None or not all(isinstance(one.port, int) for one in service.ports):
        return True
    served = _numbers(service)
    return any(
        not isinstance(one, Ports) or traffic.of(one.protocol, one.first, one.last) & served
        for one in rule.ports
    )


def _numbers(service: Service) -> Intervals:
    """The target ports that are numbers."""
    return Intervals.union(
        traffic.of(one.protocol, one.port, one.port) for one in service.ports if isinstance(one.port, int)
    )


def _named(policies: Iterable[Policy]) -> Iterator[tuple[Policy, Direction, Rule, BehindService]]:
    """The Services that rules name."""
    for policy in policies:
        for direction in Direction:
            for rule in policy.rules(direction):
                for peer in rule.peers or ():
                    if isinstance(peer, BehindService):
                        yield policy, direction, rule, peer
