"""`packets.txt`: what its lines mean, and what is said of those that do not hold."""

from __future__ import annotations

import pytest

from npc.backends.base import OwnNode
from npc.testing.packets import check_claims, read_claims
from tests.testing.clusters import from_app, planned, policy

PLANNED = planned(
    policy("b", "b", from_app("a", 80)),
    policy("six", "six", "ingress: []"),
    policy("silent", "a", "policyTypes: [Egress], egress: [{ports: [{port: 80}, {port: 81}]}]"),
)
DENIED_BY_B = "denied by the ingress of x/b (isolated by x/b)"
DENIED_BY_A = "denied by the egress of x/a (isolated by x/silent)"

CLAIMS = [
    # (line, what is said of it; empty: it holds)
    ("x/a -> x/b tcp/80 : allow", ""),
    ("x/a->x/b tcp/80:allow", "'x/a->x/b tcp/80:allow' is not SOURCE -> DESTINATION TRAFFIC : allow|deny"),
    ("  x/a  ->  x/b  tcp/80:allow  # the reason", ""),
    ("10.0.0.1 -> 10.0.0.2 tcp/80 : allow", ""),
    ("fd00::1 -> x/b tcp/80 : allow", ""),
    ("x/c -> x/b any : deny", ""),
    ("192.0.2.7 -> x/b any : deny", ""),
    ("x/c -> x/a any : allow", ""),
    ("x/a -> x/b tcp/80 : deny", "it is allowed (10.0.0.1 -> 10.0.0.2) by the egress of x/a "
     "(isolated by x/silent) and by the ingress of x/b (isolated by x/b)"),
    ("x/c -> x/b tcp/80 : allow", f"it is {DENIED_BY_B}"),
    ("x/c -> x/a tcp/80 : deny", "it is allowed: neither end is isolated"),
    ("fd00::1 -> x/b tcp/80-81 : allow", f"tcp/81 is {DENIED_BY_B}"),
    ("fd00::1 -> x/b any : deny", "tcp/80 is allowed by the egress"),
    ("x/a -> x/c tcp/80, tcp/82 : allow", f"tcp/82 is {DENIED_BY_A}"),
    ("fd00::1 -> x/b udp : allow", "by the egress of fd00::1 (isolated by x/silent) and by the in"),
    ("x/c -> x/six any : deny", "x/c and x/six have no address family in common"),
    ("x/six -> x/six any : allow", ""),
    ("x/six -> x/six any : deny", "tcp/443 is allowed: an endpoint always reaches itself (A2)"),
    ("fd00::7 -> x/six icmpv6 : deny", ""),
    ("fd00::7 -> x/six icmpv6/135 : allow", ""),
    ("192.0.2.1 -> 10.0.0.2 any : allow", ""),
    ("192.0.2.1 -> 10.0.0.2 any : deny", "tcp/443 is allowed: a pod and its own node always reach"),
    ("192.0.2.1 -> 10.0.0.3 any : allow", ""),
    ("x/d -> x/b tcp/80 : allow", "the inventory has no endpoint 'x/d', and it is no address: did you"),
    ("10.0.0.0/8 -> x/b tcp/80 : allow", "the inventory has no endpoint '10.0.0.0/8', and it is no address"),
    ("x/a -> x/b tpc/80 : allow", "'tpc' is no protocol: did you mean 'tcp'?"),
    ("x/a -> x/b tcp/80 : alow", "'alow' is neither allow nor deny"),
    ("x/a -> x/b tcp/80", "'x/a -> x/b tcp/80' is not SOURCE"),
    ("# nothing", ""),
]  # fmt: skip


@pytest.mark.parametrize(("line", "said"), CLAIMS, ids=[case[0] for case in CLAIMS])
def test_claims(line: str, said: str) -> None:
    claims, faults = read_claims(f"\n{line}\n")
    faults += check_claims(claims, PLANNED.plan, PLANNED.inventory)
    if not said:
        assert faults == []
    else:
        assert faults
        assert faults[0].line == 2
        assert said in faults[0].message


def test_every_family_is_checked() -> None:
    claims, _ = read_claims("x/a -> x/b tcp/81 : allow")
    faults = check_claims(claims, PLANNED.plan, PLANNED.inventory)
    assert [fault.message.partition(":")[0] for fault in faults] == ["x/a -> x/b tcp/81 "] * 2
    assert ["fd00::1 -> fd00::2" in fault.message for fault in faults] == [False, True]


def test_a_policed_node_is_no_exception() -> None:
    claims, _ = read_claims("192.0.2.1 -> 10.0.0.2 any : deny")
    assert check_claims(claims, PLANNED.plan, PLANNED.inventory, OwnNode.POLICED) == []


def test_one_node_decides_for_its_own_pods_alone() -> None:
    of_node = planned(policy("b", "b", from_app("a", 80)), policy("c", "c", "ingress: []"), node="n")
    claims, _ = read_claims("x/a -> x/c tcp/80 : allow\nx/c -> x/b tcp/80 : deny")
    assert check_claims(claims, of_node.plan, of_node.inventory) == []
