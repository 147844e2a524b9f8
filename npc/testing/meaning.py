"""Do two plans mean the same, and if not, which packet shows it?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family, format_address, parse_cidr
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.frontend.syntax import Direction
from npc.testing.decisions import Decision, Decisions, exchanged
from npc.testing.notation import traffic_text

MOST_PAIRS = 20_000
"""Pairs of endpoints that are tried for one between which the outcome differs."""

_ODD = Intervals.of(*(parse_cidr(text).block.range for text in ("0.0.0.0/8", "::/3")))
"""Addresses that show little, as no packet carries them: taken as examples when there are no others."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A packet that two plans treat differently."""

    source: int
    destination: int
    traffic: int
    passed: bool
    """Whether it passed before; where it passes neither before nor after, whether `end` allowed it."""
    end: Direction | None = None
    """The end that decides otherwise where the packet passes neither before nor after, else None."""
    names: tuple[str, str] = field(default=("", ""), compare=False)
    """Of source and destination."""

    def __str__(self) -> str:
        source, destination = self.names
        kind = traffic_text(Intervals(((self.traffic, self.traffic),)))
        packet = f"{source} -> {destination} {kind}"
        was, now = ("allowed", "denied") if self.passed else ("denied", "allowed")
        if self.end is None:
            return f"{packet}: was {was}, now {now}"
        end = f"egress of {source}" if self.end is Direction.EGRESS else f"ingress of {destination}"
        return f"{packet}: was {was} by the {end}, now {now} there; it passes neither then nor now"


def changed_options(old: Decisions, new: Decisions) -> Iterator[str]:
    """`own-node was always, is now policed`, for each option that bears on packets and is another."""
    for name in sorted(old.options.keys() | new.options.keys()):
        before, after = (one.options.get(name, "the default") for one in (old, new))
        if before != after:
            yield f"{name} was {before}, is now {after}"


def changed_logs(old: Decisions, new: Decisions) -> Iterator[str]:
    """`what is logged at the ingress of shop/db is another`, for each subject of which that is so."""
    keys = sorted(old.logs.keys() | new.logs.keys(), key=lambda key: (key[0].value, key[1]))
    for direction, address in keys:
        if old.logs.get((direction, address)) != new.logs.get((direction, address)):
            name = new.name(address) or old.name(address) or format_address(address)
            yield f"what is logged at the {direction.value} of {name} is another"


def witness(old: Decisions, new: Decisions) -> Witness | None:
    """A packet that shows how two plans differ; None when they decide alike.

    The smallest by direction and subject, where packets whose outcome differs come before those that
    another end denies anyway, endpoints before other addresses, and TCP before other protocols.
    """
    deltas = list(_deltas(old, new))
    named = Intervals.of(*((a, a) for one in (old, new) for a in {*one.names, *(key[1] for key in one.at)}))
    pairs = (
        _ends(direction, subject, peer)
        for direction, subject, delta in deltas
        for peer in _singles(_peers(delta) & named)
    )
    for source, destination in islice(pairs, MOST_PAIRS):
        if (before := old.passing(source, destination)) != (after := new.passing(source, destination)):
            shown = traffic.example((before - after) | (after - before))
            return _witness(old, new, source, destination, shown, shown in before)
    for direction, subject, delta in deltas:
        if strangers := _peers(delta) - named:
            peer = ((strangers - _ODD) or strangers).ranges[0][0]
            source, destination = _ends(direction, subject, peer)
            shown = traffic.example(exchanged(delta, peer))
            return _witness(old, new, source, destination, shown, shown in old.passing(source, destination))
    for direction, subject, delta in deltas:
        peer = _peers(delta).ranges[0][0]
        source, destination = _ends(direction, subject, peer)
        shown = traffic.example(exchanged(delta, peer))
        passed = shown in exchanged(old.decision(direction, subject), peer)
        return _witness(old, new, source, destination, shown, passed, direction)
    for address in sorted(old.hairpins.keys() | new.hairpins.keys()):
        before, after = old.passing(address, address), new.passing(address, address)
        if before != after:
            shown = traffic.example((before - after) | (after - before))
            return _witness(old, new, address, address, shown, shown in before)
    return None


def _witness(
    old: Decisions,
    new: Decisions,
    source: int,
    destination: int,
    shown: int,
    passed: bool,
    end: Direction | None = None,
) -> Witness:
    def name(address: int) -> str:
        return new.name(address) or old.name(address) or format_address(address)

    return Witness(source, destination, shown, passed, end, (name(source), name(destination)))


def _deltas(old: Decisions, new: Decisions) -> Iterator[tuple[Direction, int, Decision]]:
    """What each subject exchanges in one of the plans alone: packets of its family, and none with itself."""
    known: dict[tuple[Decision, Decision], Decision] = {}
    for direction in (Direction.INGRESS, Direction.EGRESS):
        subjects = {address for one in (old, new) for at, address in one.at if at is direction}
        for subject in sorted(subjects):
            pair = old.decision(direction, subject), new.decision(direction, subject)
            if pair not in known:
                known[pair] = (pair[0] - pair[1]) | (pair[1] - pair[0])
            if known[pair]:
                others = Family.of(subject).every - Intervals(((subject, subject),))
                delta = known[pair] & PacketSet.of([(traffic.ANY, others)])
                if delta:
                    yield direction, subject, delta


def _peers(delta: Decision) -> Intervals:
    return Intervals.union(peers for _, _, peers in delta.parts)


def _singles(addresses: Intervals) -> Iterator[int]:
    for low, high in addresses.ranges:
        yield from range(low, high + 1)


def _ends(direction: Direction, subject: int, peer: int) -> tuple[int, int]:
    """Source and destination of packets between a subject and a peer."""
    return (subject, peer) if direction is Direction.EGRESS else (peer, subject)
