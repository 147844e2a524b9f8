"""What the inventory says about the words of a policy: who is meant, and which labels and names there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import parse_cidr
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.ask.naming import Names
from npc.compiler.frontend.diagnostics import InputError
from npc.compiler.frontend.syntax import Operator, Requirement, Selector
from npc.compiler.inventory import Endpoint, Inventory, Node, Service
from npc.compiler.labels import LabelIndex, members
from npc.compiler.language import tree
from npc.compiler.language.tree import Comparison
from npc.compiler.resolve import Model

_OPERATORS = {
    Comparison.EQUALS: Operator.IN,
    Comparison.IN: Operator.IN,
    Comparison.NOT_IN: Operator.NOT_IN,
    Comparison.EXISTS: Operator.EXISTS,
    Comparison.NOT_EXISTS: Operator.DOES_NOT_EXIST,
}


@dataclass(slots=True)
class Cluster:
    """An inventory that questions are asked of; the label indexes are made once."""

    inventory: Inventory
    _pods: LabelIndex = field(init=False)
    _spaces: LabelIndex = field(init=False)
    _nodes: LabelIndex = field(init=False)

    def __post_init__(self) -> None:
        self._pods = LabelIndex([one.labels for one in self.inventory.endpoints])
        self._spaces = LabelIndex(list(self.inventory.namespaces.values()))
        self._nodes = LabelIndex([one.labels for one in self.inventory.nodes])

    def pods(self, requirements: tree.Requirements, namespaces: set[str]) -> list[Endpoint]:
        """The endpoints of some namespaces that requirements match."""
        found = members(self._pods.select(selector(requirements), self._pods.everything))
        endpoints = self.inventory.endpoints
        return [endpoints[number] for number in found if endpoints[number].namespace in namespaces]

    def namespaces(self, chosen: tree.Namespaces | tree.NamedNamespace | None, home: str | None) -> set[str]:
        """The names of the namespaces that are meant.

        None is the policy's own, `home`; where that is not known, as in a set, all of them.
        """
        match chosen:
            case None:
                return {home} if home is not None else set(self.inventory.namespaces)
            case tree.NamedNamespace(name=name):
                return {name.text}
            case tree.Namespaces(requirements=requirements):
                names = list(self.inventory.namespaces)
                found = self._spaces.select(selector(requirements), self._spaces.everything)
                return {names[number] for number in members(found)}

    def nodes(self, requirements: tree.Requirements) -> list[Node]:
        """The nodes that requirements match."""
        found = self._nodes.select(selector(requirements), self._nodes.everything)
        return [self.inventory.nodes[number] for number in members(found)]

    def within(self, block: tree.Block) -> list[Endpoint] | None:
        """The endpoints with an address in a block, and in none of its excepts; None where it is no block."""
        try:
            inside = Intervals.of(parse_cidr(block.cidr.text).block.range)
            excepts = Intervals.of(*(parse_cidr(one.text).block.range for one in block.excepts))
        except ValueError:
            return None
        among = inside - excepts
        return [one for one in self.inventory.endpoints if any(a in among for a in one.addresses)]

    def called(self, name: str) -> list[Endpoint] | str:
        """The endpoints of a pod or a workload of some name; why there are none, where there are none."""
        try:
            ends = Names(Model((), (), self.inventory)).find(name, name).ends
        except InputError as error:
            return error.diagnostics[0].message
        return [self.inventory.endpoints[number] for number in members(ends.endpoints)]

    def service(self, name: str, namespace: str | None) -> Service | None:
        """The Service of a name; of any namespace where none is known."""
        return next(
            (
                one
                for one in self.inventory.services
                if one.name == name and namespace in (one.namespace, None)
            ),
            None,
        )

    def behind(self, service: Service) -> list[Endpoint]:
        """The endpoints that a Service selects; none for one without a selector."""
        if not service.selector:
            return []
        requirements = [Requirement(key, Operator.IN, (value,)) for key, value in service.selector.items()]
        found = members(self._pods.select(Selector.of(requirements), self._pods.everything))
        endpoints = self.inventory.endpoints
        return [endpoints[number] for number in found if endpoints[number].namespace == service.namespace]

    def port_names(self, protocol: str) -> set[str]:
        """The names that endpoints give ports of a protocol, or of every one: `any`."""
        number = traffic.NUMBERS.get(protocol.upper())
        return {
            port.name
            for one in self.inventory.endpoints
            for port in one.ports
            if number in (None, port.protocol)
        }

    def labels(self, kind: str) -> Mapping[str, set[str]]:
        """The label keys, each with its values, of `pods`, `ns` or `nodes`."""
        match kind:
            case "pods":
                return _by_key(one.labels for one in self.inventory.endpoints)
            case "nodes":
                return _by_key(one.labels for one in self.inventory.nodes)
            case _:
                return _by_key(self.inventory.namespaces.values())


def selector(requirements: tree.Requirements) -> Selector:
    """What requirements as they are written mean."""
    return Selector.of(
        [
            Requirement(
                one.key.text,
                _OPERATORS[one.comparison],
                tuple(sorted({value.text for value in one.values})),
            )
            for one in requirements
        ]
    )


def _by_key(labels: Iterable[Mapping[str, str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in labels:
        for key, value in one.items():
            found.setdefault(key, set()).add(value)
    return found
