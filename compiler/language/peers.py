"""What peers and selectors say, with the names of sets worked out (P7, P8, P11, C4, X3, X5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from npc.compiler.algebra.addresses import Cidr, Family, format_cidr, parse_address, parse_cidr
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Related
from npc.compiler.frontend.names import dns_label_fault, label_key_fault, label_value_fault
from npc.compiler.frontend.shapes import quoted
from npc.compiler.frontend.syntax import (
    EVERYTHING,
    BehindService,
    Block,
    Nodes,
    Operator,
    Peer,
    Pods,
    Requirement,
    Selector,
)
from npc.compiler.frontend.values import read_cidr
from npc.compiler.language import tree
from npc.compiler.language.findings import Findings

NAME_LABEL = "kubernetes.io/metadata.name"
"""The label that every namespace has, with its name (E4)."""

_OPERATORS = {
    tree.Comparison.EQUALS: Operator.IN,
    tree.Comparison.IN: Operator.IN,
    tree.Comparison.NOT_IN: Operator.NOT_IN,
    tree.Comparison.EXISTS: Operator.EXISTS,
    tree.Comparison.NOT_EXISTS: Operator.DOES_NOT_EXIST,
}


class Place(Enum):
    """Where peers stand."""

    POLICY = "in a policy"
    CLUSTER_POLICY = "in a cluster policy"
    SET = "in a set"
    ASSERTION = "in an assertion"


_OWNERS = {Place.CLUSTER_POLICY: "a cluster policy", Place.SET: "a set", Place.ASSERTION: "an assertion"}
"""What has no namespace of its own."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a list of peers stands for."""

    peers: tuple[Peer, ...] | None
    """None: everyone."""
    local: Related | None = None
    """Where pods are meant that are of the namespace of whichever policy it is: the first of them."""


NOBODY = Meaning(())


