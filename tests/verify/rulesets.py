"""Rulesets to prove: a plan, what npc makes of it for a target, and the options that say how.

From the golden cases, the conformance cases, and random plans in every form that a target's layout can force.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from typing import Any, Final

from npc.api import compile_paths
from npc.backends.base import Backend, Deny, Options, OwnNode, find_target
from npc.backends.iptables import layout as iptables_layout
from npc.backends.iptables.lowering import lower as lower_iptables
from npc.backends.nft import layout as nft_layout
from npc.backends.nft.lowering import lower as lower_nft
from npc.backends.ovs import layout as ovs_layout
from npc.backends.ovs.lowering import lower as lower_ovs
from npc.backends.pairs import Limits
from npc.backends.printing import Templates
from npc.compiler.frontend.diagnostics import InputError
from npc.compiler.plan import Plan
from npc.compiler.verify.program import Program
from npc.compiler.verify.proof import Proof, prove
from npc.testing import Case
from tests.golden.cases import expected_artifacts, find_cases, settings_of

TARGETS: Final = ("nft", "iptables", "ovs")


@dataclass(frozen=True, slots=True)
class Ruleset:
    """A target's files for a plan."""

    name: str
    target: str
    plan: Plan
    options: Options
    texts: Mapping[str, str]
    """By file name."""

    def __str__(self) -> str:
        return f"{self.target}: {self.name}"

    @property
    def program(self) -> Program:
        """What the target's reader makes of it."""
        return read(self.target, self.texts, self.plan, self.options)

    @property
    def proof(self) -> Proof:
        return prove(self.program, self.plan)


def read(target: str, texts: Mapping[str, str], plan: Plan, options: Options) -> Program:
    """What a target's reader makes of texts; raises Unsupported."""
    reader = backend(target).read
    assert reader is not None, f"{target} has no reader"
    return reader(texts, plan, options)


@cache
def backend(target: str) -> Backend:
    found = find_target(target)
    assert isinstance(found, Backend)
    return found


# --- golden cases -------------------------------------------------------------------------------------------


def golden() -> Iterator[Ruleset]:
    """The rulesets that golden cases expect, as they stand there."""
    for case in find_cases():
        yield from _of_case(case)


def _of_case(case: Case) -> Iterator[Ruleset]:
    settings = settings_of(case)
    for target in settings.targets:
        found = find_target(target)
        if not isinstance(found, Backend):
            continue
        texts = expected_artifacts(case, found.templates)
        if not texts:
            continue  # the case expects an error
        known = {name: text for name, text in settings.options.settings.items() if name in found.settings}
        paths = [*map(str, case.inputs()), *(str(case.folder / text) for text in settings.input)]
        # The plan is the same for every target, but a target may refuse it: the folder says what it made.
        plan = compile_paths(
            paths,
            target,
            node=settings.node,
            today=settings.today,
            options=replace(settings.options, settings=known),
        ).plan
        yield Ruleset(case.name, target, plan, replace(settings.options, settings=known), texts)


# --- forms --------------------------------------------------------------------------------------------------

_ALL_PAIRS: Final = Limits(0, most_a_subject=64, most=1 << 12)
_POLICED: Final = Options(own_node=OwnNode.POLICED)
_LOUD: Final = Options(deny_with=Deny.REJECT, log_denied=True)
_WITHOUT_SETS: Final = Options(settings={"ipset": "no"})

FORMS: Final[Mapping[str, Mapping[str, tuple[Options, Any]]]] = {
    "nft": {
        "as measured": (Options(), nft_layout.MEASURED),
        "own node policed": (_POLICED, nft_layout.MEASURED),
        "log and reject, by port": (_LOUD, nft_layout.Layout(most_arms=0)),
        "chains for arms": (Options(table="pods", hook_priority=-10), nft_layout.Layout(most_rules=0)),
        "every block in a set": (Options(), nft_layout.Layout(blocks_inline=0)),
        "no sets of peers": (Options(), nft_layout.Layout(set_budget=0)),
        "few sets of shared groups": (
            Options(),
            nft_layout.Layout(shared_set_saves=0, set_budget=1, inline_peers=1),
        ),
        "a set for each shared group, by port": (
            Options(),
            nft_layout.Layout(shared_set_saves=0, most_arms=0),
        ),
        "pairs": (Options(), nft_layout.Layout(pairs=_ALL_PAIRS)),
        "pairs, own node policed": (_POLICED, nft_layout.Layout(pairs=_ALL_PAIRS)),
    },
    "iptables": {
        "as measured": (Options(), iptables_layout.MEASURED),
        "own node policed": (_POLICED, iptables_layout.MEASURED),
        "without ipset": (_WITHOUT_SETS, iptables_layout.MEASURED),
        "picked by port": (Options(), iptables_layout.Layout(most_arms=0)),
        "trees of peers": (_WITHOUT_SETS, iptables_layout.Layout(most_arms=0, arity=2)),
        "blocks in sets": (Options(), iptables_layout.Layout(blocks_inline=0, most_port_rules=0)),
        "logs in chains": (_LOUD, iptables_layout.Layout(most_log_rules=0, most_rules=1)),
        "pairs": (Options(), iptables_layout.Layout(pairs=_ALL_PAIRS, same_bits_from=0)),
        "a few pairs, few ports": (
            _POLICED,
            iptables_layout.Layout(pairs=Limits(0, most_a_subject=2, most=9), asked_ports=1),
        ),
    },
    "ovs": {
        "as measured": (Options(), ovs_layout.MEASURED),
        "own node policed": (_POLICED, ovs_layout.MEASURED),
        "conjunctions": (Options(), ovs_layout.Layout(conjunction_saves=-1_000_000)),
        "no conjunctions": (Options(), ovs_layout.Layout(conjunction_saves=1_000_000)),
        "identities": (
            Options(),
            ovs_layout.Layout(identities_save=-1_000_000, conjunction_saves=1_000_000),
        ),
        "identities in conjunctions": (
            Options(settings={"table": "20", "zone": "7", "register": "4"}),
            ovs_layout.Layout(identities_save=-1_000_000, conjunction_saves=-1_000_000),
        ),
        "no search for prefixes": (
            Options(settings={"ports": "x/p0=5,x/p1=6"}),
            ovs_layout.Layout(prefix_search=0),
        ),
    },
}
"""For each target options and layouts; all give rulesets that enforce the plan."""

LOWER: Final[Mapping[str, Callable[[Plan, Options, Any], object]]] = {
    "nft": lower_nft,
    "iptables": lower_iptables,
    "ovs": lower_ovs,
}
_TEMPLATES: Final = Templates(None)


def lowered(plan: Plan, target: str, form: str, name: str = "random") -> Ruleset | None:
    """A plan as a target's files in one form; None where the target cannot express the plan."""
    options, layout = FORMS[target][form]
    try:
        tree = LOWER[target](plan, options, layout)
    except InputError:
        return None
    return Ruleset(f"{name}, {form}", target, plan, options, printed(target, tree))


def printed(target: str, tree: object) -> dict[str, str]:
    """A lowered ruleset as files."""
    return {
        name: _TEMPLATES.render(template, ruleset=tree)
        for name, template in backend(target).templates.items()
    }


def some(chance: Random, plans: Callable[[Random], Plan], count: int) -> Iterator[Ruleset]:
    """Random plans, each for every target in a random form."""
    for number in range(count):
        plan = plans(chance)
        for target in TARGETS:
            found = lowered(plan, target, chance.choice(sorted(FORMS[target])), f"random {number}")
            if found is not None:
                yield found
