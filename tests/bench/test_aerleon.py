"""What `bench.aerleon` compares: the same rules for both, counted the same way."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import pytest

from bench.address_rules import AERLEON_TARGETS, PER_POD, address_rules, pod_address
from bench.aerleon import Comparison, Output, compare, counted, report
from bench.process import Usage


def test_rules_are_the_same_every_time_and_different_from_each_other() -> None:
    rules = address_rules(200)
    assert rules == address_rules(200)
    assert rules[:50] == address_rules(50)
    assert len(set(rules)) == 200
    assert {rule.pod for rule in rules} == set(range(200 // PER_POD))
    assert {bool(rule.excepts) for rule in rules} == {True, False}
    assert {rule.protocol for rule in rules} == {"TCP", "UDP"}


def test_what_a_rule_matches() -> None:
    rule = next(rule for rule in address_rules(200) if rule.excepts)
    (hole,) = rule.excepts
    pod, (port, _) = pod_address(rule.pod), rule.ports[0]
    inside = next(one for one in rule.source if one not in hole)
    asked = [
        (inside, pod, rule.protocol, port),
        (hole[0], pod, rule.protocol, port),
        (rule.source[-1] + 1, pod, rule.protocol, port),
        (inside, pod + 1, rule.protocol, port),
        (inside, pod, "SCTP", port),
        (inside, pod, rule.protocol, port + 1),
    ]
    assert [rule.matches(*one) for one in asked] == [True, False, False, False, False, False]


OUTPUTS = [
    (
        "nft",
        """table ip t {
    set s { # a comment, with a comma
        type ipv4_addr
        flags interval
        comment "a, b"
        elements = {
            10.0.0.0/8, # x
            192.0.2.0/24
        }
    }
    chain c {
        type filter hook forward priority 0; policy accept;
        ct state new accept
        tcp dport { 80, 443 } ip saddr { 10.0.0.1 } accept
        jump d
    }
}
""",
        Output(3, 5),
    ),
    (
        "iptables",
        "*filter\n:A - [0:0]\n# -A is a rule\n-A A -p tcp -j ACCEPT\n-A A -j DROP\nCOMMIT\n",
        Output(2, 0),
    ),
    ("ipset", "create s hash:net\nflush s\nadd s 10.0.0.0/8\nadd s 10.1.0.0/16 nomatch\n", Output(0, 2)),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in OUTPUTS], ids=[row[0] for row in OUTPUTS])
def test_counts(text: str, expected: Output, tmp_path: Path) -> None:
    file = tmp_path / "output"
    file.write_text(text)
    assert counted(file) == expected


def test_a_folder_counts_as_all_its_files_but_scripts(tmp_path: Path) -> None:
    (tmp_path / "npc.v4.rules").write_text("-A A -j DROP\n")
    (tmp_path / "npc.ipset").write_text("add s 10.0.0.0/8\n")
    (tmp_path / "load.sh").write_text("-A A -j DROP\n")
    assert counted(tmp_path) == Output(1, 1)


def test_report() -> None:
    npc = (Usage(1.0, 1.0, 100_000_000, ""), Usage(2.0, 2.0, 90_000_000, ""), Usage(3.0, 3.0, 80_000_000, ""))
    aerleon = tuple(Usage(2 * one.wall, 1.0, 200_000_000, "") for one in npc)
    found = Comparison("nft", 1_000, npc, aerleon, Output(1_234, 5), Output(6, 7))
    assert report([found]).splitlines() == [
        "                  wall s Aerleon  ratio     MB Aerleon  ratio  rules+elements       Aerleon",
        "nft        1,000    2.00    4.00   2.00    100     200   2.00         1,234+5           6+7",
    ]


@pytest.mark.parametrize("target", AERLEON_TARGETS)
def test_both_compile_the_rules(target: str, tmp_path: Path) -> None:
    pytest.importorskip("aerleon", reason="Aerleon, of the extra `bench`, is not installed")
    count = 2 * PER_POD
    found = compare(count, target, 1, tmp_path)
    assert found.npc_output.rules >= count
    assert found.aerleon_output.rules >= count


def test_addresses_of_pods() -> None:
    assert [pod_address(0), pod_address(254)] == [IPv4Address("10.244.0.1"), IPv4Address("10.244.0.255")]
