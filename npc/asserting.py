"""Assertions held against a model, and what comes of them as findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from npc.compiler.algebra import traffic
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.ask.assertions import Counterexample, Verdict, judge
from npc.compiler.ask.misses import near_misses
from npc.compiler.ask.reasons import because, rule_name
from npc.compiler.ask.relation import Relation
from npc.compiler.ask.rulings import Ground, Ruling
from npc.compiler.ask.wording import place_text
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError, Related, did_you_mean, has_errors
from npc.compiler.frontend.source import Source
from npc.compiler.frontend.syntax import Assertion, BehindService, Direction
from npc.compiler.inventory import Inventory
from npc.compiler.language.asserting import read_assertions
from npc.compiler.resolve import Model

_FEW = 3
"""Policies that isolate an endpoint which a finding points at."""


def failed_assertions(sources: Sequence[Source], model: Model) -> Iterator[Diagnostic]:
    """Everything there is to say about the assertions of some files: nothing, where all hold."""
    asserted = read_assertions(sources)
    yield from asserted.diagnostics
    unknown = [one for each in asserted.assertions for one in _unknown_services(each, model.inventory)]
    yield from unknown
    if has_errors((*asserted.diagnostics, *unknown)):
        return
    relation = Relation(model)
    for assertion in asserted.assertions:
        try:
            verdict = judge(relation, assertion)
        except InputError as error:
            yield from error.diagnostics
        else:
            yield from _said(verdict, relation)


def _said(verdict: Verdict, relation: Relation) -> Iterator[Diagnostic]:
    assertion, inventory = verdict.assertion, relation.model.inventory
    about = f"assertion {assertion.name}" if assertion.name else ""
    missing = [
        word
        for word, is_there in (
            ("sources", verdict.is_about_sources),
            ("destinations", verdict.is_about_destinations),
        )
        if not is_there
    ]
    if missing:
        message = f"the assertion is about nobody: it has no {' and no '.join(missing)} in this inventory"
        help = "check its labels, namespaces and ports: as it is, it holds whatever the policies say"
        yield Diagnostic(codes.ABOUT_NOBODY, message, assertion.origin, help=help, about=about)
    if (found := verdict.counterexample) is None:
        return
    what = traffic.describe(Intervals.of((found.traffic, found.traffic)))
    packet = (
        f"{what} from {place_text(found.source, inventory)} to {place_text(found.destination, inventory)}"
    )
    outcome = "passes" if found.answer.allowed else "is denied"
    rulings = [one for one in found.answer.rulings if one.allowed is found.answer.allowed]
    yield Diagnostic(
        codes.ASSERTION_FAILS,
        f"the assertion does not hold: {packet} {outcome}",
        assertion.origin,
        help="; ".join(_words(one) + _closest(one, found, relation) for one in rulings),
        about=about,
        related=tuple(related for one in rulings for related in _rules(one)),
    )


def _words(ruling: Ruling) -> str:
    return f"{ruling.direction.value} {'allowed' if ruling.allowed else 'denied'}{because(ruling)}"


def _closest(ruling: Ruling, found: Counterexample, relation: Relation) -> str:
    """The rule that comes closest to allowing what no rule of the isolating policies does."""
    is_source = ruling.direction is Direction.EGRESS
    here, there = (found.source, found.destination) if is_source else (found.destination, found.source)
    if ruling.ground is not Ground.ISOLATED or here.endpoint is None:
        return ""
    subjects = relation.of(ruling.direction, here.endpoint)
    endpoint = relation.model.inventory.endpoints[here.endpoint]
    asked = Intervals.of((found.traffic, found.traffic))
    for miss in near_misses(relation.meaning, subjects, endpoint, there, asked, most=1):
        words = "; ".join(one.text for one in miss.misses)
        return f" (closest: {rule_name(miss.rule, ruling.direction)}, which misses: {words})"
    return ""


def _rules(ruling: Ruling) -> Iterator[Related]:
    """Where what decides was written."""
    word = ruling.direction.value
    if ruling.decider is not None:
        label = f"{word} {'allowed' if ruling.allowed else 'denied'} here"
        yield Related(ruling.decider.rule.origin, label)
    elif ruling.ground is Ground.ISOLATED:
        for policy in ruling.isolating[:_FEW]:
            yield Related(policy.origin.at("metadata", "name"), f"isolates it for {word}")


def _unknown_services(assertion: Assertion, inventory: Inventory) -> Iterator[Diagnostic]:
    """An error for each Service behind which nobody is known."""
    known = {(one.namespace, one.name) for one in inventory.services if one.selector}
    for peer in (*(assertion.sources or ()), *(assertion.destinations or ())):
        if isinstance(peer, BehindService) and (peer.namespace or "", peer.name) not in known:
            names = [name for namespace, name in known if namespace == peer.namespace]
            message = f"the inventory has no Service {peer.namespace}/{peer.name} that selects pods"
            help = did_you_mean(peer.name, sorted(names)) if names else f"it has none in {peer.namespace}"
            yield Diagnostic(codes.UNKNOWN_SERVICE, message, peer.origin or assertion.origin, help=help)
