"""A verification as text, as plain values for JSON (docs/verify.md), and as diagnostics for SARIF."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from npc.compiler.algebra.addresses import format_address
from npc.compiler.ask.report import Paint, end_text, written_rules
from npc.compiler.ask.report import values as answer_values
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, Related
from npc.compiler.frontend.render import cropped, printable
from npc.compiler.frontend.syntax import Direction
from npc.verifying.explaining import Met, Refuted
from npc.verifying.proving import Verification

MOST_REFUTATIONS = 5
"""Refutations that the text shows; the other formats have all."""
_STATISTICS = re.compile(r"\b(?:duration|n_packets|n_bytes|idle_age|hard_age)=[^, ]+,? ?")
"""Of a flow as ovs-ofctl lists it."""
_FEW = 3
"""Scenarios that a line names."""


def text(one: Verification, paint: Paint) -> str:
    """For people; every line ends with a newline."""
    lines = [*_proven(one, paint)] if one.is_proven else [*_refuted(one, paint)]
    for note in one.notes:
        lines.append(f"  note      {printable(note)}")
    return "\n".join(lines) + "\n"


def summary(one: Verification) -> str:
    """`subjects: 6 addresses, ...`: how much was compared."""
    proof = one.proof
    return (
        f"{_count(proof.subjects, 'isolated address', 'isolated addresses')}, "
        f"{_count(proof.packets, 'set', 'sets')} of packets, {_count(proof.rules, 'rule')}, "
        f"{_count(len(proof.scenarios), 'scenario')}"
    )


def _proven(one: Verification, paint: Paint) -> Iterator[str]:
    yield f"{paint('PROVEN', 'allowed')}  the ruleset enforces the policies, for every packet"
    yield f"  for       {one.target}, {printable(one.scope)}"
    yield f"  compared  {summary(one)}"


def _refuted(one: Verification, paint: Paint) -> Iterator[str]:
    for number, refuted in enumerate(one.refuted[:MOST_REFUTATIONS]):
        if number:
            yield ""
        yield from refutation_text(refuted, paint)
    hidden = len(one.refuted) - MOST_REFUTATIONS
    if hidden > 0:
        yield ""
        yield f"{hidden:,} more packets refute it: --format json has them all"
    yield ""
    word = paint("NOT PROVEN", "denied")
    yield f"{word}  the ruleset does not enforce the policies, with these packets and maybe with more"
    yield f"  for       {one.target}, {printable(one.scope)}"
    yield f"  compared  {summary(one)}"


def sentence(one: Refuted) -> str:
    """The packet, and what either side says of it."""
    packet = one.without_ip or f"{one.kind} from {one.source} to {one.destination}"
    if one.clash is not None:
        return f"{packet}: two rules of equal priority do different things"
    if one.without_ip:
        return f"{packet}: they should always pass, and the ruleset denies them"
    if one.always:
        return f"{packet}: it should always pass, and the ruleset denies it"
    if one.should_pass:
        here = " as far as this node decides" if one.elsewhere else ""
        return f"{packet}: the policies allow it{here}, the ruleset denies it"
    return f"{packet}: the policies deny it, the ruleset lets it pass"


def refutation_text(one: Refuted, paint: Paint) -> Iterator[str]:
    """All there is to say of a packet."""
    head = paint(f"error[{codes.NOT_PROVEN.name}]", "denied")
    yield f"{head}: {printable(sentence(one))}"
    yield f"  {paint('packets', 'dim')}   {printable(_listed(one.scenarios))}"
    yield f"  {paint('policies', 'dim')}"
    yield from (f"  {line}" for line in _policies(one, paint))
    yield f"  {paint('ruleset', 'dim')}"
    if one.clash is not None:
        yield "    either of these is asked first:"
        yield from _rules(one.clash, paint)
        yield "    with the first, the packet meets:"
    yield from _rules(one.met, paint)
    if not one.met:
        yield f"    no rule is for it: {one.default}"
    elif one.default:
        yield f"    no rule decides: {one.default}"


def _policies(one: Refuted, paint: Paint) -> Iterator[str]:
    if one.reply is None:
        yield f"  {one.always}"
        return
    written = written_rules(one.reply)
    inventory = one.reply.relation.model.inventory
    for part in one.reply.parts:
        for end in (part.egress, part.ingress):
            direction = end.ruling.direction
            if direction in one.elsewhere:
                yield f"  {direction.value:<8} {_not_here(one.elsewhere[direction])}"
            else:
                yield from end_text(end, written, inventory, paint)


def _not_here(node: str) -> str:
    return f"decided on the node {node}, not by this ruleset" if node else "decided on no node"


def _rules(found: Sequence[Met], paint: Paint) -> Iterator[str]:
    """Rules, each in its line, where it leads if the line does not say so, and the element that it found."""
    places = [one.place for met in found for one in (met, met.element) if one is not None]
    width = max(map(len, places), default=0)
    for met in found:
        said = "  ".join(filter(None, (_line_text(met), "" if _says(met) else f"-> {met.action}")))
        yield f"    {paint(met.place.ljust(width), 'dim')}  {said}"
        if met.element is not None:
            yield f"    {paint(met.element.place.ljust(width), 'dim')}    {_line_text(met.element)}"


def _says(met: Met) -> bool:
    """Whether a rule's line says what it does, as flows always do."""
    said = met.text if met.element is None else f"{met.text} {met.element.text}"
    return met.action.rpartition(" ")[2].lower() in said.lower() or "actions=" in met.text


