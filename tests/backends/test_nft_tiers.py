"""What tables hold of cluster policies and of rules that log: holes in blocks, hairpins, log statements."""

from __future__ import annotations

import re
from ipaddress import ip_address

import pytest

from npc.backends.base import Options
from npc.backends.nft.layout import MEASURED, Layout
from npc.backends.nft.lowering import lower
from npc.backends.nft.ruleset import Table
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import EVERY_V4, parse_address, parse_cidr
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.algebra.peers import ANYONE, Group, Peers
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import InputError
from npc.compiler.frontend.source import Origin, Source
from npc.compiler.frontend.syntax import Direction
from npc.compiler.inventory import Endpoint
from npc.compiler.plan import Class, Hairpin, LoggedRule, Plan
from tests.backends.nft_interpreter import lets_pass
from tests.reference.evaluator import Packet

# --- holes --------------------------------------------------------------------------------------------------


def addresses(*texts: str) -> frozenset[int]:
    return frozenset(map(parse_address, texts))


def block(text: str) -> Intervals:
    return Intervals.of(parse_cidr(text).block.range)


WEB = Endpoint("x", "web", {}, (parse_address("10.0.0.1"), parse_address("fd00::1")))
DEV, OPS = Group("dev", addresses("10.0.0.2", "10.0.0.3", "fd00::2")), Group("ops", addresses("10.0.0.2"))
HTTP = traffic.of(traffic.TCP, 80, 80)
NAMES = {one: format(one, "x") for group in (DEV, OPS) for one in group.members} | dict.fromkeys(
    WEB.addresses, "x/web"
)
NO_SETS = Layout(set_budget=0)


def plan_with(
    peers: Peers, *logs: LoggedRule, hairpins: tuple[Hairpin, ...] = (), web: Endpoint = WEB
) -> Plan:
    """What the web pod may receive on port 80."""
    decision = PacketSet.of([(HTTP, peers)])
    return Plan((Class(Direction.INGRESS, decision, (web,), logs=logs),), NAMES, hairpins=hairpins)


def chains_of(table: Table) -> dict[str, list[str]]:
    """The rules of each chain, the digits of names left out."""
    hidden = re.compile(r"\b([a-z]\d_(?:to_)?)[0-9a-f]{10}")
    return {
        hidden.sub(r"\1#", chain.name): [hidden.sub(r"\1#", str(rule)) for rule in chain.rules]
        for chain in table.chains
    }


@pytest.mark.parametrize(
    ("peers", "layout", "v4", "v6"),
    [
        pytest.param(
            ANYONE - Peers(frozenset({DEV})),
            MEASURED,
            ["tcp dport 80 ip saddr != @p4_# accept"],
            ["tcp dport 80 ip6 saddr != @p6_# accept"],
            id="everyone but a group",
        ),
        pytest.param(
            ANYONE - Peers(frozenset({OPS})),
            MEASURED,
            ["tcp dport 80 ip saddr != @p4_# accept"],
            ["tcp dport 80 accept"],
            id="a hole in one family",
        ),
        pytest.param(
            Peers(blocks=block("10.0.0.0/8")) - Peers(frozenset({DEV})),
            MEASURED,
            ["tcp dport 80 ip saddr 10.0.0.0/8 ip saddr != @p4_# accept"],
            [],
            id="a block but for a group",
        ),
        pytest.param(
            Peers(blocks=block("10.0.0.0/8")) - Peers(frozenset({DEV})) | Peers(frozenset({OPS})),
            MEASURED,
            [
                "tcp dport 80 ip saddr @p4_# accept",
                "tcp dport 80 ip saddr 10.0.0.0/8 ip saddr != @p4_# accept",
            ],
            ["tcp dport 80 ip6 saddr @p6_# accept"],
            id="a member of the hole beside it",
        ),
        pytest.param(
            Peers(blocks=block("10.0.0.0/30")) - Peers(frozenset({DEV})),
            NO_SETS,
            ["tcp dport 80 ip saddr 10.0.0.0/31 accept"],
            [],
            id="a hole without a set",
        ),
        pytest.param(
            Peers(blocks=EVERY_V4) - Peers(frozenset({DEV})),
            NO_SETS,
            ["tcp dport 80 ip saddr != 10.0.0.2/31 accept"],
            [],
            id="all but a hole without a set",
        ),
        pytest.param(
            Peers(blocks=EVERY_V4) - Peers(frozenset({DEV})),
            Layout(set_budget=0, inline_peers=1),
            ["tcp dport 80 ip saddr != @p4_# accept"],
            [],
            id="a hole too large for rules",
        ),
    ],
)
def test_holes(peers: Peers, layout: Layout, v4: list[str], v6: list[str]) -> None:
    chains = chains_of(lower(plan_with(peers), Options(), layout))
    assert chains["i4_#"] == [*v4, "jump always", "goto deny"]
    assert chains["i6_#"] == [*v6, "jump always", "goto deny"]


