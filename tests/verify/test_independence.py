"""The proof shares the algebra with lowering, and nothing else; and it catches lowering that is broken.

Names and texts of npc's own notation are written down twice, in lowering and in the readers: a slip in one is
not repeated by the other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.verify.broken_lowering import FAILED, SAME, outcomes
from tests.verify.rulesets import TARGETS
from tests.verify.sabotage import functions

ROOT: Final = Path(__file__).parents[2]
ALGEBRA: Final = ("npc.compiler.algebra",)
"""The one thing that is shared: tested by itself."""
MEANING: Final = (
    *ALGEBRA,
    "npc.compiler.verify",
    "npc.compiler.plan",  # what should pass
    "npc.compiler.inventory",  # Endpoint, the type
    "npc.compiler.frontend.syntax",  # Direction, the type
)
OPTIONS: Final = (*MEANING, "npc.backends.base")  # Options and Backend, the types
ALLOWED: Final[Mapping[str, tuple[str, ...]]] = {
    "compiler/algebra": ALGEBRA,
    "compiler/verify": MEANING,
    **{f"backends/{target}/reader": (*OPTIONS, f"npc.backends.{target}.reader") for target in TARGETS},
}
"""What each folder of the proof may import of npc."""
MODULES: Final = [
    (path.relative_to(ROOT).as_posix(), allowed)
    for folder, allowed in ALLOWED.items()
    for path in sorted((ROOT / folder).rglob("*.py"))
]


def _tree(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def _imported(path: str) -> Iterator[str]:
    """What a module imports, wherever in it."""
    for node in ast.walk(_tree(path)):
        match node:
            case ast.Import(names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module, names, 0):
                yield from (f"{module}.{alias.name}" for alias in names)
            case ast.ImportFrom():
                yield "npc, by a relative import"


@pytest.mark.parametrize(("path", "allowed"), MODULES, ids=[path for path, _ in MODULES])
def test_the_proof_imports_nothing_of_lowering(path: str, allowed: tuple[str, ...]) -> None:
    within = tuple(f"{one}." for one in allowed)
    found = [name for name in _imported(path) if name.split(".")[0].startswith("npc")]
    assert [name for name in found if not f"{name}.".startswith(within)] == []


@pytest.mark.parametrize("path", [path for path, _ in MODULES])
def test_the_proof_asks_for_decisions_alone(path: str) -> None:
    """Classes have `arms`, too: the decision as the rules that targets make of it."""
    assert not [
        node.lineno
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Attribute) and node.attr == "arms"
    ]


def test_every_folder_has_modules() -> None:
    assert all(any(path.startswith(f"{folder}/") for path, _ in MODULES) for folder in ALLOWED)


# --- lowering that is broken --------------------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS)
def test_some_broken_functions(target: str) -> None:
    """No ruleset that comes of them is wrongly proven."""
    found = list(outcomes(target, step=9, attempts=3))
    assert [text for one in found for text in one.wrong] == []
    assert any(one.is_caught for one in found)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_every_broken_function(target: str) -> None:
    """Each is caught once, but for those from which no other meaning comes."""
    found = list(outcomes(target))
    assert [text for one in found for text in one.wrong] == []
    other_text = [one for one in found if not one.counts.keys() <= {FAILED, SAME}]
    assert [str(one) for one in other_text if not one.is_caught and one.function not in HARMLESS] == []


@pytest.mark.parametrize("target", TARGETS)
def test_no_function_is_excused_that_is_not_there(target: str) -> None:
    names = {one.name for one in functions(target)}
    excused = {name for name in HARMLESS if name.split(".")[0] in (target, *SHARED_MODULES)}
    assert excused - names == set()


SHARED_MODULES: Final = ("pairs", "icmp", "naming", "logged")
_FOR_PEOPLE: Final = "it words comments, headings or log lines"
_ORDER: Final = "it says in which order things stand, or are told apart by"
_FORM: Final = "it chooses between forms, all of which mean the same"
_NAMES: Final = "it makes names, which are changed alike wherever they stand"
HARMLESS: Final[Mapping[str, str]] = {
    "nft.hairpins._key": _NAMES,
    "nft.hairpins._chain_name": _NAMES,
    "nft.hairpins._names": _NAMES,
    "nft.lowering._hash_sets_last": _ORDER,
    "nft.lowering._heading": _FOR_PEOPLE,
    "nft.logs.log_statement": _FOR_PEOPLE,
    "nft.logs._spaced": _FOR_PEOPLE,
    "nft.logs._is_unusable": _FOR_PEOPLE,
    "nft.logs._from_words": _FOR_PEOPLE,
    "nft.lowering._Lowering._logged": _FOR_PEOPLE,
    "nft.members.Members.size": _FORM,
    "nft.peersets.Needs.of": _FORM,
    "nft.peersets.PeerSets.of": _FORM,
    "nft.peersets.PeerSets.another": _FORM,
    "nft.peersets.PeerSets.overlap": "it says whether packets could be logged twice",
    "nft.peersets.PeerSets.name": _NAMES,
    "nft.peersets.words": _FOR_PEOPLE,
    "nft.peersets._worth_a_set": _FORM,
    "nft.peersets._smallest": _FORM,
    "nft.peersets._groups_text": _NAMES,
    "nft.peersets._blocks_text": _NAMES,
    "nft.peersets._peers_text": _NAMES,
    "iptables.logs.log_action": _FOR_PEOPLE,
    "iptables.logs.printable": _FOR_PEOPLE,
    "iptables.logs._spaced": _FOR_PEOPLE,
    "iptables.logs._from_words": _FOR_PEOPLE,
    "iptables.decisions.Ends.key": _NAMES,
    "iptables.decisions.Decisions.tree_name": _NAMES,
    "iptables.lowering._check": "it refuses options, and gives the name that chains begin with",
    "iptables.lowering._heading": _FOR_PEOPLE,
    "iptables.lowering._FamilyLowering._log": _FOR_PEOPLE,
    "iptables.matches.hash_options": "it sizes sets and names their family",
    "iptables.matches.Matches.group_set": _NAMES,
    "iptables.names.Names.chain": _NAMES,
    "iptables.names.Names.set": _NAMES,
    "iptables.names.Names._name": _NAMES,
    "iptables.lowering._FamilyLowering._is_disjoint": _FORM,
    "iptables.ruleset.IpSet.temporary": _NAMES,
    "iptables.tree.depth": _FORM,
    "ovs.lowering._heading": _FOR_PEOPLE,
    "ovs.lowering._at_ports": _FOR_PEOPLE,
    "ovs.lowering._spoken_of": "compilation fails where a group is left out",
    "ovs.always._at_ports": "it finds ports of pods whose number is not said here",
    "ovs.matches.match_count": _FORM,
    "ovs.matches.in_two_levels": _FORM,
    "ovs.numbers._hash": _NAMES,
    "ovs.numbers.content_numbers": _NAMES,
    "ovs.peers._words": _FOR_PEOPLE,
    "ovs.peers._ranges": _FOR_PEOPLE,
    "ovs.prefixes.Entry.count": _FORM,
    "ovs.rules.Form.conjunction_key": _NAMES,
    "ovs.rules._is_worth_it": _FORM,
    "ovs.rules._sum": _FORM,
    "ovs.rules._product_count": _FORM,
    "pairs._candidates": _FORM,
    "pairs._words": _FOR_PEOPLE,
    "naming.shortened": _FOR_PEOPLE,
}
"""Functions whose results change what a ruleset looks like, and never what it means; each with why."""
