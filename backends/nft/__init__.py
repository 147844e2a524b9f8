"""The nftables target: one `table inet`, replaced whole in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from npc.backends.base import Backend, Options
from npc.backends.nft.lowering import lower, series
from npc.backends.nft.statistics import statistics

if TYPE_CHECKING:
    from npc.compiler.plan import Plan
    from npc.compiler.verify.program import Program


def _read(texts: Mapping[str, str], plan: Plan, options: Options) -> Program:
    from npc.backends.nft.reader import read  # for `npc verify` alone

    return read(texts, plan, options)


BACKEND = Backend(
    name="nft",
    summary="nftables ruleset for `nft -f`: one table, replaced atomically",
    lower=lower,
    templates={"npc.nft": "nft.j2"},
    load=("nft", "-f", "npc.nft"),
    check=("nft", "--check", "-f", "npc.nft"),
    statistics=statistics,
    series=series,
    read=_read,
)
