"""`--assume` and `--own-node`: how policies are read where questions are asked of them."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from npc.backends.base import OwnNode

if TYPE_CHECKING:
    from npc.compiler.ask.assumptions import Reading


class Assumption(StrEnum):
    """A reading of policies that other tools take."""

    HOST_NETWORK = "hostnetwork=endpoint"
    BLOCKS = "ipblock=external"


OwnNodeOption = Annotated[
    OwnNode, typer.Option("--own-node", help="Whether policies rule traffic of pods with their own node.")
]
"""The option `--own-node`."""


def reading_of(assumed: Iterable[Assumption] | None, own_node: OwnNode) -> Reading:
    """What the two options come to."""
    from npc.compiler.ask.assumptions import Reading  # not for `npc --help`

    assumptions = set(assumed or ())
    return Reading(
        host_network_is_endpoint=Assumption.HOST_NETWORK in assumptions,
        blocks_are_external=Assumption.BLOCKS in assumptions,
        own_node_is_policed=own_node is OwnNode.POLICED,
    )
