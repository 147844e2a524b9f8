"""What people call pods, and whom they mean: a table of texts and the ends that they name."""

from __future__ import annotations

from typing import Any

import pytest

from npc.compiler.ask.naming import Names
from npc.compiler.ask.wording import ends_text
from npc.compiler.ask.workloads import workloads_of
from npc.compiler.frontend.diagnostics import InputError
from npc.compiler.frontend.source import Source
from npc.compiler.resolve import Model
from tests.ask.asking import model_of

Object = dict[str, Any]


def pod(namespace: str, name: str, *ips: str, port: Object | None = None, **rest: Any) -> Object:
    """A Pod as kubectl prints it."""
    status = {"phase": rest.pop("phase", "Running")} | (
        {"podIPs": [{"ip": one} for one in ips]} if ips else {}
    )
    metadata = {"namespace": namespace, "name": name, "labels": rest.pop("labels", {})}
    containers = [{"name": "c", "ports": [port] if port else []}]
    spec = {"nodeName": "node-a", "containers": containers} | rest
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def other(kind: str, name: str, **rest: Any) -> Object:
    """A Namespace, Node or Service."""
    metadata = {"name": name} | {key: rest.pop(key) for key in ("namespace", "labels") if key in rest}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata} | rest


def port(name: str, number: int) -> Object:
    return {"name": name, "containerPort": number}


