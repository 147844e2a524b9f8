"""What registers hold: which packets have which value, by the rules that set it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from npc.compiler.verify.flows import Flow, products_of
from npc.compiler.verify.products import Product, difference
from npc.compiler.verify.program import Box, Kind, Line, Marked, Rule, Unsupported
from npc.compiler.verify.regions import Region


@dataclass
class Register:
    """The values of one register. No packet is given two: that is refused."""

    name: str
    chains: dict[str, Setter] = field(default_factory=dict)
    """Those whose rules set it."""

    def boxes(self, condition: Marked) -> tuple[Box, ...]:
        """The packets that have a value, and maybe some that never had any."""
        found = []
        for setter in self.chains.values():
            for product in products_of(setter.having(condition)):
                # A single chain sets it: which packets came there is checked once, and left out here.
                entered = setter.entered if len(self.chains) > 1 else [Product()]
                found += [product.both(one) for one in entered]
        return tuple(box for one in found for box in _boxes(one))

    def check(self, flow: Flow, line: Line) -> None:
        """Raise Unsupported where packets of a flow, which are asked for a value, may have none, or two."""
        set_by = [list(setter.marked()) for setter in self.chains.values()]
        for ones, others in combinations(set_by, 2):
            if any(_is_some(one.both(other)) for one in ones for other in others):
                raise Unsupported(f"{self.name}, which is set twice for the same packets", line)
        known = [one for found in set_by for one in found]
        if any(_is_some(one) for one in difference([Product.of((*flow.factors, flow.region()))], known)):
            raise Unsupported(f"{self.name}, which may not have been set before", line)


@dataclass
class Setter:
    """A chain that sets a register."""

    entered: list[Product] = field(default_factory=list)
    """The packets that came to it."""
    values: dict[int, list[Flow]] = field(default_factory=dict)
    """Which packets are given each value there, of all packets that there are."""

    def set(self, register: str, value: int, rule: Rule, flow: Flow) -> None:
        """Packets are given a value; Unsupported where later rules may give another."""
        if rule.action.kind in (Kind.CONTINUE, Kind.JUMP):
            raise Unsupported(f"{register}, which is set before other rules of its chain", rule.line)
        self.values.setdefault(value, []).append(flow)

    def having(self, condition: Marked) -> Sequence[Flow]:
        wanted = condition.value & condition.mask
        return [
            one for value, flows in self.values.items() if value & condition.mask == wanted for one in flows
        ]

    def marked(self) -> Iterator[Product]:
        """The packets that are given any value."""
        for product in products_of(flow for flows in self.values.values() for flow in flows):
            yield from (product.both(one) for one in self.entered)


def _boxes(product: Product) -> Iterator[Box]:
    """The packets of a product, those of the diagonal too where one of its sides is all."""
    match product:
        case Product(Region() as one, None) | Product(None, Region() as one):
            yield from one.boxes()
        case _:
            yield from product.boxes()


def _is_some(product: Product) -> bool:
    return any(True for _ in product.boxes())
