"""One question from its words to its answers: who, in which traffic, and why.

Takes a model, the texts of source, destination and traffic, gives the answers on a model of no more than
these, each with what decides it at either end and the rules that came close to allowing it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from npc.compiler.algebra.addresses import Family, format_address
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.ask.answers import Answer, Asked, answers, breadth
from npc.compiler.ask.assumptions import AS_COMPILED, Reading
from npc.compiler.ask.ends import Ends, Place
from npc.compiler.ask.meaning import Packets
from npc.compiler.ask.misses import NearMiss, near_misses
from npc.compiler.ask.naming import Named, Names
from npc.compiler.ask.narrowing import as_read, narrowed, renumbered
from npc.compiler.ask.relation import Relation
from npc.compiler.ask.rulings import Ground, Ruling
from npc.compiler.frontend import codes
from npc.compiler.frontend.codes import Severity
from npc.compiler.frontend.diagnostics import Diagnostic, InputError, has_errors
from npc.compiler.frontend.source import Source
from npc.compiler.idle_rules import idle_rules
from npc.compiler.labels import members
from npc.compiler.resolve import Model
from npc.compiler.services import unmet_services

BROADEST = 100_000
"""Pairs of classes of pods that a question may be about."""


@dataclass(frozen=True, slots=True)
class Explained:
    """The decision at one end of an answer, and what came closest where nothing allows it."""

    ruling: Ruling
    nearest: tuple[NearMiss, ...] = ()
    subject: Place | None = None
    """Whose they are, where the answer is about subjects of which others may have others."""
    peer: Place | None = None
    """The peer that they miss, where the answer is about more than one."""


@dataclass(frozen=True, slots=True)
class Part:
    """An answer with its explanations."""

    answer: Answer
    egress: Explained
    ingress: Explained


@dataclass(frozen=True, slots=True)
class Reply:
    """All that is answered to a question."""

    source: Named
    destination: Named
    relation: Relation
    """Of the model that the parts' ends are numbers of."""
    asked: Asked
    """The whole question, by the same numbers."""
    answers: tuple[Answer, ...]
    """All of it."""
    parts: tuple[Part, ...]
    """As many of the answers as are wanted, explained."""

    @property
    def verdict(self) -> bool | None:
        """Whether all of it passes, or none; None where it differs."""
        found = {one.allowed for one in self.answers}
        return found.pop() if len(found) == 1 else None

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What is odd about how the question was written."""
        return self.source.warnings + self.destination.warnings

    @property
    def left_out(self) -> int:
        """How many answers are not explained."""
        return len(self.answers) - len(self.parts)


def ask(
    model: Model,
    source_text: str,
    destination_text: str,
    traffic_text: str | None = None,
    *,
    namespace: str | None = None,
    reading: Reading = AS_COMPILED,
    definitions: Sequence[Source] = (),
    limit: int | None = None,
) -> Reply:
    """The reply to a question; InputError where it names nobody, or cannot be answered.

    `definitions` are the sources in the policy language, whose sets and services it may name; `limit` is how
    many answers are explained.
    """
    model = as_read(model, reading)
    names = Names(model, namespace=namespace, definitions=definitions)
    source, destination = names.find(source_text, "SRC"), names.find(destination_text, "DST")
    packets = names.traffic(traffic_text, destination)
    return _reply(model, source, destination, packets, reading, limit)


def ask_packet(
    model: Model, source: int, destination: int, kind: int, *, reading: Reading = AS_COMPILED
) -> Reply:
    """The reply about one packet: of a kind of traffic, by the addresses that it carries."""
    model = as_read(model, reading)
    names = Names(model)
    sender = names.find(format_address(source), "SRC")
    receiver = names.find(format_address(destination), "DST")
    packets = PacketSet.of([(Intervals.of((kind, kind)), receiver.ends)])
    return _reply(model, sender, receiver, packets, reading, None)


def _reply(
    model: Model, source: Named, destination: Named, packets: Packets, reading: Reading, limit: int | None
) -> Reply:
    numbers, part = narrowed(model, source.ends, destination.ends)
    check(part)
    relation = Relation(part, reading)
    asked = Asked(renumbered(source.ends, numbers), packets.map(lambda ends: renumbered(ends, numbers)))
    senders, receivers = breadth(relation, asked)
    if senders * receivers > BROADEST:
        raise InputError([_too_broad(senders, receivers)])
    answered = answers(relation, asked)
    if not answered:
        raise InputError([_no_packet(source, destination)])
    parts = tuple(explain(relation, islice(answered, limit)))
    return Reply(source, destination, relation, asked, answered, parts)


def check(model: Model) -> None:
    """InputError where a rule has no meaning: it names a Service or nodes that are not in the inventory."""
    found = list(unmet_services((*model.policies, *model.cluster_policies), model.inventory))
    if not has_errors(found):
        found = list(idle_rules(model))
    errors = [one for one in found if one.severity is Severity.ERROR]
    if errors:
        raise InputError(errors)


def explain(relation: Relation, found: Iterable[Answer]) -> Iterator[Part]:
    """Answers with explanations at both ends."""
    for one in found:
        yield Part(
            one,
            _explained(relation, one, one.egress, one.source, one.destination),
            _explained(relation, one, one.ingress, one.destination, one.source),
        )


def _explained(relation: Relation, answer: Answer, ruling: Ruling, subjects: Ends, peers: Ends) -> Explained:
    if ruling.ground is not Ground.ISOLATED:
        return Explained(ruling)
    for family in Family:
        here, there = subjects.of_family(family), peers.of_family(family)
        number = next(members(here.endpoints), None)
        peer = _first(there, family)
        if number is not None and peer is not None:
            endpoint = relation.model.inventory.endpoints[number]
            of = relation.of(ruling.direction, number)
            found = near_misses(relation.meaning, of, endpoint, peer, answer.traffic)
            subject = Place(family, number)
            return Explained(
                ruling,
                found,
                subject if found and not _are_alike(relation, here) else None,
                peer if found and there != peer.ends else None,
            )
    return Explained(ruling)


def _are_alike(relation: Relation, subjects: Ends) -> bool:
    """Whether what is close for one of some endpoints, for which the same policies decide, is for all."""
    endpoints = relation.model.inventory.endpoints
    first, *others = (endpoints[number] for number in members(subjects.endpoints))
    return all(
        (one.namespace, one.labels, one.ports) == (first.namespace, first.labels, first.ports)
        for one in others
    )


def _first(ends: Ends, family: Family) -> Place | None:
    """One of some ends of a family: an endpoint if there is one."""
    number = next(members(ends.endpoints), None)
    if number is not None:
        return Place(family, number)
    return Place.outside(ends.outside.ranges[0][0]) if ends.outside else None


def _too_broad(senders: int, receivers: int) -> Diagnostic:
    message = (
        "the question is too broad to be answered in parts: policies decide differently for "
        f"{senders:,} groups of senders and {receivers:,} of receivers"
    )
    which = "SRC" if senders >= receivers else "DST"
    help = (
        f"ask about fewer of {which}: a pod, a workload, or the pods of a namespace (ns/NAME); "
        "`npc reach --from` and `--to` list what passes between workloads"
    )
    return Diagnostic(codes.QUESTION, message, help=help)


def _no_packet(source: Named, destination: Named) -> Diagnostic:
    message = (
        f"no packet runs from {source.text} to {destination.text}: they have no address family in common"
    )
    return Diagnostic(codes.QUESTION, message)
