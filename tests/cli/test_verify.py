"""`npc verify` and `npc compile --verify`: what is proven, what refutes it, and how both are told."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

import npc as package
import npc.verifying.proving as proving_module
from npc.backends.base import Backend, Options
from npc.backends.nft import BACKEND
from npc.compiler.plan import Plan
from npc.compiler.verify.program import Program
from tests.cli import sarif
from tests.cli.inputs import RULE
from tests.cli.invocation import Outcome, npc

SHOP = str(Path(__file__).parents[2] / "examples" / "shop")
TARGETS = ("nft", "iptables", "ovs")
FILES = {"nft": "npc.nft", "iptables": "npc.v4.rules", "ovs": "npc.flows"}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each target, with the ruleset of the shop."""
    folder = tmp_path_factory.mktemp("compiled")
    for target in TARGETS:
        assert npc("compile", SHOP, "-q", "-t", target, "-o", f"{folder / target}/").code == 0
    return folder


def _changed(compiled: Path, target: str, old: str, new: str, folder: Path) -> Path:
    """A copy of a target's ruleset in which a text is another."""
    found = 0
    for path in (compiled / target).iterdir():
        text = path.read_text()
        found += text.count(old)
        (folder / path.name).write_text(text.replace(old, new))
    assert found, f"{old} is in no file"
    return folder


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("own_node", ["always", "policed"])
def test_what_npc_compiles_is_proven(target: str, own_node: str) -> None:
    outcome = npc("verify", SHOP, "-q", "-t", target, "--own-node", own_node)
    first, *_ = outcome.stdout.splitlines()
    assert (outcome.code, outcome.stderr) == (0, "")
    assert first == "PROVEN  the ruleset enforces the policies, for every packet"


@pytest.mark.parametrize("target", TARGETS)
def test_a_folder_is_proven(compiled: Path, target: str) -> None:
    outcome = npc("verify", SHOP, "-t", target, "-r", str(compiled / target))
    assert (outcome.code, outcome.stdout.split()[0]) == (0, "PROVEN")
    assert "seconds" in outcome.stderr


CHANGES = [
    # (name, target, old text, new text, exit code, words of the outcome)
    (
        "anyone may",
        "nft",
        "tcp dport 5432 ip saddr @p4_ad7d8ae51c accept",
        "tcp dport 5432 accept",
        3,
        [
            "tcp/5432 from kube-system/coredns-7db6d8ff4d-q5zjm (10.244.1.5) to shop/db-0 (10.244.2.30): "
            "the policies deny it, the ruleset lets it pass",
            "ingress  denied: isolated by shop/db",
            "misses by pod-label: pods(app=api)",
            "  ip daddr vmap @ingress4\n",
            "    10.244.2.30 : goto i4_b4567c32e1",
            "  tcp dport 5432 accept\n",
        ],
    ),
    (
        "another port",
        "iptables",
        "--dport 5432",
        "--dport 5433",
        3,
        ["tcp/5433 from shop/api", "the policies deny it, the ruleset lets it pass", "--dport 5433"],
    ),
    (
        "another port",
        "ovs",
        "tcp_dst=5432",
        "tcp_dst=5433",
        3,
        ["tcp/5433 from shop/api", "the policies deny it, the ruleset lets it pass", "tcp_dst=5433"],
    ),
    (
        "too little",
        "nft",
        "tcp dport 5432 ip saddr @p4_ad7d8ae51c accept",
        "",
        3,
        ["tcp/5432 from shop/api", "the policies allow it, the ruleset denies it", "allowed by shop/db"],
    ),
    (
        "replies",
        "nft",
        "ct state established,related accept",
        "",
        3,
        ["it should always pass, and the ruleset denies it", "established", "whatever the policies say"],
    ),
    (
        "a word that is not understood",
        "nft",
        "tcp dport 5432 ip saddr",
        "tcp dport 5432 tcp flags syn ip saddr",
        1,
        ["error[NPC902]", "`tcp flags` is not understood", "guesses nothing"],
    ),
    (
        "a target that is not understood",
        "iptables",
        "-j DROP",
        "-j MARK --set-mark 1",
        1,
        ["error[NPC902]", "the target `MARK`", "-A NPC-DENY -j MARK"],
    ),
    (
        "a chain that is not there",
        "nft",
        "jump always",
        "jump alwasy",
        1,
        ["error[NPC903]", "malformed: the chain `alwasy`", "jump alwasy"],
    ),
]