def _line_text(met: Met) -> str:
    """A line, not too long, and of a flow without its statistics."""
    text = _STATISTICS.sub("", met.text) if "actions=" in met.text else met.text
    return printable(cropped(text, 0, len(text))[0].replace("\t", " "))


def values(one: Verification) -> dict[str, Any]:
    """As plain values."""
    return {
        "proven": one.is_proven,
        "target": one.target,
        "node": one.node,
        "subjects": one.proof.subjects,
        "packets": one.proof.packets,
        "rules": one.proof.rules,
        "scenarios": list(dict.fromkeys(one.proof.scenarios)),
        "notes": list(one.notes),
        "refutations": [_refuted_values(refuted) for refuted in one.refuted],
    }


def _refuted_values(one: Refuted) -> dict[str, Any]:
    return {
        "text": sentence(one),
        "src": {"text": one.source, "address": format_address(one.packet.source)},
        "dst": {"text": one.destination, "address": format_address(one.packet.destination)},
        "traffic": one.kind,
        "scenarios": list(one.scenarios),
        "should_pass": one.should_pass,
        "passes": one.passes,
        "always": one.always or None,
        "egress": _end_values(one, Direction.EGRESS),
        "ingress": _end_values(one, Direction.INGRESS),
        "rules": [_met_values(met) for met in one.met],
        "default": one.default or None,
        "clash": None if one.clash is None else [_met_values(met) for met in one.clash],
    }


def _end_values(one: Refuted, direction: Direction) -> dict[str, Any] | None:
    """The decision at an end, as `npc query --format json` has it."""
    if one.reply is None or direction in one.elsewhere:
        return None
    found: dict[str, Any] = answer_values(one.reply)["answers"][0][direction.value]
    return found


def _met_values(met: Met) -> dict[str, Any]:
    found = met.element
    return {
        **_place_values(met),
        "action": met.action,
        "element": None if found is None else _place_values(found),
    }


def _place_values(met: Met) -> dict[str, Any]:
    return {"file": met.line.file or None, "line": met.line.number or None, "text": met.text or None}


def findings(one: Verification) -> list[Diagnostic]:
    """Each refutation as an error at the last rule that the packet met."""
    return [
        Diagnostic(
            codes.NOT_PROVEN,
            sentence(refuted),
            refuted.origin,
            label="here" if refuted.origin is not None else "",
            help=_help(refuted),
            related=tuple(_related(refuted)),
        )
        for refuted in one.refuted
    ]


def _help(one: Refuted) -> str:
    plain = [line.strip() for line in _policies(one, lambda text, _: text)]
    return plain[0] if one.reply is None else f"in {_listed(one.scenarios)}"


def _related(one: Refuted) -> Iterator[Related]:
    """Where the rules that decide were written."""
    if one.reply is None:
        return
    for part in one.reply.parts:
        for end in (part.egress, part.ingress):
            ruling = end.ruling
            if ruling.direction not in one.elsewhere and ruling.decider is not None:
                word = "allowed" if ruling.allowed else "denied"
                yield Related(ruling.decider.rule.origin, f"{ruling.direction.value} {word} here")


def _listed(words: Sequence[str]) -> str:
    more = f" and {len(words) - _FEW} more" if len(words) > _FEW else ""
    return f"{'; '.join(words[:_FEW])}{more}"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
