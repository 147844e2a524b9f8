"""What was written, after reading and validation: policies as data, with their origins.

The syntax tree of YAML and of npc's own language alike. Everything in it is valid and defaulted as
the API server would (P4, P9); nothing is resolved against an inventory yet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import Enum, StrEnum

from npc.compiler.algebra.addresses import Cidr, format_cidr
from npc.compiler.frontend.source import Origin


class Direction(Enum):
    """Which end of a connection a rule decides at: its destination or its source."""

    INGRESS = "ingress"
    EGRESS = "egress"


class Action(Enum):
    """What a rule decides (C2); the rules of a NetworkPolicy all allow."""

    ALLOW = "allow"
    DENY = "deny"
    PASS = "pass"


class Tier(Enum):
    """Where a cluster policy stands: before the NetworkPolicies, or after them (C1)."""

    ADMIN = "admin"
    BASELINE = "baseline"


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
        match self.excepts:
            case ():
                return text
            case (one,):
                return f"{text} except {format_cidr(one)}"
            case several:
                return f"{text} except ({', '.join(map(format_cidr, several))})"


@dataclass(frozen=True, slots=True)
class Nodes:
    """The addresses of the nodes that a selector matches (C4)."""

    nodes: Selector


@dataclass(frozen=True, slots=True)
class BehindService:
    """The pods behind a Service, at its target ports where they are a destination (X5)."""

    name: str
    namespace: str | None = None
    """None: the policy's own."""
    origin: Origin | None = field(default=None, compare=False, repr=False)


Peer = Pods | Block | Nodes | BehindService


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports `first` to `last` of one protocol; of ICMP, numbers `type << 8 | code` (X4)."""

    protocol: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class NamedPort:
    """A port that the destination pod names (P10), of one protocol or of whichever it gives the name."""

    protocol: int | None
    name: str


Port = Ports | NamedPort


@dataclass(frozen=True, slots=True)
class Log:
    """That the first packet of each connection that a rule matches is logged (X2)."""

    prefix: str = ""
    """What the log line begins with; empty: a text that names the policy and the rule."""
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Rule:
    """Traffic that is decided on: any of the peers on any of the ports; None stands for all (P6).

    An empty tuple stands for none: of a peer that no version of the API known here has (C5).
    """

    peers: tuple[Peer, ...] | None
    ports: tuple[Port, ...] | None
    origin: Origin = field(compare=False, repr=False)
    action: Action = Action.ALLOW
    name: str = ""
    log: Log | None = None
    until: date | None = None
    """The last day on which the rule holds (X6)."""


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

    @property
    def kind(self) -> str:
        """What it is called in messages."""
        return "NetworkPolicy"

    def rules(self, direction: Direction) -> tuple[Rule, ...]:
        """The rules of a direction that are in force: none where it is not isolated (P4)."""
        if direction not in self.isolates:
            return ()
        return self.ingress if direction is Direction.INGRESS else self.egress


@dataclass(frozen=True, slots=True)
class ClusterPolicy:
    """A valid ClusterNetworkPolicy, or one of its forerunners; its rules are tried in order (C2)."""

    name: str
    tier: Tier
    priority: int
    """0 to 1000, 0 first."""
    subject: Pods
    """Its namespaces are never None."""
    ingress: tuple[Rule, ...]
    egress: tuple[Rule, ...]
    origin: Origin = field(compare=False, repr=False)
    kind: str = "ClusterNetworkPolicy"

    def __str__(self) -> str:
        return self.name

    def rules(self, direction: Direction) -> tuple[Rule, ...]:
        """The rules of a direction, in order."""
        return self.ingress if direction is Direction.INGRESS else self.egress


Policy = NetworkPolicy | ClusterPolicy


@dataclass(frozen=True, slots=True)
class Called:
    """A pod or a workload as questions name it: `shop/db-0`, `shop/deploy/web`."""

    name: str
    origin: Origin = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Assertion:
    """What shall pass between all of some ends, or shall not: no policy, but a claim about all of them."""

    action: Action
    """ALLOW: all of it passes; DENY: nothing of it does."""
    ports: tuple[Port, ...] | None
    sources: tuple[Peer, ...] | None
    """None: everyone."""
    destinations: tuple[Peer, ...] | None
    origin: Origin = field(compare=False, repr=False)
    name: str = ""
    called_sources: tuple[Called, ...] = ()
    """Sources besides."""
    called_destinations: tuple[Called, ...] = ()
