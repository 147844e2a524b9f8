"""Small rulesets, what the reader makes of them, and single packets through that."""

from __future__ import annotations

from collections.abc import Iterator

from npc.backends.base import Options
from npc.backends.nft import BACKEND
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import parse_address
from npc.compiler.plan import Plan
from npc.compiler.verify.program import Among, Chain, Condition, Program, Scenario
from npc.compiler.verify.trace import Packet, trace

NOTHING = Plan((), {})
"""The plan of a cluster without policies."""


def read(text: str, plan: Plan = NOTHING, options: Options | None = None) -> Program:
    """A ruleset in either notation."""
    assert BACKEND.read is not None
    return BACKEND.read({"npc.nft": text}, plan, options or Options())


def table(*rules: str, more: str = "") -> str:
    """A table whose chain `forward` has some rules; what they do not accept is dropped."""
    lines = "\n\t\t".join(rules)
    head = "type filter hook forward priority filter; policy drop;"
    return f"table inet npc {{\n{more}\n\tchain forward {{\n\t\t{head}\n\t\t{lines}\n\t}}\n}}\n"


def scenario(program: Program, state: str = "new", hook: str = "forward") -> Scenario:
    """The scenario of a connection state, of packets that come by a hook."""
    where = {"forward": "forwarded", "input": "to the node", "output": "from the node"}[hook]
    (found,) = (one for one in program.scenarios if one.facts == {"ct state": state} and where in one.title)
    return found


def packet(text: str) -> Packet:
    """`10.0.0.1 10.0.0.2 tcp/80`, `10.0.0.1 icmp/TYPE.CODE`, or `v6 47`: what does not matter is left out."""
    *ends, kind = text.split()
    is_v6 = ends == ["v6"] or (ends and ":" in ends[0])
    anyone = ["fd00::1", "fd00::2"] if is_v6 else ["192.0.2.1", "192.0.2.2"]
    source, destination = anyone if ends == ["v6"] else [*ends, *anyone[len(ends) :]]
    name, _, numbers = kind.partition("/")
    protocol = next((number for number, its in traffic.NAMES.items() if its == name), None)
    protocol = int(name) if protocol is None else protocol
    major, _, minor = (numbers or "0").partition(".")
    number = int(major) << 8 | int(minor) if minor else int(major)
    return Packet(parse_address(source), parse_address(destination), protocol << 16 | number)


def passes(program: Program, text: str, state: str = "new", hook: str = "forward") -> bool:
    return trace(program.chains, scenario(program, state, hook), packet(text)).passes


def meaning(program: Program) -> dict[str, object]:
    """What a program means, without lines, names of conditions and the order of boxes: to be compared."""
    chains = {name: tuple(_rules(chain)) for name, chain in program.chains.items()}
    return {"chains": chains, "scenarios": program.scenarios}


def _rules(chain: Chain) -> Iterator[object]:
    for rule in chain.rules:
        yield frozenset(map(_condition, rule.conditions)), rule.action


def _condition(one: Condition) -> object:
    return (frozenset(one.boxes), one.negated) if isinstance(one, Among) else one
