"""npc's flows in Open vSwitch's userspace datapath: real packets, and traced ones."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest
import yaml
from hypothesis import assume, given, settings

from npc.api import compile_sources
from npc.backends.base import Options, OwnNode
from npc.backends.ovs.layout import MEASURED, Layout
from npc.backends.ovs.lowering import lower
from npc.backends.printing import render
from npc.compiler.frontend.source import Source
from npc.compiler.plan import Plan
from tests.backends import dense
from tests.compiler.compiling import passes
from tests.conformance.cases import Case, Traffic, plain_network_policy_cases, requires_conformance_data
from tests.conformance.compiling import compile_documents
from tests.dataplane import test_random
from tests.dataplane.clusters import hosts_of
from tests.dataplane.dataplanes import Dataplane
from tests.dataplane.ovs import NEXT, PROGRAMS, SETTINGS, Bridge, open_bridge
from tests.dataplane.probe import Probe, Protocol, differences, matrix, run
from tests.dataplane.test_conformance import EVERYWHERE, expected_probes
from tests.dataplane.topology import Address, Host, Network, open_network
from tests.reference.boundaries import boundary_packets
from tests.reference.evaluator import Cluster, Packet, allowed
from tests.reference.manifests import Document
from tests.strategies import clusters

pytestmark = pytest.mark.dataplane(*PROGRAMS)

OPTIONS: Final = Options(settings=SETTINGS)
SECONDS: Final = 5.0

# --- conformance --------------------------------------------------------------------------------------------

BridgeFor = Callable[[list[Host], frozenset[Address]], tuple[Network, Bridge]]


@pytest.fixture(scope="module")
def bridge_for(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeFor]:
    """Open a network with a bridge, or hand out again the one that stands: one at a time."""
    standing: dict[object, tuple[Network, Bridge]] = {}
    with ExitStack() as closing:

        def opened(hosts: list[Host], outside: frozenset[Address]) -> tuple[Network, Bridge]:
            asked = frozenset(hosts), outside
            if asked not in standing:
                standing.clear()
                closing.close()
                network = closing.enter_context(open_network(hosts, sorted(outside, key=str)))
                folder: Path = tmp_path_factory.mktemp("ovs")
                standing[asked] = network, closing.enter_context(open_bridge(network, folder))
            return standing[asked]

        yield opened


def _cases() -> Iterator[object]:
    for case in plain_network_policy_cases():
        marks = [] if case.category in EVERYWHERE else [pytest.mark.slow]
        yield pytest.param(case, id=case.id, marks=marks)


@requires_conformance_data
@pytest.mark.parametrize("case", list(_cases()))
def test_conformance(case: Case[Traffic], bridge_for: BridgeFor) -> None:
    documents = case.documents
    flows = compile_documents(documents, options=OPTIONS, target="ovs").artifacts["npc.flows"]
    expected = expected_probes(case, documents)
    hosts = hosts_of(documents)
    inside = {address for host in hosts for address in host.addresses}
    outside = {end for probe in expected for end in (probe.source, probe.destination)} - inside
    network, bridge = bridge_for(hosts, frozenset(outside))
    bridge.load(flows)
    assert differences(network, expected, run(network, expected)) == []


# --- two pods and their node --------------------------------------------------------------------------------

A4, A6, B4, B6 = map(ip_address, ("10.0.0.1", "fd00::1", "10.0.0.2", "fd00::2"))
NODE4, NODE6 = map(ip_address, ("192.168.7.1", "fd07::1"))
INVENTORY: Final = """
namespaces: [{name: x}]
nodes: [{name: n1, addresses: [192.168.7.1, 'fd07::1']}]
endpoints:
- {name: a, namespace: x, labels: {app: a}, addresses: [10.0.0.1, 'fd00::1'], node: n1}
- {name: b, namespace: x, labels: {app: b}, addresses: [10.0.0.2, 'fd00::2'], node: n1}
"""
SERVICES: Final[tuple[tuple[Protocol, int], ...]] = (("tcp", 80), ("udp", 53), ("icmp", 0), ("sctp", 9))
DENY_ALL: Final[Mapping[str, object]] = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def only(app: str, kind: str, rules: list[Document]) -> Mapping[str, object]:
    """A policy of one direction for the pods of an app."""
    selector = {"matchLabels": {"app": app}}
    return {"podSelector": selector, "policyTypes": [kind], kind.lower(): rules}


def flows_for(*specs: Mapping[str, object], options: Options = OPTIONS) -> str:
    """npc's flows for some policies over the two pods."""
    policies = (
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": f"p{number}", "namespace": "x"},
            "spec": spec,
        }
        for number, spec in enumerate(specs)
    )
    sources = [
        Source("inventory.yaml", content=INVENTORY.encode()),
        Source("policy.yaml", content=yaml.safe_dump_all(policies).encode()),
    ]
    return compile_sources(sources, "ovs", options=options).artifacts["npc.flows"]


