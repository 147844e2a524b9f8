"""What texts mean: the same policies as their twins in YAML, and what YAML has no words for."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import pytest

from npc.compiler.algebra.addresses import parse_cidr
from npc.compiler.algebra.traffic import ICMP, ICMPV6, TCP, UDP
from npc.compiler.frontend import codes
from npc.compiler.frontend.codes import Severity
from npc.compiler.frontend.diagnostics import Diagnostic, Format, has_errors
from npc.compiler.frontend.documents import Loaded, load
from npc.compiler.frontend.locate import locate
from npc.compiler.frontend.render import render
from npc.compiler.frontend.source import Source
from npc.compiler.frontend.syntax import (
    EVERYTHING,
    Action,
    BehindService,
    Block,
    Direction,
    Log,
    NamedPort,
    Nodes,
    Operator,
    Peer,
    Pods,
    Port,
    Ports,
    Requirement,
    Selector,
    Tier,
)
from tests.language.texts import TEXTS

_HEAD = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web, namespace: shop}\n"
_CLUSTER = (
    "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: web}\n"
)

TWINS: list[tuple[str, str, str]] = [
    # name, a policy web in shop for pods(app=web), the specification in YAML
    ("isolate ingress", "isolate ingress", "{}"),
    ("isolate both", "isolate ingress, egress", "{policyTypes: [Ingress, Egress]}"),
    ("isolate egress alone", "isolate egress", "{policyTypes: [Egress]}"),
    ("everyone", "allow from any", "{ingress: [{}]}"),
    ("everyone, out", "allow to any", "{policyTypes: [Egress], egress: [{}]}"),
    ("both ways", "allow from any allow to any", "{ingress: [{}], egress: [{}]}"),
    (
        "rules that are inert",
        "isolate only egress allow from any",
        "{policyTypes: [Egress], ingress: [{}]}",
    ),
    (
        "peers",
        "allow from pods, pods(a=b), ns, ns/lab, ns(a), pods(a) in ns(!b), pods in ns/lab",
        "{ingress: [{from: [{podSelector: {}}, {podSelector: {matchLabels: {a: b}}}, {namespaceSelector: {}},"
        " {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: lab}}},"
        " {namespaceSelector: {matchExpressions: [{key: a, operator: Exists}]}},"
        " {podSelector: {matchExpressions: [{key: a, operator: Exists}]},"
        " namespaceSelector: {matchExpressions: [{key: b, operator: DoesNotExist}]}},"
        " {podSelector: {}, namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: lab}}}]}]}",
    ),
    (
        "selectors",
        'allow from pods(a=b, c="", d in (y, x, x), e not in (z), f, !g)',
        "{ingress: [{from: [{podSelector: {matchLabels: {a: b, c: ''}, matchExpressions: ["
        "{key: d, operator: In, values: [x, y]}, {key: e, operator: NotIn, values: [z]},"
        " {key: f, operator: Exists}, {key: g, operator: DoesNotExist}]}}]}]}",
    ),
    (
        "blocks",
        "allow to 10.0.0.0/8 except (10.1.0.0/16, 10.2.0.0/16), fd00::/8, 0.0.0.0/0 except 10.0.0.0/8",
        "{policyTypes: [Egress], egress: [{to: ["
        "{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16, 10.2.0.0/16]}},"
        " {ipBlock: {cidr: 'fd00::/8'}}, {ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}]}",
    ),
    (
        "ports",
        "allow tcp/80, udp/8000-8080, sctp, tcp/metrics from any",
        "{ingress: [{ports: [{port: 80}, {protocol: UDP, port: 8000, endPort: 8080}, {protocol: SCTP},"
        " {protocol: TCP, port: metrics}]}]}",
    ),
]


@pytest.mark.parametrize(("body", "spec"), [row[1:] for row in TWINS], ids=[row[0] for row in TWINS])
def test_twins(body: str, spec: str) -> None:
    written = "podSelector: {matchLabels: {app: web}}, " + spec[1:]
    in_yaml = _load(f"{_HEAD}spec: {{{written}\n", "x.yaml")
    in_language = _load(f"policy web in shop for pods(app=web) {{ {body} }}")
    assert in_language.policies == in_yaml.policies


CLUSTER_TWINS: list[tuple[str, str, str]] = [
    # name, the text behind `cluster policy web`, the specification in YAML
    (
        "namespaces and actions",
        "tier admin priority 10 for ns(env=prod)"
        " { pass from ns(team=sre) deny to 0.0.0.0/0, ::/0 allow tcp/80 from ns }",
        "{tier: Admin, priority: 10, subject: {namespaces: {matchLabels: {env: prod}}}, ingress: ["
        "{action: Pass, from: [{namespaces: {matchLabels: {team: sre}}}]},"
        " {action: Accept, from: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {number: 80}}}]}],"
        " egress: [{action: Deny, to: [{networks: [0.0.0.0/0, '::/0']}]}]}",
    ),
    (
        "pods, nodes, networks and names",
        "tier baseline priority 1000 for pods(app) in ns/shop { deny udp/1-9 to nodes(a=b), pods(c=d) in ns,"
        " 10.0.0.0/8 as no-nodes allow any/web to ns }",
        "{tier: Baseline, priority: 1000, subject: {pods: {podSelector: {matchExpressions: ["
        "{key: app, operator: Exists}]},"
        " namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}},"
        " egress: [{name: no-nodes, action: Deny,"
        " protocols: [{udp: {destinationPort: {range: {start: 1, end: 9}}}}],"
        " to: [{nodes: {matchLabels: {a: b}}}, {pods: {podSelector: {matchLabels: {c: d}},"
        " namespaceSelector: {}}}, {networks: [10.0.0.0/8]}]},"
        " {action: Accept, protocols: [{destinationNamedPort: web}], to: [{namespaces: {}}]}]}",
    ),
]


@pytest.mark.parametrize(
    ("text", "spec"), [row[1:] for row in CLUSTER_TWINS], ids=[row[0] for row in CLUSTER_TWINS]
)
def test_cluster_twins(text: str, spec: str) -> None:
    in_yaml = _load(f"{_CLUSTER}spec: {spec}\n", "x.yaml")
    assert _load(f"cluster policy web {text}").cluster_policies == in_yaml.cluster_policies


def _selector(key: str, value: str) -> Selector:
    return Selector((Requirement(key, Operator.IN, (value,)),))


def _block(text: str) -> Block:
    return Block(parse_cidr(text).block)


PEERS: list[tuple[str, str, str, tuple[Peer, ...] | None]] = [
    # name, definitions, peers, what they stand for
    ("nodes", "", "nodes, nodes(a=b)", (Nodes(EVERYTHING), Nodes(_selector("a", "b")))),
    ("Services", "", "svc/db, svc/db in ns/lab", (BehindService("db"), BehindService("db", "lab"))),
    ("a set", "set a = 10.0.0.0/8, fd00::/8", "@a", (_block("10.0.0.0/8"), _block("fd00::/8"))),
    (
        "a set of sets, each peer once",
        "set c = @a, @b, @a set b = @a, fd00::/8 set a = 10.0.0.0/8",
        "@c, ns",
        (_block("10.0.0.0/8"), _block("fd00::/8"), Pods(EVERYTHING, EVERYTHING)),
    ),
    ("pods of whichever namespace", "set a = pods(a=b)", "@a", (Pods(_selector("a", "b")),)),
    ("a set of everyone", "set a = any", "@a", None),
    ("a set of a set of everyone", "set b = @a set a = any", "@b", None),
    ("one peer twice", "", "ns, ns", (Pods(EVERYTHING, EVERYTHING), Pods(EVERYTHING, EVERYTHING))),
]


@pytest.mark.parametrize(
    ("definitions", "text", "peers"), [row[1:] for row in PEERS], ids=[row[0] for row in PEERS]
)
def test_peers(definitions: str, text: str, peers: tuple[Peer, ...] | None) -> None:
    (policy,) = _load(f"{definitions} policy web for pods {{ allow to {text} }}").policies
    assert policy.egress[0].peers == peers


SERVICES: list[tuple[str, str, tuple[Port, ...] | None]] = [
    # definitions, services, what they stand for
    ("", "", None),
    ("", "icmp, icmpv6", (Ports(ICMP, 0, 0xFFFF), Ports(ICMPV6, 0, 0xFFFF))),
    ("", "icmp/8, icmp/0-3", (Ports(ICMP, 0x800, 0x8FF), Ports(ICMP, 0, 0x3FF))),
    (
        "",
        "icmp/echo-request, icmpv6/echo-request",
        (Ports(ICMP, 0x800, 0x8FF), Ports(ICMPV6, 0x8000, 0x80FF)),
    ),
    ("", "any/web, tcp/web", (NamedPort(None, "web"), NamedPort(TCP, "web"))),
    (
        "service dns = udp/53, tcp/53",
        "@dns, tcp",
        (Ports(UDP, 53, 53), Ports(TCP, 53, 53), Ports(TCP, 0, 0xFFFF)),
    ),
    ("service b = @a, @a, udp service a = tcp/1", "@b", (Ports(TCP, 1, 1), Ports(UDP, 0, 0xFFFF))),
]


@pytest.mark.parametrize(("definitions", "text", "ports"), SERVICES, ids=[row[1] for row in SERVICES])
def test_services(definitions: str, text: str, ports: tuple[Port, ...] | None) -> None:
    (policy,) = _load(f"{definitions} policy web for pods {{ allow {text} from any }}").policies
    assert policy.ingress[0].ports == ports


def test_policies_and_clauses() -> None:
    (policy,) = _load(
        'policy web for pods { allow from any log "x " as first until 2027-01-31'
        ' allow from ns log as "a rule" }'
    ).policies
    assert (policy.namespace, policy.isolates) == ("default", frozenset({Direction.INGRESS}))
    first, second = policy.ingress
    assert (first.name, first.log, first.until) == ("first", Log("x "), date(2027, 1, 31))
    assert (second.name, second.log, second.until) == ("a rule", Log(), None)


def test_cluster_policies() -> None:
    (policy,) = _load("cluster policy web tier admin for ns/shop { deny from nodes }").cluster_policies
    subject = Pods(EVERYTHING, _selector("kubernetes.io/metadata.name", "shop"))
    assert (policy.tier, policy.priority, policy.subject) == (Tier.ADMIN, 1000, subject)
    assert [rule.action for rule in policy.ingress] == [Action.DENY]


UNTIL: list[tuple[date | None, int]] = [
    # today, the number of rules that are left
    (None, 2),
    (date(2027, 1, 31), 2),
    (date(2027, 2, 1), 1),
    (date(2028, 2, 29), 1),
    (date(2028, 3, 1), 0),
]


@pytest.mark.parametrize(("today", "left"), UNTIL, ids=[str(today) for today, _ in UNTIL])
def test_until(today: date | None, left: int) -> None:
    text = "policy web for pods { allow from ns until 2027-01-31 allow from pods until 2028-02-29 }"
    loaded = load([Source("x.npc", content=text.encode())], today=today)
    (policy,) = loaded.policies
    assert (len(policy.ingress), policy.isolates) == (left, frozenset({Direction.INGRESS}))
    assert [one.code for one in loaded.diagnostics] == [codes.EXPIRED] * (2 - left)


def test_rules_know_their_places() -> None:
    text = "# web\npolicy web for pods {\n  allow from any\n  allow tcp/80\n    to ns }\n"
    (policy,) = _load(text).policies
    rules = (*policy.ingress, *policy.egress)
    spans, _ = locate([policy.origin.at("metadata", "name"), *(rule.origin for rule in rules)])
    assert [(span.line, span.column, span.end) for span in spans.values()] == [
        (2, 8, 11),
        (3, 3, 17),
        (4, 3, 15),
    ]


@pytest.mark.parametrize("name", ["the shop", "keywords as names", "other line ends"])
def test_texts_with_all_constructs_are_valid(name: str) -> None:
    _load(TEXTS[name])


# --- files


def test_files_are_read_once(tmp_path: Path) -> None:
    _write(
        tmp_path,
        "a.npc",
        'include "sub/b.npc"\ninclude "./sub/../sub/b.npc"\npolicy a for pods { allow @dns from @c }',
    )
    _write(tmp_path, "sub/b.npc", 'include "../c.npc"\npolicy b for pods { allow from @c }')
    _write(
        tmp_path, "c.npc", "set c = 10.0.0.0/8\nservice dns = udp/53\npolicy c for pods { isolate ingress }"
    )
    (tmp_path / "link.npc").symlink_to("c.npc")
    paths = ["a.npc", "sub/b.npc", "link.npc"]
    loaded = load([Source(name, tmp_path / name) for name in paths])
    assert ([policy.name for policy in loaded.policies], loaded.diagnostics) == (["a", "b", "c"], ())


def test_an_included_file_is_looked_for_beside_the_including_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path, "sub/a.npc", 'include "b.npc"')
    _write(tmp_path, "sub/b.npc", "policy b for pods { isolate ingress }")
    monkeypatch.chdir(tmp_path)
    for source in (
        Source("sub/a.npc", Path("sub/a.npc")),
        Source("<stdin>", content=b'include "sub/b.npc"'),
        Source("sub/edited.npc", content=b'include "b.npc"'),
    ):
        loaded = load([source])
        assert ([policy.name for policy in loaded.policies], loaded.diagnostics) == (["b"], ())
        assert loaded.policies[0].origin.source.name == "sub/b.npc"


def test_a_library_in_the_folder_is_no_unused_one(tmp_path: Path) -> None:
    _write(tmp_path, "a.npc", 'include "b.npc"\npolicy a for pods { allow from @one }')
    _write(tmp_path, "b.npc", "set one = ns\nset two = ns\npolicy b for pods { isolate ingress }")
    _write(tmp_path, "c.npc", "set three = ns")
    names = ("a.npc", "b.npc", "c.npc")
    assert load([Source(name, tmp_path / name) for name in names]).diagnostics == ()
    (found,) = load(
        [Source("b.npc", content=(tmp_path / "b.npc").read_bytes() + b"set four = @two")]
    ).diagnostics[:1]
    assert found.message == "the set 'one' is used nowhere"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.npc").write_bytes(b'include "b.npc"')
    (tmp_path / "b.npc").write_bytes(b"# caf\xe9")
    loaded = load([Source("a.npc", tmp_path / "a.npc"), Source("gone.npc", tmp_path / "gone.npc")])
    assert [one.code for one in loaded.diagnostics] == [codes.UNREADABLE, codes.NOT_TEXT]


@pytest.mark.parametrize("content", ["root:x:0:0", "token: hunter2", "# a\nhunter2", "polcy hunter2"])
def test_what_is_not_in_the_language_is_not_quoted(content: str, tmp_path: Path) -> None:
    """Whoever may name a file in an `include` may not read it in a diagnostic."""
    _write(tmp_path, "secret", content)
    _write(tmp_path, "a.npc", 'include "secret"\ninclude "secret"')
    diagnostics = load([Source("a.npc", tmp_path / "a.npc")]).diagnostics
    messages = ["'secret' cannot be included: it is not in the policy language"] * 2
    assert [one.message for one in diagnostics] == messages
    assert content.split()[-1] not in render(diagnostics, Format.TEXT)


@pytest.mark.parametrize(
    ("first", "is_read"),
    [
        ("policy web for pods { isolate ingress }", True),
        ("\ufeff# a\n\n#\n  policy web for pods { isolate ingress }", True),
        ('include"x.npc"', True),
        ("policy: web", False),
        ("policy : web", False),
        ("policy", False),
        ("# policy web\nkind: ConfigMap", False),
        ("set-a: 1", False),
        ("polcy web for pods { isolate ingress }", True),
        ("Policy web in shop for pods(app: web) { isolate ingress }", True),
        ("clusterpolicy web tier admin for ns { deny from any }", True),
        ("baseline policy web for ns { deny from any }", True),
        ("allow from any", True),
        ("polcy web: for pods", False),
        ("services:\n  - web", False),
        ("hello world", False),
    ],
)
def test_standard_input(first: str, is_read: bool) -> None:
    loaded = load([Source("<stdin>", content=first.encode())])
    in_language = {codes.NOT_INCLUDED, codes.SENTENCE} & {one.code for one in loaded.diagnostics}
    assert (bool(loaded.policies) or bool(in_language)) == is_read


# --- what would hurt


def test_long_chains_and_many_names() -> None:
    count = 20 * sys.getrecursionlimit()
    chain = "".join(f"set s{n} = @s{n + 1}\n" for n in range(count)) + f"set s{count} = ns\n"
    (policy,) = _load(chain + "policy web for pods { allow from @s0 }").policies
    assert policy.ingress[0].peers == (Pods(EVERYTHING, EVERYTHING),)


def test_sets_that_double_at_each_step() -> None:
    doubling = "".join(f"set s{n} = @s{n + 1}, @s{n + 1}\n" for n in range(100)) + "set s100 = ns\n"
    (policy,) = _load(doubling + "policy web for pods { allow from @s0 }").policies
    assert policy.ingress[0].peers == (Pods(EVERYTHING, EVERYTHING),)


def test_another_name_is_suggested_for_the_first_undefined_ones_only() -> None:
    names = "".join(f"set name-{n} = @nome-{n}\n" for n in range(1_000))
    helps = [one.help for one in _errors(names)]
    assert len(helps) == 1_000
    assert [bool(one) for one in helps] == [True] * 20 + [False] * 980


def test_a_definition_is_not_suggested_for_a_name_in_it() -> None:
    assert [one.help for one in _errors("set web = @web2")] == [""]
    assert [one.help for one in _errors("set web = @web2\nset web1 = ns")] == ["did you mean '@web1'?"]


@pytest.mark.parametrize(
    ("definitions", "rings"),
    [
        ("a=a", ["a a"]),
        ("a=b b=a c=c", ["a b a", "c c"]),
        ("a=b,c b=a c=b,c", ["a b a"]),  # b is done with when c refers to it
        ("a=b b=c c=c,d d=d,a", ["c c"]),
        ("a=b b=b,c c=c d=d,a", ["b b", "c c", "d d"]),
        ("a=b,a b=c c=b", ["b c b", "a a"]),
        (" ".join(f"{a}=a,b,c,d" for a in "abcd"), ["a a"]),
    ],
)
def test_definitions_that_are_made_of_each_other_are_reported_once(
    definitions: str, rings: list[str]
) -> None:
    text = "".join(f"set {one.replace('=', ' = @').replace(',', ', @')}\n" for one in definitions.split())
    messages = [one.message.partition(": ")[2].replace(" → ", " ").replace("@", "") for one in _errors(text)]
    assert sorted(messages) == sorted(rings)


def test_long_rings_are_shortened() -> None:
    (found,) = _errors("".join(f"set s{n} = @s{(n + 1) % 200}\n" for n in range(200)))
    way = "@s0 → @s1 → @s2 → @s3 → (192 more) → @s196 → @s197 → @s198 → @s199 → @s0"
    assert found.message == f"the set 's0' is made of itself: {way}"
    assert len(found.related) == 8


@pytest.mark.parametrize(
    "line",
    [
        'inclde "x.npc"',
        "include x.npc",
        'import "x.npc"',
        "st a = ns",
        "Set a: ns",
        "x y\nst a = ns",
        "define @a = ns",
    ],
)
def test_names_whose_definitions_could_not_be_read_are_not_called_undefined(line: str) -> None:
    text = f"{line}\npolicy web for pods {{ allow from @a }}"
    found = _errors(text)
    assert [one.code for one in found] == [codes.SENTENCE]


def test_long_chains_of_files(tmp_path: Path) -> None:
    count = sys.getrecursionlimit()
    for n in range(count):
        (tmp_path / f"{n}.npc").write_text(f'include "{n + 1}.npc"\n')
    (tmp_path / f"{count}.npc").write_text("set a = ns\n")
    (tmp_path / "a.npc").write_text('include "0.npc"\npolicy web for pods { allow from @a }\n')
    loaded = load([Source("a.npc", tmp_path / "a.npc")])
    assert (len(loaded.policies), loaded.diagnostics) == (1, ())


def _write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _errors(text: str) -> list[Diagnostic]:
    found = load([Source("x.npc", content=text.encode())]).diagnostics
    return [one for one in found if one.code.severity is Severity.ERROR]


def _load(text: str, name: str = "x.npc") -> Loaded:
    loaded = load([Source(name, content=text.encode())])
    assert not has_errors(loaded.diagnostics), [one.message for one in loaded.diagnostics]
    return loaded
