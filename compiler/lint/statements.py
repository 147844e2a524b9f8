"""Rules of the policy language as they are written, with the places of their peers and services.

The syntax that policies become has no place for these: few findings ask. Their source is read once more.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from npc.compiler.frontend.locate import Page
from npc.compiler.frontend.source import Origin, Source
from npc.compiler.frontend.syntax import Rule
from npc.compiler.language import tree
from npc.compiler.language.parser import parse


@dataclass(slots=True)
class Statements:
    """The statements of sources, each source read once."""

    _known: dict[Source, dict[tuple[int, int], tree.RuleStatement]] = field(default_factory=dict)

    def twice(self, rule: Rule) -> Iterator[tuple[str, Origin, Origin]]:
        """What stands twice in a rule: "peer" or "port", where it does, and where it does first."""
        if not (_repeats(rule.peers or ()) or _repeats(rule.ports or ())):
            return
        source, place = rule.origin.source, rule.origin.within
        if source not in self._known:
            self._known[source] = {(one.start, one.end): one for one in rules_of(source)}
        assert place is not None, "rules of the language have one"
        if (statement := self._known[source].get(place)) is None:
            return
        for what, nodes, meant in (
            ("peer", statement.peers, rule.peers),
            ("port", statement.services, rule.ports),
        ):
            is_plain = not any(isinstance(one, tree.SetReference | tree.ServiceReference) for one in nodes)
            said: Sequence[Hashable] = meant if is_plain and meant and len(meant) == len(nodes) else nodes
            first: dict[Hashable, int] = {}
            for index, one in enumerate(said):
                if (other := first.setdefault(one, index)) != index:
                    here, there = (
                        replace(rule.origin, within=(nodes[at].start, nodes[at].end)) for at in (index, other)
                    )
                    yield what, here, there


def rules_of(source: Source) -> Iterator[tree.RuleStatement]:
    """The rules of a source in the policy language."""
    for item in parse(source, Page.of(source).lines.text).program.items:
        if isinstance(item, tree.PolicyBlock | tree.ClusterPolicyBlock):
            yield from (one for one in item.statements if isinstance(one, tree.RuleStatement))


def _repeats(things: Sequence[Hashable]) -> bool:
    return len(set(things)) < len(things)
