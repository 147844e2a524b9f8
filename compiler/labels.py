"""Which endpoints a selector means: bitsets over an inverted label index.

A bitset is an int whose bit i stands for endpoint i of the inventory. The index of a label key is
made when a selector first asks for it, so keys that no policy names cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from npc.compiler.frontend.syntax import Operator, Requirement, Selector

Bits = int


@dataclass(slots=True)
class LabelIndex:
    """The labels of a sequence of things, by key and value."""

    labels: Sequence[Mapping[str, str]]
    _keys: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    _bits: dict[tuple[str, str | None], Bits] = field(default_factory=dict)

    @property
    def everything(self) -> Bits:
        return (1 << len(self.labels)) - 1

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
        bits = 0
        for value in values:
            bits |= self._having(key, value)
        return bits

    def _having(self, key: str, value: str | None) -> Bits:
        """Those that have the label; None stands for any value."""
        if (key, value) not in self._bits:
            if key not in self._keys:
                by_value: dict[str, list[int]] = {}
                for number, labels in enumerate(self.labels):
                    if (found := labels.get(key)) is not None:
                        by_value.setdefault(found, []).append(number)
                self._keys[key] = by_value
            by_value = self._keys[key]
            if value is None:
                numbers: Iterable[int] = (number for one in by_value.values() for number in one)
            else:
                numbers = by_value.get(value, ())
            self._bits[key, value] = bits_of(numbers, len(self.labels))
        return self._bits[key, value]


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
