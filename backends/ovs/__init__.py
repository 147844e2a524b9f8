"""The Open vSwitch target: OpenFlow flows for `ovs-ofctl`, replaced in one bundle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from npc.backends.base import Backend, Options
from npc.backends.ovs.lowering import lower, series
from npc.backends.ovs.settings import NAMES
from npc.backends.ovs.statistics import statistics

if TYPE_CHECKING:
    from npc.compiler.plan import Plan
    from npc.compiler.verify.program import Program


def _read(texts: Mapping[str, str], plan: Plan, options: Options) -> Program:
    from npc.backends.ovs.reader import read  # compiling needs none of it

    return read(texts, plan, options)


BACKEND = Backend(
    name="ovs",
    summary="OpenFlow flows for `ovs-ofctl --bundle replace-flows`, with conntrack",
    lower=lower,
    templates={"npc.flows": "ovs.j2"},
    load=("ovs-ofctl", "-O", "OpenFlow15", "--bundle", "replace-flows", "br-int", "npc.flows"),
    check=("ovs-ofctl", "-O", "OpenFlow15", "parse-flows", "npc.flows"),
    settings=NAMES,
    series=series,
    statistics=statistics,
    read=_read,
)