@pytest.fixture(scope="module")
def pods(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Network, Bridge]]:
    """Both pods, and the node as a host like them."""
    hosts = Host("x/a", (A4, A6)), Host("x/b", (B4, B6)), Host("n1", (NODE4, NODE6))
    with open_network(hosts) as network, open_bridge(network, tmp_path_factory.mktemp("ovs")) as bridge:
        yield network, bridge


def check(network: Network, expected: Mapping[Probe, bool]) -> None:
    assert differences(network, expected, run(network, expected)) == []


EVERY: Final = [
    probe for probe in matrix((A4, A6, B4, B6, NODE4, NODE6), SERVICES) if probe.source != probe.destination
]


@pytest.mark.parametrize("own_node", list(OwnNode))
def test_own_node(pods: tuple[Network, Bridge], own_node: OwnNode) -> None:
    """A3: whatever the policies say, unless they are to rule it."""
    network, bridge = pods
    bridge.load(flows_for(DENY_ALL, options=Options(own_node=own_node, settings=SETTINGS)))
    nodes = {NODE4, NODE6}
    check(
        network,
        {
            probe: own_node is OwnNode.ALWAYS and bool(nodes & {probe.source, probe.destination})
            for probe in EVERY
            if probe.protocol != "sctp"
        },
    )


def test_one_direction_does_not_open_the_other(pods: tuple[Network, Bridge]) -> None:
    """a may send to b, and b's answers come back; what b begins does not pass."""
    network, bridge = pods
    bridge.load(flows_for(only("a", "Ingress", [])))
    expected = {
        probe: probe.destination not in (A4, A6) or probe.source in (NODE4, NODE6)
        for probe in EVERY
        if probe.protocol != "sctp"
    }
    check(network, expected)


def test_what_the_destination_denies_is_no_connection(pods: tuple[Network, Bridge]) -> None:
    """Commit only after both: a's packet to b is denied at b, so b cannot answer what never came."""
    network, bridge = pods
    bridge.load(flows_for(only("b", "Ingress", []), only("a", "Ingress", [])))
    with (
        network.owners[A4].socket(socket.AF_INET, socket.SOCK_DGRAM) as a,
        network.owners[B4].socket(socket.AF_INET, socket.SOCK_DGRAM) as b,
    ):
        for one, address in ((a, A4), (b, B4)):
            one.settimeout(0.3)
            one.bind((str(address), 4000))
        for sender, receiver, destination in ((a, b, B4), (b, a, A4)):
            sender.sendto(b"?", (str(destination), 4000))
            with pytest.raises(TimeoutError):
                receiver.recv(16)
    assert "sport=4000" not in bridge.appctl("dpctl/dump-conntrack")


def test_a_connection_outlives_a_stricter_policy(pods: tuple[Network, Bridge]) -> None:
    network, bridge = pods
    bridge.load(flows_for(only("b", "Ingress", [{}])))
    listener = network.owners[B4].socket(socket.AF_INET, socket.SOCK_STREAM)
    client = network.owners[A4].socket(socket.AF_INET, socket.SOCK_STREAM)
    with listener, client:
        listener.bind((str(B4), 0))
        listener.listen()
        for one in (listener, client):
            one.settimeout(SECONDS)
        client.connect(listener.getsockname())
        server, _ = listener.accept()
        with server:
            server.settimeout(SECONDS)
            bridge.load(flows_for(DENY_ALL))
            client.sendall(b"still there?")
            assert server.recv(64) == b"still there?"
            server.sendall(b"yes")
            assert client.recv(64) == b"yes"
            check(network, {Probe(A4, B4, "tcp", 80): False})


def test_a_related_error_reaches_an_isolated_sender(pods: tuple[Network, Bridge]) -> None:
    """A1: nobody listens at b, and a hears of it although its ingress is isolated."""
    network, bridge = pods
    bridge.load(flows_for(only("a", "Ingress", [])))
    with network.owners[A4].socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.settimeout(SECONDS)
        sender.connect((str(B4), 9))
        sender.send(b"?")
        with pytest.raises(ConnectionRefusedError):
            sender.recv(64)


