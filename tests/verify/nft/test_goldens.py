"""What every golden case expects is read; and where a hand has been on a ruleset, the proof notices."""

from __future__ import annotations

import pytest

from npc.api import plan_sources
from npc.backends.nft import BACKEND
from npc.compiler.frontend.files import sources
from npc.compiler.verify.proof import Proof, prove
from npc.testing import Case
from tests.golden.cases import expected_artifacts, find_cases, settings_of
from tests.verify.nft.rulesets import read

CASES = {case.name: case for case in find_cases() if expected_artifacts(case, BACKEND.templates)}


def ruleset_of(case: Case) -> str:
    return expected_artifacts(case, BACKEND.templates)["npc.nft"]


def proof_of(case: Case, text: str) -> Proof:
    settings = settings_of(case)
    paths = [*case.inputs(), *(case.folder / name for name in settings.input)]
    found, _ = sources(list(map(str, paths)), bytes)
    plan = plan_sources(found, node=settings.node, today=settings.today).plan
    return prove(read(text, plan, settings.options), plan)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_case_is_read(case: Case) -> None:
    options = settings_of(case).options
    program = read(ruleset_of(case), options=options)
    chains = ruleset_of(case).count("\tchain ")
    assert len(program.chains) == chains, "packets may come to each"
    assert {one.chain for one in program.scenarios} <= program.chains.keys()
    assert program.notes == ()


DRIFT = [
    # (what somebody did to the shop's ruleset, what stood there, what stands there, whether it is noticed)
    ("a port", "tcp dport 5432 ip saddr", "tcp dport 5433 ip saddr", True),
    ("a member", "10.244.1.21, # shop/api-5f9d8c7b6-t4wnk\n", "10.244.1.22,\n", True),
    ("a verdict", "\t\tdrop\n", "\t\taccept\n", True),
    ("an order", "jump always\n\t\tgoto deny", "goto deny\n\t\tjump always", True),
    ("a jump", "\t\tgoto ingress\n", "\t\tjump ingress\n\t\tdrop\n", False),
    (
        "a rule more",
        "established,related accept\n",
        "established,related accept\nip saddr 10.0.0.9 accept\n",
        True,
    ),
    (
        "a rule that drops",
        "established,related accept\n",
        "established,related accept\ntcp dport 1 drop\n",
        True,
    ),
    (
        "a rule that logs",
        "established,related accept\n",
        'established,related accept\nlog prefix "x"\n',
        False,
    ),
    ("a counter", "\t\tdrop\n", "\t\tcounter packets 1 bytes 2 drop\n", False),
    ("a policy that never holds", "policy accept", "policy drop", False),
    ("invalid packets", "established,related accept\n", "established,related,invalid accept\n", True),
    ("a hook", "hook forward", "hook input", True),
    ("a sleeping table", "table inet npc {\n", "table inet npc {\n\tflags dormant\n", True),
    ("an answer", "\t\tdrop\n", "\t\treject with icmpx host-unreachable\n", False),
]


@pytest.mark.parametrize(
    ("old", "new", "is_noticed"), [one[1:] for one in DRIFT], ids=[one[0] for one in DRIFT]
)
def test_drift(old: str, new: str, is_noticed: bool) -> None:
    case = CASES["all/shop"]
    text = ruleset_of(case)
    assert old in text
    proof = proof_of(case, text.replace(old, new))
    assert bool(proof.refutations) is is_noticed
