"""A reply as text that is read at a glance, and as plain values for JSON (documented in docs/query.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family, format_address
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.ask.answers import Between
from npc.compiler.ask.asking import Explained, Part, Reply
from npc.compiler.ask.ends import Ends, Place
from npc.compiler.ask.misses import NearMiss
from npc.compiler.ask.reasons import because, rule_name
from npc.compiler.ask.rulings import Decider
from npc.compiler.ask.wording import blocks, ends_text, rule_text, traffic_text
from npc.compiler.ask.written import WrittenRules
from npc.compiler.frontend.render import printable
from npc.compiler.frontend.syntax import ClusterPolicy, Direction
from npc.compiler.inventory import Inventory
from npc.compiler.labels import members

Paint = Callable[[str, str], str]
"""A text in a colour: `allowed`, `denied`, `dim`."""

VERDICTS: Mapping[bool | None, str] = {True: "allowed", False: "denied", None: "mixed"}


_VERDICTS_OF_MANY: Mapping[bool | None, str] = {
    True: "all of it passes",
    False: "none of it passes",
    None: "some of it passes",
}


def text(reply: Reply, paint: Paint) -> str:
    """The reply for people; every line ends with a newline."""
    written = written_rules(reply)
    lines = [f"{printable(note)}." for note in dict.fromkeys((*reply.source.notes, *reply.destination.notes))]
    if len(reply.answers) > 1:
        lines.append(f"{len(reply.answers):,} answers: {_VERDICTS_OF_MANY[reply.verdict]}.")
    if lines:
        lines.append("")
    for part in reply.parts:
        lines += [*_part(reply, part, written, paint), ""]
    if reply.left_out:
        passing = sum(one.allowed for one in reply.answers[len(reply.parts) :])
        which = f", {passing:,} of them allowed" if 0 < passing < reply.left_out else ""
        lines += [f"{reply.left_out:,} more answers{which}: --limit 0 shows all.", ""]
    return "\n".join(lines[:-1]) + "\n"


def values(reply: Reply) -> dict[str, Any]:
    """The reply as plain values."""
    written = written_rules(reply)
    inventory = reply.relation.model.inventory
    return {
        "src": reply.source.text,
        "dst": reply.destination.text,
        "verdict": VERDICTS[reply.verdict],
        "notes": list(dict.fromkeys((*reply.source.notes, *reply.destination.notes))),
        "answers": [
            {
                "allowed": part.answer.allowed,
                "between": part.answer.between.value,
                "src": _ends_values(part.answer.source, *_worded(reply, part)),
                "dst": _ends_values(part.answer.destination, *_worded(reply, part)),
                "traffic": traffic_text(part.answer.traffic),
                "ports": _port_values(part.answer.traffic),
                "egress": _ruling_values(part.egress, written, inventory),
                "ingress": _ruling_values(part.ingress, written, inventory),
            }
            for part in reply.parts
        ],
        "left_out": reply.left_out,
    }


def written_rules(reply: Reply) -> WrittenRules:
    """All rules that a reply names."""
    return WrittenRules.of(
        one for part in reply.parts for end in (part.egress, part.ingress) for one in _named(end)
    )


def _named(end: Explained) -> Iterator[Decider]:
    for one in (end.ruling.decider, end.ruling.passed):
        if one is not None:
            yield one
    yield from (one.rule for one in end.nearest)


def _part(reply: Reply, part: Part, written: WrittenRules, paint: Paint) -> Iterator[str]:
    inventory = reply.relation.model.inventory
    answer = part.answer
    word = VERDICTS[answer.allowed]
    families = _is_of_fewer_families(reply, part)
    source, destination = (
        ends_text(one, inventory, families=families, others=_others(one, inventory))
        for one in (answer.source, answer.destination)
    )
    what = traffic_text(answer.traffic)
    match answer.between:
        case Between.ITSELF:
            head = f"{what} from {source} to itself through a Service; directly it always reaches itself"
        case _:
            head = f"{what} from {source} to {destination}"
    yield f"{paint(word.upper(), word)}  {printable(head)}"
    if answer.between is Between.OWN_NODE:
        yield "  a pod and the node that it runs on: always allowed"
        return
    for end in (part.egress, part.ingress):
        yield from end_text(end, written, inventory, paint)


def _others(ends: Ends, inventory: Inventory) -> list[int]:
    """The addresses of pods that some ends leave out, where there are blocks among them."""
    if not ends.outside:
        return []
    return sorted(
        address
        for number, endpoint in enumerate(inventory.endpoints)
        for address in endpoint.addresses
        if Place(Family.of(address), number) not in ends
    )


def _is_of_fewer_families(reply: Reply, part: Part) -> bool:
    """Whether packets of another family are asked about, too: then one must say which are meant."""
    census, answer = reply.relation.census, part.answer
    ends = [
        (one | census.endpoints(one.endpoints)) & asked
        for one, asked in ((answer.source, reply.asked.source), (answer.destination, reply.asked.ends))
    ]
    return any(
        all(one.of_family(family) for one in ends)
        and not (answer.source.of_family(family) and answer.destination.of_family(family))
        for family in Family
    )


def end_text(end: Explained, written: WrittenRules, inventory: Inventory, paint: Paint) -> Iterator[str]:
    """The decision at one end, in lines: what it rests on, and what came close."""
    ruling = end.ruling
    word = VERDICTS[ruling.allowed]
    yield f"  {ruling.direction.value:<8} {paint(word, word)}{printable(because(ruling))}"
    if ruling.decider is not None:
        yield from _written(ruling.decider, ruling.direction, written, paint)
    if ruling.passed is not None:
        yield f"           before it, passed on by {printable(rule_name(ruling.passed, ruling.direction))}"
        yield from _written(ruling.passed, ruling.direction, written, paint)
    ends = (end.subject, end.peer) if ruling.direction is Direction.EGRESS else (end.peer, end.subject)
    whose = " to ".join(_place_text(one, inventory) for one in ends if one is not None)
    for number, miss in enumerate(end.nearest):
        label = ("closest" if number == 0 else "next") + (f" for {whose}" if whose else "")
        yield f"           {label}: {printable(rule_name(miss.rule, ruling.direction))}"
        yield from _written(miss.rule, ruling.direction, written, paint)
        yield from (f"             misses by {one.aspect.value}: {one.text}" for one in miss.misses)


def _written(decider: Decider, direction: Direction, written: WrittenRules, paint: Paint) -> Iterator[str]:
    """What a rule says, and where."""
    file, line, column, said = written.line(decider)
    sentence = printable(rule_text(decider.rule, direction))
    yield f"             {sentence}"
    quoted = "" if said == sentence else f" | {said}"
    yield f"             {paint(f'{file}:{line}:{column}{quoted}', 'dim')}"


def _place_text(place: Place, inventory: Inventory) -> str:
    if place.endpoint is not None:
        return str(inventory.endpoints[place.endpoint])
    return "" if place.address is None else format_address(place.address)


def _worded(reply: Reply, part: Part) -> tuple[Inventory, bool]:
    """What it takes to put ends into words."""
    return reply.relation.model.inventory, _is_of_fewer_families(reply, part)


def _ends_values(ends: Ends, inventory: Inventory, families: bool) -> dict[str, Any]:
    both = {"ipv4": ends.v4, "ipv6": ends.v6}
    return {
        "text": ends_text(ends, inventory, families=families, others=_others(ends, inventory)),
        "endpoints": [
            {
                "name": str(inventory.endpoints[number]),
                "families": [family for family, bits in both.items() if bits >> number & 1],
            }
            for number in members(ends.endpoints)
        ],
        "addresses": list(blocks(ends.outside)),
    }


def _port_values(found: Intervals) -> list[dict[str, int]]:
    """Ranges of ports by protocol number."""
    return [
        {"protocol": protocol, "first": first, "last": last}
        for protocol, ranges in (() if found == traffic.ANY else traffic.by_protocol(found).items())
        for first, last in ranges
    ]


def _ruling_values(end: Explained, written: WrittenRules, inventory: Inventory) -> dict[str, Any]:
    ruling = end.ruling
    return {
        "allowed": ruling.allowed,
        "ground": ruling.ground.value,
        "rule": _rule_values(ruling.decider, ruling.direction, written),
        "passed_by": _rule_values(ruling.passed, ruling.direction, written),
        "isolated_by": [str(one) for one in ruling.isolating],
        "closest": [_miss_values(one, end, written, inventory) for one in end.nearest],
    }


def _miss_values(
    miss: NearMiss, end: Explained, written: WrittenRules, inventory: Inventory
) -> dict[str, Any]:
    return {
        "rule": _rule_values(miss.rule, end.ruling.direction, written),
        "subject": None if end.subject is None else _place_text(end.subject, inventory),
        "peer": None if miss.example is None else _place_text(miss.example, inventory),
        "misses": [{"by": one.aspect.value, "text": one.text} for one in miss.misses],
    }


def _rule_values(
    decider: Decider | None, direction: Direction, written: WrittenRules
) -> dict[str, Any] | None:
    if decider is None:
        return None
    file, line, column, said = written.line(decider)
    tier = decider.policy.tier.value if isinstance(decider.policy, ClusterPolicy) else None
    return {
        "kind": decider.policy.kind,
        "policy": str(decider.policy),
        "tier": tier,
        "direction": direction.value,
        "index": decider.index,
        "name": decider.rule.name or None,
        "action": decider.rule.action.value,
        "text": rule_text(decider.rule, direction),
        "file": file,
        "line": line,
        "column": column,
        "source": said,
    }
