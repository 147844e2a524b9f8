"""What tiers come to in iptables' words: holes, nearly all traffic, hairpins, and rules that log."""

from __future__ import annotations

import re

import pytest

from npc.backends.base import Options
from npc.backends.iptables.lowering import lower
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import parse_address, parse_cidr
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.algebra.peers import ANYONE, Group, Peers
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import InputError
from npc.compiler.frontend.source import Origin, Source
from npc.compiler.frontend.syntax import Direction
from npc.compiler.inventory import Endpoint
from npc.compiler.plan import Class, Hairpin, LoggedRule, Plan

V4, OTHER = map(parse_address, ("10.0.0.1", "10.0.0.2"))
DEV = Peers(frozenset({Group("dev", frozenset({OTHER}))}))
ANYTHING = PacketSet.of([(traffic.ANY, ANYONE)])
WIDE = Peers(blocks=Intervals((parse_cidr("10.0.0.0/8").block.range,)))
HTTP, TCP = traffic.of(traffic.TCP, 80, 80), traffic.every(traffic.TCP)
ECHO = traffic.of(traffic.ICMP, 0x0800, 0x08FF)


def _plan(decision: PacketSet[Peers], *logs: LoggedRule, hairpins: tuple[Hairpin, ...] = ()) -> Plan:
    """One class, of one pod for ingress."""
    subject = Endpoint("x", "web", {}, (V4,))
    only = Class(Direction.INGRESS, decision, (subject,), logs=logs)
    return Plan((only,), {V4: "x/web", OTHER: "x/dev"}, hairpins=hairpins)


def _class_rules(plan: Plan, **settings: str) -> list[str]:
    """The rules of the only class, with its own and its sets' names without their hashes."""
    table = lower(plan, Options(settings=settings)).v4
    (found,) = (chain for chain in table.chains if chain.name.startswith("NPC-I-"))
    return [re.sub(r"(?<=-)[0-9a-f]{12}", "*", str(rule)) for rule in found.rules]


DECISIONS = [
    ("all but a group", [(traffic.ANY, ANYONE - DEV)], ["-m set ! --match-set npc-p4-* src -j RETURN"]),
    (
        "a port not for a group",
        [(traffic.ANY - HTTP, ANYONE), (HTTP, ANYONE - DEV)],
        ["-p tcp -g NPC-T-*", "-g NPC-P-*"],
    ),
    (
        "a protocol not for a group: the others are not listed",
        [(traffic.ANY - TCP, ANYONE), (TCP, ANYONE - DEV)],
        ["-p tcp -g NPC-P-*", "-g NPC-P-*"],
    ),
    (
        "a protocol for nobody: nor are they here",
        [(traffic.ANY - TCP, ANYONE)],
        ["-p tcp -g NPC-DENY", "-g NPC-P-*"],
    ),
    (
        "echo requests not for a group",
        [(traffic.ANY - ECHO, ANYONE), (ECHO, ANYONE - DEV)],
        ["-p icmp -g NPC-T-*", "-g NPC-P-*"],
    ),
    (
        "a block without a group",
        [(HTTP, WIDE - DEV)],
        ["-p tcp --dport 80 -s 10.0.0.0/8 -m set ! --match-set npc-p4-* src -j RETURN"],
    ),
]


@pytest.mark.parametrize(
    ("decision", "expected"), [row[1:] for row in DECISIONS], ids=[row[0] for row in DECISIONS]
)
def test_decisions(decision: list[tuple[Intervals, Peers]], expected: list[str]) -> None:
    rules = _class_rules(_plan(PacketSet.of(decision)))
    assert rules == [*expected, *([] if "NPC-P" in rules[-1] else ["-g NPC-DENY"])]


def test_without_sets_few_holes_are_negations() -> None:
    plan = _plan(PacketSet.of([(traffic.ANY, ANYONE - DEV)]))
    assert _class_rules(plan, ipset="no") == ["! -s 10.0.0.2 -j RETURN", "-g NPC-DENY"]


def _logged(
    prefix: str = "", rule: str = "deny guard no-dev", packets: PacketSet[Peers] = ANYTHING
) -> LoggedRule:
    return LoggedRule(prefix, rule, packets, Origin(Source("policies.npc"), path=(prefix,)))


PREFIXES = [
    ("its own", _logged("dev: "), '"dev: "'),
    ("a blank is put after it", _logged("dev"), '"dev "'),
    ("28 bytes, and the blank", _logged("x" * 28), f'"{"x" * 28} "'),
    ("quotes and backslashes", _logged('a "b" \\'), '"a \\"b\\" \\\\ "'),
    ("the rule's words", _logged(), '"npc deny guard no-dev "'),
    (
        "the rule's words, with little room",
        _logged(rule="deny guard-rails no-dev-ssh"),
        '"deny guard-rails no-dev-ssh "',
    ),
    (
        "the rule's words, with less",
        _logged(rule="allow shop/database ingress 2"),
        '"allow shop/da..ase ingress 2 "',
    ),
    ("words of several lines", _logged(rule="deny guard a\nb\u00e9"), '"npc deny guard a?b? "'),
]


