"""What a table looks like: its options, its comments, and the sets that it keeps or gives up."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from npc.backends.base import Deny, Options, OwnNode
from npc.backends.nft.keywords import KEYWORDS
from npc.backends.nft.layout import MEASURED, Layout
from npc.backends.nft.lowering import lower
from npc.backends.nft.ruleset import Element, Set, Table
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import InputError
from npc.compiler.plan import Plan
from tests.backends.nft_interpreter import lets_pass
from tests.backends.plans import from_app, from_blocks, ingress, plan_of, pod
from tests.compiler.compiling import compiled
from tests.reference.evaluator import Packet

NOTHING = Plan((), {})


# --- options ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["npc", "a", "_", "T_1", "x" * 64, "tables", "Table"])
def test_table_names(name: str) -> None:
    assert lower(NOTHING, Options(table=name)).name == name


@pytest.mark.parametrize(
    "name",
    ["", "1a", "a-b", "a b", "a.b", "a;", "a\n", "é", "a{", "x" * 65, "table", "ip", "inet", "accept", "tcp"],
)
def test_names_that_no_table_can_have(name: str) -> None:
    with pytest.raises(InputError) as raised:
        lower(NOTHING, Options(table=name))
    assert [one.code for one in raised.value.diagnostics] == [codes.OPTION]


def test_every_keyword_is_refused() -> None:
    for word in sorted(KEYWORDS):
        with pytest.raises(InputError):
            lower(NOTHING, Options(table=word))


@pytest.mark.parametrize(
    ("priority", "text"), [(0, "filter"), (-199, "-199"), (-1, "-1"), (10, "10"), (2**31 - 1, "2147483647")]
)
def test_hook_priorities(priority: int, text: str) -> None:
    hooks = [chain.hook for chain in lower(NOTHING, Options(hook_priority=priority)).chains if chain.hook]
    assert hooks == [f"type filter hook forward priority {text}; policy accept;"]


@pytest.mark.parametrize("priority", [-(2**31), -300, -200, 2**31])
def test_hook_priorities_before_connection_tracking_or_out_of_range(priority: int) -> None:
    with pytest.raises(InputError) as raised:
        lower(NOTHING, Options(hook_priority=priority))
    assert [one.code for one in raised.value.diagnostics] == [codes.OPTION]


@pytest.mark.parametrize(
    ("options", "hooks", "end", "logs"),
    [
        (Options(), ["forward"], ["drop"], False),
        (Options(own_node=OwnNode.POLICED), ["forward", "input", "output"], ["drop"], False),
        (
            Options(deny_with=Deny.REJECT),
            ["forward"],
            ["meta l4proto tcp reject with tcp reset", "reject with icmpx admin-prohibited"],
            False,
        ),
        (Options(log_denied=True), ["forward"], ["drop"], True),
    ],
)
def test_options(options: Options, hooks: list[str], end: list[str], logs: bool) -> None:
    table = lower(plan_of([from_app("api", 80)], {"api": 2}), options)
    chains = {chain.name: list(map(str, chain.rules)) for chain in table.chains}
    assert [chain.name for chain in table.chains if chain.hook] == hooks
    assert chains["deny"] == end
    (in_class,) = (rules for name, rules in chains.items() if name.startswith("i4_") and "_to_" not in name)
    log = [rule for rule in in_class if " log prefix " in rule]
    assert len(log) == logs
    assert in_class[-2 - logs :] == ["jump always", *log, "goto deny"], "only what is denied is logged"


@pytest.mark.parametrize(
    ("source", "protocol", "icmp_type", "is_accepted"),
    [
        *(("fd00::9", 58, icmp_type, True) for icmp_type in (133, 134, 135, 136, 137)),
        *(("fd00::9", 58, icmp_type, False) for icmp_type in (0, 1, 128, 129, 132, 138, 255)),
        *(("fd00::1", 58, icmp_type, True) for icmp_type in (0, 128)),
        ("fd00::9", 1, 133, False),
        ("fd00::9", 6, 133, False),
    ],
)
def test_exceptions(source: str, protocol: int, icmp_type: int, is_accepted: bool) -> None:
    """Neighbour discovery passes whatever the policies say (A1), and so does an endpoint to itself (A2)."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a"},
        "status": {"podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]},
    }
    deny = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "deny"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    }
    table = lower(compiled([pod, deny]).plan, Options())
    packet = Packet(ip_address(source), ip_address("fd00::1"), protocol, icmp_type << 8)
    assert lets_pass(table, packet) is is_accepted


