"""Plans as text, both ways."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from npc.backends.base import Deny, Options, OwnNode
from npc.testing import Decisions, PlanTextError, read_plan, write_plan
from tests.compiler.compiling import compiled
from tests.reference.manifests import Document
from tests.strategies import clusters
from tests.testing.clusters import EXAMPLES, from_app, planned, policy

BLOCKS = 'from: [{ipBlock: {cidr: 192.0.2.0/24, except: [192.0.2.8/29]}}, {ipBlock: {cidr: "::/0"}}]'
PORTS = "ports: [{port: 53, protocol: UDP}, {port: 55, protocol: UDP}]"
TEXT = """\
# Who may exchange what. A subject denies what it does not allow; who is no subject denies nothing.

option own-node policed

group pods(app=a) in ns/x
  10.0.0.1 x/a
  fd00::1 x/a

ingress
  subject 10.0.0.2 x/b
  subject fd00::2 x/b
  allow tcp/80
    from pods(app=a) in ns/x
  allow udp/53, udp/55
    from 192.0.2.0/24 except 192.0.2.8/29
    from ::/0

egress
  subject 10.0.0.2 x/b
  subject fd00::2 x/b
  allow tcp
    to anyone

egress
  subject 10.0.0.3 x/c
  allow nothing
"""
SHOWN = planned(
    policy("b", "b", from_app("a", 80)),
    policy("b2", "b", f"ingress: [{{{BLOCKS}, {PORTS}}}]"),
    policy("b3", "b", "policyTypes: [Egress], egress: [{ports: [{protocol: TCP}]}]"),
    policy("c", "c", "policyTypes: [Egress]"),
).plan


def test_text() -> None:
    assert write_plan(SHOWN, Options(own_node=OwnNode.POLICED)) == TEXT


def test_reading() -> None:
    read = read_plan(TEXT)
    assert read == Decisions(Decisions.of(SHOWN).at, options={"own-node": "policed"})
    assert read.names == Decisions.of(SHOWN).names


def test_nothing_is_isolated() -> None:
    text = write_plan(planned().plan, Options(deny_with=Deny.REJECT, log_denied=True))
    assert "# There is no subject: everything passes." in text
    assert read_plan(text) == Decisions({}, options={"deny-with": "reject", "log-denied": "true"})


@settings(max_examples=EXAMPLES)
@given(clusters())
def test_there_and_back(documents: list[Document]) -> None:
    plan = compiled(documents).plan
    assert read_plan(write_plan(plan, Options())) == Decisions.of(plan)


MALFORMED = [
    # (name, what to replace in TEXT, by what, words of the message)
    ("an unknown word", "ingress\n", "inbound\n", "line 9: 'inbound' may not stand here"),
    ("an option below groups", "\ningress", "\noption a b\n\ningress", "line 9: 'option a b' may not"),
    ("an option twice", "option own-node policed", "option a b\noption a c", "line 4: 'option a c' may not"),
    ("an option without a value", "option own-node policed", "option a", "line 3: 'option a' may not"),
    ("a group below classes", "\negress", "\ngroup g\n\negress", "line 18: 'group g' may not"),
    ("a group twice", "\ningress", "\ngroup pods(app=a) in ns/x\n\ningress", "line 9: 'group pods"),
    ("no address", "10.0.0.1 x/a", "10.0.0.256 x/a", "line 6: not an IP address: '10.0.0.256'"),
    ("an unknown group", "from pods(app=a)", "from pods(app=z)", "line 13: 'pods(app=z)"),
    ("host bits", "from 192.0.2.0/24", "from 192.0.2.1/24", "line 15: "),
    ("from in egress", "to anyone", "from anyone", "line 22: 'from anyone' may not"),
    ("no peers", "    to anyone\n", "", "line 23: an `allow` without peers"),
    ("no subject", "  subject 10.0.0.3 x/c\n", "", "line 25: 'allow nothing' may not"),
    ("no allow", "  allow nothing\n", "", "at the end: egress without a subject, or without an `allow`"),
    ("more after nothing", "allow nothing\n", "allow nothing\n  allow tcp\n", "line 27: 'allow tcp' may not"),
    ("nothing after more", "    to anyone\n", "    to anyone\n  allow nothing\n", "line 23: 'nothing'"),
    ("a subject twice", "subject 10.0.0.3 x/c", "subject 10.0.0.2 x/c", "10.0.0.2 is a subject of"),
    ("bad traffic", "allow tcp/80", "allow tcp/x", "line 12: 'tcp/x' is no traffic"),
    ("indentation", "  subject 10.0.0.3", "   subject 10.0.0.3", "line 25: 'subject 10.0.0.3 x/c' may not"),
    ("a conflict of git", "\negress", "\n<<<<<<< HEAD\negress", "line 18: '<<<"),
]


@pytest.mark.parametrize(
    ("old", "new", "message"), [case[1:] for case in MALFORMED], ids=[case[0] for case in MALFORMED]
)
def test_malformed(old: str, new: str, message: str) -> None:
    assert old in TEXT
    with pytest.raises(PlanTextError) as raised:
        read_plan(TEXT.replace(old, new, 1))
    assert message in str(raised.value)
