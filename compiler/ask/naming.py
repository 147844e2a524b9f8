"""Whom a question is about: pods, workloads, selectors, addresses and blocks, by what people call them.

Takes a text, gives the ends that it means, or InputError with what was probably meant. Names are looked up
without an index: one question is not worth one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from npc.compiler.algebra import traffic
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.ask.addressing import NoAddress, is_block, read_addresses
from npc.compiler.ask.asked_traffic import read_traffic
from npc.compiler.ask.ends import NOBODY, Census, Ends
from npc.compiler.ask.meaning import Meaning, Packets, traffic_of
from npc.compiler.ask.roll import Roll
from npc.compiler.ask.several import pieces
from npc.compiler.ask.wording import listed, peer_text
from npc.compiler.ask.workloads import KINDS, Kind, Workload, workloads_of
from npc.compiler.frontend import codes
from npc.compiler.frontend.codes import Code
from npc.compiler.frontend.diagnostics import Diagnostic, InputError, nearest
from npc.compiler.frontend.shapes import quoted
from npc.compiler.frontend.source import Origin, Source
from npc.compiler.frontend.syntax import BehindService, Block, NamedPort, Nodes, Peer, Pods, Port, Ports
from npc.compiler.inventory import Absence, Bystander, Endpoint
from npc.compiler.labels import Bits, members
from npc.compiler.resolve import Model, addresses_of

if TYPE_CHECKING:
    from npc.compiler.ask.phrases import Phrases

_IN_THE_LANGUAGE = re.compile(r"(?:any|pods|ns|nodes)$|(?:ns|svc)/|.*[\s(,@]", re.DOTALL)
"""What names and addresses never look like."""
_ALIKE = re.compile(r"(?P<namespace>[^\s/()]+)/pods\(.*\)", re.DOTALL)
"""How a workload of pods with equal labels is called."""
_COUNT = re.compile(r" \([0-9,]+ pods\)$")
"""What stands behind a workload's name in answers."""
_MOST_COMPARED = 20_000
"""Names that are compared with one that is not known."""
_FEW = 5


@dataclass(frozen=True, slots=True)
class Named:
    """The ends that a text means."""

    text: str
    ends: Ends
    served: Packets | None = None
    """Where a Service is named: the traffic in which each end is met as a destination."""
    notes: tuple[str, ...] = ()
    """What one should know about them."""
    warnings: tuple[Diagnostic, ...] = ()
    """What is odd about how the text was written."""


