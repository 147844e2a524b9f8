"""Search trees of chains: one of many addresses, or port ranges, in a few comparisons.

iptables tries rules one after the other; a tree of chains with eight rules each finds one of 10,000
in five chains. Inner nodes are reached by `-g`, so that a RETURN anywhere leaves the whole tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from npc.backends.iptables.ruleset import Chain, Rule
from npc.compiler.algebra.addresses import Cidr, Family, format_address, format_cidr
from npc.compiler.algebra.intervals import Range

NameOf = Callable[[str], str]
"""The name of the chain that a text stands for."""

Leaf = tuple[int, Rule]
"""An address, and the rule for it."""


def address_tree(
    name: str,
    option: str,
    leaves: Sequence[Leaf],
    name_of: NameOf,
    last: tuple[Rule, ...] = (),
    *,
    arity: int,
) -> Iterator[Chain]:
    """Chains that find the rule of an address, the root first; `last` ends every chain.

    `option` is -s or -d; the leaves are in order of their addresses, all of one family.
    """
    rules: list[Rule] = []
    below: list[Chain] = []
    for block, inside in split(leaves, arity):
        if len(inside) == 1:
            rules.append(inside[0][1])
            continue
        text = format_cidr(block)
        inner = name_of(f"{name} {text}")
        rules.append(Rule((option, text), f"-g {inner}"))
        below += address_tree(inner, option, inside, name_of, last, arity=arity)
    yield Chain(name, (*rules, *last))
    yield from below


def same_bits(family: Family, shift: int, action: str) -> Iterator[Rule]:
    """Rules that match packets whose ends have the same two bits, from bit `shift` on."""
    first = family.every.ranges[0][0]
    mask = format_address(first | 0b11 << shift)
    for bits in range(4):
        text = f"{format_address(first | bits << shift)}/{mask}"
        yield Rule(("-s", text, "-d", text), action)


def split(leaves: Sequence[Leaf], arity: int) -> list[tuple[Cidr, Sequence[Leaf]]]:
    """At most `arity` disjoint blocks that hold all leaves: no more than the trees below need to be flat."""
    room = 1
    while room * arity < len(leaves):
        room *= arity
    blocks = [leaves] if leaves else []
    while len(blocks) < arity:
        index = max(range(len(blocks)), key=lambda one: len(blocks[one]), default=-1)
        if index < 0 or len(blocks[index]) <= room:
            break
        blocks[index : index + 1] = _halves(blocks[index])
    return [(_common_block(one), one) for one in blocks]


def _common_block(leaves: Sequence[Leaf]) -> Cidr:
    """The longest prefix that all leaves share."""
    first, last = leaves[0][0], leaves[-1][0]
    size = (first ^ last).bit_length()
    return Cidr(first >> size << size, Family.of(first).bits - size)


def _halves(leaves: Sequence[Leaf]) -> list[Sequence[Leaf]]:
    """The leaves below and above the middle of their common block; neither is empty."""
    low, high = _common_block(leaves).range
    middle = (low + high) // 2
    below = sum(address <= middle for address, _ in leaves)
    return [leaves[:below], leaves[below:]]


def port_tree(
    name: str,
    protocol: str,
    leaves: Sequence[tuple[Range, str]],
    name_of: NameOf,
    last: tuple[Rule, ...],
    *,
    arity: int,
) -> Iterator[Chain]:
    """Chains that take the action of the port range that a packet's destination port is in, the root first.

    The ranges are disjoint and in order; `last` ends every chain.
    """
    if len(leaves) <= arity:
        rules = [Rule(("-p", protocol, "--dport", port_text(ports)), action) for ports, action in leaves]
        yield Chain(name, (*rules, *last))
        return
    room = arity
    while room * arity < len(leaves):
        room *= arity
    parts = -(-len(leaves) // room)
    step = -(-len(leaves) // parts)
    rules, below = [], list[Chain]()
    for start in range(0, len(leaves), step):
        part = leaves[start : start + step]
        hull = part[0][0][0], part[-1][0][1]
        inner = name_of(f"{name} {protocol} {port_text(hull)}")
        rules.append(Rule(("-p", protocol, "--dport", port_text(hull)), f"-g {inner}"))
        below += port_tree(inner, protocol, part, name_of, last, arity=arity)
    yield Chain(name, (*rules, *last))
    yield from below


def port_text(ports: Range) -> str:
    """`80` or `80:90`."""
    low, high = ports
    return str(low) if low == high else f"{low}:{high}"


def depth(chains: Iterable[Chain]) -> int:
    """How many chains a packet can be inside of at a time: none leads back to itself."""
    by_name = {chain.name: chain for chain in chains}
    depths: dict[str, int] = {}

    def below(name: str) -> int:
        if name not in depths:
            targets = {rule.action.split()[1] for rule in by_name[name].rules} & by_name.keys()
            depths[name] = 1 + max(map(below, targets), default=0)
        return depths[name]

    return max(map(below, by_name), default=0)