@pytest.mark.parametrize(
    ("target", "old", "new", "code", "words"),
    [case[1:] for case in CHANGES],
    ids=[f"{case[0]}: {case[1]}" for case in CHANGES],
)
def test_a_change(
    compiled: Path, tmp_path: Path, target: str, old: str, new: str, code: int, words: list[str]
) -> None:
    folder = _changed(compiled, target, old, new, tmp_path)
    outcome = npc("verify", SHOP, "-q", "-t", target, "-r", str(folder))
    said = outcome.stdout + outcome.stderr
    assert (outcome.code, [word for word in words if word not in said]) == (code, []), said
    assert ("NOT PROVEN" in outcome.stdout) is (code == 3)
    assert bool(outcome.stdout) is not bool(outcome.stderr)


FAULTS = [
    # (name, arguments, exit code, words)
    ("no file", "-r absent.nft", 1, "there is no file or directory absent.nft"),
    ("a folder without a ruleset", "-r .", 1, "there is no npc.nft in the folder ."),
    ("a folder of nodes", "-r nodes", 1, f"it has rulesets of nodes: name one, like {Path('nodes/node-a')}"),
    ("not a text", "-r bytes.nft", 1, "bytes.nft is not UTF-8 text"),
    ("a target without packets", "-t kubernetes", 1, "cannot be verified: it rules no packets"),
    ("no such target", "-t ntf", 1, "did you mean 'nft'?"),
    ("no such setting", "--set color=green", 1, "has no setting 'color'"),
    ("no such node", "--node node-c", 1, "NPC501"),
    ("two of standard input", "- -r -", 2, "standard input can be read once"),
    ("an empty ruleset", "-r empty.nft", 1, "the listing is empty: empty.nft"),
    ("an empty ruleset of iptables", "-t iptables -r empty.nft", 1, "did the command that lists fail?"),
    ("an empty ruleset of Open vSwitch", "-t ovs -r empty.nft", 1, "did the command that lists fail?"),
    ("a ruleset of others", "-r others.nft", 3, "There is no table inet npc: every packet passes."),
    ("an option that compile refuses", "-t ovs --table x", 1, "OpenFlow's tables have no names"),
    ("one for all nodes", "-t ovs --all-nodes --table x", 1, "OpenFlow's tables have no names"),
    ("JSON cut short", "-r cut.json", 1, "malformed: the JSON text (cut.json: handle 1)"),
]


@pytest.mark.parametrize(
    ("arguments", "code", "words"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS]
)
def test_a_fault(tmp_path: Path, arguments: str, code: int, words: str) -> None:
    (tmp_path / "nodes" / "node-a").mkdir(parents=True)
    for name, text in (
        ("nodes/node-a/npc.nft", b"\n"),
        ("bytes.nft", b"\xff"),
        ("empty.nft", b"\n"),
        ("others.nft", b"table ip nat {\n}\n"),
        ("cut.json", b'{"nftables": ['),
    ):
        (tmp_path / name).write_bytes(text)
    outcome = npc("verify", SHOP, "-q", *arguments.split(), folder=tmp_path)
    assert (outcome.code, words in outcome.stdout + outcome.stderr) == (code, True), outcome


@pytest.mark.parametrize(("target", "other"), list(permutations(TARGETS, 2)))
def test_a_ruleset_of_another_target_is_known(compiled: Path, target: str, other: str) -> None:
    outcome = npc("verify", SHOP, "-q", "-t", target, "-r", str(compiled / other / FILES[other]))
    assert outcome.code == 1
    assert f"help: it looks like a ruleset for {other}: give --target {other}\n" in outcome.stderr