OF_WEB = {"app": "web", "pod-template-hash": "6c8f7d9b54"}
OF_DB = {"app": "db", "statefulset.kubernetes.io/pod-name": "db-0"}
OBJECTS = [
    pod("shop", "web-6c8f7d9b54-2hx8r", "10.0.0.1", port=port("http", 8080), labels=OF_WEB),
    pod("shop", "web-6c8f7d9b54-zl7vd", "10.0.0.2", "fd00::2", port=port("http", 8081), labels=OF_WEB),
    pod("shop", "db-0", "10.0.0.3", port=port("sql", 5432), labels=OF_DB),
    pod("test", "db-0", "10.0.1.3", labels={"app": "db"}),
    pod("test", "agent-x7x7x", "10.0.1.4", labels={"controller-revision-hash": "abc"}),
    pod("test", "tick-29384712-abcde", "10.0.1.5", labels={"job-name": "tick-29384712"}),
    pod("shop", "proxy", "192.0.2.1", hostNetwork=True),
    pod("shop", "done", "10.0.0.9", phase="Succeeded"),
    pod("shop", "new", phase="Pending"),
    other("Namespace", "shop", labels={"env": "prod"}),
    other("Namespace", "test"),
    other("Node", "node-a", status={"addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]}),
    other(
        "Service",
        "db",
        namespace="shop",
        spec={
            "selector": {"app": "db"},
            "ports": [{"port": 5432, "targetPort": "sql"}],
            "clusterIP": "10.96.0.7",
            "clusterIPs": ["10.96.0.7", "fd00:96::7"],
            "externalIPs": ["203.0.113.7"],
        },
        status={"loadBalancer": {"ingress": [{"ip": "203.0.113.8"}, {"hostname": "db.example"}]}},
    ),
    other(
        "Service",
        "headless",
        namespace="shop",
        spec={"selector": {"app": "db"}, "clusterIP": "None", "ports": []},
    ),
]
WEB = "shop/deploy/web (2 pods)"


@pytest.fixture(scope="module")
def model() -> Model:
    return model_of(OBJECTS)


@pytest.mark.parametrize(
    ("text", "namespace", "expected"),
    [
        ("shop/db-0", None, "shop/db-0"),
        ("db-0", "shop", "shop/db-0"),
        ("web-6c8f7d9b54-2hx8r", None, "shop/web-6c8f7d9b54-2hx8r"),
        ("shop/pod/db-0", None, "shop/db-0"),
        ("shop/web", None, WEB),
        ("shop/web, shop/db-0", None, f"shop/db-0, {WEB}"),
        ("shop/web (2 pods),pods(app in (db,x)) in ns/shop", None, f"shop/db-0, {WEB}"),
        ("shop/db-0,10.9.9.9,ns/test", None, "shop/db-0, test/agent-x7x7x, test/db-0 and 2 more"),
        ("10.9.9.9, 10.9.9.11", None, "10.9.9.9, 10.9.9.11"),
        ("shop/deploy/web", None, WEB),
        ("shop/deployment/web", None, WEB),
        ("deploy/web", None, WEB),
        ("web", None, WEB),
        ("web", "shop", WEB),
        ("sts/db", None, "shop/db-0"),
        ("test/ds/agent", None, "test/agent-x7x7x"),
        ("test/cronjob/tick", None, "test/tick-29384712-abcde"),
        ("10.0.0.1", None, "shop/web-6c8f7d9b54-2hx8r"),
        ("fd00::2", None, "shop/web-6c8f7d9b54-zl7vd (IPv6)"),
        ("10.0.0.9", None, "10.0.0.9"),
        ("10.0.1.0/24", None, "test/agent-x7x7x, test/db-0, test/tick-29384712-abcde, 10.0.1.0/24"),
        ("192.0.2.1", None, "192.0.2.1"),
        ("shop/proxy", None, "192.0.2.1"),
        ("nodes", None, "192.0.2.1"),
        ("pods(app=db) in ns/shop", None, "shop/db-0"),
        ("pods(app=db) in ns", None, "shop/db-0, test/db-0"),
        ("pods(app=db)", "test", "test/db-0"),
        ("ns(env=prod)", None, f"shop/db-0, {WEB}"),
        ("svc/db in ns/shop", None, "shop/db-0"),
        ("svc/db", "shop", "shop/db-0"),
        ("10.9.0.0/16 except 10.9.1.0/24", None, "10.9.0.0/24, 10.9.2.0/23, 10.9.4.0/22 and 5 more"),
        ("198.51.100.7/32, pods(app=web) in ns", None, f"{WEB}, 198.51.100.7"),
    ],
)
def test_names(model: Model, text: str, namespace: str | None, expected: str) -> None:
    found = Names(model, namespace=namespace).find(text, "SRC")
    assert ends_text(found.ends, model.inventory) == expected


SETS = [
    Source(
        "a.npc",
        content=b"set clients = pods(app=web) in ns, 198.51.100.0/24\nset here = pods(app=db)\n"
        b"set twice = pods in ns/shop\nservice sql = tcp/5432",
    ),
    Source("b.npc", content=b"set twice = pods in ns/test\nset everyone = any\n"),
]


@pytest.mark.parametrize(
    ("text", "namespace", "expected"),
    [
        ("@clients", None, f"{WEB}, 198.51.100.0/24"),
        ("@clients, pods(app=db) in ns/test", None, f"{WEB}, test/db-0, 198.51.100.0/24"),
        ("@here", "test", "test/db-0"),
        ("@here", None, "of which namespace? A question has none of its own"),
        ("@twice", None, "'@twice' is not the same set everywhere: a.npc, b.npc"),
        ("@sql", None, "the policies have no set 'sql'"),
        ("@client", None, "the policies have no set 'client'"),
    ],
)
def test_sets_of_policies(model: Model, text: str, namespace: str | None, expected: str) -> None:
    names = Names(model, namespace=namespace, definitions=SETS)
    try:
        found = ends_text(names.find(text, "SRC").ends, model.inventory)
    except InputError as error:
        found = error.diagnostics[0].message
    assert found == expected


def test_services_of_policies(model: Model) -> None:
    names = Names(model, definitions=SETS)
    assert names.find("@everyone", "SRC").ends == names.find("any", "SRC").ends
    found = names.traffic("@sql", names.find("shop/db-0", "DST"))
    assert [(low, high) for low, high, _ in found.parts] == [(6 << 16 | 5432,) * 2]


def test_what_is_odd_is_said(model: Model) -> None:
    names = Names(model)
    odd = names.find("198.51.100.7/24", "SRC")
    assert ends_text(odd.ends, model.inventory) == "198.51.100.0/24"
    assert [one.code.name for one in odd.warnings] == ["NPC401"]
    partly = names.find("ns/shpo, ns/test", "SRC")
    (note,) = partly.notes
    assert note == 'ns/shpo is nobody: the inventory has no namespace "shpo" (did you mean ns/shop?)'


def test_any(model: Model) -> None:
    names = Names(model)
    everyone = names.find("any", "SRC").ends
    assert everyone.endpoints.bit_count() == len(model.inventory.endpoints)
    assert names.find("0.0.0.0/0, ::/0", "SRC").ends == everyone


@pytest.mark.parametrize(
    ("text", "code", "message", "help"),
    [
        (
            "shop/wbe",
            "NPC510",
            'no pod and no workload in shop is called "wbe"',
            "did you mean shop/deploy/web?",
        ),
        ("shpo/web", "NPC510", 'the inventory has no namespace "shpo"', "did you mean shop/web?"),
        ("db-1", "NPC510", 'no pod and no workload is called "db-1"', "did you mean"),
        ("db-0", "NPC510", "2 have the name db-0", "say which: shop/db-0, test/db-0"),
        ("shop/done", "NPC510", "the pod shop/done is no endpoint: it has finished", ""),
        ("shop/new", "NPC510", "the pod shop/new is no endpoint: it has no address", ""),
        ("", "NPC510", '"" is no name', ""),
        ("a/b/c/d", "NPC510", '"a/b/c/d" is no name', ""),
        (
            "pods(app=web)",
            "NPC511",
            "of which namespace? A question has none of its own",
            "write `in ns/NAME`",
        ),
        ("svc/db", "NPC511", "of which namespace?", ""),
        ("svc/dbs in ns/shop", "NPC510", "the inventory has no Service shop/dbs", "did you mean svc/db?"),
        (
            "pods(app=wbe) in ns",
            "NPC510",
            "nobody is meant: no pod there has app=wbe",
            "did you mean app=web?",
        ),
        ("pods(appp=web) in ns", "NPC510", "no pod there has the label appp", "did you mean app?"),
        (
            "pods(app=db, statefulset.kubernetes.io/pod-name, app not in (db,web)) in ns/shop",
            "NPC510",
            "every pod",
            "",
        ),
        ("ns/shpo", "NPC510", 'the inventory has no namespace "shpo"', "did you mean ns/shop?"),
        ("ns(env=prd)", "NPC510", "no namespace has env=prd", "did you mean env=prod?"),
        ("ns(env=prod,!env)", "NPC510", "no namespace has all of", ""),
        ("nodes(zone=a)", "NPC510", "no node has the label zone", ""),
        ("ns/shpo, ns/tset", "NPC510", "nobody is meant: ns/shpo is nobody", ""),
        ("shop/zzz", "NPC510", 'no pod and no workload in shop is called "zzz"', "it has shop/sts/db, "),
        (
            "shop/web, shop/zzz",
            "NPC510",
            'no pod and no workload in shop is called "zzz"',
            "it has shop/sts/db",
        ),
        ("10.0.0.1,", "NPC510", '"" is no name', ""),
        ("zzz/web", "NPC510", 'the inventory has no namespace "zzz"', "the namespaces: shop, test"),
        ("pods(app=web", "NPC601", "expected ')' or ','", ""),
        ("pods in ns include", "NPC601", "", ""),
        ("ns policy x for pods {}", "NPC601", "expected the end of the text", ""),
        ("pods(App*=web) in ns", "NPC204", 'Invalid value "App*"', ""),
        ("pods in ns, @clients", "NPC602", "the policies have no set 'clients'", "write what it stands for"),
        ("10.0.0.0/33", "NPC510", "'10.0.0.0/33' is no block", "0 to 32"),
        ("10.0.0.999", "NPC510", "'10.0.0.999' is no address", "0 to 255"),
        ("10.0.0", "NPC510", "'10.0.0' is no address", "a block is 10.0.0.0/24"),
        ("10.0.0.0.1", "NPC510", "is no address", "an IPv4 address has four numbers"),
        ("010.0.0.1", "NPC510", "is no address", "without leading zeros it is 10.0.0.1"),
        ("fd00::zz", "NPC510", "'fd00::zz' is no address", "hexadecimal"),
        ("fe80::1%eth0", "NPC510", "is no address", "zone"),
        ("fd00::/129", "NPC510", "'fd00::/129' is no block", "0 to 128"),
        ("::ffff:10.0.0.1", "NPC510", "an IPv4 address in IPv6 form", "write 10.0.0.1"),
        ("::ffff:10.0.0.0/120", "NPC510", "is no block", "write 10.0.0.0"),
        ("10.0.0.1:443", "NPC510", "an address with a port", "write 10.0.0.1, and tcp/443"),
        ("[fd00::1]:443", "NPC510", "an address with a port", "write fd00::1, and tcp/443"),
        ("10.0.0.1-10.0.0.2", "NPC510", "a range", "write 10.0.0.1/32, 10.0.0.2/32"),
        ("10.0.0.1-10.0.255.2", "NPC510", "a range", "write its blocks (CIDRs)"),
    ],
)
def test_mistakes(model: Model, text: str, code: str, message: str, help: str) -> None:
    with pytest.raises(InputError) as raised:
        Names(model).find(text, "SRC")
    one = raised.value.diagnostics[0]
    assert one.code.name == code
    assert message in one.message
    assert help in one.help
    assert one.origin is not None
    assert one.origin.source.data().decode() == text


@pytest.mark.parametrize(
    ("destination", "text", "expected"),
    [
        ("shop/web", "tcp/443", [(6 << 16 | 443, 6 << 16 | 443, WEB)]),
        (
            "shop/web",
            "tcp/http",
            [
                (6 << 16 | 8080, 6 << 16 | 8080, "shop/web-6c8f7d9b54-2hx8r"),
                (6 << 16 | 8081, 6 << 16 | 8081, "shop/web-6c8f7d9b54-zl7vd"),
            ],
        ),
        ("svc/db in ns/shop", None, [(6 << 16 | 5432, 6 << 16 | 5432, "shop/db-0")]),
        ("svc/db in ns/shop", "tcp", [(6 << 16 | 5432, 6 << 16 | 5432, "shop/db-0")]),
        (
            "svc/db in ns/shop, test/db-0",
            "tcp/5431-5432",
            [
                (6 << 16 | 5431, 6 << 16 | 5431, "test/db-0"),
                (6 << 16 | 5432, 6 << 16 | 5432, "shop/db-0, test/db-0"),
            ],
        ),
        ("shop/db-0", "any", [(0, 0xFFFFFF, "shop/db-0")]),
        ("shop/db-0", None, [(0, 0xFFFFFF, "shop/db-0")]),
        ("shop/db-0", "udp, tcp/1-2", [(0x60001, 0x60002, "shop/db-0"), (0x110000, 0x11FFFF, "shop/db-0")]),
        ("shop/db-0", "icmp/echo-request", [(0x10800, 0x108FF, "shop/db-0")]),
        (
            "shop/db-0",
            "gre, protocol 4",
            [(0x40000, 0x4FFFF, "shop/db-0"), (0x2F0000, 0x2FFFFF, "shop/db-0")],
        ),
        ("shop/db-0", "ESP,tcp/80", [(0x60050, 0x60050, "shop/db-0"), (0x320000, 0x32FFFF, "shop/db-0")]),
    ],
)
def test_traffic(
    model: Model, destination: str, text: str | None, expected: list[tuple[int, int, str]]
) -> None:
    names = Names(model)
    found = names.traffic(text, names.find(destination, "DST"))
    assert [(low, high, ends_text(ends, model.inventory)) for low, high, ends in found.parts] == expected


@pytest.mark.parametrize(
    ("destination", "text", "message", "help"),
    [
        ("shop/web", "tcp/htp", "no port of shop/deploy/web is called so", "it has tcp/http"),
        ("shop/web", "gre/3", "policies know no ports of gre", "write gre"),
        ("shop/web", "protocol 256", "256 is no IP protocol", "0 to 255"),
        ("shop/web", "gre, tpc/443", "tpc/443", ""),
        ("10.9.9.9", "tcp/http", "no port of 10.9.9.9 is called so", "it names no ports: write a number"),
        ("svc/db in ns/shop", "tcp/443", "the Service is not met there", "its target ports are tcp/5432"),
        ("shop/web", "tcp/99999", "99999", ""),
        ("shop/web", "tpc/443", "", ""),
        ("shop/web", "tcp/80 udp/53", "found 'udp/53'", "separate several by commas: tcp/80, udp/53"),
        ("shop/web", "gre, tcp/80 udp/53", "found 'udp/53'", "separate several by commas: tcp/80, udp/53"),
    ],
)
def test_mistakes_in_traffic(model: Model, destination: str, text: str, message: str, help: str) -> None:
    names = Names(model)
    with pytest.raises(InputError) as raised:
        names.traffic(text, names.find(destination, "DST"))
    one = raised.value.diagnostics[0]
    assert message in one.message
    assert help in one.help


COMPACT = {
    "endpoints": [
        {
            "name": f"{app}-{one}",
            "namespace": "shop",
            "addresses": [f"10.0.{len(app)}.{one}"],
            "labels": labels,
        }
        for app, labels in (
            ("web", {"app": "web", "tier": "front"}),
            ("cache", {"app": "cache"}),
            ("bare", {}),
        )
        for one in range(1, 3)
    ]
}


@pytest.mark.parametrize("objects", [OBJECTS, [COMPACT]], ids=["kubectl", "compact"])
def test_what_a_workload_is_called_means_it(objects: list[Object]) -> None:
    """Names that `npc reach` and answers print are names to ask for."""
    model = model_of(objects)
    workloads = workloads_of(model.inventory.endpoints)
    assert workloads
    for one in workloads:
        for text in (str(one), f"{one} (2 pods)"):
            assert Names(model).find(text, "SRC").ends.endpoints == one.members, text


def test_pods_by_labels_in_front_of_a_namespace() -> None:
    """What looks like a workload's name, and is none, means all pods with these labels."""
    found = Names(model_of([COMPACT])).find("shop/pods(tier=front)", "SRC")
    assert found.ends.endpoints.bit_count() == 2


def test_an_address_of_a_service_is_told(model: Model) -> None:
    instead = "policies see the address of a pod behind it; ask about 'svc/db in ns/shop'"
    for text, what in (
        ("10.96.0.7", "clusterIP"),
        ("fd00:96::7", "clusterIP"),
        ("203.0.113.7", "externalIP"),
        ("203.0.113.8", "load balancer's address"),
    ):
        notes = Names(model).find(text, "DST").notes
        assert notes == (f"{text} is the {what} of the Service shop/db: {instead}",)
    assert Names(model).find("10.96.0.8", "DST").notes == ()


def test_what_is_wrong_in_one_of_several_is_shown_where_it_stands(model: Model) -> None:
    with pytest.raises(InputError) as raised:
        Names(model).find("shop/web, 10.0.0.1, shop/zzz", "SRC")
    (one,) = raised.value.diagnostics
    assert one.origin is not None
    assert one.origin.within == (20, 28)
