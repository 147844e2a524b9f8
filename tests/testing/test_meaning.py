"""Whether two plans mean the same, and the packet that shows that they do not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npc.compiler.algebra.addresses import EVERY_ADDRESS
from npc.compiler.frontend.syntax import Direction
from npc.testing import Decisions, witness
from npc.testing.decisions import exchanged
from npc.testing.meaning import changed_options
from tests.compiler.compiling import compiled, passes
from tests.reference.manifests import Document
from tests.strategies import boundary_packets, clusters
from tests.testing.clusters import EXAMPLES, from_app, from_block, planned, policy

B80, B22 = policy("b", "b", from_app("a", 80)), policy("b22", "b", from_app("a", 22))
B_CLOSED, B_FROM_SIX = policy("b", "b", "ingress: []"), policy("b", "b", from_app("six", 80))
B_FROM_BLOCK, B_FROM_PODS = (
    policy("bb", "b", from_block(cidr, 80)) for cidr in ("192.0.2.0/24", "10.0.0.0/24")
)
A_SILENT, C_SILENT = (policy(app, app, "policyTypes: [Egress]") for app in "ac")
C_CLOSED, C_FROM_C = policy("c", "c", "ingress: []"), policy("c", "c", from_app("c", 80))
C_FROM_V6 = policy("c", "c", from_block('"fd00::/8"', 80))
C_TCP_UDP = policy("c", "c", "ingress: [{ports: [{protocol: TCP}, {protocol: UDP}]}]")
AT_AN_END = "x/a -> x/b tcp/80: was denied by the ingress of x/b, now allowed there; "
NEVER = "it passes neither then nor now"

WITNESSES = [
    # (name, policies before, policies after, the witness)
    ("equal", [B80], [B80], None),
    ("another spelling", [B80], [policy("z", "b", from_app("a", 80)), B80], None),
    ("more", [B80], [B80, B22], "x/a -> x/b tcp/22: was denied, now allowed"),
    ("less", [B80, B22], [B80], "x/a -> x/b tcp/22: was allowed, now denied"),
    ("isolated", [], [C_CLOSED], "1.0.0.0 -> x/c tcp/443: was allowed, now denied"),
    ("isolated for egress", [], [C_SILENT], "x/c -> 1.0.0.0 tcp/443: was allowed, now denied"),
    ("a block", [B80], [B80, B_FROM_BLOCK], "192.0.2.0 -> x/b tcp/80: was denied, now allowed"),
    (
        "a pod in a block",
        [C_TCP_UDP, B80],
        [C_TCP_UDP, B80, B_FROM_PODS],
        "x/c -> x/b tcp/80: was denied, now allowed",
    ),
    (
        "not a silent pod",
        [C_SILENT, B80],
        [C_SILENT, B80, B_FROM_PODS],
        "10.0.0.0 -> x/b tcp/80: was denied, now allowed",
    ),
    ("another pod", [A_SILENT, B_FROM_SIX], [A_SILENT, B80], "x/six -> x/b tcp/80: was allowed, now denied"),
    ("a silent pod alone", [A_SILENT, B_CLOSED], [A_SILENT, B80], AT_AN_END + NEVER),
    ("its own address", [C_CLOSED], [C_FROM_C], None),
    ("another family", [C_CLOSED], [C_FROM_V6], None),
    ("no TCP", [], [C_TCP_UDP], "1.0.0.0 -> x/c sctp/1: was allowed, now denied"),
]


@pytest.mark.parametrize(
    ("before", "after", "shown"), [case[1:] for case in WITNESSES], ids=[case[0] for case in WITNESSES]
)
def test_witness(before: list[str], after: list[str], shown: str | None) -> None:
    old, new = (Decisions.of(planned(*policies).plan) for policies in (before, after))
    found = witness(old, new)
    assert (None if found is None else str(found)) == shown


@settings(max_examples=EXAMPLES)
@given(clusters(), st.data())
def test_witnesses_are_true_and_none_is_missed(documents: list[Document], data: st.DataObject) -> None:
    """With and without one of the policies; the plans themselves are asked."""
    policies = [one for one in documents if one["kind"] == "NetworkPolicy"]
    left_out = data.draw(st.sampled_from(policies)) if policies else None
    before, after = compiled(documents).plan, compiled([one for one in documents if one is not left_out]).plan
    old, new = Decisions.of(before), Decisions.of(after)
    found = witness(old, new)
    if found is None:
        assert [
            one for one in boundary_packets(documents, 100) if passes(before, one) is not passes(after, one)
        ] == []
        return
    outcomes = [plan.allows(found.source, found.destination, found.traffic) for plan in (before, after)]
    if found.end is None:
        assert outcomes == [found.passed, not found.passed]
        return
    subject, peer = found.source, found.destination
    if found.end is Direction.INGRESS:
        subject, peer = peer, subject
    assert outcomes == [False, False]
    assert [found.traffic in exchanged(one.decision(found.end, subject), peer) for one in (old, new)] == [
        found.passed,
        not found.passed,
    ]


def test_who_is_no_subject_decides_nothing() -> None:
    decision = Decisions({}).decision(Direction.INGRESS, 7)
    assert decision.at(0) == EVERY_ADDRESS


def test_changed_options() -> None:
    old, new = Decisions({}, options={"own-node": "policed", "a": "1"}), Decisions({}, options={"a": "2"})
    assert list(changed_options(old, new)) == [
        "a was 1, is now 2",
        "own-node was policed, is now the default",
    ]
    assert list(changed_options(old, old)) == []
