"""What the reader does not understand it names, with the line; what nft does not take, too."""

from __future__ import annotations

import json
from typing import Any

import pytest

from npc.compiler.verify.program import Malformed, Unsupported
from tests.verify.nft.rulesets import read, table

UNSUPPORTED = [
    # (a rule, the construct that is named)
    ("tcp flags syn drop", "the match `tcp flags`"),
    ("tcp sport 53 accept", "the match `tcp sport`"),
    ('iifname "eth0" accept', "the match `iifname`"),
    ("oif lo accept", "the match `oif`"),
    ("meta mark 5 accept", "the match `meta mark`"),
    ("ip6 nexthdr udp accept", "the match `ip6 nexthdr`"),
    ("ct direction original accept", "the match `ct direction`"),
    ("ct original saddr 10.0.0.1 accept", "the match `ct original`"),
    ("fib saddr oif missing drop", "the statement `fib`"),
    ("ip saddr & 255.0.0.255 == 10.0.0.1 accept", "the match of bits of `ip saddr`"),
    ("tcp flags & (fin | syn) == syn drop", "the match of bits of `tcp flags`"),
    ("ct state != established,related drop", "the match of bits of `ct state`"),
    ("ct state == established,related drop", "the match of bits of `ct state`"),
    ("tcp dport 22,80 drop", "the match of bits of `tcp dport`"),
    ("th dport 53 accept", "the match `th dport` of packets that may have no ports"),
    ("meta l4proto != tcp th dport 53 accept", "the match `th dport` of packets that may have no ports"),
    (
        "meta l4proto . th dport { icmp . 80 } accept",
        "the match `th dport` of packets that may have no ports",
    ),
    (
        "meta l4proto . th dport != { tcp . 80 } accept",
        "the match `th dport` of packets that may have no ports",
    ),
    ("limit rate 10/second accept", "the statement `limit` before a verdict"),
    ("limit rate over 5 mbytes/second burst 6 kbytes drop", "the statement `limit` before a verdict"),
    ("ip saddr vmap { 10.0.0.1 : accept } drop", "the statement after a verdict map"),
    (
        "ip saddr . tcp dport vmap { 10.0.0.0/8 . 80 : accept, 1.1.1.1 . 1 : drop }",
        "the map of ranges of several fields",
    ),
    ("ip saddr . ip saddr { 10.0.0.1 . 10.0.0.1 } accept", "the same field twice in a concatenation"),
    ("ct state . ip saddr { new . 10.0.0.1 } accept", "the type ct_state in a concatenation"),
    ("meta mark set 5", "the statement `meta mark set`"),
    ("tcp dport set 5", "the statement `tcp dport set`"),
    ("masquerade", "the statement `masquerade`"),
    ("dnat ip to 10.0.0.1", "the statement `dnat`"),
    ("queue num 1", "the statement `queue`"),
    ("notrack", "the statement `notrack`"),
    ("add @pods { ip saddr } accept", "the statement `add`"),
    ("tcp dport ssh accept", "the value `ssh` of the type inet_service"),
    ("tcp dport 080 accept", "the value `080` of the type inet_service"),
    ("ip saddr example.com accept", "the value `example.com` of the type ipv4_addr"),
    ("ip saddr $pods accept", "the value `$pods` of the type ipv4_addr"),
    ("ip saddr @ending accept", "the set `ending` with `timeout`, which changes by itself"),
    ("ip saddr @learnt accept", "the set `learnt` with `dynamic`, which changes by itself"),
    ("ip saddr { 10.0.0.1 timeout 5s } accept", "the element `10.0.0.1` with `timeout`"),
    ("tcp dport vmap { 22 : queue }", "the verdict `queue`"),
    ("reject with host-unreachable", "the answer `reject with host-unreachable`"),
    ("flow add @ft", "the statement `flow`"),
]
MALFORMED = [
    ("jump nowhere", "the chain `nowhere`, which is not there"),
    ("ip saddr vmap { 10.0.0.1 : goto nowhere }", "the chain `nowhere`, which is not there"),
    ("jump forward", "the chain `forward`, which has a hook, as the end of a jump"),
    ("jump a", "a loop of jumps, or more than 15 in a row"),
    ("ip saddr @nowhere accept", "the set `nowhere`, which is not there"),
    ("ip saddr vmap @pods", "the map `pods`, which is not there"),
    ("ip saddr @classes accept", "the set `classes`, which is not there"),
    ("ip6 saddr @pods accept", "the set `pods` of type `ipv4_addr` for other fields"),
    ("ip saddr @overlap accept", "the set `overlap` with elements that overlap"),
    ("ip saddr @unflagged accept", "the set `unflagged` with ranges, without `flags interval`"),
    ("ip saddr @full accept", "the set `full` with more elements than its size"),
    ("ip saddr @other accept", "the value `fd00::1`, which is no ipv4_addr"),
    ("ip saddr @untold accept", "the element `10.0.0.1 . 80` of another number of fields"),
    ("ip saddr vmap { 10.0.0.1 : accept, 10.0.0.1 : drop }", "a key of a map with two verdicts"),
    ("tcp dport vmap { 22-30 : accept, 25 : drop }", "the map with elements that overlap"),
    ("tcp dport vmap { 22 }", "the element `22` without a verdict"),
    ("tcp dport { 22 : accept } accept", "a verdict in a set"),
    ("tcp dport 70000 accept", "the value `70000`, which is no inet_service"),
    ("tcp dport 90-80 accept", "the value `90-80`, which is no inet_service"),
    ("ip saddr 10.0.0.9-10.0.0.1 accept", "the value `10.0.0.9-10.0.0.1`, which is no ipv4_addr"),
    ("ip saddr fd00::1 accept", "the value `fd00::1`, which is no ipv4_addr"),
    ("tcp dport > { 22, 23 } accept", "the operator `>` before more than one value"),
    ("ip saddr . tcp dport 10.0.0.1 accept", "the value `10.0.0.1`, where a set was expected"),
    ("accept drop", "the word `drop` after a verdict"),
    ("tcp dport", "the end of the statement, where more was expected"),
    ("tcp dport { 22 80 } accept", "the word `80`, where `,` was expected"),
    ('log prefix "a', "the string without an end"),
]
BESIDE = """
	set pods { type ipv4_addr; elements = { 10.0.0.1 }
	}
	set ending { type ipv4_addr; timeout 1h;
	}
	set learnt { type ipv4_addr; flags dynamic;
	}
	set overlap { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 10.0.0.1 }
	}
	set unflagged { type ipv4_addr; elements = { 10.0.0.0/8 }
	}
	set full { type ipv4_addr; size 1; elements = { 10.0.0.1, 10.0.0.2 }
	}
	set other { type ipv4_addr; elements = { fd00::1 }
	}
	set untold { type ipv4_addr; elements = { 10.0.0.1 . 80 }
	}
	map classes { type ipv4_addr : verdict; elements = { 10.0.0.1 : accept }
	}
	chain a {
		jump b
	}
	chain b {
		jump a
	}
"""