# --- comments -----------------------------------------------------------------------------------------------


def test_comments_of_long_names_and_many_policies_fit() -> None:
    """Names and labels may be as long as Kubernetes lets them be."""
    name, label = ".".join(["n" * 63] * 3), "v" * 63
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "n" * 63},
        "status": {"podIP": "10.0.0.1"},
    }
    peer = {
        "podSelector": {"matchExpressions": [{"key": "k" * 63, "operator": "In", "values": [label, "w"]}]}
    }
    policies = [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": f"{name}.{number}", "namespace": "n" * 63},
            "spec": {"podSelector": {}, "ingress": [{"from": [peer]}]},
        }
        for number in range(20)
    ]
    table = lower(compiled([pod, *policies]).plan, Options())
    comments = [chain.comment for chain in table.chains] + [one.comment for one in table.sets]
    assert max(map(len, comments)) <= 127
    assert sum(text.endswith("...") for text in comments) == 2


# --- sets ---------------------------------------------------------------------------------------------------


def peer_sets(table: Table) -> list[int]:
    """The sizes of the sets of peers, the largest first."""
    return sorted((len(one.elements) for one in table.sets if one.name[0] in "pb"), reverse=True)


SIZES = {"one": 1, "two": 2, "three": 3, "many": 40}
BLOCKS = [f"192.0.{number}.0/25" for number in range(6)]


@pytest.mark.parametrize(
    ("layout", "sizes"),
    [
        pytest.param(MEASURED, [40, 3, 2, 1], id="within the budget"),
        pytest.param(Layout(set_budget=4), [40, 3, 2, 1], id="just within it"),
        pytest.param(Layout(set_budget=3), [40, 3, 2], id="the smallest is given up"),
        pytest.param(Layout(set_budget=2), [40, 3], id="the two smallest are"),
        pytest.param(Layout(set_budget=0), [40], id="all but those too large for rules"),
        pytest.param(Layout(set_budget=0, inline_peers=40), [], id="all, where no set is too large"),
        pytest.param(Layout(set_budget=0, inline_peers=2), [40, 3], id="only those that are small enough"),
    ],
)
def test_sets_of_peers_keep_to_the_budget(layout: Layout, sizes: list[int]) -> None:
    rules = [from_app(app, 80 + number) for number, app in enumerate(SIZES)]
    assert peer_sets(lower(plan_of(rules, SIZES), Options(), layout)) == sizes


HOLES = [f"192.0.2.{number}/32" for number in range(2, 60, 4)]


@pytest.mark.parametrize(
    ("holes", "layout", "sizes"),
    [
        pytest.param(13, MEASURED, [], id="few are compared"),
        pytest.param(14, MEASURED, [15], id="many are the gaps of a set"),
        pytest.param(14, Layout(set_budget=0), [], id="without a budget they are compared"),
    ],
)
def test_holes_of_a_block(holes: int, layout: Layout, sizes: list[int]) -> None:
    block = {"ipBlock": {"cidr": "192.0.2.0/24", "except": HOLES[:holes]}}
    table = lower(plan_of([{"from": [block], "ports": [{"port": 80}]}], {}), Options(), layout)
    assert peer_sets(table) == sizes


