"""What can be said about a rule only when the chain that it leads to is known.

A mask that is no prefix has too many ranges to write down. Yet where its rule leads to a chain that decides
about few addresses, only those matter: a packet from or to any other comes back without a verdict, as if the
rule had not matched. The same holds of a rule with a match that nobody here knows: where the chain that it
jumps to has no verdict for anybody, it only logs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from npc.backends.iptables.reader.addresses import Mask
from npc.backends.iptables.reader.rules import Read
from npc.compiler.algebra.addresses import EVERY_ADDRESS
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.verify.program import CONTINUE, Among, Box, Chain, Kind, Line, Rule, Unsupported

_MOST_LISTED = 1 << 20
"""Addresses that are looked at one by one."""
_VERDICTS = (Kind.ACCEPT, Kind.DROP)
_LEADING = (Kind.JUMP, Kind.GOTO)

Decided = tuple[Intervals, Intervals]
"""The sources and the destinations of all packets that a chain has a verdict for, and maybe of others."""

_NOBODY: Decided = (Intervals(), Intervals())


@dataclass(slots=True)
class Resolving:
    """The chains of one family, none of which leads back to itself."""

    chains: Mapping[str, tuple[Read, ...]]
    _decided: dict[str, Decided] = field(default_factory=dict)

    def chain(self, name: str, prefix: str) -> Chain:
        """The chain, with `prefix` before the names of chains. Raises Unsupported."""
        reads = self.chains[name]
        rules = [self._rule(read, reads[place + 1 :]) for place, read in enumerate(reads)]
        return Chain(prefix + name, tuple(_with_prefix(rule, prefix) for rule in rules))

    def _rule(self, read: Read, following: tuple[Read, ...]) -> Rule:
        rule = read.rule
        if read.opaque:
            if rule.action.kind is Kind.JUMP and self.decided(rule.action.chain) == _NOBODY:
                return Rule((), CONTINUE, rule.line)
            raise Unsupported(read.opaque, rule.line)
        if read.sources is None and read.destinations is None:
            return rule
        sources, destinations = self._matter(read, following)
        box = Box(
            _under(read.sources, sources, rule.line), _under(read.destinations, destinations, rule.line)
        )
        return replace(rule, conditions=(*rule.conditions, Among((box,), text=_words(read))))

    def _matter(self, read: Read, following: tuple[Read, ...]) -> Decided:
        """The addresses with which it makes a difference whether a rule with a mask matches."""
        rule = read.rule
        if rule.action.kind not in _LEADING:
            raise Unsupported(f"the mask in `{_words(read)}`", rule.line, "write prefix lengths")
        if rule.action.kind is Kind.GOTO:
            # From there nothing comes back to the rules after this one: they may not decide about it.
            for other in following:
                if not _is_apart(read, other) and self._decided_by(other) != _NOBODY:
                    raise Unsupported(
                        f"the mask in `{_words(read)}`",
                        rule.line,
                        f"the rule in {other.rule.line} matches too",
                    )
        return self.decided(rule.action.chain)

    def decided(self, name: str) -> Decided:
        """Which packets a chain, with those that it leads to, may have a verdict for."""
        if name not in self._decided:
            found = [self._decided_by(read) for read in self.chains[name]]
            self._decided[name] = (
                Intervals.union(sources for sources, _ in found),
                Intervals.union(destinations for _, destinations in found),
            )
        return self._decided[name]

    def _decided_by(self, read: Read) -> Decided:
        action = read.rule.action
        if action.kind in _VERDICTS:
            sources, destinations = EVERY_ADDRESS, EVERY_ADDRESS
        elif action.kind in _LEADING:
            sources, destinations = self.decided(action.chain)
        else:
            return _NOBODY
        for condition in read.rule.conditions:
            if isinstance(condition, Among) and not condition.negated:
                sources &= Intervals.union(box.sources for box in condition.boxes)
                destinations &= Intervals.union(box.destinations for box in condition.boxes)
        return (sources, destinations) if sources and destinations else _NOBODY


def _is_apart(one: Read, other: Read) -> bool:
    """Whether masks tell two rules apart, so that no packet matches both."""
    pairs = (one.sources, other.sources), (one.destinations, other.destinations)
    return any(mine is not None and theirs is not None and mine.is_disjoint(theirs) for mine, theirs in pairs)


def _under(mask: Mask | None, matter: Intervals, line: Line) -> Intervals:
    if mask is None:
        return EVERY_ADDRESS
    if sum(high - low + 1 for low, high in matter.ranges) > _MOST_LISTED:
        help = "write prefix lengths: too many addresses are decided about where it leads"
        raise Unsupported("a mask that is no prefix", line, help)
    return mask.among(matter)


def _words(read: Read) -> str:
    def side(option: str, mask: Mask | None) -> Iterable[str]:
        return () if mask is None else (option, str(mask))

    return " ".join([*side("-s", read.sources), *side("-d", read.destinations)])


def _with_prefix(rule: Rule, prefix: str) -> Rule:
    if rule.action.kind not in _LEADING:
        return rule
    return replace(rule, action=replace(rule.action, chain=prefix + rule.action.chain))
