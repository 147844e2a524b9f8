"""Reads flows as Open vSwitch does: text becomes a Program that `npc verify` walks through.

Knows the words of ovs-fields(7), ovs-actions(7) and ovs-ofctl(8), and nothing of how npc lowers a plan.
Assumed: packets are no fragments, or their first; conntrack's helpers are not used; a packet that no flow
matches is dropped, as OpenFlow 1.3 and later have it; others' tables send npc's whatever it is to decide,
commit nothing in npc's zones, and leave its registers alone between its tables. Of ICMP over the other
address family only established packets are asked for: nobody reads its types there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from npc.backends.base import Options
from npc.backends.ovs.reader.chains import Pipeline, asked_unset, chains
from npc.backends.ovs.reader.flows import Flow, Listing, read_flows
from npc.backends.ovs.reader.numbers import number
from npc.backends.ovs.reader.registers import known_registers
from npc.backends.ovs.reader.scenarios import scenarios, spoofing_notes
from npc.compiler.plan import Plan
from npc.compiler.verify.program import Program, Unsupported

_TABLES = 7
"""npc has so many, one after the other (docs/ovs.md)."""


def read(texts: Mapping[str, str], plan: Plan, options: Options) -> Program:
    """What flows do with the packets of a plan; Unsupported where a word is not understood."""
    first = _setting(options, "table", 0)
    tables = range(first, first + _TABLES)
    listing = read_flows(
        texts,
        tables,
        _setting(options, "cookie", 0x6E7063),
        _following(options.settings.get("next", "NORMAL")),
    )
    flows = listing.flows
    looked_up = {flow.actions.track for flow in flows if flow.actions.track is not None}
    own = _setting(options, "zone", 64_000)
    zone = next(iter(looked_up)) if len(looked_up) == 1 else own
    _check_zones(flows, zone)
    pipeline = Pipeline(tables, zone, known_registers(flows, first), _unset(flows, tables))
    found = chains(flows, pipeline)
    start = pipeline.name(pipeline.entry)
    notes = (*_notes(listing, tables, zone, own), *spoofing_notes(flows, plan, options))
    return Program(found, tuple(scenarios(flows, plan, options, start)), notes)


def _unset(flows: list[Flow], tables: range) -> frozenset[str]:
    """Registers that somebody asks for where they may not be set: a bridge's first table finds them 0."""
    found = asked_unset(flows, tables)
    if found and tables.start > 0:
        name, line = next(iter(found.items()))
        raise Unsupported(f"`{name}` of packets for which other tables may have set it", line)
    return frozenset(found)


def _check_zones(flows: list[Flow], zone: int) -> None:
    """Where connections are committed in a zone, they may be known there."""
    committed = {flow.actions.commit for flow in flows}
    for flow in flows:
        track = flow.actions.track
        if track is not None and track != zone and track in committed:
            raise Unsupported(f"connections in two conntrack zones, {zone} and {track}", flow.line)


def _notes(listing: Listing, tables: range, zone: int, own_zone: int) -> Iterator[str]:
    if listing.elsewhere:
        yield f"Flows in other tables, which are no part of the proof: {listing.elsewhere:,}."
    if listing.foreign:
        yield f"Flows in npc's tables with another cookie, which count like npc's own: {listing.foreign:,}."
    if tables.start > 0:
        yield f"That packets are sent to table {tables.start} is for the tables before it to see to."
    if zone != own_zone:
        yield f"Connections are tracked in zone {zone}; the options say {own_zone}."


def _setting(options: Options, name: str, default: int) -> int:
    """A number that `--set` gives; other texts were refused when the options were read."""
    found = number(options.settings.get(name, ""))
    return default if found is None else found


def _following(text: str) -> str:
    """By which action packets pass, as OVS spells it: `--set next=`."""
    if text.upper() in ("NORMAL", "LOCAL"):
        return text.upper()
    inside = text.removeprefix("resubmit(,").removesuffix(")").strip()
    table = number(inside)
    return text if table is None else f"resubmit(,{table})"