@dataclass
class Names:
    """The names of a cluster."""

    model: Model
    """Its inventory as it is read: with host-network pods where they are taken for endpoints."""
    meaning: Meaning | None = None
    """Of the same model, where there is one already."""
    namespace: str | None = None
    """Where names without a namespace are looked for; None: everywhere."""
    definitions: Sequence[Source] = ()
    """Sources in the policy language, whose sets and services may be named."""
    present: Bits | None = None
    """The endpoints that have names; None: all. Those that stand for pods to come are known by none."""
    _about: str = field(default="", init=False)

    @cached_property
    def _roll(self) -> Roll:
        return Roll(self.model.inventory, self.model.population)

    @cached_property
    def _census(self) -> Census:
        return self.meaning.census if self.meaning is not None else Census.of(self._endpoints)

    @property
    def _endpoints(self) -> tuple[Endpoint, ...]:
        return self.model.inventory.endpoints

    def find(self, text: str, about: str) -> Named:
        """The ends that a text means; `about` is what it is called in messages: SRC."""
        self._about = about
        text = _COUNT.sub("", text.strip())
        parts = [(begin, _COUNT.sub("", part)) for begin, part in pieces(text)]
        if len(parts) > 1 and not all(_IN_THE_LANGUAGE.match(one) or is_block(one) for _, one in parts):
            return self._several(text, parts)
        return self._one(text)

    def _several(self, text: str, parts: Sequence[tuple[int, str]]) -> Named:
        """All that the parts of a text mean."""
        found: list[Named] = []
        for begin, part in parts:
            try:
                found.append(self._one(part))
            except InputError as error:
                raise InputError([self._within(text, begin, one) for one in error.diagnostics]) from None
        ends = NOBODY
        served: list[tuple[Intervals, Ends]] = []
        for one in found:
            ends |= one.ends
            served += [(traffic.ANY, one.ends)] if one.served is None else one.served.rectangles()
        is_service = any(one.served is not None for one in found)
        return Named(
            text,
            ends,
            PacketSet.of(served) if is_service else None,
            tuple(note for one in found for note in one.notes),
            tuple(
                self._within(text, begin, warning)
                for (begin, _), one in zip(parts, found, strict=True)
                for warning in one.warnings
            ),
        )

    def _within(self, text: str, begin: int, found: Diagnostic) -> Diagnostic:
        """What was found in a part of a text, with its place in the text."""
        if found.origin is None or found.origin.within is None:
            return found
        first, last = found.origin.within
        source = Source(self._about, content=text.encode())
        return replace(found, origin=Origin(source, within=(begin + first, begin + last)))

    def _one(self, text: str) -> Named:
        try:
            if (addresses := read_addresses(text)) is not None:
                return self._at(text, addresses)
            if (":" in text or text[:1].isdigit()) and not self._roll.called(text, self.namespace):
                from npc.compiler.ask.address_mistakes import check_no_address

                check_no_address(text)
        except NoAddress as error:
            raise self._failure(codes.UNKNOWN_END, str(error), text, error.help) from None
        if (alike := _ALIKE.fullmatch(text)) is not None:
            return self._of_equal_labels(text, alike["namespace"])
        if _IN_THE_LANGUAGE.match(text) or is_block(text):
            return self._in_the_language(text)
        return self._by_name(text)

    def traffic(self, text: str | None, destination: Named) -> Packets:
        """The traffic that a text (`tcp/443`, `udp/dns`; None: any) means, with the ends that it goes to."""
        self._about = "TRAFFIC"
        everything: Packets = PacketSet.of([(traffic.ANY, destination.ends)])
        asked = everything
        if text is not None and text.strip() != "any":
            asked = PacketSet.of(self._arriving(text, destination.ends))
            if not asked:
                message = f"no port of {destination.text} is called so"
                raise self._failure(codes.QUESTION, message, text, self._ports(destination))
        found = asked if destination.served is None else asked & destination.served
        if not found and destination.served is not None:
            served = Intervals.of(*((low, high) for low, high, _ in destination.served.parts))
            message = "the Service is not met there: it stands for its pods at its target ports"
            help = f"its target ports are {traffic.describe(served) or 'none'}"
            raise self._failure(codes.QUESTION, message, text or "any", help)
        return found

    def _arriving(self, text: str, ends: Ends) -> Iterator[tuple[Intervals, Ends]]:
        for port in read_traffic(text, self._about, lambda: self._phrases):
            yield from self._at_ports((port,), ends)

    def _at_ports(self, ports: Iterable[Port], ends: Ends) -> Iterator[tuple[Intervals, Ends]]:
        """The traffic of some ports, with those of some ends that it goes to (P10)."""
        for port in ports:
            match port:
                case Ports(protocol, first, last):
                    yield traffic.of(protocol, first, last), ends
                case NamedPort():
                    serving: dict[Intervals, list[int]] = {}
                    for number in members(ends.endpoints):
                        for own in traffic_of(port, self._endpoints[number].ports):
                            serving.setdefault(own, []).append(number)
                    yield from ((own, self._roll.ends(numbers) & ends) for own, numbers in serving.items())

    @cached_property
    def _phrases(self) -> Phrases:
        from npc.compiler.ask.phrases import Phrases  # with the language, which most questions are without

        return Phrases(self.definitions)

    def _ports(self, named: Named) -> str:
        """Help: the names that some ends give their ports."""
        pods = (self._endpoints[number] for number in members(named.ends.endpoints))
        names = {f"{traffic.NAMES[port.protocol]}/{port.name}" for pod in pods for port in pod.ports}
        return f"it has {listed(sorted(names), _FEW)}" if names else "it names no ports: write a number"

    def _at(self, text: str, addresses: Intervals) -> Named:
        """Whoever has one of some addresses; a host-network pod's is its node's."""
        ends = self._roll.at(addresses)
        ((low, high),) = addresses.ranges
        if low < high:
            return Named(text, ends)
        owners = [str(self._endpoints[number]) for number in members(ends.endpoints)]
        nodes = [one.name for one in self.model.inventory.nodes if low in one.addresses]
        notes = [
            *(f"{text} is the address of {one}" for one in owners),
            *(f"{text} is an address of the node {one}" for one in nodes),
        ]
        if not owners and not nodes:
            notes += self._of_services(text, low)
        return Named(text, ends, notes=tuple(notes))

    def _of_services(self, text: str, address: int) -> Iterator[str]:
        """Of which Services an address is, and whom to ask about instead."""
        for one in self.model.inventory.services:
            what = dict(one.addresses).get(address)
            if what is not None:
                name = f"the Service {one.namespace}/{one.name}"
                instead = f"; ask about 'svc/{one.name} in ns/{one.namespace}'" if one.selector else ""
                yield f"{text} is the {what} of {name}: policies see the address of a pod behind it{instead}"

    def _in_the_language(self, text: str) -> Named:
        meant = self._phrases.peers(text, self._about, self.namespace)
        if meant.peers is None:
            return Named(text, self._census.everyone)
        ends, served, notes = NOBODY, [], []
        for peer in meant.peers:
            if isinstance(peer, BehindService):
                self._check_service(peer, text)
            found = self._meant(peer)
            ends |= found
            served += list(self._served(peer, found))
            if not found:
                from npc.compiler.ask.nobody import why_nobody

                why, help = why_nobody(self.model, peer, self.namespace or "")
                if len(meant.peers) == 1:
                    raise self._failure(codes.UNKNOWN_END, f"nobody is meant: {why}", text, help)
                notes.append(f"{peer_text(peer)} is nobody: {why}" + (f" ({help})" if help else ""))
        if not ends:
            raise self._failure(codes.UNKNOWN_END, "nobody is meant: " + "; ".join(notes), text)
        is_service = any(isinstance(one, BehindService) for one in meant.peers)
        return Named(text, ends, PacketSet.of(served) if is_service else None, tuple(notes), meant.warnings)

    def _of_equal_labels(self, text: str, namespace: str) -> Named:
        """The pods of a workload that is known by its labels alone; else all that have these labels."""
        for one in self._workloads(namespace):
            if str(one) == text:
                return Named(text, self._roll.ends(members(one.members)))
        return self._in_the_language(f"{text.removeprefix(f'{namespace}/')} in ns/{namespace}")

    def _meant(self, peer: Peer) -> Ends:
        """Whom a peer means: as a policy of the namespace would mean it, addresses as questions mean them."""
        match peer:
            case Pods() | BehindService():
                return self._roll.ends(members(self.model.selected(peer, self.namespace or "")))
            case Nodes():
                nodes = self.model.selected_nodes(peer)
                return self._roll.at(Intervals.of(*((one, one) for node in nodes for one in node.addresses)))
            case Block():
                return self._roll.at(addresses_of(peer))

    def _served(self, peer: Peer, ends: Ends) -> Iterator[tuple[Intervals, Ends]]:
        """The traffic in which a peer is met as a destination (X5)."""
        if isinstance(peer, BehindService):
            yield from self._at_ports(self.model.target_ports(peer, self.namespace or ""), ends)
        else:
            yield traffic.ANY, ends

    def _check_service(self, peer: BehindService, text: str) -> None:
        namespace = peer.namespace or self.namespace or ""
        known = [one for one in self.model.inventory.services if one.namespace == namespace]
        if not any(one.name == peer.name and one.selector for one in known):
            close = nearest(peer.name, [one.name for one in known if one.selector])
            help = f"did you mean svc/{close}?" if close else f"{namespace} has none of that name"
            message = f"the inventory has no Service {namespace}/{peer.name} with a selector"
            raise self._failure(codes.UNKNOWN_END, message, text, help)

    def _by_name(self, text: str) -> Named:
        parts = text.split("/")
        match parts:
            case [name] if name:
                return self._the_one(text, self.namespace, None, name)
            case [kind, name] if kind in KINDS and kind not in self.model.inventory.namespaces:
                return self._the_one(text, self.namespace, KINDS[kind], name)
            case [namespace, name]:
                return self._the_one(text, namespace, None, name)
            case [namespace, kind, name] if kind in KINDS:
                return self._the_one(text, namespace, KINDS[kind], name)
        help = "write NAMESPACE/POD, NAMESPACE/deploy/NAME, an address, or pods(...) in ns/NAME"
        raise self._failure(codes.UNKNOWN_END, f"{quoted(text)} is no name", text, help)

    def _the_one(self, text: str, namespace: str | None, kind: Kind | None, name: str) -> Named:
        """What has a name: a pod, else a workload, else a pod that is no endpoint."""
        if kind in (None, Kind.POD):
            pods = self._existing(self._roll.called(name, namespace))
            if pods:
                self._check_single(text, [str(self._endpoints[number]) for number in pods])
                return Named(str(self._endpoints[pods[0]]), self._roll.ends(pods))
        workloads: list[Workload] = []
        for beginning in (name, ""):  # pods whose owners are known may be called anything
            found = self._workloads(namespace, beginning) if not workloads else ()
            workloads += [one for one in found if one.name == name and kind in (None, one.kind)]
        if workloads:
            self._check_single(text, [str(one) for one in workloads])
            return Named(str(workloads[0]), self._roll.ends(members(workloads[0].members)))
        for one in self.model.inventory.bystanders:
            if one.pod.name == name and namespace in (None, one.pod.namespace):
                return self._absent(one, text)
        raise self._unknown(text, namespace, name)

    def _workloads(self, namespace: str | None, name: str = "") -> tuple[Workload, ...]:
        """The workloads whose pods may have a name that begins so."""
        return workloads_of(self._endpoints, self._existing(self._roll.beginning(name, namespace)))

    def _existing(self, numbers: Iterable[int]) -> list[int]:
        if self.present is None:
            return list(numbers)
        return [one for one in numbers if self.present >> one & 1]

    def _check_single(self, text: str, found: list[str]) -> None:
        if len(found) > 1:
            few = ", ".join(found[:_FEW]) + (", ..." if len(found) > _FEW else "")
            raise self._failure(
                codes.UNKNOWN_END, f"{len(found)} have the name {text}", text, f"say which: {few}"
            )

    def _absent(self, bystander: Bystander, text: str) -> Named:
        """A pod that is no endpoint (E1): one on the host's network has an address to ask about."""
        pod, absence = bystander.pod, bystander.absence
        if absence is Absence.HOST_NETWORK and pod.addresses:
            note = f"{pod} is on the host's network: it has its node's address, and no policy is for it"
            ends = Ends(outside=Intervals.of(*((one, one) for one in pod.addresses)))
            return Named(str(pod), ends, notes=(note,))
        help = "no policy is for it, and it exchanges nothing"
        message = f"the pod {pod} is no endpoint: {absence.value}"
        raise self._failure(codes.UNKNOWN_END, message, text, help)

    def _unknown(self, text: str, namespace: str | None, name: str) -> InputError:
        everyone = self._existing(range(len(self._endpoints)))
        spaces = {self._endpoints[number].namespace for number in everyone}
        if self.present is None:
            spaces |= set(self.model.inventory.namespaces)
        if namespace is not None and namespace not in spaces:
            close = nearest(namespace, spaces)
            few = listed(sorted(spaces), _FEW)
            help = f"did you mean {close}/{name}?" if close else f"the namespaces: {few}"
            return self._failure(
                codes.UNKNOWN_END, f"the inventory has no namespace {quoted(namespace)}", text, help
            )
        workloads = list(islice(self._workloads(namespace), _MOST_COMPARED))
        names = {one.name: str(one) for one in workloads}
        pods = islice(self._existing(self._roll.within(namespace)), _MOST_COMPARED)
        names |= {self._endpoints[number].name: str(self._endpoints[number]) for number in pods}
        close = nearest(name, names)
        where = f" in {namespace}" if namespace is not None else ""
        help = f"it has {listed(map(str, workloads), _FEW)}" if workloads else ""
        if close:
            help = f"did you mean {names[close]}?"
        return self._failure(
            codes.UNKNOWN_END, f"no pod and no workload{where} is called {quoted(name)}", text, help
        )

    def _failure(self, code: Code, message: str, text: str, help: str = "") -> InputError:
        source = Source(self._about, content=text.encode())
        origin = Origin(source, within=(0, max(len(text), 1)))
        return InputError([Diagnostic(code, message, origin, help=help)])
