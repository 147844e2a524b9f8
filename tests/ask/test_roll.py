"""Endpoints by name and address: the same as an index says, and as a look at each says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from npc.compiler.algebra.intervals import Intervals
from npc.compiler.ask.ends import Census
from npc.compiler.ask.roll import Roll
from npc.compiler.inventory import Endpoint, Inventory
from npc.compiler.population import Population

_V6 = 1 << 128
ADDRESSES = st.lists(
    st.integers(0, 40).map(lambda one: one if one < 20 else _V6 + one), max_size=30, unique=True
)


@st.composite
def inventories(draw: st.DrawFn) -> Inventory:
    """Endpoints with none, one or two addresses each, of few names."""
    left = draw(ADDRESSES)
    endpoints = []
    while left:
        count = draw(st.integers(0, 2))
        own, left = tuple(sorted(left[:count])), left[max(count, 1) :]
        name, space = draw(st.sampled_from(["a", "ab", "b"])), draw(st.sampled_from(["x", "y"]))
        endpoints.append(Endpoint(space, name, {}, own))
    return Inventory(tuple(sorted(endpoints, key=lambda one: (one.namespace, one.name))))


RANGES = st.lists(st.tuples(st.integers(0, 24), st.integers(0, 6)), max_size=4)


@given(inventories(), RANGES, st.booleans())
def test_addresses(inventory: Inventory, ranges: list[tuple[int, int]], is_v6: bool) -> None:
    base = _V6 + 18 if is_v6 else 0
    wanted = Intervals.of(*((base + low, base + low + size) for low, size in ranges))
    roll = Roll(inventory, Population(inventory))
    assert roll.at(wanted) == Census.of(inventory.endpoints).at(wanted)


@given(inventories(), st.sampled_from(["a", "ab", "b", "c"]), st.sampled_from([None, "x", "y", "z"]))
def test_names(inventory: Inventory, name: str, namespace: str | None) -> None:
    roll = Roll(inventory, Population(inventory))
    there = [
        (number, one) for number, one in enumerate(inventory.endpoints) if namespace in (None, one.namespace)
    ]
    assert roll.called(name, namespace) == [number for number, one in there if one.name == name]
    assert roll.beginning(name, namespace) == [number for number, one in there if one.name.startswith(name)]
