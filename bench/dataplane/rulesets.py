"""What is loaded into a router: connection tracking alone, npc's rules, or a rule for each connection."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from bench.dataplane.packetcost import Router, UnmeasurableError
from npc.api import emit
from npc.backends.base import Backend, Options, find_target
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family, cidrs, format_address, format_cidr
from npc.compiler.algebra.intervals import Range
from npc.compiler.frontend.syntax import Direction
from npc.compiler.plan import Class, Plan


@dataclass(frozen=True, slots=True)
class Dataplane:
    """A way to enforce plans in a network namespace, and what it is compared with."""

    name: str
    programs: tuple[str, ...]
    floor: Callable[[Router, str], None]
    """Known connections pass first; then the verdict, `accept` or `drop`, of all others."""
    npc: Callable[[Router, Plan], None]
    linear: Callable[[Router, Plan], None]
    """A rule for each pod, peer and range of ports, one after the other."""

    def check(self) -> None:
        """Raise UnmeasurableError where a program is missing."""
        missing = [one for one in self.programs if shutil.which(one) is None]
        if missing:
            raise UnmeasurableError(f"measuring {self.name} needs {' and '.join(missing)}")


def artifacts(target: str, plan: Plan) -> Mapping[str, str]:
    """What npc makes of a plan, file by file."""
    backend = find_target(target)
    assert isinstance(backend, Backend)
    return emit(plan, backend, Options())


@dataclass(frozen=True, slots=True)
class LinearRule:
    """What a pod exchanges with one peer, an address or a block, on a range of ports of one protocol."""

    subject: str
    peer: str
    protocol: str
    ports: Range


def linear_rules(one: Class) -> Iterator[LinearRule]:
    """Every rule for every subject of a class, in IPv4."""
    for arm in one.arms:
        groups = {address for group in arm.peers.groups for address in group.members}
        peers = [format_address(address) for address in sorted(groups) if Family.of(address) is Family.V4]
        blocks = arm.peers.blocks & Family.V4.every
        peers += [format_cidr(block) for piece in blocks.ranges for block in cidrs(piece)]
        ports = [
            (traffic.NAMES[protocol], found)
            for protocol, ranges in traffic.by_protocol(arm.traffic).items()
            for found in ranges
        ]
        for subject, peer, (protocol, found) in product(subjects(one), peers, ports):
            yield LinearRule(subject, peer, protocol, found)


def subjects(one: Class) -> list[str]:
    """The IPv4 addresses of a class's subjects."""
    return [
        format_address(address)
        for subject in one.subjects
        for address in subject.addresses
        if Family.of(address) is Family.V4
    ]


def _load_nft(router: Router, text: str) -> None:
    router.namespace.run(["nft", "-f", "-"], text)


def _nft_chains(forward: str, ingress: str = "") -> str:
    hook = "type filter hook forward priority filter; policy accept"
    known = "ct state established,related accept"
    return (
        f"table inet bench {{\n chain ingress {{\n{ingress} }}\n"
        f" chain forward {{\n  {hook}\n  {known}\n{forward} }}\n}}\n"
    )


def _nft_floor(router: Router, verdict: str) -> None:
    _load_nft(router, _nft_chains(f"  {verdict}\n"))


def _nft_npc(router: Router, plan: Plan) -> None:
    _load_nft(router, artifacts("nft", plan)["npc.nft"])


def _nft_linear(router: Router, plan: Plan) -> None:
    def rules(direction: Direction) -> Iterator[str]:
        own, peer = ("saddr", "daddr") if direction is Direction.EGRESS else ("daddr", "saddr")
        verdict = "goto ingress" if direction is Direction.EGRESS else "accept"
        classes = [one for one in plan.classes if one.direction is direction]
        for one in classes:
            for rule in linear_rules(one):
                ports = f"{rule.protocol} dport {rule.ports[0]}-{rule.ports[1]}"
                yield f"  ip {own} {rule.subject} ip {peer} {rule.peer} {ports} {verdict}\n"
        for one in classes:
            for subject in subjects(one):
                yield f"  ip {own} {subject} drop\n"

    egress, ingress = ("".join(rules(direction)) for direction in (Direction.EGRESS, Direction.INGRESS))
    _load_nft(router, _nft_chains(f"{egress}  goto ingress\n", ingress))


def _iptables(variant: str) -> Dataplane:
    """iptables-legacy or iptables-nft, whose rules are written alike."""
    restore, known = f"iptables-{variant}-restore", "-m conntrack --ctstate RELATED,ESTABLISHED"

    def floor(router: Router, verdict: str) -> None:
        text = f"*filter\n-A FORWARD {known} -j ACCEPT\n-A FORWARD -j {verdict.upper()}\nCOMMIT\n"
        router.namespace.run([restore], text)

    def npc(router: Router, plan: Plan) -> None:
        made = artifacts("iptables", plan)
        with tempfile.TemporaryDirectory(prefix="npc-bench-") as folder:
            path = Path(folder, "npc.ipset")
            path.write_text(made["npc.ipset"], encoding="utf-8")
            router.namespace.run(["ipset", "restore", "-file", str(path)])
        router.namespace.run([restore, "--noflush"], made["npc.v4.rules"])
        router.namespace.run([f"iptables-{variant}", "-I", "FORWARD", "1", "-j", "NPC-FORWARD"])

    def linear(router: Router, plan: Plan) -> None:
        lines = ["*filter", ":EGRESS -", ":INGRESS -", f"-A FORWARD {known} -j ACCEPT"]
        lines += ["-A FORWARD -j EGRESS", "-A FORWARD -j INGRESS"]
        for direction in (Direction.EGRESS, Direction.INGRESS):
            own, peer = ("-s", "-d") if direction is Direction.EGRESS else ("-d", "-s")
            classes = [one for one in plan.classes if one.direction is direction]
            lines += [
                f"-A {direction.name} {own} {rule.subject} {peer} {rule.peer} -p {rule.protocol}"
                f" --dport {rule.ports[0]}:{rule.ports[1]} -j RETURN"
                for one in classes
                for rule in linear_rules(one)
            ]
            lines += [
                f"-A {direction.name} {own} {subject} -j DROP" for one in classes for subject in subjects(one)
            ]
        router.namespace.run([restore], "\n".join([*lines, "COMMIT", ""]))

    return Dataplane(f"iptables-{variant}", (restore, "ipset"), floor, npc, linear)


DATAPLANES = {
    one.name: one
    for one in (
        Dataplane("nft", ("nft",), _nft_floor, _nft_npc, _nft_linear),
        _iptables("legacy"),
        _iptables("nft"),
    )
}
