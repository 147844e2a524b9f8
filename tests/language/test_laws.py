"""Kubernetes to the language and back loses nothing: law 1, for every policy that an API server accepts.

And what is read from either notation means the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from npc.compiler.frontend import cluster_schema, schema
from npc.compiler.frontend.diagnostics import has_errors
from npc.compiler.frontend.documents import load
from npc.compiler.frontend.source import Source
from npc.compiler.frontend.syntax import Policy, Rule
from npc.compiler.language.conversion import convert
from npc.compiler.language.format import format_program
from npc.compiler.language.from_kubernetes import cluster_policy_block, policy_block
from npc.compiler.language.names import Names
from npc.compiler.language.notation import Notation
from npc.compiler.language.parser import parse
from npc.compiler.language.to_kubernetes import cluster_network_policy, network_policy
from npc.compiler.language.tree import ClusterPolicyBlock, PolicyBlock, Program
from npc.compiler.language.yaml_writer import yaml_text
from tests.conformance.cases import conformance_folder, requires_conformance_data
from tests.language.objects import Object, cluster_policies, defaulted, network_policies


@given(policy=network_policies)
def test_network_policies(policy: Object) -> None:
    assert defaulted(_there_and_back(policy)) == defaulted(policy)


@given(policy=cluster_policies)
def test_cluster_network_policies(policy: Object) -> None:
    assert _networks_together(defaulted(_there_and_back(policy))) == _networks_together(defaulted(policy))


@given(policy=st.one_of(network_policies, cluster_policies))
def test_both_notations_mean_the_same(policy: Object) -> None:
    source = Source("x.json", content=json.dumps(policy).encode())
    meant = _meaning(source)
    (text,) = convert([source], Notation.NPC).texts.values()
    in_language = Source("x.npc", content=text.encode())
    assert _meaning(in_language) == meant, text
    (back,) = convert([in_language], Notation.YAML).texts.values()
    assert _meaning(Source("x.yaml", content=back.encode())) == meant, back


def _meaning(source: Source) -> list[Policy]:
    """What is read from a source; a peer or port that a rule has twice is there once."""
    loaded = load([source])
    assert not has_errors(loaded.diagnostics), [one.message for one in loaded.diagnostics]
    policies: tuple[Policy, ...] = (*loaded.policies, *loaded.cluster_policies)
    return [
        replace(one, ingress=tuple(map(_once, one.ingress)), egress=tuple(map(_once, one.egress)))
        for one in policies
    ]


def _once(rule: Rule) -> Rule:
    peers = None if rule.peers is None else tuple(dict.fromkeys(rule.peers))
    ports = None if rule.ports is None else tuple(dict.fromkeys(rule.ports))
    return replace(rule, peers=peers, ports=ports)


@requires_conformance_data
def test_every_policy_of_the_conformance_cases() -> None:
    count = 0
    for policy in _conformance_policies():
        back = _networks_together(defaulted(_there_and_back(policy)))
        assert back == _networks_together(defaulted(policy)), policy
        (document,) = yaml.safe_load_all(yaml_text(back))
        assert document == back
        count += 1
    assert count > 200, count


def _conformance_policies() -> Iterator[Object]:
    """The policies of the cases that an API server accepts."""
    folder = conformance_folder()
    assert folder is not None
    for path in sorted(folder.glob("*/*/input/**/*.yaml")):
        for value in yaml.load_all(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader):
            for one in value["items"] if value and value["kind"] == "List" else [value]:
                if one and one["kind"] in ("NetworkPolicy", "ClusterNetworkPolicy"):
                    loaded = load([Source("x.json", content=json.dumps(one).encode())])
                    if loaded.policies or loaded.cluster_policies:
                        yield one


def _networks_together(policy: Object) -> Object:
    """The networks of neighbouring peers as those of one, each once: the language tells no difference."""
    for rule in policy["spec"].get("egress", ()) if policy["kind"] == "ClusterNetworkPolicy" else ():
        peers: list[Object] = []
        for peer in rule["to"]:
            if "networks" in peer and peers and "networks" in peers[-1]:
                peer = {"networks": peers.pop()["networks"] + peer["networks"]}
            if "networks" in peer:
                peer = {"networks": list(dict.fromkeys(peer["networks"]))}
            peers.append(peer)
        rule["to"] = peers
    return policy


def _there_and_back(policy: Object) -> Object:
    """The policy as text of the language, read again and made an object."""
    block: PolicyBlock | ClusterPolicyBlock
    if policy["kind"] == "NetworkPolicy":
        block = policy_block(msgspec.convert(policy, schema.NetworkPolicy))
    else:
        read = msgspec.convert(policy, cluster_schema.ClusterNetworkPolicy)
        block = cluster_policy_block(read, _refuse)
    text = format_program(Program((block,)))
    parsed = parse(Source("x.npc"), text)
    assert not parsed.diagnostics, (text, [one.message for one in parsed.diagnostics])
    assert parsed.program == Program((block,)), text
    match parsed.program.items[0]:
        case PolicyBlock() as back:
            return network_policy(back, Names(), _refuse)
        case ClusterPolicyBlock() as back:
            return cluster_network_policy(back, Names(), _refuse)
        case other:
            pytest.fail(f"not a policy: {other}")


def _refuse(*refused: object) -> None:
    pytest.fail(f"refused: {refused}")
