"""Rulesets that lack something: no hook, no default, no rule for replies; each is refuted, and for that."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import pytest
from msgspec import structs

from npc.backends.base import Options, OwnNode
from npc.compiler.plan import Plan
from npc.compiler.verify.proof import Refutation, prove
from tests.backends.plans import from_app, plan_of
from tests.verify.judging import is_neighbour_discovery, is_own_node
from tests.verify.rulesets import backend, printed, read

Texts = Mapping[str, str]
Without = Callable[[str], str]

ALWAYS: Final = Options()
POLICED: Final = Options(own_node=OwnNode.POLICED)


def lines(pattern: str, put: str = "") -> Without:
    """A text without the lines that a pattern finds; with something in place of each."""
    return lambda text: re.sub(rf"(?m)^.*(?:{pattern}).*\n", put, text)


def _with_node() -> Plan:
    """A web pod that one app may ask on port 80, both with an address of each family, and their node."""
    plan = plan_of([from_app("db", 80)], {"db": 1})
    classes = tuple(
        replace(
            one,
            subjects=tuple(
                structs.replace(subject, addresses=(*subject.addresses, (1 << 128) + 5), node="n")
                for subject in one.subjects
            ),
        )
        for one in plan.classes
    )
    names = {
        address: str(subject) for one in classes for subject in one.subjects for address in subject.addresses
    }
    return replace(
        plan,
        classes=classes,
        names={**plan.names, **names},
        node_addresses={"n": (1000, (1 << 128) + 1000)},
    )


PLAN: Final = _with_node()


def is_reply(one: Refutation) -> bool:
    return one.should_pass and "established" in one.scenario.title


def is_related(one: Refutation) -> bool:
    return one.should_pass and "relat" in one.scenario.title


def is_discovery(one: Refutation) -> bool:
    return one.should_pass and is_neighbour_discovery(one.packet)


def is_of_the_node(one: Refutation) -> bool:
    return one.should_pass and is_own_node(PLAN, one.packet)


def is_let_through(one: Refutation) -> bool:
    return not one.should_pass


def is_to_itself(one: Refutation) -> bool:
    return one.should_pass and one.packet.source == one.packet.destination


def is_dropped(one: Refutation) -> bool:
    return one.should_pass


def _opened(text: str) -> str:
    return text.replace("table=5,priority=0,actions=drop", "table=5,priority=0,actions=goto_table:6")


CASES: Final[list[tuple[str, str, Options, Without, Callable[[Refutation], bool]]]] = [
    ("replies", "nft", ALWAYS, lines("ct state"), is_reply),
    ("errors of connections", "nft", ALWAYS, lambda text: text.replace(",related", ""), is_related),
    ("neighbour discovery", "nft", ALWAYS, lines("icmpv6 type"), is_discovery),
    ("redirects", "nft", ALWAYS, lambda text: text.replace("133-137", "133-136"), is_discovery),
    ("hairpins", "nft", ALWAYS, lines(r"@self4 accept"), is_to_itself),
    ("the hook", "nft", ALWAYS, lines("type filter hook forward"), is_let_through),
    ("the hook of the node", "nft", POLICED, lines("type filter hook output"), is_let_through),
    ("the denial", "nft", ALWAYS, lines(r"\tdrop"), is_let_through),
    ("the way to ingress", "nft", ALWAYS, lines("vmap @ingress4"), is_let_through),
    ("the acceptance of others", "nft", ALWAYS, lines(r"^\t\taccept$", "\t\tdrop\n"), is_dropped),
    ("replies", "iptables", ALWAYS, lines("ctstate"), is_reply),
    ("neighbour discovery", "iptables", ALWAYS, lines("icmpv6-type 135"), is_discovery),
    ("hairpins", "iptables", ALWAYS, lines("-j NPC-SELF"), is_to_itself),
    ("the denial", "iptables", ALWAYS, lines("-j DROP"), is_let_through),
    ("the way to ingress", "iptables", ALWAYS, lines("-j NPC-INGRESS"), is_let_through),
    ("replies", "ovs", ALWAYS, lines(r"ct_state=\+est\+trk,actions"), is_reply),
    ("errors of connections", "ovs", ALWAYS, lines(r"ct_state=\+rel"), is_related),
    ("neighbour discovery", "ovs", ALWAYS, lines("icmpv6_type=135"), is_discovery),
    ("ARP", "ovs", ALWAYS, lambda text: text.replace("arp,actions=NORMAL", "arp,actions=drop"), is_dropped),
    ("the own node", "ovs", ALWAYS, lines("nw_src=0.0.3.232"), is_of_the_node),
    ("hairpins", "ovs", ALWAYS, lines("Endpoints to themselves.*\n.*"), is_to_itself),
    ("what both ends allow", "ovs", ALWAYS, lines("table=6,"), is_dropped),
    ("what no policy is about", "ovs", ALWAYS, lines("table=0,priority=0"), is_dropped),
    ("connections", "ovs", ALWAYS, lambda text: re.sub(r"ct\(commit,zone=\d+\),", "", text), is_dropped),
    ("the denial", "ovs", ALWAYS, _opened, is_let_through),
]


@pytest.mark.parametrize(
    ("target", "options", "without", "is_meant"),
    [case[1:] for case in CASES],
    ids=[f"{target}: {name}" for name, target, *_ in CASES],
)
def test_what_lacks_something_is_refuted(
    target: str, options: Options, without: Without, is_meant: Callable[[Refutation], bool]
) -> None:
    whole = printed(target, backend(target).lower(PLAN, options))
    assert prove(read(target, whole, PLAN, options), PLAN)
    lacking = {name: text if name.endswith(".sh") else without(text) for name, text in whole.items()}
    assert lacking != whole
    proof = prove(read(target, lacking, PLAN, options), PLAN)
    assert [one for one in proof.refutations if is_meant(one)], [
        (one.scenario.title, one.packet, one.should_pass) for one in proof.refutations
    ]


def test_nothing_at_all_is_refuted() -> None:
    for target in ("nft", "ovs"):
        names = backend(target).templates
        proof = prove(read(target, dict.fromkeys(names, ""), PLAN, ALWAYS), PLAN)
        assert not proof, target
