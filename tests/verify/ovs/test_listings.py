"""What `ovs-ofctl dump-flows` lists of a bridge reads as the file that was loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address

import pytest

from npc.compiler.verify.program import Action, Among, Condition, Program
from npc.compiler.verify.proof import prove
from tests.dataplane.ovs import PROGRAMS, Bridge, open_bridge
from tests.dataplane.topology import Host, open_network
from tests.verify.ovs.golden import CASES, compiled

pytestmark = pytest.mark.dataplane(*PROGRAMS)

LISTINGS = [
    ("OpenFlow10", []),
    ("OpenFlow13", []),
    ("OpenFlow15", []),
    ("OpenFlow15", ["--no-stats"]),
    ("OpenFlow15", ["--names"]),
    ("OpenFlow13", ["--no-names", "--rsort"]),
]


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridge]:
    """A bridge of npc's own."""
    host = Host("x/a", (ip_address("10.99.0.1"),))
    with open_network([host]) as network, open_bridge(network, tmp_path_factory.mktemp("ovs")) as opened:
        yield opened


def meaning(program: Program) -> Mapping[str, set[tuple[int, frozenset[object], Action]]]:
    """The rules of each chain, whatever their lines, and in whatever order within a priority."""
    return {
        name: {
            (rule.priority, frozenset(map(_unordered, rule.conditions)), rule.action) for rule in chain.rules
        }
        for name, chain in program.chains.items()
    }


def _unordered(condition: Condition) -> object:
    return frozenset(condition.boxes) if isinstance(condition, Among) else condition


@pytest.mark.parametrize(("version", "words"), LISTINGS, ids=lambda one: "".join(one) or "plain")
def test_a_listing_means_what_was_loaded(bridge: Bridge, version: str, words: list[str]) -> None:
    for name in (case.name for case in CASES):
        case = compiled(name)
        bridge.ofctl("--bundle", "replace-flows", stdin=case.text)
        listed = case.read(bridge.ofctl(*words, "dump-flows", version=version))
        assert meaning(listed) == meaning(case.read(case.text)), name
        assert prove(listed, case.plan).refutations == (), name