@pytest.mark.parametrize(("source", "destination"), [(A4, B4), (A6, B6)], ids=["IPv4", "IPv6"])
def test_an_allowed_sctp_port_opens_no_other(
    pods: tuple[Network, Bridge], source: Address, destination: Address
) -> None:
    """Userspace conntrack knows no SCTP ports: what it calls established must not pass for that alone."""
    network, bridge = pods
    rules = [{"ports": [{"protocol": "SCTP", "port": 81}]}]
    bridge.load(flows_for(only("b", "Ingress", rules), only("a", "Ingress", [])))
    for _ in range(2):
        check(
            network,
            {
                Probe(source, destination, "sctp", 81): True,
                Probe(source, destination, "sctp", 80): False,
                Probe(destination, source, "sctp", 81): False,
            },
        )


@pytest.mark.parametrize(
    ("family", "source", "destination"),
    [(socket.AF_INET, A4, B4), (socket.AF_INET6, A6, B6)],
    ids=["IPv4", "IPv6"],
)
def test_fragments_of_a_known_connection_pass(
    pods: tuple[Network, Bridge], family: int, source: Address, destination: Address
) -> None:
    """Until an answer came, fragments pass only where ports do not matter: userspace flows see none there."""
    network, bridge = pods
    bridge.load(flows_for(only("b", "Ingress", [{"ports": [{"protocol": "UDP", "port": 4001}]}])))
    with (
        network.owners[source].socket(family, socket.SOCK_DGRAM) as sender,
        network.owners[destination].socket(family, socket.SOCK_DGRAM) as receiver,
    ):
        receiver.bind((str(destination), 4001))
        sender.connect((str(destination), 4001))
        receiver.settimeout(SECONDS)
        sender.settimeout(SECONDS)
        sender.send(b"first")
        first, peer = receiver.recvfrom(64)
        receiver.sendto(first, peer)
        assert sender.recv(64) == b"first"
        sender.send(bytes(4000))
        assert len(receiver.recv(8192)) == 4000


# --- loading ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["OpenFlow13", "OpenFlow15"])
def test_loading_beside_others_flows(pods: tuple[Network, Bridge], version: str) -> None:
    """As the head of the file says: npc's flows are replaced, and no others; nothing is lost or merged."""
    _, bridge = pods
    bridge.load(flows_for(DENY_ALL), version)
    denying = bridge.flows()
    text = flows_for(only("a", "Ingress", [{"ports": [{"port": 80, "endPort": 99}]}]))
    bridge.load(text, version)
    loaded = bridge.flows()
    assert sum("cookie=0x6e7063" in flow for flow in loaded) == text.count("\ncookie=0x6e7063")
    assert [flow for flow in loaded if f"table={NEXT}," in flow] == [
        flow for flow in denying if f"table={NEXT}," in flow
    ]
    bridge.load(flows_for(DENY_ALL), version)
    assert bridge.flows() == denying


@pytest.mark.parametrize("version", ["OpenFlow13", "OpenFlow15"])
def test_loading_a_bridge_of_npc_s_own(
    pods: tuple[Network, Bridge], version: str, request: pytest.FixtureRequest
) -> None:
    """`replace-flows` leaves just the file's flows on the bridge."""
    _, bridge = pods
    others = [flow for flow in bridge.flows() if f"table={NEXT}," in flow]
    request.addfinalizer(lambda: bridge.ofctl("add-flows", stdin="\n".join(others)))
    for spec in (DENY_ALL, only("a", "Ingress", [{}]), DENY_ALL):
        text = flows_for(spec, options=Options())
        for _ in range(2):
            bridge.ofctl("--bundle", "replace-flows", stdin=text, version=version)
            assert len(bridge.flows()) == text.count("\ncookie=0x6e7063")