def test_a_group_and_an_equal_hole_share_a_set() -> None:
    decision = PacketSet.of(
        [(HTTP, ANYONE - Peers(frozenset({OPS}))), (traffic.every(traffic.UDP), Peers(frozenset({OPS})))]
    )
    table = lower(Plan((Class(Direction.INGRESS, decision, (WEB,)),), NAMES), Options())
    assert [one.comment for one in table.sets if one.name.startswith("p4_")] == ["ops"]


# --- hairpins -----------------------------------------------------------------------------------------------

ONLY_HTTP = Hairpin(HTTP, WEB.addresses)


def test_hairpins() -> None:
    table = lower(plan_with(ANYONE, hairpins=(ONLY_HTTP,)), Options(log_denied=True))
    chains = chains_of(table)
    assert chains["forward"] == [
        "ct state established,related accept",
        "ip saddr . ip daddr vmap @hairpin4",
        "ip6 saddr . ip6 daddr vmap @hairpin6",
        "goto ingress",
    ]
    (name,) = (chain.name.removeprefix("h4_") for chain in table.chains if chain.name.startswith("h4_"))
    log = f'limit rate 10/second burst 20 packets log prefix "npc hairpin denied {name} "'
    assert chains["h4_#"] == ["tcp dport 80 accept", log, "goto deny"]
    assert chains["h6_#"] == ["tcp dport 80 accept", "icmpv6 type 133-137 accept", log, "goto deny"]
    assert chains["always"] == ["icmpv6 type 133-137 accept"], "no address is left that may send itself all"
    assert [one.name for one in table.sets if "self" in one.name] == []


def test_hairpins_of_endpoints_in_no_class() -> None:
    """Decided on all the same, and whatever passes by other endpoints passes."""
    table = lower(Plan((), {}, hairpins=(ONLY_HTTP,)), Options())
    web, other = ip_address("10.0.0.1"), ip_address("10.0.0.9")
    asked = [(web, web, 80), (web, web, 81), (web, other, 81), (other, other, 81)]
    found = [lets_pass(table, Packet(source, to, traffic.TCP, port)) for source, to, port in asked]
    assert found == [True, False, True, True]
    assert "always" not in chains_of(table)


def test_one_family_with_hairpins_alone_has_no_exceptions() -> None:
    web = Endpoint("x", "web", {}, WEB.addresses[:1])
    hairpin = Hairpin(HTTP, web.addresses)
    chains = chains_of(lower(plan_with(Peers(), hairpins=(hairpin,), web=web), Options()))
    assert chains["i4_#"] == ["goto deny"]
    assert "always" not in chains


def test_neighbour_discovery_passes_in_hairpins() -> None:
    """A1 comes before every tier."""
    table = lower(plan_with(Peers(), hairpins=(ONLY_HTTP,)), Options())
    web = ip_address("fd00::1")
    found = {kind: lets_pass(table, Packet(web, web, 58, kind << 8)) for kind in (128, 132, 133, 137, 138)}
    assert found == {128: False, 132: False, 133: True, 137: True, 138: False}


# --- logs ---------------------------------------------------------------------------------------------------

NEXT_TO_IT = Peers(frozenset({DEV}), block("10.0.0.0/8"))


