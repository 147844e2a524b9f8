"""Pods that are still to be made, for those who ask about policies before there is a cluster.

Takes an inventory and the controllers in the input, gives the inventory with an endpoint for each that has
no pod yet. Endpoints of manifests have labels, named ports and no address: rules that select pods mean them,
rules with blocks cannot. Rulesets are never compiled from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from npc.compiler.ask.assumptions import Reading
from npc.compiler.ask.workloads import KINDS, owner_of
from npc.compiler.container_ports import named_ports
from npc.compiler.frontend import codes, schema
from npc.compiler.frontend.diagnostics import Diagnostic
from npc.compiler.frontend.source import Origin
from npc.compiler.inventory import NAME_LABEL, Absence, ContainerPort, Endpoint, Inventory


def with_expected(
    inventory: Inventory, controllers: Iterable[tuple[schema.Controller, Origin]], reading: Reading
) -> tuple[Inventory, list[Diagnostic]]:
    """An inventory with the pods to come of controllers, and those that have no address yet.

    What has a live pod is represented by it. Controllers that another controls are not asked. What is wrong
    with templates is among the diagnostics, as errors.
    """
    counts_host = reading.host_network_is_endpoint
    diagnostics: list[Diagnostic] = []
    found = [*_without_address(inventory, counts_host=counts_host)]
    for one, origin in controllers:
        found += _to_be_made(one, origin, diagnostics, counts_host=counts_host)
    if not found:
        return inventory, diagnostics
    concerned = {one.namespace for one in found}
    present = {_identity(one) for one in inventory.endpoints if one.namespace in concerned}
    added: dict[tuple[str, str], Endpoint] = {}
    for endpoint in found:
        identity = _identity(endpoint)
        if identity not in present:
            added.setdefault(identity, endpoint)
    if not added:
        return inventory, diagnostics
    endpoints = sorted([*inventory.endpoints, *added.values()], key=lambda one: (one.namespace, one.name))
    namespaces = dict(inventory.namespaces)
    for endpoint in added.values():
        namespaces.setdefault(endpoint.namespace, {NAME_LABEL: endpoint.namespace})
    inventory = replace(inventory, endpoints=tuple(endpoints), namespaces=dict(sorted(namespaces.items())))
    return inventory, diagnostics


def _identity(endpoint: Endpoint) -> tuple[str, str]:
    """What a pod stands for: all pods of a controller for the same."""
    owner = owner_of(endpoint)
    return endpoint.namespace, endpoint.name if owner is None else f"{owner[0]}/{owner[1]}"


def _without_address(inventory: Inventory, *, counts_host: bool) -> Iterator[Endpoint]:
    wanted = {Absence.NO_ADDRESS, *([Absence.HOST_NETWORK] if counts_host else ())}
    for one in inventory.bystanders:
        if one.absence in wanted and not one.pod.addresses:
            yield one.pod


def _to_be_made(
    one: schema.Controller, origin: Origin, diagnostics: list[Diagnostic], *, counts_host: bool
) -> Iterator[Endpoint]:
    if any(owner.controller for owner in one.metadata.owner_references or ()):
        return
    place, template = _template(one)
    namespace, name = one.metadata.namespace or "default", one.metadata.name
    if template is None or not name:
        diagnostics.append(
            Diagnostic(
                codes.INVALID_INVENTORY,
                f"the {one.kind} has no {'name' if template is not None else 'template of its pods'}",
                origin,
                about=f"{one.kind} {namespace}/{name}".strip(),
            )
        )
        return
    if template.spec is not None and template.spec.host_network and not counts_host:
        message = f"the pods of {one.kind} {namespace}/{name} are left out: they are on the host's network"
        diagnostics.append(Diagnostic(codes.HOST_NETWORK, message, origin))
        return
    ports: tuple[ContainerPort, ...] = ()
    try:
        ports = named_ports(template.spec) if template.spec is not None else ()
    except ValueError:
        diagnostics.append(
            Diagnostic(
                codes.INVALID_INVENTORY,
                "a container port has a number or a protocol that is none of a port's",
                origin.at(*place, "spec", "containers"),
                about=f"{one.kind} {namespace}/{name}",
            )
        )
    labels = (template.metadata and template.metadata.labels) or {}
    kind = KINDS[one.kind.lower()]
    yield Endpoint(
        namespace,
        name,
        {key: value or "" for key, value in labels.items()},
        (),
        ports,
        controller=f"{kind.value}/{name}",
    )


def _template(one: schema.Controller) -> tuple[tuple[str, ...], schema.Template | None]:
    """The template of a controller's pods, and the path to it."""
    spec = one.spec
    if spec is None:
        return (), None
    if spec.job_template is not None:
        path = ("spec", "jobTemplate", "spec", "template")
        return path, spec.job_template.spec.template if spec.job_template.spec is not None else None
    return ("spec", "template"), spec.template
