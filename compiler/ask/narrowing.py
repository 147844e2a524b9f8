"""A model of no more than a question is about: what it takes to answer follows what is asked, not the
cluster.

What passes between two ends depends on the policies that may be for either, on both ends, and on nobody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from npc.compiler.ask.assumptions import Reading
from npc.compiler.ask.ends import Ends
from npc.compiler.frontend.syntax import BehindService, Direction, NetworkPolicy, Policy
from npc.compiler.inventory import NAME_LABEL, Absence
from npc.compiler.labels import bits_of, members
from npc.compiler.resolve import Model


def as_read(model: Model, reading: Reading) -> Model:
    """A model under a reading: host-network pods among its endpoints where they are taken for such."""
    if not reading.host_network_is_endpoint:
        return model
    inventory = model.inventory
    known = {(one.namespace, one.name) for one in inventory.endpoints}
    others = {
        (one.pod.namespace, one.pod.name): one.pod
        for one in inventory.bystanders
        if one.absence is Absence.HOST_NETWORK and one.pod.addresses
    }
    added = [one for key, one in others.items() if key not in known]
    endpoints = sorted([*inventory.endpoints, *added], key=lambda one: (one.namespace, one.name))
    namespaces = dict(inventory.namespaces)
    for one in added:
        namespaces.setdefault(one.namespace, {NAME_LABEL: one.namespace})
    whole = replace(inventory, endpoints=tuple(endpoints), namespaces=dict(sorted(namespaces.items())))
    return Model(model.policies, model.cluster_policies, whole)


def narrowed(model: Model, *asked: Ends) -> tuple[list[int], Model]:
    """The numbers of the endpoints of some ends, and a model with these alone."""
    bits = 0
    for ends in asked:
        bits |= ends.endpoints
    numbers = list(members(bits))
    inventory = model.inventory
    endpoints = tuple(inventory.endpoints[number] for number in numbers)
    namespaces = {one.namespace for one in endpoints}
    policies = tuple(policy for one in sorted(namespaces) for policy in model.policies_in(one))
    wanted = set(_services((*policies, *model.cluster_policies)))
    services = inventory.services if wanted else ()
    part = replace(
        inventory,
        endpoints=endpoints,
        namespaces={name: inventory.namespaces[name] for name in sorted(namespaces)},
        services=tuple(one for one in services if (one.namespace, one.name) in wanted),
    )
    return numbers, Model(policies, model.cluster_policies, part)


def _services(policies: Iterable[Policy]) -> Iterator[tuple[str, str]]:
    """The namespaces and names of the Services that policies speak of."""
    for policy in policies:
        home = policy.namespace if isinstance(policy, NetworkPolicy) else ""
        for direction in Direction:
            for rule in policy.rules(direction):
                for peer in rule.peers or ():
                    if isinstance(peer, BehindService):
                        yield peer.namespace or home, peer.name


def renumbered(ends: Ends, numbers: Sequence[int]) -> Ends:
    """Ends by the places of their endpoints among some numbers."""
    places = {number: place for place, number in enumerate(numbers)}

    def moved(bits: int) -> int:
        return bits_of((places[number] for number in members(bits)), len(numbers))

    return Ends(moved(ends.v4), moved(ends.v6), ends.outside)
