"""Small rulesets as text, and what one packet meets in them."""

from __future__ import annotations

from npc.backends.base import Options
from npc.backends.iptables.reader import read
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import parse_address
from npc.compiler.plan import Plan
from npc.compiler.verify.program import Program, Scenario
from npc.compiler.verify.trace import Packet, trace

NO_PLAN = Plan((), {})
FILES = {4: "npc.v4.rules", 6: "npc.v6.rules"}


def program(rules: str, version: int = 4, sets: str = "", options: Options | None = None) -> Program:
    """Of a whole text of rules, and of sets where there are any."""
    texts = {FILES[version]: rules} | ({"npc.ipset": sets} if sets else {})
    return read(texts, NO_PLAN, options or Options())


def of_rules(*rules: str, version: int = 4, sets: str = "", chains: tuple[str, ...] = ()) -> Program:
    """Of rules of NPC-FORWARD, or of the chain that they name."""
    names = "".join(f":{name} - [0:0]\n" for name in ("NPC-FORWARD", *chains))
    lines = "".join(f"{one if one.startswith('-A') else f'-A NPC-FORWARD {one}'}\n" for one in rules)
    return program(f"*filter\n{names}{lines}COMMIT\n", version, sets)


def packet(text: str) -> Packet:
    """`10.0.0.1 > 10.0.0.2 tcp/80`; of ICMP the type and code: `icmp/8.0`."""
    source, _, destination, what = text.split()
    word, _, rest = what.partition("/")
    numbers = {"gre": 47, "dccp": 33, "udplite": 136} | {name: value for value, name in traffic.NAMES.items()}
    kind, _, code = rest.partition(".")
    number = int(kind or 0) if not code else int(kind) << 8 | int(code)
    return Packet(parse_address(source), parse_address(destination), numbers[word] << 16 | number)


def scenario(found: Program, hook: str = "FORWARD", state: str = "new") -> Scenario:
    """The one of a hook and a state of connections."""
    (one,) = (one for one in found.scenarios if one.chain == hook and one.facts["ct state"] == state)
    return one


def passes(found: Program, text: str, state: str = "new", hook: str = "FORWARD") -> bool:
    """What becomes of a packet."""
    return trace(found.chains, scenario(found, hook, state), packet(text)).passes
