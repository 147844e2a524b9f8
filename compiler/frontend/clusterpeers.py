"""The peers of a cluster policy's rule, and its subject: pods, nodes and networks."""

from __future__ import annotations

import re

from npc.compiler.frontend import cluster_schema as schema
from npc.compiler.frontend import codes
from npc.compiler.frontend.clusterapi import Api
from npc.compiler.frontend.schema import LabelSelector
from npc.compiler.frontend.selectors import Report, read_selector
from npc.compiler.frontend.shapes import Problem, invalid, not_alone, quoted, required
from npc.compiler.frontend.source import PathInDocument
from npc.compiler.frontend.syntax import EVERYTHING, Block, Nodes, Peer, Pods
from npc.compiler.frontend.values import check_count, read_cidr

Entry = schema.IngressPeer | schema.EgressPeer

EGRESS_ONLY = ("nodes", "networks", "domainNames")
"""The fields that peers of egress rules alone have; none of them names ports."""
_MOST_NETWORKS = 25
_LONGEST_CIDR = 43
_ZEROS_IN_PREFIX = re.compile("/0[0-9]")


def peer_fields(peer: Entry) -> dict[str, object]:
    """The fields of a peer that are set."""
    values = (peer.namespaces, peer.pods, peer.nodes, peer.networks, peer.domain_names)
    fields = ("namespaces", "pods", *EGRESS_ONLY)
    return {field: value for field, value in zip(fields, values, strict=True) if value is not None}


def read_peer(peer: Entry, path: PathInDocument, api: Api, report: Report) -> list[Peer]:
    """The peers that one entry of `from` or `to` stands for."""
    fields = peer_fields(peer)
    if len(fields) > 1:
        report(not_alone(path, list(fields), "make them peers of their own: begin each with '- '"))
    read: list[Peer] = []
    if peer.namespaces is not None:
        read.append(read_namespaces(peer.namespaces, path, report))
    if peer.pods is not None:
        read.append(read_pods(peer.pods, path, api, report))
    match peer:
        case schema.IngressPeer():
            for field in EGRESS_ONLY:
                if field in fields:
                    help = f"the API has {field} peers in egress rules alone"
                    message = f"unknown field {quoted(field)}"
                    report(Problem((*path, field), codes.UNKNOWN_FIELD, message, on_key=True, help=help))
        case schema.EgressPeer():
            if peer.nodes is not None:
                read.append(Nodes(read_selector(peer.nodes, (*path, "nodes"), report)))
            if peer.networks is not None:
                read += _read_networks(peer.networks, (*path, "networks"), api, report)
            if peer.domain_names is not None:
                report(_domain_names((*path, "domainNames")))
    return read


def _domain_names(path: PathInDocument) -> Problem:
    return Problem(
        path,
        codes.NOT_COMPILABLE,
        "domainNames cannot be compiled: which addresses a name has is only known when it is looked up",
        on_key=True,
        help="write the addresses as networks",
    )


def read_namespaces(selector: LabelSelector, path: PathInDocument, report: Report) -> Pods:
    """The pods of some namespaces."""
    return Pods(EVERYTHING, read_selector(selector, (*path, "namespaces"), report))


def read_pods(pods: schema.NamespacedPods, path: PathInDocument, api: Api, report: Report) -> Pods:
    """Some pods of some namespaces."""
    path = (*path, "pods")
    namespaces = selected = EVERYTHING
    if pods.namespace_selector is not None:
        namespaces = read_selector(pods.namespace_selector, (*path, "namespaceSelector"), report)
    elif api.is_first:
        help = "namespaceSelector: {} is every namespace"
        report(required((*path, "namespaceSelector"), "which namespaces the pods are in", help))
    if pods.pod_selector is not None:
        selected = read_selector(pods.pod_selector, (*path, "podSelector"), report)
    else:
        help = "podSelector: {} is every pod of the namespaces"
        report(required((*path, "podSelector"), "which pods of the namespaces", help))
    return Pods(selected, namespaces)


def _read_networks(networks: list[str], path: PathInDocument, api: Api, report: Report) -> list[Peer]:
    check_count(networks, "networks", _MOST_NETWORKS, path, "0.0.0.0/0 and ::/0 are all", report)
    read: list[Peer] = []
    seen: set[str] = set()
    for index, text in enumerate(networks):
        at = (*path, index)
        if text in seen:
            message = f"Duplicate value {quoted(text)}"
            report(Problem(at, codes.INVALID, message, "Duplicate", help="leave it out"))
            continue
        seen.add(text)
        block = _read_network(text, at, api, report)
        if block is not None:
            read.append(block)
    return read


def _read_network(text: str, path: PathInDocument, api: Api, report: Report) -> Block | None:
    """A CIDR as the CRDs have it, which is stricter than a NetworkPolicy's."""
    if len(text) > _LONGEST_CIDR:
        message = f"Too long: {len(text)} characters, at most {_LONGEST_CIDR}"
        report(Problem(path, codes.TOO_LONG, message, "TooLong"))
        return None
    if api.is_first and ":" in text and "." in text:
        help = "write an IPv4 block as IPv4, and an IPv6 block without dots"
        report(invalid(path, quoted(text), "a CIDR block of one family", help))
        return None
    if _ZEROS_IN_PREFIX.search(text):
        report(invalid(path, quoted(text), "a CIDR block", "leave the zeros of the prefix length out"))
        return None
    refused = {codes.LEADING_ZEROS, codes.HOST_BITS} if api.masked else {codes.LEADING_ZEROS}

    def report_strictly(problem: Problem) -> None:
        if problem.code in refused:
            problem = invalid(path, quoted(text), "a CIDR block", problem.help)
        report(problem)

    read = read_cidr(text, path, report_strictly)
    return Block(read.block) if read is not None else None
