"""A cluster whose every part is alike however large it is, so that only size can make a packet dearer.

Ten pods and ten policies to a namespace: five applications of two pods each, isolated in both directions.
They speak with each other, with the cluster's DNS, with monitoring, with those of their project (ten
namespaces) and with networks outside. Packets are drawn evenly over the pods, whatever the size.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address

import msgspec

from bench.dataplane.frames import Connection
from npc.api import plan_sources
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.algebra.peers import Peers
from npc.compiler.frontend.source import Source
from npc.compiler.frontend.syntax import Direction
from npc.compiler.plan import Plan
from npc.compiler.tiers import ALLOW_ALL

NODE = "node-0"
PODS_A_NODE = 250
PODS_A_NAMESPACE = 10
NAMESPACES_A_PROJECT = 10

_APPS = ("web", "api", "db", "cache", "worker")
_POD_NETWORK = int(IPv4Address("10.64.0.0"))
_OUTSIDE = int(IPv4Address("198.18.0.0"))
_OUTSIDE_SIZE = 1 << 17
_TRIES = 64
"""Draws for each packet that is found."""

_POLICIES = """
policy isolated in {ns} for pods {{ isolate ingress, egress }}
policy dns in {ns} for pods {{ allow udp/53, tcp/53 to pods(app=dns) in ns/shared }}
policy monitored in {ns} for pods {{ allow tcp/9090 from pods(app=monitor) in ns/shared }}
policy web in {ns} for pods(app=web) {{
  allow tcp/443 from 198.18.0.0/15 except 198.18.7.0/24
  allow tcp/8080 to pods(app=api)
}}
policy purges in {ns} for pods(app=web) {{
  allow tcp/8000-8010 from pods(app=cache) in ns(project={project})
}}
policy api in {ns} for pods(app=api) {{ allow tcp/8080 from pods(app in (web, worker)) }}
policy stores in {ns} for pods(app in (api, worker)) {{
  allow tcp/5432 to pods(app=db)
  allow tcp/6379 to pods(app=cache)
  allow tcp/443 to 198.18.0.0/16, 198.19.128.0/17
}}
policy db in {ns} for pods(app=db) {{ allow tcp/5432 from pods(app in (api, worker)) }}
policy cache in {ns} for pods(app=cache) {{
  allow tcp/6379 from pods(app in (api, worker)), pods(app=web)
  allow tcp/8000-8010 to pods(app=web) in ns(project={project})
}}
policy worker in {ns} for pods(app=worker) {{ allow tcp/8080 to pods(app=api) }}
"""


@dataclass(frozen=True)
class Workload:
    """A cluster of so many pods and policies, and the plan for a node, or for a router with all pods."""

    size: int
    """A multiple of ten."""
    is_router: bool

    @cached_property
    def plan(self) -> Plan:
        """What its policies come to."""
        found = (
            Source("policies.npc", content="".join(self._policies()).encode()),
            Source(
                "inventory.json",
                content=msgspec.json.encode(
                    {"apiVersion": "v1", "kind": "List", "items": [*self._objects()]}
                ),
            ),
        )
        return plan_sources(found, node=None if self.is_router else NODE).plan

    def _policies(self) -> Iterator[str]:
        for number in range(self.size // PODS_A_NAMESPACE):
            yield _POLICIES.format(ns=f"n{number}", project=f"p{number // NAMESPACES_A_PROJECT}")

    def _objects(self) -> Iterator[Mapping[str, object]]:
        nodes = -(-self.size // PODS_A_NODE)
        places = list(range(self.size))
        random.Random(self.size).shuffle(places)
        shared = {"dns": 2, "monitor": 2}
        for number in range(self.size // PODS_A_NAMESPACE):
            labels = {"project": f"p{number // NAMESPACES_A_PROJECT}"}
            yield {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": f"n{number}", "labels": labels},
            }
        for number, place in enumerate(places):
            app, namespace = _APPS[number % len(_APPS)], f"n{number // PODS_A_NAMESPACE}"
            yield _pod(namespace, f"{app}-{number}", app, _address(place, nodes), place % nodes)
        for number, app in enumerate(app for app, count in shared.items() for _ in range(count)):
            # Beside the policies: they isolate nobody in this namespace.
            yield _pod("shared", f"{app}-{number}", app, _POD_NETWORK - 256 + number, nodes)

    def connections(self, count: int, *, allowed: bool) -> tuple[Connection, ...]:
        """So many different ones that the policies allow, or deny: each pod as often, in random order."""
        rng = random.Random(f"{self.size} {self.is_router} {allowed}")
        draw = _Draw(self.plan, rng)
        found: dict[Connection, None] = {}
        for _ in range(count * _TRIES):
            one = draw.allowed() if allowed else draw.denied()
            if one is not None:
                found[one] = None
            if len(found) == count:
                return tuple(found)
        raise AssertionError(f"{len(found)} of {count} packets were found")


def _address(place: int, nodes: int) -> int:
    """Each node has a block of 256 addresses."""
    return _POD_NETWORK + (place % nodes << 8) + place // nodes + 2


def _pod(namespace: str, name: str, app: str, address: int, node: int) -> Mapping[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": app}},
        "spec": {"nodeName": f"node-{node}", "containers": [{"name": "c", "image": "i"}]},
        "status": {"phase": "Running", "podIPs": [{"ip": str(IPv4Address(address))}]},
    }


class _Draw:
    """Packets of a plan, at random."""

    def __init__(self, plan: Plan, rng: random.Random) -> None:
        self._rng = rng
        self._decisions: dict[Direction, dict[int, PacketSet[Peers]]] = {one: {} for one in Direction}
        for one in plan.classes:
            for subject in one.subjects:
                for address in subject.addresses:
                    self._decisions[one.direction][address] = one.decision
        self._subjects: Sequence[tuple[Direction, int]] = [
            (direction, address) for direction, found in self._decisions.items() for address in sorted(found)
        ]
        self._pods = sorted(plan.names)
        self._ports = sorted(
            {(low >> 16, low & traffic.LAST_PORT) for one in plan.classes for low, _, _ in one.decision.parts}
        )

    def allowed(self) -> Connection | None:
        """What a rule of a subject drawn evenly allows, and the other end too; None where it does not."""
        direction, subject = self._rng.choice(self._subjects)
        low, high, peers = self._rng.choice(self._decisions[direction][subject].parts)
        wanted = self._rng.randint(low, high)
        return self._between(direction, subject, self._peer(peers), wanted, allowed=True)

    def denied(self) -> Connection | None:
        """A pod, or an address outside, and a subject drawn evenly, on a port that some rule speaks of."""
        direction, subject = self._rng.choice(self._subjects)
        protocol, port = self._rng.choice(self._ports)
        peer = self._outside() if self._rng.random() < 0.25 else self._rng.choice(self._pods)
        return self._between(direction, subject, peer, protocol << 16 | port, allowed=False)

    def _peer(self, peers: Peers) -> int:
        """Of the groups as of the blocks, as likely."""
        groups = sorted(peers.groups)
        number = self._rng.randrange(len(groups) + len(peers.blocks.ranges))
        if number < len(groups):
            return self._rng.choice(sorted(groups[number].members))
        return self._rng.randint(*peers.blocks.ranges[number - len(groups)])

    def _outside(self) -> int:
        return _OUTSIDE + self._rng.randrange(_OUTSIDE_SIZE)

    def _between(
        self, direction: Direction, subject: int, peer: int, wanted: int, *, allowed: bool
    ) -> Connection | None:
        source, destination = (subject, peer) if direction is Direction.EGRESS else (peer, subject)
        if source == destination or Family.V6 in map(Family.of, (source, destination)):
            return None
        ends = ((Direction.EGRESS, source, destination), (Direction.INGRESS, destination, source))
        passes = all(
            (found := self._decisions[side].get(one, ALLOW_ALL).at(wanted)) is not None and other in found
            for side, one, other in ends
        )
        if passes != allowed:
            return None
        source_port = self._rng.randrange(1024, 1 << 16)
        return Connection(source, destination, wanted >> 16, source_port, wanted & traffic.LAST_PORT)