def test_arp_and_neighbour_discovery_pass(tmp_path: Path) -> None:
    """A1, with NORMAL as on a plain switch: hosts that are asked for find each other, though isolated."""
    rules = [{"ports": [{"port": 80}]}]
    both = {**DENY_ALL, "ingress": rules, "egress": rules}
    hosts = [Host("x/a", (A4, A6)), Host("x/b", (B4, B6))]
    pairs = ((A4, B4), (A6, B6), (B4, A4), (B6, A6))
    with open_network(hosts) as network, open_bridge(network, tmp_path) as bridge:
        bridge.ofctl("--bundle", "replace-flows", stdin=flows_for(both, options=Options()))
        for source, destination in pairs:
            route = ["route", "replace", f"{destination}/{destination.max_prefixlen}", "dev", "eth0"]
            network.owners[source].run(["ip", f"-{source.version}", *route])
        check(
            network,
            {Probe(*pair, protocol="tcp", port=port): port == 80 for pair in pairs for port in (80, 81)},
        )
        for source, destination in pairs:
            shown = ["ip", f"-{source.version}", "neigh", "show", str(destination)]
            assert "lladdr" in network.owners[source].run(shown)


# --- random clusters ----------------------------------------------------------------------------------------

FORMS: Final = {
    "as measured": MEASURED,
    "conjunctions": Layout(conjunction_saves=-1_000_000, identities_save=1_000_000),
    "numbers": Layout(conjunction_saves=1_000_000, identities_save=-1_000_000),
    "numbers in conjunctions": Layout(conjunction_saves=-1_000_000, identities_save=-1_000_000),
}
POLICED: Final = Options(settings=SETTINGS, own_node=OwnNode.POLICED)
"""The evaluators know no A3."""
TRACED: Final = 100
OTHER_PORT: Final = 0xFFFE
"""LOCAL: not the port that packets go out of, which would hold them back."""


@pytest.fixture(scope="module")
def switch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridge]:
    """A bridge on which all that passes goes out: packets are only traced."""
    with (
        open_network([Host("x/a", (A4,))]) as network,
        open_bridge(network, tmp_path_factory.mktemp("ovs")) as bridge,
    ):
        bridge.ofctl("add-flows", stdin=f"table={NEXT},priority=40000,actions=output:1\n")
        yield bridge


def _flows(plan: Plan, layout: Layout) -> str:
    return render("ovs.j2", None, ruleset=lower(plan, POLICED, layout))


@settings(max_examples=15)
@given(documents=clusters())
def test_random_clusters_traced(switch: Bridge, documents: list[Document]) -> None:
    """ofproto/trace asks the same classifier that packets meet, with any protocol and any address."""
    plan, cluster = compile_documents(documents).plan, Cluster.from_manifests(documents)
    asked = boundary_packets(documents, TRACED)
    for name, layout in FORMS.items():
        switch.load(_flows(plan, layout))
        assert [
            f"{name}: {packet}"
            for packet in asked
            if switch.traced(packet, in_port=OTHER_PORT) is not allowed(cluster, packet)
        ] == []


@settings(max_examples=25)
@given(plan=dense.plans())
def test_dense_plans_traced(switch: Bridge, plan: Plan) -> None:
    """Conjunctions, prefixes that cut, and overlaps, as the switch itself takes them."""
    asked = dense.packets(40)
    for name, layout in FORMS.items():
        switch.load(_flows(plan, layout))
        assert [
            f"{name}: {packet}"
            for packet in asked
            if switch.traced(packet, in_port=OTHER_PORT) is not passes(plan, packet)
        ] == []


@pytest.mark.parametrize("states", ["trk,inv", "trk,new"])
def test_sctp_and_the_unknown_are_decided_as_first_packets(switch: Bridge, states: str) -> None:
    switch.load(flows_for(only("a", "Ingress", [{"ports": [{"protocol": "SCTP", "port": 7}]}])))
    passing = {
        port: switch.traced(Packet(B4, A4, 132, port), states, in_port=OTHER_PORT) for port in (6, 7, 8)
    }
    assert passing == {6: False, 7: True, 8: False}


@contextmanager
def _loaded(network: Network, artifacts: Mapping[str, str]) -> Iterator[None]:
    with TemporaryDirectory(prefix="ovs") as folder, open_bridge(network, Path(folder)) as bridge:
        bridge.load(artifacts["npc.flows"])
        yield


@settings(max_examples=8)
@given(documents=clusters())
def test_random_clusters(documents: list[Document]) -> None:
    assume(any(one["kind"] == "Pod" for one in documents))
    dataplane = Dataplane("ovs", "ovs", PROGRAMS, _loaded, _loaded, POLICED)
    artifacts = compile_documents(documents, options=POLICED, target="ovs").artifacts
    test_random.check(dataplane, documents, artifacts)
