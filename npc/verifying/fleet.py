"""The rulesets of all nodes of an inventory, proven wherever the work is done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from npc.compiler.ask.report import Paint
from npc.compiler.frontend.diagnostics import Diagnostic, InputError
from npc.compiler.frontend.documents import Progress
from npc.compiler.frontend.render import printable
from npc.models import collector_paused, standard_input
from npc.nodes import Fleet, NodeCompiler
from npc.verifying import report
from npc.verifying.proving import verified
from npc.verifying.rulesets import ruleset_texts
from npc.workers import Workers

_MOST_NOTES = 3
"""Notes that the text shows; JSON has all, by node."""


@dataclass(frozen=True, slots=True)
class NodeOutcome:
    """What came of one node's ruleset, in a form that travels."""

    node: str
    is_proven: bool
    refutations: tuple[str, ...]
    """Each as text without colours, in lines."""
    values: dict[str, Any]
    """As `npc verify --format json` has it; empty where the ruleset could not be read."""
    findings: tuple[Diagnostic, ...]
    """The refutations, or why the ruleset could not be read."""
    notes: tuple[str, ...] = ()

    @property
    def is_read(self) -> bool:
        """Whether there is a proof or a refutation."""
        return bool(self.values)


def verify_nodes(
    fleet: Fleet, folder: Path | None, workers: Workers, progress: Progress | None = None
) -> Iterator[NodeOutcome]:
    """Prove the ruleset of each node, of a folder as `npc compile --all-nodes` writes it.

    Without a folder it is what npc compiles now. A ruleset that cannot be read is an outcome, too.
    """
    with collector_paused(), workers(fleet.compiler) as team:
        for _, outcome in fleet.over(partial(_prove, folder), team, "proving nodes", progress):
            yield outcome


def _prove(folder: Path | None, compiler: NodeCompiler, node: str) -> NodeOutcome:
    """A worker's task."""
    try:
        if folder is None:
            texts = compiler.compile(node)
        else:
            texts = ruleset_texts([str(folder / node)], compiler.backend, standard_input)
        found = verified(compiler.backend, texts, compiler.plan(node), compiler.model, compiler.options)
    except InputError as error:
        return NodeOutcome(node, False, (), {}, error.diagnostics)
    words = tuple("\n".join(report.refutation_text(one, lambda text, _: text)) for one in found.refuted)
    return NodeOutcome(
        node, found.is_proven, words, report.values(found), tuple(report.findings(found)), found.notes
    )


def text(outcomes: Sequence[NodeOutcome], target: str, paint: Paint) -> str:
    """For people: the nodes whose rulesets are refuted, each with the packets, and then the whole."""
    lines: list[str] = []
    refuted = [one for one in outcomes if one.is_read and not one.is_proven]
    for one in refuted:
        lines += [paint(f"node {one.node}", "dim")]
        lines += one.refutations[: report.MOST_REFUTATIONS]
        if (hidden := len(one.refutations) - report.MOST_REFUTATIONS) > 0:
            lines.append(f"{hidden:,} more packets refute it: --format json has them all")
        lines.append("")
    lines += _whole(outcomes, refuted, paint)
    lines.append(f"  for       {target}, every node of the inventory")
    notes = _notes(outcomes)
    lines += [f"  note      {printable(note)}" for note in notes[:_MOST_NOTES]]
    if len(notes) > _MOST_NOTES:
        lines.append(f"  note      {len(notes) - _MOST_NOTES:,} more like these")
    return "\n".join(lines) + "\n"


def _whole(outcomes: Sequence[NodeOutcome], refuted: Sequence[NodeOutcome], paint: Paint) -> Iterator[str]:
    """What came of all of them: it begins with PROVEN where each is proven."""
    count = sum(one.is_proven for one in outcomes)
    whose = f"the rulesets of {count:,} of {len(outcomes):,} nodes"
    if count == len(outcomes):
        yield f"{paint('PROVEN', 'allowed')}  {whose} enforce the policies, for every packet"
        return
    word = paint("NOT PROVEN", "denied")
    unread = [one for one in outcomes if not one.is_read]
    if refuted:
        yield f"{word}  the rulesets do not enforce the policies: {', '.join(one.node for one in refuted)}"
    if unread:
        names = ", ".join(one.node for one in unread)
        yield f"{word}  the rulesets are missing or not understood: {names}"
    if count:
        yield f"  proven    {whose}"


def _notes(outcomes: Sequence[NodeOutcome]) -> list[str]:
    """The notes, each once, with the node that it is about."""
    nodes: dict[str, list[str]] = {}
    for one in outcomes:
        for note in one.notes:
            nodes.setdefault(note, []).append(one.node)
    return [
        f"{names[0]}{f' and {len(names) - 1:,} more' if len(names) > 1 else ''}: {note}"
        for note, names in nodes.items()
    ]


def values(outcomes: Sequence[NodeOutcome], target: str) -> dict[str, Any]:
    """As plain values for JSON."""
    return {
        "proven": all(one.is_proven for one in outcomes),
        "nodes": [one.values if one.is_read else _unread_values(one, target) for one in outcomes],
    }


def _unread_values(one: NodeOutcome, target: str) -> dict[str, Any]:
    """Why there is nothing to say about a node's ruleset."""
    errors = [{"code": finding.code.name, "message": finding.message} for finding in one.findings]
    return {"proven": False, "target": target, "node": one.node, "errors": errors}
