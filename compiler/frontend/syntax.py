"""What was written, after reading and validation: policies as data, with their origins.

The syntax tree of YAML and of npc's own language alike. Everything in it is valid and defaulted as
the API server would (P4, P9); nothing is resolved against an inventory yet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, StrEnum

from npc.compiler.algebra.addresses import Cidr, format_cidr
from npc.compiler.frontend.source import Origin


class Direction(Enum):
    """Which end of a connection a rule decides at: its destination or its source."""

    INGRESS = "ingress"
    EGRESS = "egress"


class Operator(StrEnum):
    """How a requirement compares a label (the API's four operators)."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


@dataclass(frozen=True, slots=True, order=True)
class Requirement:
    """One condition on labels; values are sorted and without duplicates."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        match self.operator:
            case Operator.IN if len(self.values) == 1:
                return f"{self.key}={self.values[0]}"
            case Operator.IN:
                return f"{self.key} in ({','.join(self.values)})"
            case Operator.NOT_IN:
                return f"{self.key} not in ({','.join(self.values)})"
            case Operator.EXISTS:
                return self.key
            case Operator.DOES_NOT_EXIST:
                return f"!{self.key}"


@dataclass(frozen=True, slots=True)
class Selector:
    """Requirements that all hold; canonical: sorted, without duplicates. Empty selects all (P11).

    >>> str(Selector.of([Requirement("tier", Operator.IN, ("b", "a")), Requirement("app", Operator.EXISTS)]))
    'app,tier in (b,a)'
    """

    requirements: tuple[Requirement, ...] = ()

    @staticmethod
    def of(requirements: list[Requirement]) -> Selector:
        return Selector(tuple(sorted(set(requirements))))

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))


EVERYTHING = Selector()


@dataclass(frozen=True, slots=True)
class Pods:
    """Pods by label: of the policy's own namespace, or of the namespaces that a selector matches."""

    pods: Selector
    namespaces: Selector | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """An address block less its excepts (P7, P8)."""

    cidr: Cidr
    excepts: tuple[Cidr, ...] = ()

    def __str__(self) -> str:
        text = format_cidr(self.cidr)
        if self.excepts:
            text += f" except ({', '.join(map(format_cidr, self.excepts))})"
        return text


Peer = Pods | Block


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports `first` to `last` of one protocol."""

    protocol: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class NamedPort:
    """A port that the destination pod names (P10)."""

    protocol: int
    name: str


Port = Ports | NamedPort


@dataclass(frozen=True, slots=True)
class Rule:
    """Traffic that may pass: any of the peers on any of the ports; None stands for all (P6)."""

    peers: tuple[Peer, ...] | None
    ports: tuple[Port, ...] | None
    origin: Origin = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """A valid NetworkPolicy; `isolates` are its effective policyTypes (P4)."""

    name: str
    namespace: str
    subject: Selector
    isolates: frozenset[Direction]
    ingress: tuple[Rule, ...]
    egress: tuple[Rule, ...]
    origin: Origin = field(compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    def rules(self, direction: Direction) -> tuple[Rule, ...]:
        """The rules of a direction that are in force: none where it is not isolated (P4)."""
        if direction not in self.isolates:
            return ()
        return self.ingress if direction is Direction.INGRESS else self.egress
