"""What the flows look like: settings, ports of pods, forms by counting, and numbers that outlive changes."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from itertools import combinations
from typing import Final

import pytest
import yaml
from hypothesis import given, settings
from msgspec import structs

from npc.backends.base import Deny, Options
from npc.backends.ovs.layout import MEASURED, Layout
from npc.backends.ovs.lowering import lower
from npc.backends.ovs.rules import HOLES
from npc.backends.ovs.ruleset import Flow, Pipeline
from npc.backends.ovs.settings import Step
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import parse_cidr
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.algebra.peers import ANYONE, Group, Peers
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import InputError
from npc.compiler.frontend.syntax import Direction
from npc.compiler.plan import Class, Plan
from tests.backends import dense
from tests.backends.ovs_interpreter import HEADERS, Bridge
from tests.backends.plans import from_app, from_blocks, ingress, plan_of, pod
from tests.compiler.compiling import compiled, inventory_of
from tests.reference.evaluator import Packet
from tests.reference.manifests import Address, Document

NOTHING: Final = Plan((), {})


def texts(pipeline: Pipeline, step: Step) -> list[str]:
    return [str(flow) for flow in pipeline.tables[step].flows]


def rules(plan: Plan, layout: Layout = MEASURED) -> list[Flow]:
    """The flows of the ingress classes, without the first and the last of their table."""
    return list(lower(plan, Options(), layout).tables[Step.INGRESS].flows[1:-1])


# --- settings -----------------------------------------------------------------------------------------------

REFUSED = [
    (Options(table="filter"), "tables have no names"),
    (Options(hook_priority=1), "no hooks"),
    (Options(deny_with=Deny.REJECT), "cannot answer"),
    (Options(log_denied=True), "cannot log"),
    *((Options(settings={"table": text}), "table=") for text in ("-1", "248", "x", "", "1.0")),
    *((Options(settings={"zone": text}), "zone=") for text in ("0", "65536", "ten")),
    *((Options(settings={"register": text}), "register=") for text in ("13", "reg0")),
    *((Options(settings={"cookie": text}), "cookie=") for text in ("0", "0xffffffffffffffff", "npc")),
    *((Options(settings={"next": text}), "next=") for text in ("0", "6", "254", "drop", "resubmit(,3)", "")),
    *((Options(settings={"ports": text}), "no pod's port") for text in ("a", "a=", "a=0", "=1", "a/b/c=1")),
    (Options(settings={"ports": "a=65280"}), "no pod's port"),
    (Options(settings={"ports": "a=1,default/a=2"}), "default/a has two ports"),
]


@pytest.mark.parametrize(("options", "words"), REFUSED)
def test_refused(options: Options, words: str) -> None:
    with pytest.raises(InputError) as raised:
        lower(NOTHING, options)
    (fault,) = raised.value.diagnostics
    assert fault.code is codes.OPTION
    assert words in fault.message


def test_all_that_is_wrong_is_said_at_once() -> None:
    options = Options(log_denied=True, settings={"table": "x", "zone": "0", "next": "1", "ports": "p=x"})
    with pytest.raises(InputError) as raised:
        lower(NOTHING, options)
    assert len(raised.value.diagnostics) == 5


NEXT = [
    ("NORMAL", "NORMAL"),
    ("normal", "NORMAL"),
    ("local", "LOCAL"),
    ("7", "resubmit(,7)"),
    ("resubmit(, 253)", "resubmit(,253)"),
]


@pytest.mark.parametrize(("text", "action"), NEXT)
def test_next(text: str, action: str) -> None:
    accept = texts(lower(NOTHING, Options(settings={"next": text})), Step.ACCEPT)
    assert accept[0] == f"priority=100,ip,actions=ct(commit,zone=64000),{action}"


def test_tables_registers_zone_and_cookie_are_where_they_are_set() -> None:
    own = {"table": "0x20", "register": "5", "zone": "9", "cookie": "255", "next": "10"}
    pipeline = lower(
        plan_of([from_app("a", 80)], {"a": 1}), Options(settings=own), Layout(identities_save=-9)
    )
    assert pipeline.cookie == "0xff"
    assert [table.number for table in pipeline.tables] == list(range(32, 39))
    assert texts(pipeline, Step.ENTRY)[-3:] == [
        "priority=100,ip,actions=ct(table=33,zone=9)",
        "priority=100,ipv6,actions=ct(table=33,zone=9)",
        "priority=0,actions=resubmit(,10)",
    ]
    assert texts(pipeline, Step.SOURCE)[-1] == (
        "priority=0,actions=set_field:0x0->reg5,set_field:0x0->reg7,goto_table:35"
    )
    assert texts(pipeline, Step.INGRESS)[0] == "priority=700,reg6=0,actions=goto_table:38"


# --- conntrack ----------------------------------------------------------------------------------------------

DENIED = Packet(ip_address("192.0.2.1"), ip_address("10.0.0.0"), 6, 80)

STATES = [
    ("a first packet", "trk,new", True, False),
    ("a known connection", "trk,est", True, True),
    ("a reply", "trk,est,rpl", True, True),
    ("a related error", "trk,rel,rpl", True, True),
    ("a packet that conntrack makes nothing of", "trk,inv", True, False),
    ("a known connection, ports not tracked", "trk,est", False, True),
]


@pytest.mark.parametrize(
    ("states", "tracks_ports", "passes"), [case[1:] for case in STATES], ids=[case[0] for case in STATES]
)
def test_what_is_denied_passes_as_part_of_a_connection(states: str, tracks_ports: bool, passes: bool) -> None:
    bridge = Bridge(lower(plan_of([], {}), Options()))
    way = bridge.walk(DENIED, states=states.split(","), tracks_ports=tracks_ports)
    assert (way.passed, way.committed) == (passes, False)


@pytest.mark.parametrize("tracks_ports", [True, False])
def test_sctp_is_no_connection_where_ports_are_not_tracked(tracks_ports: bool) -> None:
    """The userspace datapath calls everything between two addresses established once one port is allowed."""
    bridge = Bridge(lower(plan_of([], {}), Options()))
    sctp = replace(DENIED, protocol=132)
    assert bridge.walk(sctp, states=("trk", "est"), tracks_ports=tracks_ports).passed is tracks_ports


# --- ports of pods ------------------------------------------------------------------------------------------

DENY_EGRESS: Document = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "quiet"},
    "spec": {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Egress"]},
}
FROM_WEB = Packet(ip_address("10.0.0.0"), ip_address("192.0.2.1"), 6, 80)
FROM_ELSEWHERE = replace(FROM_WEB, source=ip_address("10.0.0.9"))

AT_PORTS = [
    # (name, packet, its port, whether it passes when web-0 is at port 5)
    ("its own", FROM_WEB, 5, False),
    ("its address from another port", FROM_WEB, 6, False),
    ("another address from its port", FROM_ELSEWHERE, 5, False),
    ("another address from another port", FROM_ELSEWHERE, 6, True),
]


@pytest.mark.parametrize("layout", [MEASURED, Layout(identities_save=-99)], ids=["addresses", "numbers"])
@pytest.mark.parametrize(
    ("packet", "in_port", "passes"), [case[1:] for case in AT_PORTS], ids=[case[0] for case in AT_PORTS]
)
def test_a_pod_at_a_port(packet: Packet, in_port: int, passes: bool, layout: Layout) -> None:
    documents = [pod(0, "web"), pod(9, "a"), DENY_EGRESS, ingress("in", [from_app("a")])]
    options = Options(settings={"ports": "web-0=5"})
    bridge = Bridge(lower(compiled(documents).plan, options, layout))
    assert bridge.walk(packet, in_port).passed is passes


NODE, OTHER, OWN, ABROAD = map(ip_address, ("192.168.0.1", "10.0.0.9", "10.0.0.0", "192.0.2.1"))
CLAIMS = [
    # (name, source, destination, port that it comes in at, whether it passes when web-0 is at port 5)
    ("web-0 to its node", OWN, NODE, 5, True),
    ("web-0 to itself", OWN, OWN, 5, True),
    ("the node to web-0", NODE, OWN, 1, True),
    ("web-0 as its node, abroad", NODE, ABROAD, 5, False),
    ("web-0 as its node, to another pod of the node", NODE, OTHER, 5, False),
    ("web-0 as another pod, to that pod", OTHER, OTHER, 5, False),
    ("web-0 as another pod, to the node", OTHER, NODE, 5, False),
    ("another pod, to itself", OTHER, OTHER, 6, True),
]


@pytest.mark.parametrize(
    ("source", "destination", "in_port", "passes"),
    [case[1:] for case in CLAIMS],
    ids=[case[0] for case in CLAIMS],
)
def test_exceptions_are_for_an_endpoints_own_address(
    source: Address, destination: Address, in_port: int, passes: bool
) -> None:
    """A2 and A3 are no way around the egress of a pod whose port is known."""
    node: Document = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "n"},
        "status": {"addresses": [{"type": "InternalIP", "address": str(NODE)}]},
    }
    pods = [pod(0, "web"), pod(9, "a")]
    on_node = [one | {"spec": {"nodeName": "n"}} for one in pods]
    others = ingress("others", []) | {"spec": {"podSelector": {"matchLabels": {"app": "a"}}, "ingress": []}}
    policies = [DENY_EGRESS, ingress("in", [from_app("a", 80)]), others]
    options = Options(settings={"ports": "web-0=5"})
    bridge = Bridge(lower(compiled([node, *on_node, *policies]).plan, options))
    assert bridge.walk(Packet(source, destination, 6, 80), in_port).passed is passes


def _annotated(port: str) -> Document:
    quiet = pod(0, "web")
    return quiet | {"metadata": quiet["metadata"] | {"annotations": {"npc/ovs-port": port, "other": "x"}}}


def test_the_annotation_tells_the_port_and_the_option_knows_better() -> None:
    plan = compiled([_annotated("12"), DENY_EGRESS]).plan
    assert "in_port=12," in texts(lower(plan, Options()), Step.SOURCE)[0]
    assert "in_port=13," in texts(lower(plan, Options(settings={"ports": "web-0=13"})), Step.SOURCE)[0]


def test_two_pods_at_one_port() -> None:
    plan = compiled([_annotated("12"), pod(1, "web"), DENY_EGRESS]).plan
    with pytest.raises(InputError, match="default/web-0 and default/web-1 both have the OpenFlow port 12"):
        lower(plan, Options(settings={"ports": "web-1=12"}))


PORT_TEXTS = [
    ("1", 1),
    ("65279", 65279),
    ("0", None),
    ("65280", None),
    ("-1", None),
    ("five", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "port"), PORT_TEXTS)
def test_the_annotation_is_checked(text: str, port: int | None) -> None:
    inventory, diagnostics = inventory_of(yaml.safe_dump(_annotated(text) | {"apiVersion": "v1"}))
    assert [one.ovs_port for one in inventory.endpoints] == [port]
    errors = [one.code for one in diagnostics if one.severity is codes.Severity.ERROR]
    assert errors == ([] if port else [codes.INVALID_INVENTORY])


def test_the_compact_form_tells_the_port() -> None:
    inventory, _ = inventory_of("endpoints: [{name: a, addresses: [10.0.0.1], ovsPort: 7}]")
    assert [one.ovs_port for one in inventory.endpoints] == [7]


# --- forms --------------------------------------------------------------------------------------------------

PORTS = (80, 443, 8080, 9090)
FORMS = [
    # (name, rules, sizes of the apps, flows, of which with conjunctions)
    ("pairs", [from_app("a", 80)], {"a": 9}, 9, 0),
    ("a small product", [from_app("a", 80, 443)], {"a": 6}, 12, 0),
    ("a product that is larger than the sum", [from_app("a", *PORTS)], {"a": 9}, 14, 13),
    ("all traffic is one match: no product", [from_app("a")], {"a": 40}, 40, 0),
    (
        "two apps with equal ports are one product",
        [from_app("a", *PORTS), from_app("b", *PORTS)],
        {"a": 5, "b": 5},
        15,
        14,
    ),
    ("a block with an except", [from_blocks(["10.0.0.0/8"], 80)], {}, 1, 0),
    ("blocks in a product", [from_blocks([f"{20 + 3 * n}.1.0.0/16" for n in range(9)], *PORTS)], {}, 14, 13),
]


@pytest.mark.parametrize(
    ("given_rules", "sizes", "flows", "conjunctive"), [case[1:] for case in FORMS], ids=[c[0] for c in FORMS]
)
def test_forms(given_rules: list[Document], sizes: dict[str, int], flows: int, conjunctive: int) -> None:
    found = rules(plan_of(given_rules, sizes), Layout(identities_save=10_000))
    assert len(found) == flows
    assert sum(flow.actions[0].startswith("conjunction(") for flow in found) == conjunctive


def test_numbers_for_peers_where_many_classes_ask_for_them() -> None:
    """With addresses 5 classes of 40 flows; with numbers 40 flows that tell them, and one for each class."""
    documents = [pod(number, "a") for number in range(40)]
    for number in range(5):
        web = pod(100 + number, f"web{number}")
        policy = ingress(f"p{number}", [from_app("a", 80 + number)])
        policy["spec"]["podSelector"] = {"matchLabels": {"app": f"web{number}"}}
        documents += [web, policy]
    plan = compiled(documents).plan
    assert len(rules(plan)) == 5
    assert len(rules(plan, Layout(identities_save=10_000))) == 200
    assert len(lower(plan, Options()).tables[Step.SOURCE].flows) == 41


def test_an_except_is_a_longer_prefix_of_higher_priority() -> None:
    rule: Document = {"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]}
    block, hole = rules(plan_of([rule], {}))
    assert str(block).startswith("priority=117,")
    assert str(block).endswith("nw_src=10.0.0.0/8,actions=goto_table:6")
    assert str(hole).startswith("priority=132,")
    assert str(hole).endswith("nw_src=10.1.0.0/16,actions=drop")


# --- flows of all kinds -------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(dense.plans())
def test_numbers_of_other_classes_do_not_change_a_class(plan: Plan) -> None:
    """What is loaded changes no more than what is meant: a class that stays keeps its flows."""
    layout = Layout(identities_save=10_000)
    whole = set(texts(lower(plan, Options(), layout), Step.INGRESS))
    for one in plan.classes:
        alone = texts(lower(replace(plan, classes=(one,)), Options(), layout), Step.INGRESS)
        assert set(alone) <= whole


@settings(max_examples=30)
@given(dense.plans())
def test_flows_of_one_priority_agree_where_they_overlap(plan: Plan) -> None:
    """In the tables of rules: OpenFlow leaves open which of two such flows counts."""
    for step in (Step.EGRESS, Step.INGRESS):
        flows = [
            flow
            for flow in lower(plan, Options()).tables[step].flows
            if not flow.actions[0].startswith("conjunction(")
        ]
        for one, other in combinations(flows, 2):
            if one.priority == other.priority and one.actions != other.actions:
                mine, yours = map(_values, (one, other))
                assert any(mine[name] != yours[name] for name in mine.keys() & yours.keys()), (one, other)


def _values(flow: Flow) -> dict[str, object]:
    """What a flow wants of each field, and of the packet's family and protocol where its word tells."""
    values: dict[str, object] = {match.field: match.value for match in flow.matches if match.value}
    for match in flow.matches:
        if not match.value:
            version, protocol = HEADERS[match.field]
            values |= {"version": version} | ({} if protocol is None else {"protocol": protocol})
    return values