@pytest.mark.parametrize(("rule", "construct"), UNSUPPORTED, ids=[one[0] for one in UNSUPPORTED])
def test_rules_that_are_not_understood(rule: str, construct: str) -> None:
    with pytest.raises(Unsupported) as caught:
        read(table(rule, more=BESIDE))
    assert (caught.value.construct, type(caught.value)) == (construct, Unsupported)


@pytest.mark.parametrize(("rule", "construct"), MALFORMED, ids=[one[0] for one in MALFORMED])
def test_rules_that_nft_does_not_take(rule: str, construct: str) -> None:
    with pytest.raises(Malformed) as caught:
        read(table(rule, more=BESIDE))
    assert caught.value.construct == construct


def test_braces_of_a_set_without_elements() -> None:
    with pytest.raises(Malformed, match="no elements between them"):
        read(table("accept", more="\tset none { type ipv4_addr; elements = {\n\t}\n\t}\n"))


HOOK = "type filter hook forward priority 0"
HOOKED = f"table inet npc {{\n chain c {{ {HOOK};\n}}\n}}\n"
CLOSED = "the word `}`, where the line was expected to end"
NO_END = "the word `set`, where the line was expected to end"
AGAIN = "the chain `c` a second time, with another hook or priority"
OTHER_TEXTS = [
    # (a ruleset, what is named, its line)
    ("*filter\n", "the command `*filter`", 1),
    ("\nadd rule inet npc forward accept\n", "the command `add`", 2),
    ("table inet npc {\n", "the end of the text, in a block", 2),
    ("table ip x {\n", "the end of the text, in a block", 2),
    ("table inet npc {\n}\n}\n", "the command `}`", 3),
    ("table inet npc {\n}}\n", CLOSED, 2),
    (f"table inet npc {{ chain c {{ {HOOK}; policy drop; }} }}\n", CLOSED, 1),
    ("table inet npc {\n chain c { accept }\n}\n", CLOSED, 2),
    ("table inet npc {\n set s { type ipv4_addr; } set t { type ipv4_addr; }\n}\n", NO_END, 2),
    (f"{HOOKED}table inet npc {{\n chain c {{ type filter hook forward priority 10;\n}}\n}}\n", AGAIN, 6),
    (f"{HOOKED}table inet npc {{\n chain c {{ type filter hook input priority 0;\n}}\n}}\n", AGAIN, 6),
    (f"table inet npc {{\n chain c {{\n}}\n}}\n{HOOKED}", AGAIN, 6),
    ("table inet npc {\n flowtable ft {\n}\n}", "the word `flowtable` in a table", 2),
    ("table inet npc {\n chain c {\n type nat hook output priority 0;\n}\n}", "the chain of type `nat`", 3),
    (
        "table inet npc {\n chain c {\n type filter hook prerouting priority 0;\n}\n}",
        "the hook `prerouting`",
        3,
    ),
    (
        "table inet npc {\n chain c {\n type filter hook output priority -150;\n}\n}",
        "the priority -150 of the hook `output`, before addresses are translated",
        3,
    ),
    (
        "table inet npc {\n chain c {\n type filter hook output priority mangle + x;\n}\n}",
        "the priority `x`",
        3,
    ),
    ("table inet npc {\n chain c {\n policy maybe\n}\n}", "the property `policy` of a chain", 3),
    ("table inet npc {\n set s {\n flags interval\n}\n}", "the set `s` without a type", 2),
    ("table inet npc {\n set s {\n type ipv4_addr : verdict\n}\n}", "the type of the set `s`", 2),
    ("table inet npc {\n set s {\n type ipv4_addr\n magic 5\n}\n}", "the property `magic 5` of a set", 4),
    (
        "table inet npc {\n set s {\n type ipv4_addr\n elements = {\n 10.0.0.1\n 10.0.0.2 }\n}\n}",
        "the element `10.0.0.2` without a comma before it",
        6,
    ),
    (
        "table inet npc {\n set s {\n type ipv4_addr\n elements = {\n 10.0.0.1,\n",
        "the end of the text, in a set",
        6,
    ),
    (
        "table inet npc {\n set s {\n type ipv4_addr\n}\n set s {\n type ipv6_addr\n}\n}",
        "the set `s` of two types",
        5,
    ),
    ("{", "the JSON text", 1),
    ("{}", "an object without `nftables`", 1),
]