def logging(prefix: str, rule: str = "deny guard no-ssh", peers: Peers = ANYONE) -> LoggedRule:
    """A rule that logs SSH."""
    packets = PacketSet.of([(traffic.of(traffic.TCP, 22, 22), peers)])
    return LoggedRule(prefix, rule, packets, Origin(Source("policy.npc")))


@pytest.mark.parametrize(
    ("prefix", "rule", "expected"),
    [
        ("", "deny guard no-ssh", "npc deny guard no-ssh "),
        ("", 'deny guard "no\nssh" $1', "npc deny guard _no_ssh_ _1 "),
        ("", "deny guard " + "x" * 200, "npc deny guard " + "x" * 108 + "... "),
        ("", "deny guard " + "é" * 200, "npc deny guard " + "é" * 54 + "... "),
        ("db", "deny guard", "db "),
        ("db ", "deny guard", "db "),
        ("a\\b 'c' #; {} %s *", "deny guard", "a\\b 'c' #; {} %s * "),
        ("x" * 126, "deny guard", "x" * 126 + " "),
        ("é" * 63, "deny guard", "é" * 63 + " "),
    ],
)
def test_prefixes_of_logs(prefix: str, rule: str, expected: str) -> None:
    table = lower(plan_with(ANYONE, logging(prefix, rule)), Options())
    assert chains_of(table)["i4_#"][:2] == ["jump always", f'tcp dport 22 log prefix "{expected}"']
    assert len(expected.encode()) <= 127


@pytest.mark.parametrize(
    ("prefix", "why"),
    [
        ('a"b', "it has the character '\"'"),
        ("$HOME", "it has the character '$'"),
        ("a\nb", "it has the character '\\n'"),
        ("a\0", "it has the character '\\x00'"),
        ("a\u2028b", "it has the character '\\u2028'"),
        ("x" * 127, "it takes 128 bytes, with the blank after it"),
        ("é" * 64, "it takes 129 bytes, with the blank after it"),
    ],
)
def test_prefixes_that_nft_cannot_take(prefix: str, why: str) -> None:
    rule = logging(prefix)
    with pytest.raises(InputError) as raised:
        lower(plan_with(ANYONE, rule, logging("fine")), Options())
    (found,) = raised.value.diagnostics
    assert (found.code, found.origin) == (codes.INEXPRESSIBLE, rule.origin)
    assert found.message == f"nft cannot log with the prefix of the rule `deny guard no-ssh`: {why}"


@pytest.mark.parametrize(
    ("peers", "layout", "in_class", "in_chain"),
    [
        pytest.param(
            Peers(frozenset({DEV})),
            MEASURED,
            ['tcp dport 22 ip saddr @p4_# log prefix "ssh "'],
            [],
            id="a group",
        ),
        pytest.param(
            NEXT_TO_IT,
            MEASURED,
            ["tcp dport 22 jump i4_#_log1_1"],
            [
                'ip saddr @p4_# log prefix "ssh " return',
                'ip saddr 10.0.0.0/8 log prefix "ssh " return',
            ],
            id="a group within a block: never twice",
        ),
        pytest.param(
            Peers(frozenset({DEV})),
            NO_SETS,
            [
                'tcp dport 22 ip saddr 10.0.0.2 log prefix "ssh "',
                'tcp dport 22 ip saddr 10.0.0.3 log prefix "ssh "',
            ],
            [],
            id="members apart from each other",
        ),
        pytest.param(
            Peers(frozenset({DEV})),
            Layout(set_budget=0, most_rules=1),
            ["tcp dport 22 jump i4_#_log1_1"],
            ['ip saddr 10.0.0.2 log prefix "ssh " return', 'ip saddr 10.0.0.3 log prefix "ssh " return'],
            id="many alternatives",
        ),
    ],
)
def test_rules_that_log(peers: Peers, layout: Layout, in_class: list[str], in_chain: list[str]) -> None:
    chains = chains_of(lower(plan_with(ANYONE, logging("ssh", peers=peers)), Options(), layout))
    assert chains["i4_#"] == ["jump always", *in_class, "tcp dport 80 accept", "goto deny"]
    assert chains.get("i4_#_log1_1", []) == in_chain