@pytest.mark.parametrize(("logged", "text"), [row[1:] for row in PREFIXES], ids=[row[0] for row in PREFIXES])
def test_prefixes(logged: LoggedRule, text: str) -> None:
    rules = _class_rules(_plan(ANYTHING, logged))
    assert rules[:2] == ["-j NPC-ALWAYS", f"-j LOG --log-prefix {text}"]


TOO_MUCH = [
    ("x" * 29, "it takes 30 bytes, with the blank after it"),
    ("\u00e9" * 14 + "x", "it takes 30 bytes, with the blank after it"),
    ("a\nb", "it has a character that cannot be printed"),
]


@pytest.mark.parametrize(("prefix", "why"), TOO_MUCH)
def test_prefixes_that_the_kernel_would_cut(prefix: str, why: str) -> None:
    logged = _logged(prefix)
    with pytest.raises(InputError) as raised:
        lower(_plan(ANYTHING, logged, _logged("short")), Options())
    (fault,) = raised.value.diagnostics
    assert (fault.code, fault.origin) == (codes.INEXPRESSIBLE, logged.origin)
    assert fault.message == f"iptables cannot log with the prefix of the rule `deny guard no-dev`: {why}"


LOGS = [
    ("one match", [(HTTP, DEV)], ["-p tcp --dport 80 -m set --match-set npc-p4-* src -j LOG"]),
    (
        "two ports are two packets",
        [(HTTP | traffic.of(traffic.UDP, 53, 53), DEV)],
        [
            "-p tcp --dport 80 -m set --match-set npc-p4-* src -j LOG",
            "-p udp --dport 53 -m set --match-set npc-p4-* src -j LOG",
        ],
    ),
    ("arms that may overlap", [(HTTP, DEV | WIDE), (TCP, WIDE)], ["-j NPC-R-*"]),
    ("a group and a block that may overlap", [(HTTP, DEV | WIDE)], ["-j NPC-R-*"]),
    ("many rules", [(traffic.ANY - HTTP, DEV)], ["-j NPC-R-*"]),
]


@pytest.mark.parametrize(("packets", "expected"), [row[1:] for row in LOGS], ids=[row[0] for row in LOGS])
def test_a_packet_is_logged_once(packets: list[tuple[Intervals, Peers]], expected: list[str]) -> None:
    logged = _logged("dev ", packets=PacketSet.of(packets))
    for ipset in ("yes", "no"):
        always, *rules, _ = _class_rules(_plan(PacketSet(), logged), ipset=ipset)
        assert always == "-j NPC-ALWAYS"
        without = [re.sub(r"-m set --match-set npc-p4-\* src", "-s 10.0.0.2", rule) for rule in expected]
        shown = [rule.replace(' --log-prefix "dev "', "") for rule in rules]
        assert shown == (expected if ipset == "yes" else without)


HAIRPINS = [
    ("a port", HTTP, ["-p tcp --dport 80 -j ACCEPT", "-g NPC-DENY"]),
    ("all but a port", traffic.ANY - HTTP, ["-p tcp -g NPC-T-*", "-j ACCEPT"]),
    ("nothing", Intervals(), ["-g NPC-DENY"]),
]


@pytest.mark.parametrize(
    ("allowed", "expected"), [row[1:] for row in HAIRPINS], ids=[row[0] for row in HAIRPINS]
)
def test_hairpins(allowed: Intervals, expected: list[str]) -> None:
    """They come before the classes, and the exception of what comes from itself is no more."""
    plan = _plan(ANYTHING - PacketSet.of([(HTTP, DEV)]), hairpins=(Hairpin(allowed, (V4,)),))
    ruleset = lower(plan, Options())
    chains = {chain.name: [str(rule) for rule in chain.rules] for chain in ruleset.v4.chains}
    assert chains["NPC-FORWARD"][1:] == [
        "-m set --match-set npc-hairpin4 src -m set --match-set npc-hairpin4 dst -j NPC-HAIRPIN",
        "-m set --match-set npc-ingress4 dst -j NPC-INGRESS",
    ]
    ((tree,),) = ([rule.rpartition(" ")] for rule in chains["NPC-HAIRPIN"])
    assert tree[0] == "-s 10.0.0.1 -d 10.0.0.1 -g"
    assert [re.sub(r"(?<=-)[0-9a-f]{12}", "*", rule) for rule in chains[tree[2]]] == expected
    assert (chains["NPC-ALWAYS"], "NPC-SELF" in chains) == ([], False)
