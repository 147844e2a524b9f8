"""What an nftables table comes to: see `npc.backends.statistics`."""

from __future__ import annotations

from npc.backends.nft.ruleset import Dispatch, Rule, Table
from npc.backends.statistics import Statistics, Step, worst_case

_ENDS = ("accept", "drop", "return", "reject", "goto")


def statistics(table: Table) -> Statistics:
    """The size of a table, and the most that it does for a packet."""
    rules = [rule for chain in table.chains for rule in chain.rules]
    unnamed = [size for rule in rules for size in _unnamed(rule)]
    verdicts = {
        one.name: _targets([element.text for element in one.elements])
        for one in table.sets
        if one.word == "map"
    }
    chains = {chain.name: [_step(rule, verdicts) for rule in chain.rules] for chain in table.chains}
    tried, lookups = worst_case(chains, [chain.name for chain in table.chains if chain.hook])
    return Statistics(
        rules=len(rules),
        sets=len(table.sets) + len(unnamed),
        elements=sum(one.count for one in table.sets) + sum(unnamed),
        tried=tried,
        lookups=lookups,
    )


def _unnamed(rule: Rule | Dispatch) -> list[int]:
    """The sizes of the sets and maps that a rule holds itself."""
    match rule:
        case Rule():
            return [len(one.values) for one in rule.matches if len(one.values) > 1]
        case Dispatch():
            return [len(rule.entries)] if rule.entries else []


def _targets(verdicts: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The chains that some verdicts jump to, and those that they go to, each once."""
    words = [text.split()[-2:] for text in verdicts]
    found = {
        kind: tuple(dict.fromkeys(word[1] for word in words if word[0] == kind)) for kind in ("jump", "goto")
    }
    return found["jump"], found["goto"]


def _step(rule: Rule | Dispatch, verdicts: dict[str, tuple[tuple[str, ...], tuple[str, ...]]]) -> Step:
    match rule:
        case Dispatch():
            own = _targets([verdict for _, verdict in rule.entries])
            calls, leaves = verdicts[rule.map_name] if rule.map_name else own
            return Step(1, calls, leaves)
        case Rule():
            calls, leaves = _targets([rule.action])
            lookups = sum(len(one.values) > 1 or one.values[0].startswith("@") for one in rule.matches)
            words = rule.action.split()
            ends = not rule.matches and any(word in words for word in _ENDS)
            return Step(lookups, calls, leaves, ends)
