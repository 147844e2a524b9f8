"""The inventory's objects as `kubectl get … -o json` shows them: Pod, Namespace, Node, Service.

Pods keep every part that the API server fills in for a typical one-container pod and that a reader of the
inventory must skip: about 3.5 kB each in kubectl's indentation. Namespaces, Nodes and Services are trimmed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from bench.cluster import SERVICE_NETWORK, App, ContainerPort, Namespace, Topology

Object = dict[str, Any]

# One pod in so many is of the kind, counted in the order of the file; the three never coincide.
HOST_NETWORK_EVERY, HOST_NETWORK_AT = 100, 37
FINISHED_EVERY, FINISHED_AT = 200, 105
DUAL_STACK_EVERY, DUAL_STACK_AT = 10, 3
SIDECAR_EVERY, SIDECAR_AT = 50, 11


@dataclass(frozen=True, slots=True)
class Workload:
    """An app as one namespace runs it: the ReplicaSet or StatefulSet that owns its pods."""

    app: App
    namespace: str
    revision: str
    uid: str

    @property
    def owner(self) -> str:
        """The owner's name, which its pods' names start with."""
        return self.app.name if self.app.stateful else f"{self.app.name}-{self.revision}"

    def labels(self, pod: str) -> dict[str, str]:
        """The labels of the pod of that name: the template's and the controller's."""
        labels = {"app": self.app.name, "role": self.app.role, "tier": self.app.tier}
        if self.app.stateful:
            revision = f"{self.app.name}-{self.revision}"
            return labels | {"controller-revision-hash": revision, "statefulset.kubernetes.io/pod-name": pod}
        return labels | {"pod-template-hash": self.revision}


def objects(topology: Topology) -> Iterator[Object]:
    """Every object, in the order in which kubectl prints `pods,namespaces,nodes,services -A`."""
    yield from pods(topology)
    for namespace in topology.namespaces:
        yield _namespace(topology, namespace)
    for index in range(topology.size.nodes):
        yield _node(topology, index)
    yield from services(topology)


def pods(topology: Topology) -> Iterator[Object]:
    """All pods by namespace and name."""
    number = 0
    shares = topology.shares(topology.size.pods, "pods")
    for namespace, count in zip(topology.namespaces, shares, strict=True):
        rng = topology.rng("pods", namespace.name)
        workloads = [Workload(app, namespace.name, _letters(rng, 9), _uid(rng)) for app in namespace.apps]
        members: dict[str, Workload] = {}
        for ordinal in range(count):
            replica, index = divmod(ordinal, len(workloads))
            workload = workloads[index]
            name = f"{workload.owner}-{replica}"
            if not workload.app.stateful:
                # Of a million names a few are drawn twice.
                while (name := f"{workload.owner}-{_letters(rng, 5)}") in members:
                    pass
            members[name] = workload
        for name, workload in sorted(members.items(), key=lambda member: member[0]):
            yield _pod(topology, rng, number, name, workload)
            number += 1


def _pod(topology: Topology, rng: random.Random, number: int, name: str, workload: Workload) -> Object:
    """The pod at place `number` of the file."""
    app = workload.app
    node_index, address, address6 = topology.place(topology.slots[number])
    node = topology.node(node_index)
    host_network = number % HOST_NETWORK_EVERY == HOST_NETWORK_AT
    sidecar = number % SIDECAR_EVERY == SIDECAR_AT
    finished = rng.choice(("Succeeded", "Failed")) if number % FINISHED_EVERY == FINISHED_AT else None
    addresses = [node.address] if host_network else [address]
    if number % DUAL_STACK_EVERY == DUAL_STACK_AT:
        addresses.append(address6)
    owner = {
        "apiVersion": "apps/v1",
        "controller": True,
        "kind": "StatefulSet" if app.stateful else "ReplicaSet",
        "name": workload.owner,
        "uid": workload.uid,
    }
    metadata = {
        "creationTimestamp": _time(rng),
        "labels": workload.labels(name),
        "name": name,
        "namespace": workload.namespace,
        "ownerReferences": [owner],
        "uid": _uid(rng),
    }
    if "annotations" in app.parts:
        metadata["annotations"] = {"checksum/config": f"{rng.getrandbits(64):016x}"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": _pod_spec(app, node.name, host_network=host_network, sidecar=sidecar),
        "status": _pod_status(rng, app, finished, node.address, addresses),
    }


def _pod_spec(app: App, node_name: str, *, host_network: bool, sidecar: bool) -> Object:
    """Everything that the user wrote and admission filled in; a sidecar stands in for the optional parts."""
    parts = () if sidecar else app.parts
    container: Object = {
        "image": f"registry.example.com/{app.image}",
        "name": app.name,
        "ports": [_port(port) for port in app.ports],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
    }
    spec: Object = {
        "containers": [container],
        "dnsPolicy": "ClusterFirst",
        "nodeName": node_name,
        "restartPolicy": "Always",
        "serviceAccountName": "default",
    }
    if "env" in parts:
        container["env"] = [{"name": "LOG_LEVEL", "value": "info"}]
    if "probe" in parts:
        container["readinessProbe"] = {"tcpSocket": {"port": app.ports[0].name}}
    if "volume" in parts:
        container["volumeMounts"] = [{"mountPath": "/etc/config", "name": "config"}]
        spec["volumes"] = [{"configMap": {"name": f"{app.name}-config"}, "name": "config"}]
    if "tolerations" in parts:
        spec["tolerations"] = [{"key": "node.kubernetes.io/unreachable", "operator": "Exists"}]
    if host_network:
        spec["hostNetwork"] = True
    if sidecar:
        spec["initContainers"] = [
            {
                "image": "registry.example.com/mesh-proxy:1.22",
                "name": "mesh-proxy",
                "ports": [_port(ContainerPort("mesh", 15020))],
                "restartPolicy": "Always",
            }
        ]
    return spec


def _pod_status(
    rng: random.Random, app: App, finished: str | None, host: str, addresses: list[str]
) -> Object:
    """What the kubelet reports; `finished` is the phase of a pod that runs no more."""
    started = _time(rng)
    ready = finished is None
    if finished:
        reason = "Completed" if finished == "Succeeded" else "Error"
        state = {"terminated": {"exitCode": int(finished == "Failed"), "reason": reason}}
    else:
        state = {"running": {"startedAt": started}}
    return {
        "conditions": [
            {"lastTransitionTime": started, "status": str(status), "type": kind}
            for kind, status in (("Ready", ready), ("PodScheduled", True))
        ],
        "containerStatuses": [
            {
                "containerID": f"containerd://{rng.getrandbits(128):032x}",
                "name": app.name,
                "ready": ready,
                "restartCount": 0,
                "state": state,
            }
        ],
        "hostIP": host,
        "phase": finished or "Running",
        "podIP": addresses[0],
        "podIPs": [{"ip": address} for address in addresses],
        "qosClass": "Burstable",
        "startTime": started,
    }


def _namespace(topology: Topology, namespace: Namespace) -> Object:
    rng = topology.rng("namespace", namespace.name)
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "creationTimestamp": _time(rng),
            "labels": {
                "environment": namespace.environment,
                "kubernetes.io/metadata.name": namespace.name,
                "project": namespace.project,
            },
            "name": namespace.name,
            "resourceVersion": str(rng.randrange(10**6, 10**8)),
            "uid": _uid(rng),
        },
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def _node(topology: Topology, index: int) -> Object:
    rng = topology.rng("node", index)
    node = topology.node(index)
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "annotations": {"node.alpha.kubernetes.io/ttl": "0"},
            "creationTimestamp": _time(rng),
            "labels": {
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": node.name,
                "kubernetes.io/os": "linux",
                "topology.kubernetes.io/zone": f"zone-{'abc'[index % 3]}",
            },
            "name": node.name,
            "uid": _uid(rng),
        },
        "spec": {"podCIDR": node.pod_cidr, "podCIDRs": [node.pod_cidr, node.pod_cidr6]},
        "status": {
            "addresses": [
                {"address": node.address, "type": "InternalIP"},
                {"address": node.name, "type": "Hostname"},
            ],
            "capacity": {"cpu": "32", "memory": "131072000Ki", "pods": "250"},
            "conditions": [
                {
                    "lastTransitionTime": _time(rng),
                    "message": "kubelet is posting ready status",
                    "reason": "KubeletReady",
                    "status": "True",
                    "type": "Ready",
                }
            ],
            "nodeInfo": {"architecture": "amd64", "kubeletVersion": "v1.31.2", "operatingSystem": "linux"},
        },
    }


def services(topology: Topology) -> Iterator[Object]:
    """One Service for each app of each namespace, by namespace and name."""
    cluster_ip = IPv4Address(SERVICE_NETWORK)
    for namespace in topology.namespaces:
        rng = topology.rng("services", namespace.name)
        for app in sorted(namespace.apps, key=lambda app: app.name):
            cluster_ip += 1
            yield _service(rng, namespace, app, str(cluster_ip))


def _service(rng: random.Random, namespace: Namespace, app: App, cluster_ip: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "creationTimestamp": _time(rng),
            "labels": {"app": app.name},
            "name": app.name,
            "namespace": namespace.name,
            "uid": _uid(rng),
        },
        "spec": {
            "clusterIP": cluster_ip,
            "clusterIPs": [cluster_ip],
            "internalTrafficPolicy": "Cluster",
            "ports": [
                {"name": port.name, "port": port.number, "protocol": port.protocol, "targetPort": port.name}
                for port in app.ports
            ],
            "selector": {"app": app.name},
            "sessionAffinity": "None",
            "type": "ClusterIP",
        },
        "status": {"loadBalancer": {}},
    }


def _port(port: ContainerPort) -> Object:
    return {"containerPort": port.number, "name": port.name, "protocol": port.protocol}


def _uid(rng: random.Random) -> str:
    digits = f"{rng.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _letters(rng: random.Random, count: int) -> str:
    """A suffix in the alphabet of Kubernetes' generated names."""
    return "".join(rng.choices("bcdfghjklmnpqrstvwxz2456789", k=count))


def _time(rng: random.Random) -> str:
    """A moment of 2025 in RFC 3339; the clock is never asked."""
    minutes = rng.randrange(12 * 28 * 24 * 60)
    days, minute = divmod(minutes, 24 * 60)
    month, day = divmod(days, 28)
    return f"2025-{month + 1:02}-{day + 1:02}T{minute // 60:02}:{minute % 60:02}:00Z"
