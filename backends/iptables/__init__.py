"""The iptables target: iptables-restore and ipset files, and the script that loads them."""

from npc.backends.base import Backend
from npc.backends.iptables.lowering import SETTINGS, lower, series
from npc.backends.iptables.statistics import statistics

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
)
