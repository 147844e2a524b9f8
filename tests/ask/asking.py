"""From manifests to a relation, and from packets to its ends."""

from __future__ import annotations

from collections.abc import Iterable

from npc.compiler.algebra.addresses import Family
from npc.compiler.ask.assumptions import AS_COMPILED, Reading
from npc.compiler.ask.ends import Place
from npc.compiler.ask.relation import Relation
from npc.compiler.inventory import Inventory
from npc.compiler.resolve import Model
from npc.models import model_sources
from tests.compiler.compiling import on_line, source
from tests.reference.evaluator import Cluster, Packet, allowed, between_pod_and_its_node
from tests.reference.manifests import Address, Document


def model_of(documents: Iterable[Document]) -> Model:
    """The model of manifests."""
    return model_sources([source(documents)])[0]


def relation_of(documents: Iterable[Document], reading: Reading = AS_COMPILED) -> Relation:
    """Who may exchange what with whom, as manifests say."""
    return Relation(model_of(documents), reading)


def place_of(inventory: Inventory, address: Address) -> Place:
    """Which end has an address."""
    number = on_line(address)
    for endpoint, one in enumerate(inventory.endpoints):
        if number in one.addresses:
            return Place(Family.of(number), endpoint)
    return Place.outside(number)


def passes(cluster: Cluster, packet: Packet) -> bool:
    """Whether a packet passes: what runs between a pod and its node always does (A3)."""
    return between_pod_and_its_node(cluster, packet) or allowed(cluster, packet)