@pytest.mark.parametrize(
    ("saves", "sizes"),
    [
        pytest.param(81, [42, 41, 40], id="it would save too little"),
        pytest.param(80, [40, 2, 1], id="it saves enough"),
        pytest.param(0, [40, 2, 1], id="groups of one set alone save nothing"),
    ],
)
def test_a_large_group_of_several_sets_has_its_own(saves: int, sizes: list[int]) -> None:
    pods = [
        pod(number, app) for number, app in enumerate(["many"] * 40 + ["one", "two", "two", "a", "b", "c"])
    ]
    policies = []
    for subject, others in (("a", ["one"]), ("b", ["two"]), ("c", [])):
        peers = [peer for app in ("many", *others) for peer in from_app(app)["from"]]
        policy = ingress(subject, [{"from": peers, "ports": [{"port": 80}]}])
        policy["spec"]["podSelector"]["matchLabels"] = {"app": subject}
        policies.append(policy)
    table = lower(compiled([*pods, *policies]).plan, Options(), Layout(shared_set_saves=saves))
    assert peer_sets(table) == sizes


def test_members_of_two_groups_stand_once() -> None:
    rules = [{"from": [*from_app("many")["from"], {"podSelector": {}}], "ports": [{"port": 80}]}]
    (found,) = (one for one in lower(plan_of(rules, SIZES), Options()).sets if one.name.startswith("p"))
    texts = [element.text for element in found.elements]
    assert len(texts) == len(set(texts)) == sum(SIZES.values()) + 1


def test_maps_of_ports_count_as_sets() -> None:
    """Nine arms are a map by port: with nine sets of peers, ten sets in all."""
    apps = {f"app-{number}": number + 1 for number in range(9)}
    rules = [from_app(app, 80 + number) for number, app in enumerate(apps)]
    plan = plan_of(rules, apps)
    assert len(peer_sets(lower(plan, Options(), Layout(set_budget=10)))) == 9
    assert len(peer_sets(lower(plan, Options(), Layout(set_budget=9)))) == 9
    assert len(peer_sets(lower(plan, Options(), Layout(set_budget=8)))) == 8


def test_names_stand_beside_members_of_small_groups() -> None:
    plan = plan_of([from_app("two", 80), from_app("three", 81)], SIZES)
    table = lower(plan, Options(), Layout(named_members=2))
    notes = {len(one.elements): {bool(element.note) for element in one.elements} for one in table.sets}
    assert (notes[2], notes[3]) == ({True}, {False})


@pytest.mark.parametrize(
    ("layout", "sizes"),
    [
        pytest.param(MEASURED, [6], id="many blocks are a set"),
        pytest.param(Layout(blocks_inline=6), [], id="few are rules"),
        pytest.param(Layout(set_budget=0), [], id="without a budget they are rules"),
    ],
)
def test_sets_of_blocks(layout: Layout, sizes: list[int]) -> None:
    table = lower(plan_of([from_blocks(BLOCKS, 80)], {}), Options(), layout)
    assert peer_sets(table) == sizes
    assert all(one.interval for one in table.sets if one.name.startswith("b"))


@pytest.mark.parametrize(
    ("layout", "lists"),
    [(MEASURED, ["tcp dport { 80, 443 }"]), (Layout(set_budget=0), ["tcp dport 80", "tcp dport 443"])],
    ids=["within the budget", "beyond it"],
)
def test_lists_of_ports(layout: Layout, lists: list[str]) -> None:
    table = lower(plan_of([from_app("one", 80, 443)], SIZES), Options(), layout)
    (chain,) = (chain for chain in table.chains if chain.name.startswith("i4_"))
    assert [str(rule).split(" ip ")[0] for rule in chain.rules[: len(lists)]] == lists


def test_equal_peers_share_a_set_and_a_chain() -> None:
    """Two classes, one group: what only differs in its subjects or ports is there once."""
    rules = [from_app(app, *range(1, 20, 2)) for app in ("one", "two", "three")] + [from_app("one", 100)]
    table = lower(plan_of(rules, SIZES), Options(), Layout(most_arms=0))
    assert peer_sets(table) == [6, 1]
    assert sum("_to_" in chain.name for chain in table.chains) == 2


@pytest.mark.parametrize(
    ("count", "interval", "size"),
    [(1023, False, 0), (1024, False, 2048), (1025, False, 4096), (5000, True, 0)],
)
def test_large_hashes_have_a_size(count: int, interval: bool, size: int) -> None:
    elements = tuple(Element(f"10.0.{number >> 8}.{number & 255}") for number in range(count))
    assert Set.of("s", "ipv4_addr", elements, interval=interval).size == size