def test_a_clash_of_packets_that_are_not_ip(tmp_path: Path) -> None:
    flows = "table=0,priority=9,arp actions=NORMAL\ntable=0,priority=9,dl_type=0x806,in_port=3 actions=drop\n"
    (tmp_path / "npc.flows").write_text(flows)
    outcome = npc("verify", SHOP, "-q", "-t", "ovs", "-r", "npc.flows", folder=tmp_path)
    values = _json(SHOP, "-t", "ovs", "-r", str(tmp_path / "npc.flows"))
    texts = [one["text"] for one in values["refutations"]]
    assert outcome.code == 3
    assert "ARP packets: two rules of equal priority do different things" in texts


def test_a_rule_before_npc_s_jump_that_is_not_understood(tmp_path: Path) -> None:
    (tmp_path / "host").write_text(
        "# Generated by iptables-save v1.8.9 on Sun Nov 22 23:13:55 2026\n*filter\n:FORWARD ACCEPT [0:0]\n"
        ":NPC-FORWARD - [0:0]\n-A FORWARD -m mark --mark 1 -j ACCEPT\n-A FORWARD -j NPC-FORWARD\nCOMMIT\n"
    )
    outcome = npc("verify", SHOP, "-q", "-t", "iptables", "-r", "host", folder=tmp_path)
    assert (outcome.code, "help: it comes before npc's jump" in outcome.stderr) == (1, True), outcome


@pytest.mark.parametrize("node", [(), ("--node", "node-b")], ids=["all", "node"])
def test_ports_of_pods_that_are_not_there(node: tuple[str, ...]) -> None:
    ports = ("--ovs-port", "shop/db-0=5", "--ovs-port", "shop/db-9=6", "--ovs-port", "shop/web-0=7")
    outcome = npc("verify", SHOP, "-q", "-t", "ovs", *node, *ports)
    assert "note      The inventory has no pod shop/db-9, whose port the options give." in outcome.stdout
    assert "db-0" not in outcome.stdout


