"""Rules of addresses and ports alone, as npc's users write them and as Aerleon's do.

Each rule lets the addresses of a block, less some excepts, reach some ports of one pod. Pods of which rules
speak get nothing else; all other traffic passes. That is what both programs can say: Aerleon knows neither
pods nor selectors, and npc no order of rules.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import yaml

PER_POD = 10
"""Rules for each pod."""
NAMESPACE = "x"
_PODS = IPv4Network("10.244.0.0/16")
_SOURCES = IPv4Network("172.16.0.0/12")
_PORTS = (22, 53, 80, 123, 443, 2379, 3306, 5432, 6379, 6443, 8080, 8443, 9090, 9100, 9200, 10250, 27017)


@dataclass(frozen=True, slots=True)
class AddressRule:
    """What may reach a pod."""

    pod: int
    source: IPv4Network
    excepts: tuple[IPv4Network, ...]
    protocol: str
    ports: tuple[tuple[int, int], ...]
    """First and last port of each range."""

    def matches(self, source: IPv4Address, destination: IPv4Address, protocol: str, port: int) -> bool:
        """Whether the rule lets a packet pass."""
        return (
            destination == pod_address(self.pod)
            and source in self.source
            and not any(source in hole for hole in self.excepts)
            and protocol == self.protocol
            and any(first <= port <= last for first, last in self.ports)
        )


def pod_address(pod: int) -> IPv4Address:
    """The address of a pod by its number."""
    return _PODS[pod + 1]


def address_rules(count: int, seed: int = 1) -> list[AddressRule]:
    """So many rules, the same for the same seed."""
    chance = random.Random(seed)
    return [_rule(number // PER_POD, chance) for number in range(count)]


def _rule(pod: int, chance: random.Random) -> AddressRule:
    source = _block(_SOURCES, chance.choice((16, 20, 24, 24, 28, 32)), chance)
    excepts: tuple[IPv4Network, ...] = ()
    if source.prefixlen <= 24 and chance.random() < 0.25:
        excepts = (_block(source, source.prefixlen + chance.choice((2, 4, 8)), chance),)
    ports = sorted(chance.sample(_PORTS, chance.choice((1, 1, 2, 3))))
    ranges = [(one, one) for one in ports]
    if chance.random() < 0.2:
        ranges.append((30000, 30000 + chance.choice((99, 767, 2767))))
    return AddressRule(pod, source, excepts, chance.choice(("TCP", "TCP", "TCP", "UDP")), tuple(ranges))


def _block(within: IPv4Network, prefix: int, chance: random.Random) -> IPv4Network:
    """A block of that prefix length, anywhere in another."""
    first = int(within[0]) + (chance.randrange(within.num_addresses) >> 32 - prefix << 32 - prefix)
    return IPv4Network((first, prefix))


# --- for npc ------------------------------------------------------------------------------------------------


def write_policies(rules: Sequence[AddressRule], folder: Path) -> tuple[Path, Path]:
    """A NetworkPolicy for each pod, and the inventory: the paths of both files."""
    policies, inventory = folder / "policies.yaml", folder / "inventory.json"
    by_pod: dict[int, list[AddressRule]] = {}
    for rule in rules:
        by_pod.setdefault(rule.pod, []).append(rule)
    with policies.open("w", encoding="utf-8") as file:
        documents = (_policy(pod, own) for pod, own in by_pod.items())
        yaml.dump_all(documents, file, Dumper=yaml.CSafeDumper, explicit_start=True, sort_keys=False)
    endpoints = [
        {
            "name": f"pod-{pod}",
            "namespace": NAMESPACE,
            "labels": {"app": f"pod-{pod}"},
            "addresses": [str(pod_address(pod))],
        }
        for pod in by_pod
    ]
    inventory.write_text(json.dumps({"namespaces": [{"name": NAMESPACE}], "endpoints": endpoints}))
    return policies, inventory


def _policy(pod: int, rules: Sequence[AddressRule]) -> dict[str, object]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": f"pod-{pod}", "namespace": NAMESPACE},
        "spec": {
            "podSelector": {"matchLabels": {"app": f"pod-{pod}"}},
            "ingress": [
                {
                    "from": [{"ipBlock": {"cidr": str(rule.source), "except": [*map(str, rule.excepts)]}}],
                    "ports": [
                        {"protocol": rule.protocol, "port": first, "endPort": last}
                        for first, last in rule.ports
                    ],
                }
                for rule in rules
            ],
        },
    }


# --- for Aerleon --------------------------------------------------------------------------------------------

AERLEON_TARGETS = {"nft": "nftables", "iptables": "iptables"}
_HEADERS = {"nft": "inet FORWARD ACCEPT noverbose", "iptables": "FORWARD ACCEPT noverbose"}


def write_aerleon(rules: Sequence[AddressRule], target: str, folder: Path) -> tuple[Path, Path]:
    """A policy for one of npc's targets, and the folder with its definitions."""
    definitions = folder / "definitions"
    definitions.mkdir(parents=True)
    pods = sorted({rule.pod for rule in rules})
    networks: dict[str, object] = {f"POD_{pod}": _addresses(IPv4Network(pod_address(pod))) for pod in pods}
    networks["PODS"] = {"values": [{"name": f"POD_{pod}"} for pod in pods]}
    services: dict[str, object] = {}
    terms: list[dict[str, str]] = [{"name": "established", "option": "established", "action": "accept"}]
    for number, rule in enumerate(rules):
        networks[f"NET_{number}"] = _addresses(rule.source)
        services[f"PORTS_{number}"] = [
            {"protocol": rule.protocol.lower(), "port": str(first) if first == last else f"{first}-{last}"}
            for first, last in rule.ports
        ]
        term = {
            "name": f"rule-{number}",
            "source-address": f"NET_{number}",
            "destination-address": f"POD_{rule.pod}",
            "protocol": rule.protocol.lower(),
            "destination-port": f"PORTS_{number}",
            "action": "accept",
        }
        if rule.excepts:
            networks[f"EXCEPT_{number}"] = _addresses(*rule.excepts)
            term["source-exclude"] = f"EXCEPT_{number}"
        terms.append(term)
    terms.append({"name": "rest", "destination-address": "PODS", "action": "deny"})
    header = {"targets": {AERLEON_TARGETS[target]: _HEADERS[target]}}
    policy = folder / "policies" / "rules.yaml"
    policy.parent.mkdir()
    policy.write_text(_dumped({"filters": [{"header": header, "terms": terms}]}))
    (definitions / "all.yaml").write_text(_dumped({"networks": networks, "services": services}))
    return policy, definitions


def _addresses(*networks: IPv4Network) -> dict[str, object]:
    return {"values": [{"address": str(one)} for one in networks]}


def _dumped(document: object) -> str:
    return yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False)
