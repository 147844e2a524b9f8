"""From a plan to OpenFlow tables.

The layout: all IP goes through conntrack in npc's own zone, and what belongs to a known connection leaves
at once. Then the source's address picks its egress class and the destination's its ingress class: numbers
in registers, beside the numbers of both as peers where those save flows. Egress rules lead on to ingress
rules, so both are asked (P3); what both allow is committed to conntrack and goes on. Numbers stand for what
a class decides and for selectors, so that a pod that comes or goes is a few flows that come or go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from npc.backends.base import Options
from npc.backends.logged import check_logged
from npc.backends.ovs.always import accept, entry, state
from npc.backends.ovs.dispatch import NOBODY, class_of_address, destinations, sources
from npc.backends.ovs.layout import MEASURED, Layout
from npc.backends.ovs.matches import family_match
from npc.backends.ovs.numbers import content_numbers
from npc.backends.ovs.peers import PeerMatches
from npc.backends.ovs.rules import BlockForms, Form, conjunction_keys, form_of
from npc.backends.ovs.ruleset import Flow, Match, Pipeline, Section, Table
from npc.backends.ovs.settings import Settings, Step, read_settings
from npc.compiler.algebra.addresses import Family
from npc.compiler.algebra.peers import Group
from npc.compiler.arms import Arm
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError
from npc.compiler.frontend.syntax import Direction
from npc.compiler.inventory import Endpoint
from npc.compiler.plan import Class, Plan


def lower(plan: Plan, options: Options, layout: Layout = MEASURED) -> Pipeline:
    """The tables that enforce a plan; InputError for options that OpenFlow cannot use."""
    return series(options, layout)(plan)


def series(options: Options, layout: Layout = MEASURED) -> Callable[[Plan], Pipeline]:
    """As `lower`, for plans of one cluster: what the blocks of several of them come to is found once."""
    settings = read_settings(options)
    return partial(_lowered, options=options, settings=settings, layout=layout, known={})


def _lowered(plan: Plan, options: Options, settings: Settings, layout: Layout, known: BlockForms) -> Pipeline:
    _check_logs(plan)
    numbers = content_numbers(one.key for one in plan.classes)
    by_address = {direction: class_of_address(plan, direction, numbers) for direction in Direction}
    senders, receivers = by_address[Direction.EGRESS], by_address[Direction.INGRESS]
    # The peer of an ingress rule is the packet's source, which has a flow already where it is a subject.
    egress = _Rules.of(plan, Direction.EGRESS, settings, layout, receivers.keys(), known)
    ingress = _Rules.of(plan, Direction.INGRESS, settings, layout, senders.keys(), known)
    at_ports = _at_ports(plan, settings)
    from_sources = sources(settings, senders, ingress.identities, at_ports, plan.names)
    to_destinations = destinations(settings, receivers, egress.identities, plan.names)
    tables = (
        _table(settings, Step.ENTRY, "where packets come in", [Section(tuple(entry(settings)))]),
        _table(
            settings,
            Step.STATE,
            "what passes whatever policies say",
            state(plan, options, settings, at_ports),
        ),
        _table(settings, Step.SOURCE, "who it is from", [Section(tuple(from_sources))]),
        _table(settings, Step.DESTINATION, "who it is for", [Section(tuple(to_destinations))]),
        _table(settings, Step.EGRESS, "what sources may send", egress.sections(settings, numbers)),
        _table(settings, Step.INGRESS, "what destinations may receive", ingress.sections(settings, numbers)),
        _table(settings, Step.ACCEPT, "what both ends allow", [Section(tuple(accept(settings)))]),
    )
    return Pipeline(settings.cookie, tables, _heading(plan, settings))


def _check_logs(plan: Plan) -> None:
    """InputError for each rule that logs: OpenFlow has no such action."""
    check_logged(
        plan,
        lambda one: f"OpenFlow cannot log what the rule `{one.rule}` matches",
        "leave `log` out; the counters of `ovs-ofctl dump-flows` show what is allowed and dropped",
    )


def _table(settings: Settings, step: Step, title: str, sections: Iterable[Section]) -> Table:
    return Table(settings.number(step), title, tuple(one for one in sections if one.flows))


def _heading(plan: Plan, settings: Settings) -> tuple[str, ...]:
    return (
        f"Compiled by npc for Open vSwitch: {plan.scope}.",
        plan.counts,
        f"Tables {settings.number(Step.ENTRY)} to {settings.number(Step.ACCEPT)},"
        f" registers {settings.register} to {settings.register + 3},"
        f" conntrack zone {settings.zone}; what passes: {settings.next}.",
        "A bridge of npc's own: ovs-ofctl -O OpenFlow15 --bundle replace-flows BRIDGE FILE",
        f"Beside others' flows: (echo 'delete cookie={settings.cookie}/-1'; cat FILE)"
        " | ovs-ofctl -O OpenFlow15 --bundle add-flows BRIDGE -",
        "Either replaces npc's flows in one transaction; OpenFlow13 does as well. Needs Open vSwitch 2.8.",
        "SCTP on the userspace datapath: replies pass only where policies allow them by themselves.",
    )


def _at_ports(plan: Plan, settings: Settings) -> dict[int, Endpoint]:
    """The endpoints with an egress class whose port is known; InputError where two share a port."""
    owners: dict[int, Endpoint] = {}
    senders = (one for one in plan.classes if one.direction is Direction.EGRESS)
    for subject in sorted((subject for one in senders for subject in one.subjects), key=str):
        port = settings.ports.get(str(subject), subject.ovs_port)
        if port is None:
            continue
        if port in owners:
            message = f"{owners[port]} and {subject} both have the OpenFlow port {port}"
            raise InputError([Diagnostic(codes.OPTION, message, help="each pod has a port of its own")])
        owners[port] = subject
    return owners


@dataclass(frozen=True, slots=True)
class _Rules:
    """The classes of one direction, in the form that needs the fewest flows."""

    direction: Direction
    forms: tuple[Form, ...]
    identities: Mapping[int, int]
    """The number of each address that rules ask for by number."""

    @staticmethod
    def of(
        plan: Plan,
        direction: Direction,
        settings: Settings,
        layout: Layout,
        dispatched: Iterable[int],
        blocks: BlockForms,
    ) -> _Rules:
        """`dispatched` addresses have a flow already that can load their number as a peer."""
        classes = [one for one in plan.classes if one.direction is direction]
        groups = sorted({group for one in classes for group in _spoken_of(one.arms)})
        forms: list[Form] = []
        identities: dict[int, int] = {}
        known = frozenset(dispatched)
        for family in Family:
            present = [one for one in classes if _has_subjects(one, family)]
            if not present:
                continue
            by_address = PeerMatches.by_address(groups, direction, family, plan.names)
            by_identity = PeerMatches.by_identity(groups, family, settings.identity_register(direction))
            with_addresses = [form_of(one, family, by_address, layout, blocks) for one in present]
            with_identities = [form_of(one, family, by_identity, layout, blocks) for one in present]
            saved = _count(with_addresses) - _count(with_identities)
            if saved - len(by_identity.identities.keys() - known) >= layout.identities_save:
                forms += with_identities
                identities |= by_identity.identities
            else:
                forms += with_addresses
        return _Rules(
            direction,
            tuple(sorted(forms, key=lambda form: (form.subject.key, form.family.value))),
            identities,
        )

    def sections(self, settings: Settings, numbers: Mapping[str, int]) -> Iterator[Section]:
        """What is not isolated in the direction, and what a class allows, goes on; the rest is dropped."""
        following = Step.INGRESS if self.direction is Direction.EGRESS else Step.ACCEPT
        allow, register = (settings.goto(following),), settings.class_register(self.direction)
        yield Section((Flow(700, (Match(register, str(NOBODY)),), allow),))
        ids = content_numbers(conjunction_keys(self.forms))
        for form in self.forms:
            number = f"{numbers[form.subject.key]:#x}"
            flows = form.flows(Match(register, number), allow, ids.__getitem__)
            title = f"Class {number}, {family_match(form.family)}: {', '.join(form.subject.policies)}"
            yield Section(tuple(flows), (title,))
        yield Section((Flow(0, (), ("drop",)),))


def _spoken_of(arms: Iterable[Arm]) -> Iterator[Group]:
    """The groups of some arms, and those that are holes of their blocks."""
    for arm in arms:
        yield from arm.peers.groups
        yield from arm.peers.holes


def _has_subjects(one: Class, family: Family) -> bool:
    return any(Family.of(address) is family for subject in one.subjects for address in subject.addresses)


def _count(forms: Iterable[Form]) -> int:
    return sum(form.count for form in forms)
