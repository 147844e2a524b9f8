"""What sets say of connections: who may make one with whom, and what a class need not be asked about.

A set's name stands for the rules whose connections it lists, not for their endpoints: while rules of another
policy are being loaded, those in force keep the set that they were made with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from npc.backends.iptables.matches import LONGEST_COMMENT, Matches, hash_options
from npc.backends.iptables.ruleset import IpSet, Rule
from npc.backends.naming import shortened
from npc.backends.pairs import Split
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family, format_address
from npc.compiler.arms import Arms
from npc.compiler.frontend.syntax import Direction
from npc.compiler.plan import Class

_WITH_PORTS = frozenset(traffic.NUMBERS.values())


def pair_rules(listed: Split, family: Family, matches: Matches, action: str) -> tuple[Rule, ...]:
    """The rule, if there are pairs, that takes the action of their packets."""
    elements = tuple(
        f"{format_address(source)},{_port(number)},{format_address(destination)}"
        for source, number, destination in listed.of(family)
    )
    if not elements:
        return ()
    name = matches.names.set("c", family, "\n".join(listed.listed))
    _add(matches, name, "hash:ip,port,ip", family, elements, ["connections that both ends allow"])
    return (Rule(("-m", "set", "--match-set", name, "src,dst,dst"), action),)


def unasked(
    classes: Iterable[Class], direction: Direction, family: Family, matches: Matches, deny: str
) -> Rule:
    """The rule that denies the subjects of a direction what no class has to be asked about.

    `classes` have rules left. Their ports are listed where they are few; else they are asked about all.
    """
    ports: dict[str, None] = {}
    whole: list[str] = []
    keys: list[str] = []
    for one in classes:
        numbers = None if one.logs else _ports(one.arms, matches.layout.asked_ports)
        keys.append(one.key)
        for subject in one.subjects:
            for address in subject.addresses:
                if Family.of(address) is family:
                    text = format_address(address)
                    ports.update((f"{text},{_port(number)}", None) for number in numbers or ())
                    whole += [] if numbers is not None else [text]
    side = "src" if direction is Direction.EGRESS else "dst"
    about = f"left to the classes for {direction.value}"
    options: list[str] = []
    for kind, type, elements, flags in (
        ("a", "hash:ip,port", tuple(ports), f"{side},dst"),
        ("w", "hash:ip", tuple(whole), side),
    ):
        if elements:
            name = matches.names.set(kind, family, "\n".join([direction.value, *sorted(keys)]))
            _add(matches, name, type, family, tuple(sorted(elements)), [about])
            options += ["-m", "set", "!", "--match-set", name, flags]
    return Rule(tuple(options), deny)


def _ports(arms: Arms, most: int) -> Sequence[int] | None:
    """The traffic of some rules, number by number; None where it is not of ports, or of too many."""
    found: list[int] = []
    for arm in arms:
        for low, high in arm.traffic.ranges:
            if low >> 16 != high >> 16 or low >> 16 not in _WITH_PORTS or high - low >= most - len(found):
                return None
            found += range(low, high + 1)
    return found


def _port(number: int) -> str:
    return f"{traffic.NAMES[number >> 16]}:{number & traffic.LAST_PORT}"


def _add(
    matches: Matches, name: str, type: str, family: Family, elements: tuple[str, ...], about: Iterable[str]
) -> None:
    options = f"{hash_options(family)} hashsize {1 << max(10, (len(elements) - 1).bit_length())}"
    matches.sets[name] = IpSet(name, type, options, elements, shortened(about, LONGEST_COMMENT))
