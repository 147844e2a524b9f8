"""What the iptables and ipset files come to: see `npc.backends.statistics`."""

from __future__ import annotations

from npc.backends.iptables.ruleset import Rule, Ruleset, Table
from npc.backends.statistics import Statistics, Step, worst_case


def statistics(ruleset: Ruleset) -> Statistics:
    """The size of both families' tables and of the sets, and the most that either does for a packet."""
    tables = ruleset.v4, ruleset.v6
    entries = [own for _, own in ruleset.hooks]
    ways = [worst_case(_steps(table), entries) for table in tables]
    return Statistics(
        rules=sum(len(chain.rules) for table in tables for chain in table.chains),
        sets=len(ruleset.sets),
        elements=sum(len(one.elements) for one in ruleset.sets),
        tried=max(tried for tried, _ in ways),
        lookups=max(lookups for _, lookups in ways),
    )


def _steps(table: Table) -> dict[str, list[Step]]:
    own = {chain.name for chain in table.chains}
    return {chain.name: [_step(rule, own) for rule in chain.rules] for chain in table.chains}


def _step(rule: Rule, own: set[str]) -> Step:
    """What is no chain (ACCEPT, DROP, RETURN, REJECT) ends a packet's way, but for those that log."""
    option, target, *_ = rule.action.split()
    always, lookups = not rule.matches, len(rule.sets())
    if target in own:
        return Step(lookups, (target,)) if option == "-j" else Step(lookups, leaves=(target,), ends=always)
    return Step(lookups, ends=always and target not in ("LOG", "NFLOG"))
