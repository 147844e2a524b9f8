"""What each keyword of the policy language says, in a line."""

from __future__ import annotations

from collections.abc import Mapping

from npc.compiler.algebra import traffic

KEYWORDS: Mapping[str, str] = {
    "include": 'what another file defines and says: include "common.npc"',
    "set": "peers under a name: set offices = 192.0.2.0/24, 198.51.100.0/24",
    "service": "protocols and ports under a name: service dns = udp/53, tcp/53",
    "policy": "a NetworkPolicy: policy web in shop for pods(app=web) { ... }",
    "cluster": "a policy of the whole cluster: cluster policy guard tier admin for ns { ... }",
    "in": "the namespace of a policy, the namespaces of pods, or the values of a label",
    "tier": "when a cluster policy decides: admin, before NetworkPolicies; baseline, after them",
    "admin": "before NetworkPolicies",
    "baseline": "after NetworkPolicies, for pods that none isolates",
    "priority": "0 to 1000: of a tier's cluster policies the one with the lowest number is asked first",
    "labels": "labels of the policy itself: labels(owner=net)",
    "annotations": 'annotations of the policy itself: annotations(ticket="NET-12")',
    "for": "whom the policy is for",
    "isolate": "denies what no rule allows, in a direction without rules too",
    "only": "isolates in these directions and no other, whatever rules there are",
    "ingress": "what the policy's pods receive",
    "egress": "what the policy's pods send",
    "allow": "the rule's traffic passes",
    "deny": "the rule's traffic is dropped, whatever NetworkPolicies say; in cluster policies only",
    "pass": "the next tier decides on the rule's traffic; in cluster policies only",
    "from": "traffic that the policy's pods receive from these",
    "to": "traffic that the policy's pods send to these",
    "log": "logs the first packet of each connection that the rule matches",
    "as": "the rule's name",
    "until": "the last day on which the rule holds: until 2027-01-31",
    "any": "every address, inside the cluster and outside",
    "pods": "pods by label: pods(app=web); without `in`, of the policy's own namespace",
    "ns": "namespaces by label, ns(env=prod), or by name, ns/shop: all their pods",
    "nodes": "nodes by label: nodes(role=worker)",
    "except": "the parts of a block that are not meant: 10.0.0.0/8 except 10.1.0.0/16",
    "not": "not in: none of these values, or no such label",
}

PROTOCOLS: Mapping[str, str] = {
    "tcp": "TCP, or a port of it: tcp/443, tcp/8000-8999, tcp/metrics",
    "udp": "UDP, or a port of it: udp/53",
    "sctp": "SCTP, or a port of it: sctp/3868",
    "icmp": "ICMP of IPv4, or a type of it: icmp/echo-request, icmp/8",
    "icmpv6": "ICMP of IPv6, or a type of it: icmpv6/echo-request, icmpv6/128",
    "any/": "a port by name, of whichever protocol the destination gives it: any/metrics",
}
"""What a word of traffic may begin with."""

ICMP: Mapping[str, int] = {"icmp": traffic.ICMP, "icmpv6": traffic.ICMPV6}
"""The protocols that have types and no ports, by number."""
