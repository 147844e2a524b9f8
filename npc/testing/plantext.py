"""A plan as text that people review and npc reads back: the `expect.plan` of a case.

    option own-node policed          only where it is not the default

    group pods(app=api) in ns/shop   who peers are, each group once
      10.0.0.7 shop/api

    ingress                          a class: endpoints that decide alike in one direction
      subject 10.0.0.8 shop/db
      allow tcp/5432, tcp/9187       or: allow nothing
        from pods(app=api) in ns/shop
        from 192.0.2.0/24 except 192.0.2.8/29, 192.0.2.64/28
                                     a block of addresses; `anyone` is all of them
        but not pods(app=old) in ns  no member of the group, though a block above has its address
      log deny no-dev ingress 1      a rule whose first packets are logged, with those
        tcp/22 from pods in ns(env=dev)

    hairpin                          what passes from endpoints to themselves, where it is not everything
      subject 10.0.0.8 shop/db
      allow tcp/80

Whatever a subject does not allow it denies; an address that is no subject decides nothing. Lines that
begin with `#` are comments. The reader takes this form and no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn

from npc.backends.base import Options
from npc.compiler.algebra.addresses import (
    EVERY_ADDRESS,
    Family,
    cidrs,
    format_address,
    format_cidr,
    parse_address,
    parse_cidr,
)
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.algebra.peers import Peers
from npc.compiler.arms import by_traffic
from npc.compiler.frontend.syntax import Direction
from npc.compiler.optimize.blocks import hulls
from npc.compiler.plan import Class, Plan
from npc.testing.decisions import Decisions
from npc.testing.notation import read_traffic, traffic_text

ANYONE, NOTHING, HAIRPIN = "anyone", "nothing", "hairpin"
_HEADING = (
    "# Who may exchange what. A subject denies what it does not allow; who is no subject denies nothing.\n"
)
_TOWARDS = {Direction.EGRESS: "to", Direction.INGRESS: "from"}
_DIRECTIONS = {direction.value: direction for direction in Direction}


def write_plan(plan: Plan, options: Options) -> str:
    """The text of a plan, and of the options that bear on which packets pass."""
    sections = [[f"option {name} {value}" for name, value in telling_options(options).items()]]
    packets = [one.decision for one in plan.classes]
    packets += [log.packets for one in plan.classes for log in one.logs]
    groups = {one for found in packets for *_, peers in found.parts for one in peers.groups | peers.holes}
    for group in sorted(groups):
        members = [f"  {_named(address, plan)}" for address in sorted(group.members)]
        sections.append([f"group {group.key}", *members])
    for direction in Direction:
        found = (one for one in plan.classes if one.direction is direction)
        sections += sorted(list(_class(one, plan)) for one in found)
    for hairpin in plan.hairpins:
        subjects = [f"  subject {_named(address, plan)}" for address in hairpin.addresses]
        allowed = traffic_text(hairpin.traffic) if hairpin.traffic else NOTHING
        sections.append([HAIRPIN, *subjects, f"  allow {allowed}"])
    if not plan.classes and not plan.hairpins:
        sections.append(["# There is no subject: everything passes."])
    return _HEADING + "".join("\n" + "\n".join(lines) + "\n" for lines in sections if lines)


def telling_options(options: Options) -> dict[str, str]:
    """The options that say more about packets than a plan does, where they are not the default."""
    default = Options()
    values = {
        "own-node": (options.own_node.value, default.own_node.value),
        "deny-with": (options.deny_with.value, default.deny_with.value),
        "log-denied": (str(options.log_denied).lower(), str(default.log_denied).lower()),
    }
    return {name: value for name, (value, usual) in values.items() if value != usual}


def _class(one: Class, plan: Plan) -> Iterator[str]:
    yield one.direction.value
    for subject in sorted(one.subjects, key=str):
        for address in subject.addresses:
            yield f"  subject {_named(address, plan)}"
    if not one.decision:
        yield f"  allow {NOTHING}"
    for arm in by_traffic(one.decision):
        yield f"  allow {traffic_text(arm.traffic)}"
        for peer in _peers(arm.peers):
            yield f"    {_TOWARDS[one.direction]} {peer}"
        for group in sorted(arm.peers.holes):
            yield f"    but not {group.key}"
    for log in one.logs:
        yield f"  log {log.rule}" + (f" as {log.prefix!r}" if log.prefix else "")
        for arm in by_traffic(log.packets):
            but_not = [f"but not {group.key}" for group in sorted(arm.peers.holes)]
            words = "; ".join([*_peers(arm.peers), *but_not])
            yield f"    {traffic_text(arm.traffic)} {_TOWARDS[one.direction]} {words}"


def _peers(peers: Peers) -> Iterator[str]:
    yield from (group.key for group in sorted(peers.groups))
    if peers.blocks == EVERY_ADDRESS:
        yield ANYONE
    else:
        for family in Family:
            for hull, holes in hulls(peers.blocks & family.every):
                *others, last = [format_cidr(block) for block in cidrs(hull)]
                yield from others
                excepts = [format_cidr(block) for hole in holes for block in cidrs(hole)]
                yield last + (f" except {', '.join(excepts)}" if excepts else "")


def _named(address: int, plan: Plan) -> str:
    name = plan.names.get(address)
    return format_address(address) + (f" {name}" if name else "")


class PlanTextError(Exception):
    """A text that is no plan; the message says in which line, and why."""


def read_plan(text: str) -> Decisions:
    """What a text decides; PlanTextError when it is not as `write_plan` writes."""
    reader = _Reader()
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            reader.number = number
            try:
                reader.line(line)
            except ValueError as error:
                raise PlanTextError(f"line {number}: {error}") from None
    try:
        reader.end_class()
    except ValueError as error:
        raise PlanTextError(f"at the end: {error}") from None
    return Decisions(reader.at, reader.names, reader.hairpins, reader.logs, reader.options)


@dataclass(slots=True)
class _Arm:
    """Traffic that passes, as it is read: with groups, and with blocks less the holes."""

    traffic: Intervals
    groups: list[Intervals] = field(default_factory=list)
    blocks: list[Intervals] = field(default_factory=list)
    holes: list[Intervals] = field(default_factory=list)

    def peers(self) -> Intervals:
        """All the addresses that are meant."""
        return Intervals.union(self.groups) | (Intervals.union(self.blocks) - Intervals.union(self.holes))


@dataclass(slots=True)
class _Reader:
    number: int = 0
    at: dict[tuple[Direction, int], PacketSet[Intervals]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    hairpins: dict[int, Intervals] = field(default_factory=dict)
    logs: dict[tuple[Direction, int], tuple[str, ...]] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    groups: dict[str, list[int]] = field(default_factory=dict)
    members: list[int] | None = None
    """Of the group that is being read."""
    direction: Direction | None = None
    """Of the class that is being read."""
    subjects: list[int] = field(default_factory=list)
    arms: list[_Arm] = field(default_factory=list)
    closed: bool = False
    """The class allows nothing, as it says."""
    logged: list[str] = field(default_factory=list)
    """What the class logs, as it says."""
    of_hairpin: list[int] | None = None
    """The addresses of the hairpin that is being read."""

    def line(self, line: str) -> None:
        """Take a line in; ValueError when it may not stand here."""
        depth = len(line) - len(line.lstrip(" "))
        word, _, rest = line.strip().partition(" ")
        match depth, word:
            case 0, "option":
                self._option(rest)
            case 0, "group":
                self._group(rest)
            case 0, "ingress" | "egress" if not rest and not self.hairpins:
                self.end_class()
                self.members, self.direction = None, _DIRECTIONS[word]
            case 0, "hairpin" if not rest:
                self.end_class()
                self.members, self.of_hairpin = None, []
            case 2, "subject" if self.of_hairpin is not None:
                self.of_hairpin.append(self._address(rest))
            case 2, "allow" if self.of_hairpin:
                allowed = Intervals() if rest == NOTHING else read_traffic(rest)
                self.hairpins.update(dict.fromkeys(self.of_hairpin, allowed))
                self.of_hairpin = None
            case 2, _ if self.members is not None:
                self.members.append(self._address(line.strip()))
            case 2, "subject" if self.direction is not None and not self.arms and not self.closed:
                self.subjects.append(self._address(rest))
            case 2, "allow" if self.subjects and not self.closed and not self.logged:
                self._allow(rest)
            case 2, "log" if self.arms or self.closed:
                self.logged.append(line.strip())
            case 4, _ if self.logged:
                self.logged.append(line.strip())
            case 4, _ if self.direction is not None and self.arms and word == _TOWARDS[self.direction]:
                self._peer(rest, self.arms[-1])
            case 4, "but" if self.arms and rest.removeprefix("not ") in self.groups:
                self.arms[-1].holes.append(self._members(rest.removeprefix("not ")))
            case _:
                _refuse(line)

    def _option(self, text: str) -> None:
        name, _, value = text.partition(" ")
        if not value or self.groups or self.direction is not None or name in self.options:
            _refuse(f"option {text}")
        self.options[name] = value

    def _group(self, key: str) -> None:
        if not key or self.direction is not None or key in self.groups:
            _refuse(f"group {key}")
        self.members = self.groups[key] = []

    def _allow(self, text: str) -> None:
        self._check_arm()
        if text == NOTHING and not self.arms:
            self.closed = True
        else:
            self.arms.append(_Arm(read_traffic(text)))

    def _check_arm(self) -> None:
        if self.arms and not (self.arms[-1].groups or self.arms[-1].blocks):
            raise ValueError("an `allow` without peers")

    def end_class(self) -> None:
        """The class or hairpin that was being read, if any, is complete; ValueError when it is not."""
        if self.of_hairpin is not None:
            raise ValueError("a hairpin without a subject, or without an `allow`")
        if self.direction is None:
            return
        self._check_arm()
        if not self.subjects or not (self.arms or self.closed):
            raise ValueError(f"{self.direction.value} without a subject, or without an `allow`")
        decision = PacketSet.of((arm.traffic, arm.peers()) for arm in self.arms)
        for subject in self.subjects:
            if (self.direction, subject) in self.at:
                raise ValueError(f"{format_address(subject)} is a subject of {self.direction.value} twice")
            self.at[self.direction, subject] = decision
            if self.logged:
                self.logs[self.direction, subject] = tuple(self.logged)
        self.direction, self.subjects, self.arms, self.closed, self.logged = None, [], [], False, []

    def _address(self, text: str) -> int:
        address_text, _, name = text.partition(" ")
        address = parse_address(address_text)
        if name:
            self.names[address] = name
        return address

    def _members(self, key: str) -> Intervals:
        return Intervals.of(*((address, address) for address in self.groups[key]))

    def _peer(self, text: str, arm: _Arm) -> None:
        if text in self.groups:
            arm.groups.append(self._members(text))
        elif text == ANYONE:
            arm.blocks.append(EVERY_ADDRESS)
        else:
            block, separator, excepts = text.partition(" except ")
            try:
                holes = excepts.split(", ") if separator else ()
                arm.blocks.append(_block(block) - Intervals.union(map(_block, holes)))
            except ValueError:
                raise ValueError(f"{text!r} is no group above, no block and not {ANYONE!r}") from None


def _block(text: str) -> Intervals:
    read = parse_cidr(text)
    if read.host_bits or read.leading_zeros:
        raise ValueError(f"{text!r} is not as npc writes it")
    return Intervals((read.block.range,))


def _refuse(line: str) -> NoReturn:
    raise ValueError(f"{line.strip()!r} may not stand here")
