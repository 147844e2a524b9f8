"""The nftables target: one `table inet`, replaced whole in one transaction."""

from npc.backends.base import Backend
from npc.backends.nft.lowering import lower, series
from npc.backends.nft.statistics import statistics

BACKEND = Backend(
    name="nft",
    summary="nftables ruleset for `nft -f`: one table, replaced atomically",
    lower=lower,
    templates={"npc.nft": "nft.j2"},
    load=("nft", "-f", "npc.nft"),
    check=("nft", "--check", "-f", "npc.nft"),
    statistics=statistics,
    series=series,
)
