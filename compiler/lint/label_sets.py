"""What selectors can match whatever the cluster holds: sets of labelled things, as boxes.

A selector is a conjunction of conditions on one label each, so what it matches is a box: for each label the
values that it may have, absence among them. Whether a box is within others together is exact here.

>>> web = Box.of(Selector.of([Requirement("app", Operator.IN, ("web",))]))
>>> either = Box.of(Selector.of([Requirement("app", Operator.IN, ("api", "web"))]))
>>> web.is_within([either]), either.is_within([web])
(True, False)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from npc.compiler.frontend.syntax import Operator, Requirement, Selector

_MOST_PIECES = 1000
"""Pieces that a box is cut into before the answer is no: it is exact up to here."""


@dataclass(frozen=True, slots=True)
class Values:
    """Values that a label may have, None for its absence; with `but` all others."""

    listed: frozenset[str | None]
    but: bool = False

    def __and__(self, other: Values) -> Values:
        match self.but, other.but:
            case False, False:
                return Values(self.listed & other.listed)
            case False, True:
                return Values(self.listed - other.listed)
            case True, False:
                return Values(other.listed - self.listed)
            case _:
                return Values(self.listed | other.listed, but=True)

    def __sub__(self, other: Values) -> Values:
        return self & Values(other.listed, but=not other.but)

    def __bool__(self) -> bool:
        """Whether there is one: there is always another text."""
        return self.but or bool(self.listed)


ANY = Values(frozenset(), but=True)


def _values(requirement: Requirement) -> Values:
    match requirement.operator:
        case Operator.IN:
            return Values(frozenset(requirement.values))
        case Operator.NOT_IN:
            return Values(frozenset(requirement.values), but=True)
        case Operator.EXISTS:
            return Values(frozenset({None}), but=True)
        case Operator.DOES_NOT_EXIST:
            return Values(frozenset({None}))


@dataclass(frozen=True, slots=True)
class Box:
    """Things by their labels; labels that are not among `sides` may have any value, or be absent."""

    sides: tuple[tuple[str, Values], ...] = ()
    """By label, sorted."""

    @staticmethod
    def of(selector: Selector, prefix: str = "") -> Box:
        """What a selector matches; `prefix` tells labels of one kind of thing from those of another."""
        sides: dict[str, Values] = {}
        for one in selector.requirements:
            key = prefix + one.key
            sides[key] = sides.get(key, ANY) & _values(one)
        return Box(tuple(sorted(sides.items(), key=_key)))

    def __and__(self, other: Box) -> Box:
        sides = dict(self.sides)
        for key, values in other.sides:
            sides[key] = sides.get(key, ANY) & values
        return Box(tuple(sorted(sides.items(), key=_key)))

    def __bool__(self) -> bool:
        """Whether something can be in it."""
        return all(values for _, values in self.sides)

    def less(self, other: Box) -> Iterator[Box]:
        """What is left of a box without another, in disjoint boxes."""
        rest = dict(self.sides)
        if any(key in rest and not rest[key] & values for key, values in other.sides):
            yield self
            return
        for key, values in other.sides:
            own = rest.get(key, ANY)
            if outside := own - values:
                yield Box(tuple(sorted({**rest, key: outside}.items(), key=_key)))
            rest[key] = own & values
            if not rest[key]:
                return

    def is_part_of(self, other: Box) -> bool:
        """Whether all that can be in it is in one other."""
        own = dict(self.sides)
        return all(not own.get(key, ANY) - values for key, values in other.sides) or not self

    def is_within(self, others: Iterable[Box]) -> bool:
        """Whether all that can be in it is in one of others."""
        pieces = [self] if self else []
        for other in others:
            pieces = [left for piece in pieces for left in piece.less(other)]
            if not pieces:
                return True
            if len(pieces) > _MOST_PIECES:
                return False
        return not pieces


def contradiction(selector: Selector) -> Sequence[Requirement]:
    """The conditions on a label that cannot hold together; none when all can.

    >>> selector = Selector.of([Requirement("a", Operator.EXISTS), Requirement("a", Operator.DOES_NOT_EXIST)])
    >>> [str(one) for one in contradiction(selector)]
    ['!a', 'a']
    """
    for key, values in Box.of(selector).sides:
        if not values:
            return [one for one in selector.requirements if one.key == key]
    return ()


def _key(side: tuple[str, Values]) -> str:
    return side[0]
