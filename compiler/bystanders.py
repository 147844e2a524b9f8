"""Pods that are no endpoints, read for those who ask about them; nothing that is wrong with them is an
error (E1).
"""

from __future__ import annotations

from npc.compiler.algebra.addresses import parse_address
from npc.compiler.container_ports import named_ports
from npc.compiler.frontend import schema
from npc.compiler.frontend.owners import controller_of
from npc.compiler.inventory import Absence, Bystander, ContainerPort, Endpoint


def bystander(pod: schema.Object, absence: Absence) -> Bystander:
    """A pod that is left out of the endpoints, as it would be one."""
    metadata, spec, status = pod.metadata, pod.spec, pod.status
    texts: list[str | None] = []
    if status is not None:
        texts = [one.ip for one in status.pod_IPs or ()] or [status.pod_IP]
    addresses = {address for text in texts if text and (address := _address(text)) is not None}
    labels = {key: value or "" for key, value in (metadata.labels or {}).items()}
    node = (spec and spec.node_name) or ""
    namespace = metadata.namespace or "default"
    controller = controller_of(metadata.owner_references or [])
    endpoint = Endpoint(
        namespace, metadata.name, labels, tuple(sorted(addresses)), _ports(spec), node, None, controller
    )
    return Bystander(endpoint, absence)


def _address(text: str) -> int | None:
    try:
        return parse_address(text)
    except ValueError:
        return None


def _ports(spec: schema.Spec | None) -> tuple[ContainerPort, ...]:
    try:
        return named_ports(spec) if spec is not None else ()
    except ValueError:
        return ()
