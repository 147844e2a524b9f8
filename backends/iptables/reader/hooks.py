"""Where packets come in: the chains that are asked at each hook, and what is expected to pass there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from npc.backends.base import Options, OwnNode
from npc.backends.iptables.reader.rules import STATE
from npc.backends.iptables.reader.tables import Table
from npc.compiler.algebra.addresses import EVERY_V4, EVERY_V6, Family
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.plan import Plan
from npc.compiler.verify.program import (
    NEIGHBOUR_DISCOVERY,
    Action,
    Among,
    Box,
    Chain,
    Expected,
    Kind,
    Line,
    Rule,
    Scenario,
)

_EVERY = {Family.V4: EVERY_V4, Family.V6: EVERY_V6}

_PACKETS = {
    "new": "new connections",
    "established": "established connections",
    "related": "what belongs to other connections",
    "invalid": "what belongs to no connection",
    "untracked": "what is not tracked",
}
_WHERE = {"FORWARD": "forwarded packets", "INPUT": "packets to the node", "OUTPUT": "packets from the node"}


@dataclass(frozen=True, slots=True)
class Entry:
    """The chain of one family that packets come to at a hook."""

    chain: str
    line: Line


@dataclass(slots=True)
class Hook:
    """A built-in chain, and for each family the chain that is asked there, where there is one."""

    name: str
    expected: Expected
    entries: Mapping[Family, Entry]

    @property
    def chain(self) -> Chain:
        """Sends each family's packets to its own rules; others pass unasked."""
        rules = [
            Rule(
                (Among((Box(_EVERY[family], _EVERY[family]),), text=f"IPv{family.value}"),),
                Action(Kind.GOTO, entry.chain),
                entry.line,
            )
            for family, entry in self.entries.items()
        ]
        return Chain(self.name, tuple(rules))

    def scenarios(self, plan: Plan) -> Iterator[Scenario]:
        """One for each state of connections."""
        space = tuple(_space(self.name, plan))
        for state, words in _PACKETS.items():
            follows = state in ("established", "related")  # A1
            yield Scenario(
                f"{_WHERE[self.name]} of {words}",
                self.name,
                facts={STATE: state},
                expected=Expected.EVERYTHING if follows else self.expected,
                always=(NEIGHBOUR_DISCOVERY,),
                space=space,
            )


def hooks(
    tables: Sequence[Table], prefix: str, options: Options
) -> tuple[list[Hook], list[Chain], list[str]]:
    """The hooks of a ruleset, the chains below them, and what is to be said about them.

    `prefix` begins the names of npc's chains. A hook that the options do without is there where npc's chains
    are asked at it: everything has to pass it (A3).
    """
    policed = options.own_node is OwnNode.POLICED
    found: list[Hook] = []
    chains: list[Chain] = []
    notes: list[str] = []
    for name in _WHERE:
        entries = {}
        for table in tables:
            entry = _entry(table, name, prefix, notes)
            if entry is not None:
                below = table.chains_from(entry.chain, f"{_program(table.family)} ")
                chains += below
                entries[table.family] = Entry(below[0].name, entry.line)
        called_for = name == "FORWARD" or policed
        if called_for or entries:
            expected = Expected.PLAN if called_for else Expected.EVERYTHING
            found.append(Hook(name, expected, entries))
        if called_for:
            notes += [
                f"No IPv{family.value} packet is asked about at {name}: {_why_not(family, tables)}."
                for family in Family
                if family not in entries
            ]
        elif entries:
            notes.append(
                f"npc's chains are asked at {name}: if they were compiled so, give --own-node policed."
            )
        notes += [note for table in tables if table.family not in entries for note in _own(table, name)]
    unique = {chain.name: chain for chain in chains}
    return found, list(unique.values()), notes


def _why_not(family: Family, tables: Sequence[Table]) -> str:
    """Why nobody asks npc about a family at a hook."""
    if any(table.family is family for table in tables):
        return "no chain of npc's is there"
    return f"no IPv{family.value} rules were given, as {_program(family)}-save prints them"


def _own(table: Table, hook: str) -> Iterator[str]:
    """What a host's own rules may do at a hook where npc's are not asked."""
    chain = table.saved.chains.get(hook)
    if chain is None or not table.saved.is_listing or not (chain.rules or chain.policy == "DROP"):
        return
    what = f"has {'rules' if chain.rules else 'a policy'} of the host's own"
    if chain.rules and chain.policy == "DROP":
        what = "has rules and a policy of the host's own"
    harm = "" if hook == "FORWARD" else "; it may cut a pod from its own node"
    yield f"{table.saved.file}: {hook} {what}, which are no part of the proof{harm}."


def _program(family: Family) -> str:
    return "iptables" if family is Family.V4 else "ip6tables"


def _entry(table: Table, hook: str, prefix: str, notes: list[str]) -> Entry | None:
    """Where a table is entered: npc's own chain; in a host's listing the built-in one, if it leads there."""
    saved = table.saved
    own = f"{prefix}-{hook}"
    if not saved.is_listing:
        return Entry(own, saved.chains[own].line) if own in saved.chains else None
    if hook not in saved.chains:
        return None
    count = table.cut(hook, f"{prefix}-")
    if count is None:
        return None
    chain = saved.chains[hook]
    if len(chain.rules) > count or chain.policy == "DROP":
        notes.append(
            f"{saved.file}: what {hook} does after npc's chains is the host's own; it can only deny more."
        )
    table.keep(hook, count)
    return Entry(hook, chain.line)


def _space(hook: str, plan: Plan) -> Iterator[Box]:
    """The packets that there can be: the node is no endpoint, both ends are of one family."""
    own = {one for found in plan.classes for end in found.subjects for one in end.addresses}
    own.update(one for hairpin in plan.hairpins for one in hairpin.addresses)
    endpoints = Intervals.of(*((one, one) for one in own))
    for every in _EVERY.values():
        nodes = every - endpoints
        sources, destinations = nodes if hook == "OUTPUT" else every, nodes if hook == "INPUT" else every
        yield Box(sources, destinations)
