"""nftables rulesets as they are loaded: for `npc verify`, which knows nothing of how npc writes them.

Read are nft's language, as `npc compile` writes it and as `nft list` prints it, and the JSON of
`nft --json list`. The table `inet NAME` is what is proven; other tables are named in a note.

Assumed: packets are whole, as connection tracking puts fragments together before; each has one state of
`new`, `established`, `related`, `invalid`, `untracked`; the tables that are not read let every packet pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from npc.backends.base import Options, OwnNode
from npc.backends.nft.reader.file import read_file
from npc.backends.nft.reader.listing import read_listing
from npc.backends.nft.reader.rules import STATE, chains_from
from npc.backends.nft.reader.tree import Chain, Ruleset, Table
from npc.backends.nft.reader.words import CT_STATES
from npc.compiler.algebra.addresses import EVERY_ADDRESS
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.plan import Plan
from npc.compiler.verify import program
from npc.compiler.verify.program import Box, Expected, Kind, Program, Scenario, Unsupported

_HOOKS = ("forward", "input", "output")
_OUTPUT_KNOWS = -100
"""The priority from above which the hook `output` knows connections and the pod behind a Service."""
_WHERE = {"forward": "forwarded packets", "input": "packets to the node", "output": "packets from the node"}
_WHICH = {
    "new": "of new connections",
    "established": "of established connections",
    "related": "that are related to a connection",
    "invalid": "that belong to no connection",
    "untracked": "that are not tracked",
}
_KNOWN = frozenset({"established", "related"})


def read(texts: Mapping[str, str], plan: Plan, options: Options) -> Program:
    """What the table of a ruleset does with packets: of texts by file name, loaded one after another.

    Unsupported for what is not understood, Malformed for what nft does not take.
    """
    ruleset = Ruleset()
    for file, text in texts.items():
        reader = read_listing if text.lstrip().startswith("{") else read_file
        reader(file, text, options.table, ruleset)
    table = ruleset.table or Table(options.table)
    hooked = _hooked(table) if "dormant" not in table.flags else {}
    chains = chains_from(table, list(hooked.values()))
    scenarios: list[Scenario] = []
    for hook in _HOOKS:
        entry = hooked.get(hook)
        if entry is None and hook != "forward" and options.own_node is OwnNode.ALWAYS:
            continue
        if entry is None:
            entry = Chain(f"no chain with the hook {hook}", program.Line("", 0))
            chains[entry.name] = program.Chain(entry.name, ())
        is_policed = hook == "forward" or options.own_node is OwnNode.POLICED
        scenarios += _scenarios(hook, entry, is_policed, plan)
    return Program(chains, tuple(scenarios), tuple(_notes(ruleset, options, hooked)))


def _hooked(table: Table) -> dict[str, Chain]:
    """The chain of each hook."""
    found: dict[str, Chain] = {}
    for chain in table.chains.values():
        hook = chain.hook
        if hook is None:
            continue
        if hook.name not in _HOOKS:
            raise Unsupported(f"the hook `{hook.name}`", hook.line)
        if hook.name in found:
            raise Unsupported(f"the second chain with the hook `{hook.name}`", hook.line)
        if hook.name == "output" and hook.priority <= _OUTPUT_KNOWS:
            construct = f"the priority {hook.priority} of the hook `output`, before addresses are translated"
            raise Unsupported(construct, hook.line)
        found[hook.name] = chain
    return found


def _scenarios(hook: str, entry: Chain, is_policed: bool, plan: Plan) -> Iterator[Scenario]:
    default = Kind.DROP if entry.policy == "drop" else Kind.ACCEPT
    for state in CT_STATES:
        planned = is_policed and state not in _KNOWN
        yield Scenario(
            f"{_WHERE[hook]} {_WHICH[state]}",
            entry.name,
            default,
            {STATE: state},
            Expected.PLAN if planned else Expected.EVERYTHING,
            (program.NEIGHBOUR_DISCOVERY,),
            (_space(hook, plan),),
        )


def _space(hook: str, plan: Plan) -> Box:
    """The packets that come to a hook: the node is none of the endpoints."""
    if hook == "forward":
        return Box()
    subjects = {one for each in plan.classes for subject in each.subjects for one in subject.addresses}
    subjects.update(one for each in plan.hairpins for one in each.addresses)
    others = EVERY_ADDRESS - Intervals.of(*((one, one) for one in subjects))
    return Box(destinations=others) if hook == "input" else Box(sources=others)


def _notes(ruleset: Ruleset, options: Options, hooked: Mapping[str, Chain]) -> Iterator[str]:
    name = f"table inet {options.table}"
    if ruleset.table is None:
        yield f"There is no {name}: every packet passes."
    elif "dormant" in ruleset.table.flags:
        yield f"The {name} is dormant: every packet passes."
    elif "forward" not in hooked:
        yield f"The {name} has no chain with the hook forward: every forwarded packet passes."
    else:
        yield from _own_node_notes(name, options, hooked)
    sets = {} if ruleset.table is None else ruleset.table.sets
    if sets and not any(one.elements.keys for one in sets.values()):
        yield f"All sets and maps of the {name} are empty: was it listed with --terse?"
    for (family, other), hooks in sorted(ruleset.others.items()):
        where = f": it has chains with the hooks {_listed(hooks)}" if hooks else ""
        yield f"The table {family} {other} is no part of this{where}."


def _own_node_notes(name: str, options: Options, hooked: Mapping[str, Chain]) -> Iterator[str]:
    """Whether the ruleset looks as if it was compiled with another --own-node."""
    there = [hook for hook in _HOOKS[1:] if hook in hooked]
    is_policed = options.own_node is OwnNode.POLICED
    if there and not is_policed:
        hooks = _listed(there)
        yield f"The {name} has chains with the hooks {hooks}: if it was compiled so, give --own-node policed."
    if is_policed and not there:
        yield f"The {name} has no chain for packets to the node: if it was compiled so, leave out --own-node."


def _listed(words: Sequence[str]) -> str:
    return ", ".join(sorted(set(words)))
