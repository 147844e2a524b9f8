"""Kubernetes manifests as plain dicts: what is in them, before any meaning.

A document is one manifest as `yaml.safe_load` gives it. Nothing here decides what a policy means.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, TypeAlias

Document: TypeAlias = dict[str, Any]
Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network


def flattened(documents: Iterable[Document | None]) -> Iterator[Document]:
    """The single objects: the items of lists in place of the lists, empty documents left out.

    `kubectl get -o yaml` prints `kind: List`; the API's own lists (`PodList`) leave out their items' kind.
    """
    for document in documents:
        if document is None:
            continue
        kind: str = document.get("kind") or ""
        if kind.endswith("List") and "items" in document:
            common = {"apiVersion": document.get("apiVersion"), "kind": kind.removesuffix("List")}
            yield from flattened(common | item for item in document["items"] or ())
        else:
            yield document


def of_kind(kind: str, documents: Iterable[Document]) -> Iterator[Document]:
    """The objects of one kind, such as "Pod"; lists must be flattened already."""
    return (document for document in documents if document.get("kind") == kind)


def namespaced_name(document: Document) -> tuple[str, str]:
    """Namespace ("default" where none is written) and name of a namespaced object."""
    metadata = document["metadata"]
    return metadata.get("namespace") or "default", metadata["name"]


def pod_addresses(pod: Document) -> tuple[Address, ...]:
    """The addresses in a pod's status, none, one or two: `podIPs`, or else `podIP`."""
    status = pod.get("status") or {}
    written = [entry["ip"] for entry in status.get("podIPs") or ()] or [status.get("podIP")]
    return tuple(ip_address(text) for text in written if text)


def node_addresses(node: Document) -> tuple[Address, ...]:
    """A node's IP addresses, whatever they are called; its status lists host names too."""
    written = [entry["address"] for entry in (node.get("status") or {}).get("addresses") or ()]
    return tuple(address for text in written if (address := _ip_address(text)) is not None)


def _ip_address(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def mentioned_networks(value: object) -> Iterator[Network]:
    """Every CIDR written anywhere below a value, host bits masked, in written order, repeats included."""
    match value:
        case dict():
            for child in value.values():
                yield from mentioned_networks(child)
        case list():
            for child in value:
                yield from mentioned_networks(child)
        case str() if "/" in value:
            try:
                yield ip_network(value, strict=False)
            except ValueError:  # a label key such as "example.com/zone"
                return
