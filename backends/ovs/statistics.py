"""What a pipeline of flows comes to: see `npc.backends.statistics`."""

from __future__ import annotations

from npc.backends.ovs.ruleset import Match, Pipeline
from npc.backends.statistics import Statistics


def statistics(pipeline: Pipeline) -> Statistics:
    """The number of flows, and what the first packet of a connection costs that goes through all tables.

    A table is one hash look-up for each combination of fields and masks that its flows match (the
    classifier's tuple space search); there are no sets.
    """
    flows = [table.flows for table in pipeline.tables if table.flows]
    masks = [{tuple(sorted(_mask(one) for one in flow.matches)) for flow in found} for found in flows]
    return Statistics(sum(map(len, flows)), 0, 0, len(flows), sum(map(len, masks)))


def _mask(match: Match) -> str:
    """What of a packet a match looks at."""
    _, slash, bits = match.value.partition("/")
    return f"{match.field}{slash}{bits}"
