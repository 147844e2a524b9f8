"""Egress isolation that leaves pods without DNS: most clients then fail before they connect.

A policy that lets its pods reach others, by selectors, is for programs that look these up by name. It is
reported where neither it nor any policy that may be for some of the same pods allows a name server's port.
Policies that deny all egress, or allow addresses alone, may do without, and nothing is said of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from npc.compiler.algebra import traffic
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic
from npc.compiler.frontend.source import Origin
from npc.compiler.frontend.syntax import (
    Action,
    BehindService,
    Block,
    Direction,
    NamedPort,
    NetworkPolicy,
    Nodes,
    Operator,
    Peer,
    Pods,
    Port,
    Ports,
    Requirement,
    Rule,
    Selector,
)
from npc.compiler.inventory import NAME_LABEL
from npc.compiler.labels import Bits, bits_of
from npc.compiler.lint.checked import Checked, about, is_in_yaml
from npc.compiler.lint.label_sets import Box
from npc.compiler.lint.reach import pods_box
from npc.compiler.resolve import Model

_HOME = "kube-system"
"""The namespace that the cluster's name server is in, where no inventory tells."""
_APPS = ("kube-dns", "coredns", "node-local-dns")
"""Its pods' usual labels k8s-app."""
_HELP = "allow udp/53 and tcp/53 to the pods of kube-dns (k8s-app=kube-dns in kube-system)"


def blocked_dns(checked: Checked) -> Iterator[Diagnostic]:
    """NPC706."""
    servers = _Servers.of(checked.model)
    by_cluster = (rule for one in checked.cluster_policies for rule in one.rules(Direction.EGRESS))
    if any(rule.action is Action.ALLOW and servers.may_be_reached(rule, "") for rule in by_cluster):
        return
    by_namespace: dict[str, list[NetworkPolicy]] = {}
    for policy in checked.policies:
        if Direction.EGRESS in policy.isolates:
            by_namespace.setdefault(policy.namespace, []).append(policy)
    for namespace, policies in by_namespace.items():
        lenient = [
            Box.of(one.subject)
            for one in policies
            if any(servers.may_be_reached(rule, namespace) for rule in one.egress)
        ]
        for policy in policies:
            own = Box.of(policy.subject)
            if any(own & other for other in lenient):
                continue
            if (rule := next((one for one in policy.egress if _asks_by_name(one)), None)) is not None:
                yield Diagnostic(
                    codes.NO_DNS,
                    "the pods may reach others, but no name server: no rule allows DNS",
                    _place(policy, rule),
                    help=_HELP,
                    about=about(policy),
                )


@dataclass(frozen=True, slots=True)
class _Servers:
    """The name servers of the cluster, as far as the inventory tells."""

    model: Model | None
    endpoints: Bits
    """None, where they are not known."""
    ports: Intervals

    @staticmethod
    def of(model: Model | None) -> _Servers:
        usual = _port(53)
        if model is None:
            return _Servers(None, 0, usual)
        endpoints = model.inventory.endpoints
        numbers = [
            number
            for number, one in enumerate(endpoints)
            if _is_server(one.namespace, one.labels.get("k8s-app"))
        ]
        named = [
            _port(one.number) for number in numbers for one in endpoints[number].ports if "dns" in one.name
        ]
        return _Servers(model, bits_of(numbers, len(endpoints)), Intervals.union([usual, *named]))

    def may_be_reached(self, rule: Rule, namespace: str) -> bool:
        """Whether a rule allows DNS, as far as can be told: in doubt it does."""
        if rule.ports is not None and not any(map(self._is_dns, rule.ports)):
            return False
        if rule.peers is None:
            return True
        # All ports of pods are not meant for DNS; a rule with a port of its own is, whomever it names.
        return any(self._is_server(peer, namespace, rule.ports is not None) for peer in rule.peers)

    def _is_dns(self, port: Port) -> bool:
        match port:
            case NamedPort():
                return True
            case Ports(protocol, first, last):
                return bool(traffic.of(protocol, first, last) & self.ports)

    def _is_server(self, peer: Peer, namespace: str, names_port: bool) -> bool:
        match peer:
            case Block() | BehindService() | Nodes():
                return True
            case Pods() if self.model is not None and self.endpoints:
                return bool(self.model.selected(peer, namespace) & self.endpoints)
            case Pods():
                home = Selector((Requirement(NAME_LABEL, Operator.IN, (_HOME,)),))
                return names_port or bool(pods_box(peer, namespace) & Box.of(home, "ns "))


def _asks_by_name(rule: Rule) -> bool:
    """Whether a rule lets pods reach what they would look up: other pods, or everyone."""
    return rule.peers is None or any(not isinstance(peer, Block) for peer in rule.peers)


def _is_server(namespace: str, app: str | None) -> bool:
    return app in _APPS or (app is not None and "dns" in app and namespace == _HOME)


def _port(number: int) -> Intervals:
    return traffic.of(traffic.UDP, number, number) | traffic.of(traffic.TCP, number, number)


def _place(policy: NetworkPolicy, rule: Rule) -> Origin:
    return policy.origin.at("spec", "egress") if is_in_yaml(policy.origin) else rule.origin
