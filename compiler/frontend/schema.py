"""The Kubernetes objects that npc reads, as types: their fields and nothing more.

msgspec decodes JSON and converts YAML values into them at C speed. Policies are strict (an unknown
field is an error, P12), inventory objects take what they need and ignore the rest. When a
conversion fails, `shapes` walks the same types to say all that is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from msgspec import Struct, field

Labels = dict[str, str | None]
"""Go reads a null label value as the empty text; so does npc, with a warning."""


def _camel(name: str) -> str:
    """`match_labels` is matchLabels and `except_` is except; IP stays in capitals.

    >>> [_camel(name) for name in ("match_labels", "except_", "pod_IPs")]
    ['matchLabels', 'except', 'podIPs']
    """
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(word[0].upper() + word[1:] for word in rest)


class Strict(Struct, forbid_unknown_fields=True, rename=_camel, gc=False):
    """An object whose unknown fields are errors."""

    misplaced: ClassVar[Mapping[str, str]] = {}
    """Fields of other objects that people write here, with what to write; empty: what is closest."""


class Extensible(Strict):
    """An object of which exactly one field is set, and of which the API may come to have more.

    One that has none of the fields known here, but others, is read as having none (C5). What is misplaced
    is an error all the same, and no news.
    """


class Open(Struct, rename=_camel, gc=False):
    """An object of which only some fields matter."""


class PolicyMetadata(Strict):
    """ObjectMeta (meta/v1): only name, namespace, labels and annotations are npc's business."""

    name: str | None = None
    namespace: str | None = None
    labels: Labels | None = None
    annotations: Labels | None = None
    generate_name: Any = None
    uid: Any = None
    resource_version: Any = None
    generation: Any = None
    creation_timestamp: Any = None
    deletion_timestamp: Any = None
    deletion_grace_period_seconds: Any = None
    owner_references: Any = None
    finalizers: Any = None
    managed_fields: Any = None
    self_link: Any = None


class LabelSelectorRequirement(Strict):
    key: str = ""
    operator: str = ""
    values: list[str] | None = None


class LabelSelector(Strict):
    match_labels: Labels | None = None
    match_expressions: list[LabelSelectorRequirement] | None = None


class IPBlock(Strict):
    cidr: str = ""
    except_: list[str] | None = None


class NetworkPolicyPeer(Strict):
    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    ip_block: IPBlock | None = None


class NetworkPolicyPort(Strict):
    protocol: str | None = None
    port: int | str | None = None
    end_port: int | None = None


class IngressRule(Strict):
    from_: list[NetworkPolicyPeer] | None = None
    ports: list[NetworkPolicyPort] | None = None


class EgressRule(Strict):
    to: list[NetworkPolicyPeer] | None = None
    ports: list[NetworkPolicyPort] | None = None


class NetworkPolicySpec(Strict):
    pod_selector: LabelSelector | None = None
    policy_types: list[str] | None = None
    ingress: list[IngressRule] | None = None
    egress: list[EgressRule] | None = None


class NetworkPolicy(Strict):
    """networking.k8s.io/v1 NetworkPolicy."""

    api_version: str
    kind: str
    metadata: PolicyMetadata | None = None
    """Required, as its name is: `networkpolicy` says so in the API server's words."""
    spec: NetworkPolicySpec | None = None
    status: Any = None


class Annotations(Open):
    """The one annotation of a Pod that matters."""

    ovs_port: str | None = field(default=None, name="npc/ovs-port")
    """The number of its OpenFlow port."""


class Metadata(Open):
    """What an inventory needs of ObjectMeta."""

    name: str = ""
    namespace: str | None = None
    labels: Labels | None = None
    annotations: Annotations | None = None
    owner_references: Any = None


class ContainerPort(Open):
    container_port: int
    name: str | None = None
    protocol: str | None = None


class Container(Open):
    ports: list[ContainerPort] | None = None
    restart_policy: str | None = None
    """`Always` makes an init container restartable: a sidecar."""


class Address(Open):
    """An entry of a pod's podIPs, or of a node's addresses."""

    ip: str | None = None
    address: str | None = None
    type: str | None = None


class ServicePort(Open):
    port: int
    name: str | None = None
    protocol: str | None = None
    target_port: int | str | None = None


class Spec(Open):
    """What an inventory needs of a Pod's spec, of a Service's, or of a Node's."""

    node_name: str | None = None
    host_network: bool | None = None
    containers: list[Container] | None = None
    init_containers: list[Container] | None = None
    selector: Labels | None = None
    ports: list[ServicePort] | None = None
    pod_CIDR: Any = None
    pod_CIDRs: Any = None
    cluster_IP: Any = None
    cluster_IPs: Any = None
    external_IPs: Any = None


class Status(Open):
    """What an inventory needs of a Pod's status, of a Node's, or of a Service's."""

    phase: str | None = None
    pod_IP: str | None = None
    pod_IPs: list[Address] | None = None
    addresses: list[Address] | None = None
    load_balancer: Any = None


class Object(Open):
    """A Pod, Namespace, Node or Service: one type for all, so that a mixed list is decoded in one pass."""

    kind: str
    metadata: Metadata
    api_version: str | None = None
    spec: Spec | None = None
    status: Status | None = None


class Owner(Open):
    """An entry of ownerReferences."""

    controller: bool | None = None
    kind: str = ""
    name: str = ""


class ControllerMetadata(Open):
    """What is needed of the ObjectMeta of what makes pods."""

    name: str = ""
    namespace: str | None = None
    owner_references: list[Owner] | None = None


class TemplateMetadata(Open):
    """ObjectMeta of pods that are to be made."""

    labels: Labels | None = None


class Template(Open):
    """A pod that is to be made."""

    metadata: TemplateMetadata | None = None
    spec: Spec | None = None


class JobSpec(Open):
    template: Template | None = None


class JobTemplate(Open):
    spec: JobSpec | None = None


class ControllerSpec(Open):
    """The template of the pods; a CronJob has it in that of its Jobs."""

    template: Template | None = None
    job_template: JobTemplate | None = None


class Controller(Open):
    """A Deployment, StatefulSet, DaemonSet, ReplicaSet, Job or CronJob: what makes pods."""

    kind: str
    metadata: ControllerMetadata
    spec: ControllerSpec | None = None


class InventoryEndpoint(Strict):
    """One host of the compact inventory form (docs/inventory.md)."""

    name: str
    addresses: list[str]
    namespace: str | None = None
    labels: Labels | None = None
    ports: dict[str, int | str] | None = None
    """Name to `8080` (TCP) or `53/udp`."""
    node: str | None = None
    ovs_port: int | None = None


class InventoryNamespace(Strict):
    name: str
    labels: Labels | None = None


class InventoryNode(Strict):
    name: str
    addresses: list[str] | None = None
    labels: Labels | None = None


class InventoryService(Strict):
    """A Service, of which rules can speak as `svc/NAME`."""

    name: str
    selector: dict[str, str]
    target_ports: list[int | str]
    """Of the endpoints behind it: `5432` or `postgres` (TCP), `53/udp`."""
    namespace: str | None = None


class Inventory(Strict):
    """The compact inventory form, for hosts that no Kubernetes runs."""

    endpoints: list[InventoryEndpoint] | None = None
    namespaces: list[InventoryNamespace] | None = None
    nodes: list[InventoryNode] | None = None
    services: list[InventoryService] | None = None
