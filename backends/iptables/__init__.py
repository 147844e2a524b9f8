"""The iptables target: iptables-restore and ipset files, and the script that loads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from npc.backends.base import Backend, Options
from npc.backends.iptables.lowering import SETTINGS, lower, series
from npc.backends.iptables.statistics import statistics

if TYPE_CHECKING:
    from npc.compiler.plan import Plan
    from npc.compiler.verify.program import Program


def _read(texts: Mapping[str, str], plan: Plan, options: Options) -> Program:
    from npc.backends.iptables.reader import read  # only `npc verify` needs it

    return read(texts, plan, options)


BACKEND = Backend(
    name="iptables",
    summary="iptables-restore and ipset files, for iptables-nft and iptables-legacy",
    lower=lower,
    templates={
        "npc.ipset": "iptables.ipset.j2",
        "npc.v4.rules": "iptables.v4.j2",
        "npc.v6.rules": "iptables.v6.j2",
        "load.sh": "iptables.load.j2",
    },
    load=("sh", "load.sh"),
    check=("sh", "load.sh", "--check"),
    settings=SETTINGS,
    series=series,
    statistics=statistics,
    read=_read,
)