def test_members_of_a_hole_side_by_side_are_one_block() -> None:
    """A flow for each block of the members' addresses, not for each member."""
    first = parse_cidr("10.1.0.16/32").block.first
    members = Group("pods(app=old) in ns/x", frozenset(range(first, first + 18)))
    subject, *_ = dense.ENDPOINTS
    decision = PacketSet.of([(traffic.ANY, ANYONE - Peers(frozenset({members})))])
    subject = structs.replace(subject, addresses=subject.addresses[:1])
    names = {one: f"x/old-{one - first}" for one in members.members} | {subject.addresses[0]: str(subject)}
    plan = Plan((Class(Direction.INGRESS, decision, (subject,)),), names)
    flows = rules(plan, Layout(identities_save=10_000))
    found = [(str(flow.matches[-1]), flow.note) for flow in flows if flow.priority == HOLES]
    assert found == [
        ("nw_src=10.1.0.16/28", "x/old-0 and 15 more"),
        ("nw_src=10.1.0.32/31", "x/old-16 and 1 more"),
    ]


def test_equal_input_gives_equal_flows() -> None:
    documents = [from_app("a", *PORTS), from_app("b", 80), from_blocks(["10.0.0.0/8", "192.0.2.0/24"], 443)]
    plans = [plan_of(order, {"a": 9, "b": 3}) for order in (documents, documents[::-1])]
    assert lower(plans[0], Options()) == lower(plans[1], Options())