@dataclass(frozen=True, slots=True)
class PeerReader:
    """Reads the peers of one file."""

    findings: Findings
    look_up: Callable[[tree.SetReference], Meaning]
    """What a reference stands for; nobody, and reported, when that cannot be said."""

    def read(self, peers: tuple[tree.Peer, ...], place: Place) -> Meaning:
        """All that the peers say; of a set, each once."""
        self._check_blocks(peers)
        found: list[Peer] = []
        local = None
        is_everyone = False
        for one in peers:
            match one:
                case tree.Everyone():
                    is_everyone = True
                case tree.SetReference():
                    meant = self.look_up(one)
                    if meant.peers is None:
                        is_everyone = True
                        if len(peers) > 1:
                            message = f"'@{one.name.text}' is everyone: it stands alone"
                            self.findings.report(codes.SENTENCE, message, one)
                    if meant.local is not None:
                        local = local or meant.local
                        self._check_place(one, place, meant.local)
                    found.extend(meant.peers or ())
                case tree.Pods(namespaces=None):
                    if place is not Place.POLICY:
                        local = local or Related(self.findings.origin(one), "these pods")
                        self._check_place(one, place)
                    found.append(Pods(self.selector(one.requirements)))
                case tree.BehindService(namespace=None) if place is not Place.POLICY:
                    self._report_homeless(one, place)
                case _:
                    is_claim = place is Place.ASSERTION and isinstance(one, tree.Block)
                    peer = self._peer(_with_prefix(one) if is_claim else one)
                    if peer is not None:
                        found.append(peer)
        if is_everyone:
            return Meaning(None, local)
        return Meaning(tuple(dict.fromkeys(found) if place is Place.SET else found), local)

    def subject(self, subject: tree.Pods | tree.Namespaces | tree.NamedNamespace) -> Pods:
        """The pods that a cluster policy is for."""
        if isinstance(subject, tree.Pods):
            if subject.namespaces is None:
                self._check_place(subject, Place.CLUSTER_POLICY)
                return Pods(self.selector(subject.requirements), EVERYTHING)
            return Pods(self.selector(subject.requirements), self._namespaces(subject.namespaces))
        return Pods(EVERYTHING, self._namespaces(subject))

    def selector(self, requirements: tree.Requirements) -> Selector:
        """The canonical form of a selector; what is invalid is reported."""
        if not requirements:
            return EVERYTHING
        if len(requirements) == 1:
            return Selector((self._requirement(requirements[0]),))
        equal: dict[str, tree.Requirement] = {}
        for one in requirements:
            if one.comparison is tree.Comparison.EQUALS and equal.setdefault(one.key.text, one) is not one:
                first = Related(self.findings.origin(equal[one.key.text].key), "first here")
                message = f"the label {quoted(one.key.text)} stands here twice"
                help = f"for one of several values write {one.key.text} in (...)"
                self.findings.report(codes.DUPLICATE_KEY, message, one.key, help=help, related=(first,))
        return Selector.of([self._requirement(one) for one in requirements])

    def _requirement(self, requirement: tree.Requirement) -> Requirement:
        key, values = requirement.key, requirement.values
        self.findings.check(label_key_fault, key, "a label key")
        for value in values:
            self.findings.check(label_value_fault, value, "a label value")
        texts = {one.text for one in values}
        return Requirement(key.text, _OPERATORS[requirement.comparison], tuple(sorted(texts)))

    def _peer(self, peer: tree.Peer) -> Peer | None:
        match peer:
            case tree.Block():
                return self._block(peer)
            case tree.Namespaces() | tree.NamedNamespace():
                return Pods(EVERYTHING, self._namespaces(peer))
            case tree.Pods(namespaces=(tree.Namespaces() | tree.NamedNamespace()) as namespaces):
                return Pods(self.selector(peer.requirements), self._namespaces(namespaces))
            case tree.Nodes():
                return Nodes(self.selector(peer.requirements))
            case tree.BehindService(name=name, namespace=namespace):
                self.findings.check(dns_label_fault, name, "a Service's name")
                if namespace is not None:
                    self.findings.check(dns_label_fault, namespace, "a namespace's name")
                home = None if namespace is None else namespace.text
                return BehindService(name.text, home, self.findings.origin(peer))
            case _:
                return None

    def _namespaces(self, namespaces: tree.Namespaces | tree.NamedNamespace) -> Selector:
        if isinstance(namespaces, tree.Namespaces):
            return self.selector(namespaces.requirements)
        self.findings.check(dns_label_fault, namespaces.name, "a namespace's name")
        return Selector((Requirement(NAME_LABEL, Operator.IN, (namespaces.name.text,)),))

    def _block(self, block: tree.Block) -> Block | None:
        cidr = self._cidr(block.cidr)
        if cidr is None:
            return None
        excepts = []
        for text in block.excepts:
            one = self._cidr(text)
            if one is None:
                continue
            if one.prefix <= cidr.prefix or not cidr.first <= one.first <= cidr.range[1]:
                self.findings.invalid(quoted(text.text), f"strictly inside {format_cidr(cidr)}", text)
            excepts.append(one)
        return Block(cidr, tuple(excepts))

    def _check_blocks(self, peers: Sequence[tree.Peer]) -> None:
        """Warn of blocks that a block with `except` before them has already: more excepts were meant."""
        outer: tree.Block | None = None
        inner: list[tree.Block] = []
        for one in peers:
            if isinstance(one, tree.Block) and one.excepts:
                self._report_inner(outer, inner)
                outer, inner = one, []
            elif isinstance(one, tree.Block) and outer is not None and _is_part(one, outer):
                inner.append(one)
        self._report_inner(outer, inner)

    def _report_inner(self, outer: tree.Block | None, inner: Sequence[tree.Block]) -> None:
        if outer is None or not inner:
            return
        excepts = ", ".join(one.text for one in (*outer.excepts, *(one.cidr for one in inner)))
        message = f"{inner[0].cidr.text} is part of {outer.cidr.text} already, and no except of it"
        help = f"for another except write except ({excepts})"
        related = (Related(self.findings.origin(outer), "part of this"),)
        self.findings.report(codes.IN_A_BLOCK, message, inner[0], help=help, related=related)

    def _cidr(self, text: tree.Text) -> Cidr | None:
        read = read_cidr(text.text, (), self.findings.at(text))
        return None if read is None else read.block

    def _check_place(self, node: tree.Peer, place: Place, local: Related | None = None) -> None:
        """Report pods of "the policy's own namespace" where there is none."""
        if place not in (Place.CLUSTER_POLICY, Place.ASSERTION):
            return
        message = f"{_OWNERS[place]} has no namespace of its own: say which namespaces the pods are in"
        help = "write pods(...) in ns for those of all namespaces, or in ns/NAME"
        self.findings.report(
            codes.NOT_HERE, message, node, help=help, related=() if local is None else (local,)
        )

    def _report_homeless(self, peer: tree.BehindService, place: Place) -> None:
        message = f"{_OWNERS[place]} has no namespace of its own: say which one the Service is in"
        help = f"write svc/{peer.name.text} in ns/NAME"
        self.findings.report(codes.NOT_HERE, message, peer, help=help)


def _with_prefix(peer: tree.Peer) -> tree.Peer:
    """A block, or an address as the block of it alone: `10.0.0.1` of `10.0.0.1/32`."""
    if not isinstance(peer, tree.Block):
        return peer
    try:
        address = parse_address(peer.cidr.text)
    except ValueError:
        return peer
    text = f"{peer.cidr.text}/{Family.of(address).bits}"
    return replace(peer, cidr=replace(peer.cidr, text=text))


def _is_part(one: tree.Block, other: tree.Block) -> bool:
    """Whether all of a block without `except` is in another; not when one of the two is invalid."""
    try:
        first, last = parse_cidr(one.cidr.text).block.range
        outer = parse_cidr(other.cidr.text).block.range
        holes = [parse_cidr(text.text).block.range for text in other.excepts]
    except ValueError:
        return False
    is_inside = outer[0] <= first and last <= outer[1]
    return is_inside and not any(hole[0] <= last and first <= hole[1] for hole in holes)
