"""The Open vSwitch target: OpenFlow flows for `ovs-ofctl`, replaced in one bundle."""

from npc.backends.base import Backend
from npc.backends.ovs.lowering import lower, series
from npc.backends.ovs.settings import NAMES
from npc.backends.ovs.statistics import statistics

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
)
