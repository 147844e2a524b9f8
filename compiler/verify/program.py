"""A ruleset as a dataplane reads it: chains of rules over sets of packets, and where packets come in.

What every target's reader makes of text, and all that the walk sees. Chains are asked rule by rule, and the
first verdict decides; tables of OpenFlow are chains whose flows stand in order of priority.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import EVERY_ADDRESS, EVERY_V6
from npc.compiler.algebra.intervals import Intervals

MOST_DEEP = 100
"""Chains on any way from an entry: walking them is recursive. All dataplanes but iptables stop earlier."""


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """A line of a ruleset's text: the name of the file, and the number, counted from 1."""

    file: str
    number: int

    def __str__(self) -> str:
        return f"{self.file}:{self.number}"


class Unsupported(Exception):
    """A construct whose meaning the reader does not know; it is never guessed."""

    def __init__(self, construct: str, line: Line, help: str | None = None) -> None:
        super().__init__(f"{line}: {construct}")
        self.construct = construct
        """In words, for `NAME is not understood`: "the match `tcp flags`"."""
        self.line = line
        self.help = help


class Malformed(Unsupported):
    """A text that the dataplane itself would not take: a chain that is not there, a broken element."""


@dataclass(frozen=True, slots=True)
class Box:
    """Packets each of whose fields is in a set."""

    sources: Intervals = EVERY_ADDRESS
    destinations: Intervals = EVERY_ADDRESS
    traffic: Intervals = traffic.ANY

    @property
    def is_of_one_address(self) -> bool:
        """Whether source and destination can but be the same."""
        ranges = self.sources.ranges
        return len(ranges) == 1 and ranges[0][0] == ranges[0][1] and self.sources == self.destinations


NEIGHBOUR_DISCOVERY = Box(EVERY_V6, EVERY_V6, traffic.NEIGHBOUR_DISCOVERY)
"""What must pass in every scenario (A1)."""


@dataclass(frozen=True, slots=True)
class Among:
    """The packet is in one of some boxes; with `negated`, in none."""

    boxes: tuple[Box, ...]
    negated: bool = False
    text: str = ""
    """As it stands in the ruleset."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a scenario says of the packet, beside its fields: `ct state` is `established` or `related`."""

    fact: str
    values: frozenset[str]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Marked:
    """A register of the packet has a value, where a mask has ones; one that was never set has none."""

    register: str
    value: int
    mask: int = -1


Condition: TypeAlias = Among | Known | Marked


class Kind(Enum):
    """What a rule does with packets for which its conditions hold."""

    ACCEPT = "accept"
    DROP = "drop"
    """Or answer that it is refused."""
    RETURN = "return"
    """To the rule after the jump that led here; in the entry's chain, its default."""
    JUMP = "jump"
    """Into a chain, and back if no verdict falls there."""
    GOTO = "goto"
    """Into a chain, and then back to where this one would return."""
    CONTINUE = "continue"
    """To the next rule: it logs, counts or marks."""


@dataclass(frozen=True, slots=True)
class Action:
    kind: Kind
    chain: str = ""
    """Of JUMP and GOTO."""
    marks: tuple[tuple[str, int], ...] = ()
    """Registers that are set before, whole, with their values."""


ACCEPT, DROP = Action(Kind.ACCEPT), Action(Kind.DROP)
RETURN, CONTINUE = Action(Kind.RETURN), Action(Kind.CONTINUE)


@dataclass(frozen=True, slots=True)
class Rule:
    """All conditions hold: the action. A verdict map is a rule for each of its different verdicts."""

    conditions: tuple[Condition, ...]
    action: Action
    line: Line
    priority: int = 0
    """Where the order is by priority: rules of equal priority that act differently may not meet."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Rules in the order of asking; after the last, packets return."""

    name: str
    rules: tuple[Rule, ...]
    by_priority: bool = False
    """The order is that of priorities, highest first, and undefined between equal ones."""


class Expected(Enum):
    """What should pass in a scenario."""

    PLAN = "plan"
    """What both ends allow, as the plan says."""
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Scenario:
    """Where packets come in, what is known of them there, and what is expected to pass."""

    title: str
    """For people: "forwarded packets of new connections"."""
    chain: str
    default: Kind = Kind.ACCEPT
    """What becomes of packets that no rule decides: ACCEPT or DROP."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """The value of every fact that a ruleset of this target can ask for."""
    expected: Expected = Expected.PLAN
    always: tuple[Box, ...] = ()
    """Packets that must pass whatever the plan says (A1, A3)."""
    space: tuple[Box, ...] = (Box(),)
    """The packets that there can be; what becomes of others is not asked."""
    without_ip: str = ""
    """What the packets are where they are not IP, so that addresses and ports mean nothing: "ARP packets"."""


@dataclass(frozen=True, slots=True)
class Program:
    """All chains that packets may come to, by name, and the scenarios in which they are asked."""

    chains: Mapping[str, Chain]
    scenarios: tuple[Scenario, ...]
    notes: tuple[str, ...] = ()
    """What was read and is no part of the proof, in sentences: other tables, a hook that is not there."""