def test_standard_input(compiled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (compiled / "nft" / "npc.nft").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert npc("verify", SHOP, "-q", "-r", "-").stdout.split()[0] == "PROVEN"


def test_several_files(compiled: Path) -> None:
    files = [compiled / "iptables" / name for name in ("npc.v4.rules", "npc.v6.rules", "npc.ipset")]
    arguments = [word for path in files for word in ("-r", str(path))]
    assert npc("verify", SHOP, "-q", "-t", "iptables", *arguments).stdout.split()[0] == "PROVEN"


def test_an_end_on_another_node_is_not_decided_here(tmp_path: Path) -> None:
    ruleset = tmp_path / "npc.nft"
    node = ("--node", "node-b")
    assert npc("compile", SHOP, "-q", *node, "-o", str(ruleset)).code == 0
    text = ruleset.read_text()
    ruleset.write_text(text.replace("tcp dport 5432 ip saddr", "tcp dport 5432-5439 ip saddr"))
    outcome = npc("verify", SHOP, "-q", *node, "-r", str(ruleset))
    assert outcome.code == 3
    assert "egress   decided on the node node-a, not by this ruleset" in outcome.stdout
    values = _json(SHOP, *node, "-r", str(ruleset))
    (refutation,) = values["refutations"]
    assert (refutation["egress"], refutation["ingress"]["ground"]) == (None, "isolated")


def test_a_ruleset_of_others_says_so(compiled: Path) -> None:
    outcome = npc("verify", SHOP, "-q", "--node", "node-b", "-r", str(compiled / "nft"))
    assert outcome.code == 3
    assert "the policies allow it as far as this node decides, the ruleset denies it" in outcome.stdout
    note = (
        "npc.nft says that it was compiled for all endpoints of the inventory: leave out --node for a proof"
    )
    assert note in outcome.stdout


def test_rules_of_a_listing_in_json_are_told_by_handle_and_chain(tmp_path: Path) -> None:
    address = {"payload": {"protocol": "ip", "field": "daddr"}}
    found = [
        {"table": {"family": "inet", "name": "npc", "handle": 1}},
        {
            "chain": {
                "family": "inet",
                "table": "npc",
                "name": "forward",
                "handle": 2,
                "type": "filter",
                "hook": "forward",
                "prio": 0,
                "policy": "accept",
            }
        },
        {
            "rule": {
                "family": "inet",
                "table": "npc",
                "chain": "forward",
                "handle": 7,
                "expr": [{"match": {"op": "==", "left": address, "right": "10.244.2.30"}}, {"drop": None}],
            }
        },
    ]
    (tmp_path / "live.json").write_text(json.dumps({"nftables": found}))
    outcome = npc("verify", SHOP, "-q", "-r", "live.json", folder=tmp_path)
    assert outcome.code == 3
    assert 'live.json: handle 7  chain forward: {"match":{"op":"==","left"' in outcome.stdout


def test_json(compiled: Path, tmp_path: Path) -> None:
    folder = _changed(compiled, "nft", "ip saddr @p4_ad7d8ae51c accept", "accept", tmp_path)
    values = _json(SHOP, "-r", str(folder))
    (refutation,) = values["refutations"]
    assert values["proven"] is False
    assert (values["target"], values["node"], values["subjects"]) == ("nft", None, 7)
    assert refutation["text"].endswith("the policies deny it, the ruleset lets it pass")
    assert refutation["src"]["address"] == "10.244.1.5"
    assert (refutation["should_pass"], refutation["passes"]) == (False, True)
    assert refutation["egress"]["ground"] == "default"
    assert refutation["ingress"]["closest"][0]["rule"]["policy"] == "shop/db"
    last = refutation["rules"][-1]
    assert (last["file"], last["action"]) == (str(folder / "npc.nft"), "accept")
    assert last["text"] == "tcp dport 5432 accept"
    lines = (folder / "npc.nft").read_text().split("\n")
    assert lines[last["line"] - 1].strip() == last["text"]


def test_json_of_a_proof(compiled: Path) -> None:
    values = _json(SHOP, "-r", str(compiled / "nft"))
    assert (values["proven"], values["refutations"]) == (True, [])
    assert "forwarded packets of new connections" in values["scenarios"]


def test_sarif(compiled: Path, tmp_path: Path) -> None:
    folder = _changed(compiled, "nft", "ip saddr @p4_ad7d8ae51c accept", "accept", tmp_path)
    outcome = npc("verify", SHOP, "-q", "-r", str(folder), "--format", "sarif")
    log = json.loads(outcome.stdout)
    (result,) = [one for one in log["runs"][0]["results"] if one["ruleId"] == "NPC901"]
    assert (outcome.code, sarif.faults(log)) == (3, [])
    place = result["locations"][0]["physicalLocation"]
    lines = (folder / "npc.nft").read_text().split("\n")
    assert lines[place["region"]["startLine"] - 1].strip() == "tcp dport 5432 accept"
    assert place["artifactLocation"]["uri"].endswith("npc.nft")


def test_sarif_of_what_is_not_understood(tmp_path: Path) -> None:
    (tmp_path / "npc.nft").write_text("table inet npc { chain forward { type filter hook forwards")
    outcome = npc("verify", SHOP, "-r", str(tmp_path), "--format", "sarif")
    log = json.loads(outcome.stdout)
    assert (outcome.code, sarif.faults(log), outcome.stderr) == (1, [], "")
    assert [one["ruleId"] for one in log["runs"][0]["results"]] in (["NPC902"], ["NPC903"])


def _json(*arguments: str) -> Any:
    outcome: Outcome = npc("verify", *arguments, "-q", "--format", "json")
    return json.loads(outcome.stdout)


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """A folder with the rulesets of both nodes of the shop."""
    assert npc("compile", SHOP, "-q", "--all-nodes", "-o", str(tmp_path), "-j", "1").code == 0
    return tmp_path


def _drift(fleet: Path) -> None:
    path = fleet / "node-b" / "npc.nft"
    path.write_text(path.read_text().replace("tcp dport 5432 ip saddr", "tcp dport 5432-5439 ip saddr"))


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("target", TARGETS)
def test_all_nodes_are_proven(target: str, jobs: str) -> None:
    outcome = npc("verify", SHOP, "-q", "--all-nodes", "-t", target, "-j", jobs)
    assert (outcome.code, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith("PROVEN  the rulesets of 2 of 2 nodes enforce the policies")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_one_of_all_nodes_is_refuted(fleet: Path, jobs: str) -> None:
    _drift(fleet)
    outcome = npc("verify", SHOP, "-q", "--all-nodes", "-r", str(fleet), "-j", jobs)
    assert (outcome.code, outcome.stderr) == (3, "")
    assert outcome.stdout.startswith("node node-b\nerror[NPC901]: tcp/5433 from shop/api")
    assert "\nNOT PROVEN  the rulesets do not enforce the policies: node-b\n" in outcome.stdout
    assert "\n  proven    the rulesets of 1 of 2 nodes\n" in outcome.stdout


def test_all_nodes_in_json_and_sarif(fleet: Path) -> None:
    _drift(fleet)
    values = _json(SHOP, "--all-nodes", "-r", str(fleet))
    assert (values["proven"], [one["proven"] for one in values["nodes"]]) == (False, [True, False])
    outcome = npc("verify", SHOP, "-q", "--all-nodes", "-r", str(fleet), "--format", "sarif")
    log = json.loads(outcome.stdout)
    assert (outcome.code, sarif.faults(log)) == (3, [])
    assert [one["ruleId"] for one in log["runs"][0]["results"]].count("NPC901") == 1


@pytest.mark.parametrize("format", ["text", "sarif"])
def test_a_node_whose_ruleset_is_not_there_hides_no_other(fleet: Path, format: str) -> None:
    _drift(fleet)
    (fleet / "node-a" / "npc.nft").unlink()
    outcome = npc("verify", SHOP, "-q", "--all-nodes", "-r", str(fleet), "--format", format)
    said = outcome.stdout + outcome.stderr
    assert outcome.code == 3, "that a host has drifted is the worse news"
    assert [word for word in ("NPC901", "NPC109") if word not in said] == []


def test_nothing_is_proven_of_a_node_whose_ruleset_is_not_there(fleet: Path) -> None:
    (fleet / "node-a" / "npc.nft").unlink()
    outcome = npc("verify", SHOP, "-q", "--all-nodes", "-r", str(fleet))
    first, second, *_ = outcome.stdout.splitlines()
    assert outcome.code == 1
    assert first == "NOT PROVEN  the rulesets are missing or not understood: node-a"
    assert second == "  proven    the rulesets of 1 of 2 nodes"
    broken, whole = _json(SHOP, "--all-nodes", "-r", str(fleet))["nodes"]
    assert (broken["node"], broken["proven"], broken["errors"][0]["code"]) == ("node-a", False, "NPC109")
    assert (whole["node"], whole["proven"]) == ("node-b", True)


def test_notes_of_all_nodes_name_theirs(fleet: Path) -> None:
    with (fleet / "node-b" / "npc.nft").open("a") as file:
        file.write("table ip nat {\n}\n")
    outcome = npc("verify", SHOP, "-q", "--all-nodes", "-r", str(fleet))
    assert "  note      node-b: The table ip nat is no part of this." in outcome.stdout


@pytest.mark.parametrize(
    ("ethertype", "words"),
    [("arp", "ARP packets: they should"), ("", "packets that are neither IP nor ARP: they should")],
    ids=["arp", "neither"],
)
def test_packets_that_are_not_ip(compiled: Path, tmp_path: Path, ethertype: str, words: str) -> None:
    flow = f"cookie=0x6e7063, duration=9.1s, table=0, n_packets=7, priority=60000,{ethertype} actions=drop"
    ip = "cookie=0x6e7063, table=0, priority=60001,{} actions=goto_table:1\n"
    others = "" if ethertype else "".join(map(ip.format, ("ip", "ipv6", "arp")))
    path = tmp_path / "npc.flows"
    path.write_text((compiled / "ovs" / "npc.flows").read_text() + others + flow.replace(",  ", " ") + "\n")
    outcome = npc("verify", SHOP, "-q", "-t", "ovs", "-r", str(path))
    assert (outcome.code, words in outcome.stdout) == (3, True), outcome
    assert "duration=" not in outcome.stdout
    assert "n_packets=" not in outcome.stdout


@pytest.mark.parametrize(
    "arguments", ["--all-nodes --node node-a", "--all-nodes -r -", "--all-nodes -r a -r b", "-j 2"]
)
def test_usage_of_all_nodes(arguments: str) -> None:
    assert npc("verify", SHOP, *arguments.split()).code == 2


@pytest.mark.parametrize("target", TARGETS)
def test_compile_proves_and_writes_the_same(compiled: Path, tmp_path: Path, target: str) -> None:
    assert npc("compile", SHOP, "-q", "-t", target, "--verify", "-o", f"{tmp_path}/").code == 0
    for path in (compiled / target).iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def _break(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    """Let the reader see another ruleset than the one that was compiled."""
    read = proving_module.read

    def other(backend: Backend, texts: Mapping[str, str], plan: Plan, options: Options) -> Program:
        changed = {name: text.replace(old, new) for name, text in texts.items()}
        assert changed != texts or plan.node == "none", "there is something to change"
        return read(backend, changed, plan, options)

    monkeypatch.setattr(proving_module, "read", other)


WRONG = [
    # (name, further arguments, new text of the rule, words)
    ("it lets more pass", (), "accept", "the policies deny it, the ruleset lets it pass"),
    ("to standard output", ("-o", "-"), "tcp dport 81 accept", "does not enforce the policies"),
    ("of a node", ("--node", "node-a"), "accept", "of the node node-a"),
    ("of all nodes", ("--all-nodes", "-j", "1"), "accept", "of the node node-a"),
    ("of all nodes, in processes", ("--all-nodes", "-j", "2"), "accept", "of the node node-a"),
    ("not even read", (), "tcp flags syn accept", "npc does not understand its own ruleset"),
]


@pytest.mark.parametrize(
    ("arguments", "rule", "words"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG]
)
def test_compile_writes_nothing_that_is_not_proven(
    inputs: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], rule: str, words: str
) -> None:
    _break(monkeypatch, RULE, rule)
    outcome = npc(
        "compile", "policy.yaml", "inventory.yaml", "--verify", "-o", "out/", *arguments, folder=inputs
    )
    assert (outcome.code, outcome.stdout) == (70, "")
    assert outcome.stderr.startswith("npc: internal error: ")
    assert words in outcome.stderr
    assert outcome.stderr.endswith("with the input that led to it; nothing was written.\n")
    written = [path for path in inputs.rglob("*") if path.is_file() and path.parent != inputs]
    assert written == []


def test_templates_that_are_wrong_are_errors_of_the_input(inputs: Path) -> None:
    (inputs / "templates").mkdir()
    (inputs / "templates" / "nft.j2").write_text("table inet npc { }\n")
    arguments = ("policy.yaml", "inventory.yaml", "--template-dir", "templates")
    outcome = npc("compile", *arguments, "--verify", "-o", "out.nft", folder=inputs)
    assert (outcome.code, outcome.stdout, "error[NPC901]" in outcome.stderr) == (1, "", True)
    assert not (inputs / "out.nft").exists()
    assert npc("verify", *arguments, folder=inputs).code == 3


def test_a_target_that_cannot_be_verified_is_refused_before_work(inputs: Path) -> None:
    outcome = npc("compile", "policy.yaml", "inventory.yaml", "-t", "kubernetes", "--verify", folder=inputs)
    assert (outcome.code, outcome.stdout, "error[NPC904]" in outcome.stderr) == (1, "", True)


def test_a_target_without_a_reader_cannot_be_verified() -> None:
    with pytest.raises(package.InputError, match="the target nft cannot be verified: it has no reader"):
        proving_module.verifiable(replace(BACKEND, read=None))


def test_in_python(compiled: Path) -> None:
    found = package.verify_paths([SHOP], [str(compiled / "nft")])
    assert (found.is_proven, found.refuted, found.proof.subjects) == (True, (), 7)
    assert package.compile_paths([SHOP], verify=True).artifacts["npc.nft"]


def test_all_nodes_needs_a_folder(tmp_path: Path) -> None:
    ruleset = tmp_path / "npc.nft"
    ruleset.write_text("")
    shop = Path(__file__).parents[2] / "examples" / "shop"
    outcome = npc("verify", str(shop), "--all-nodes", "-r", str(ruleset))
    assert (outcome.code, outcome.stdout) == (1, "")
    assert f"{ruleset} is a file; --all-nodes needs the folder" in outcome.stderr