@pytest.mark.parametrize(("text", "construct", "number"), OTHER_TEXTS, ids=[one[0] for one in OTHER_TEXTS])
def test_other_texts(text: str, construct: str, number: int) -> None:
    with pytest.raises(Unsupported) as caught:
        read(text)
    assert (caught.value.construct, caught.value.line.number) == (construct, number)


def test_two_chains_of_one_hook() -> None:
    chains = [f"chain {name} {{\ntype filter hook forward priority 0\n}}\n" for name in "ab"]
    with pytest.raises(Unsupported, match="the second chain with the hook `forward`"):
        read(f"table inet npc {{\n{''.join(chains)}}}")


def test_the_depth_that_the_kernel_follows() -> None:
    def deep(count: int) -> str:
        chains = (
            f"chain c{n} {{\n{f'goto c{n + 1}' if n < count else 'accept'}\n}}\n" for n in range(1, count + 1)
        )
        return table("jump c1", more="".join(chains))

    assert len(read(deep(15)).chains) == 16
    with pytest.raises(Malformed, match="15 in a row"):
        read(deep(16))


def listing(*expressions: Any) -> str:
    place = {"family": "inet", "table": "npc"}
    hook = {"type": "filter", "hook": "forward", "prio": 0, "policy": "accept"}
    objects = [
        {"metainfo": {"json_schema_version": 1}},
        {"chain": {**place, "name": "forward", "handle": 1, **hook}},
        {"rule": {**place, "chain": "forward", "handle": 7, "expr": list(expressions)}},
    ]
    return json.dumps({"nftables": objects})


@pytest.mark.parametrize(
    ("expression", "construct"),
    [
        ({"xt": {"type": "match", "name": "comment"}}, "the statement `xt`"),
        ({"mangle": {"key": {"meta": {"key": "mark"}}, "value": 1}}, "the statement `mangle`"),
        (
            {"match": {"op": "==", "left": {"ct": {"key": "saddr", "dir": "original"}}, "right": "1.1.1.1"}},
            "the match `ct`",
        ),
        (
            {"match": {"op": "==", "left": {"fib": {"result": "type", "flags": "saddr"}}, "right": "local"}},
            "the match `fib`",
        ),
        (
            {"match": {"op": "==", "left": {"payload": {"protocol": "ah", "field": "spi"}}, "right": 5}},
            "the match `ah spi`",
        ),
        (
            {
                "match": {
                    "op": "==",
                    "left": {"payload": {"tunnel": "vxlan", "protocol": "ip", "field": "saddr"}},
                    "right": "10.0.0.1",
                }
            },
            "the match `payload`",
        ),
        (
            {
                "match": {
                    "op": "==",
                    "left": {"&": [{"payload": {"protocol": "tcp", "field": "flags"}}, 3]},
                    "right": 1,
                }
            },
            "the match of bits of `tcp flags`",
        ),
        (
            {"match": {"op": "!=", "left": {"ct": {"key": "state"}}, "right": {"|": ["new", "related"]}}},
            "the match of bits of `ct state`",
        ),
        (
            {"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": {"odd": 1}}},
            'the value `{"odd": 1}`',
        ),
        ({"jump": {"target": "nowhere"}}, "the chain `nowhere`, which is not there"),
        ({"match": {}}, "an object without `op`"),
        ({"match": {"op": "==", "left": {"concat": []}, "right": "@s"}}, "a match of nothing"),
        (
            {"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": {"set": [{"concat": []}]}}},
            "an element without a value",
        ),
        (5, "the object `5`"),
    ],
)
def test_listings_in_json(expression: Any, construct: str) -> None:
    with pytest.raises(Unsupported) as caught:
        read(listing(expression, {"drop": None}) if "jump" not in str(expression) else listing(expression))
    assert (caught.value.construct, caught.value.line.number) == (construct, 7)
