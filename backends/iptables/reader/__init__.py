"""What an iptables ruleset does, read from its text: npc's own files, or what a host lists.

Takes npc.v4.rules, npc.v6.rules and npc.ipset, or what iptables-save, ip6tables-save and `ipset save` (or
`ipset list`) print, with counters or without, of iptables-nft or iptables-legacy. Gives the chains that
packets come to from FORWARD, and from INPUT and OUTPUT where npc's chains are asked there.

Assumed: load.sh has loaded npc's files, so that each hook first jumps to npc's chain; whoever comes back from
there, or is accepted there, passes, as what the host's own rules do then can only deny more; packets are
whole when they are asked about, as conntrack puts fragments together, and not too short for the header of
their protocol. The words are those of iptables(8), iptables-extensions(8) and ipset(8), written down
here once more: nothing is shared with what writes rules.
"""

from __future__ import annotations

from collections.abc import Mapping

from npc.backends.base import Options
from npc.backends.iptables.reader.hooks import hooks
from npc.backends.iptables.reader.saved import Saved, parse_saved
from npc.backends.iptables.reader.sets import Sets, parse_sets
from npc.backends.iptables.reader.tables import Table
from npc.backends.iptables.reader.texts import sort_texts
from npc.compiler.algebra.addresses import Family
from npc.compiler.plan import Plan
from npc.compiler.verify.program import Program


def read(texts: Mapping[str, str], plan: Plan, options: Options) -> Program:
    """The program of a ruleset; Unsupported for words that it does not know, Malformed for broken ones."""
    sorted_texts = sort_texts(texts)
    sets = parse_sets(*sorted_texts.sets) if sorted_texts.sets is not None else Sets()
    saved = {
        family: parse_saved(*sorted_texts.rules[family]) for family in Family if family in sorted_texts.rules
    }
    tables = [Table(one, family, sets) for family, one in saved.items()]
    prefix = "NPC" if options.table == "npc" else f"NPC{options.table.upper()}"
    found, chains, notes = hooks(tables, prefix, options)
    notes += [note for one in saved.values() for note in _beside(one)]
    return Program(
        {chain.name: chain for chain in [*(hook.chain for hook in found), *chains]},
        tuple(scenario for hook in found for scenario in hook.scenarios(plan)),
        tuple(notes),
    )


def _beside(saved: Saved) -> list[str]:
    """What a text says beside the rules that are proven."""
    notes = []
    if saved.others:
        tables = ", ".join(dict.fromkeys(saved.others))
        notes.append(f"{saved.file}: other tables than filter are no part of the proof: {tables}.")
    if saved.has_legacy_beside:
        notes.append(f"{saved.file}: iptables-legacy has rules of its own beside these.")
    if not saved.is_listing:
        notes.append(f"{saved.file}: taken to be loaded by load.sh, with the jumps before all other rules.")
    return notes
