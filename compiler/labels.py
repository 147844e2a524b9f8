"""Which endpoints a selector means: an inverted label index, and bitsets where many are meant.

A bitset is an int whose bit i stands for endpoint i of the inventory. The index of a label key is
made when a selector first asks for it, so keys that no policy names cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from npc.compiler.frontend.syntax import Operator, Requirement, Selector

Bits = int

_SPARSE = 32
"""Of a label that fewer than one in so many have, the holders are looked at one by one, not as a bitset."""


@dataclass(slots=True)
class LabelIndex:
    """The labels of a sequence of things, by key and value."""

    labels: Sequence[Mapping[str, str]]
    _keys: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    _bits: dict[tuple[str, str | None], Bits] = field(default_factory=dict)

    @property
    def everything(self) -> Bits:
        return (1 << len(self.labels)) - 1

    def find(self, selector: Selector) -> Sequence[int]:
        """The numbers of all that a selector matches (P11), in order."""
        if not selector.requirements:
            return range(len(self.labels))
        rarest = min(
            (one for one in selector.requirements if one.operator is Operator.IN),
            key=self._count,
            default=None,
        )
        if rarest is None or self._count(rarest) * _SPARSE > len(self.labels):
            return list(members(self.select(selector, self.everything)))
        by_value = self._values(rarest.key)
        found = [number for value in rarest.values for number in by_value.get(value, ())]
        others = [one for one in selector.requirements if one is not rarest]
        return sorted(number for number in found if all(holds(one, self.labels[number]) for one in others))

    def select(self, selector: Selector, among: Bits) -> Bits:
        """The members of `among` that a selector matches (P11)."""
        for requirement in selector.requirements:
            if not among:
                return 0
            among = self._narrow(requirement, among)
        return among

    def _narrow(self, requirement: Requirement, among: Bits) -> Bits:
        key = requirement.key
        match requirement.operator:
            case Operator.IN:
                return among & self._any_of(key, requirement.values)
            case Operator.NOT_IN:
                return among & ~self._any_of(key, requirement.values)
            case Operator.EXISTS:
                return among & self._having(key, None)
            case Operator.DOES_NOT_EXIST:
                return among & ~self._having(key, None)

    def _any_of(self, key: str, values: tuple[str, ...]) -> Bits:
        if len(values) == 1:
            return self._having(key, values[0])
        by_value = self._values(key)
        return bits_of((number for value in values for number in by_value.get(value, ())), len(self.labels))

    def _having(self, key: str, value: str | None) -> Bits:
        """Those that have the label; None stands for any value."""
        known = self._bits.get((key, value))
        if known is not None:
            return known
        by_value = self._values(key)
        numbers = chain.from_iterable(by_value.values()) if value is None else by_value.get(value, ())
        bits = bits_of(numbers, len(self.labels))
        # A bitset for each of many values would take more memory than the labels themselves.
        if value is None or len(by_value.get(value, ())) * _SPARSE > len(self.labels):
            self._bits[key, value] = bits
        return bits

    def _values(self, key: str) -> Mapping[str, Sequence[int]]:
        """The values of a key, each with those that have it, in order."""
        by_value = self._keys.get(key)
        if by_value is None:
            by_value = self._keys[key] = {}
            for number, labels in enumerate(self.labels):
                if (found := labels.get(key)) is not None:
                    by_value.setdefault(found, []).append(number)
        return by_value

    def _count(self, requirement: Requirement) -> int:
        """How many have one of the values."""
        by_value = self._values(requirement.key)
        return sum(len(by_value.get(value, ())) for value in requirement.values)


def matches(selector: Selector, labels: Mapping[str, str]) -> bool:
    """Whether a selector matches some labels (P11)."""
    return all(holds(one, labels) for one in selector.requirements)


def holds(requirement: Requirement, labels: Mapping[str, str]) -> bool:
    """Whether one condition holds on some labels (P11)."""
    match requirement.operator:
        case Operator.IN:
            return labels.get(requirement.key) in requirement.values
        case Operator.NOT_IN:
            return labels.get(requirement.key) not in requirement.values
        case Operator.EXISTS:
            return requirement.key in labels
        case Operator.DOES_NOT_EXIST:
            return requirement.key not in labels


def bits_of(numbers: Iterable[int], size: int) -> Bits:
    """The bitset of some numbers below `size`.

    >>> bits_of([0, 3], 8)
    9
    """
    data = bytearray((size + 7) // 8)
    for number in numbers:
        data[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(data, "little")


def members(bits: Bits) -> Iterator[int]:
    """The numbers in a bitset, in order.

    >>> list(members(9))
    [0, 3]
    """
    text = bin(bits)[:1:-1]
    position = text.find("1")
    while position >= 0:
        yield position
        position = text.find("1", position + 1)
