"""Edits in a text of the policy language that keep everything else as it was written, comments too."""

from __future__ import annotations

from itertools import pairwise

from npc.compiler.frontend.source import Lines, Source
from npc.compiler.language.parser import parse
from npc.compiler.language.tree import ClusterPolicyBlock, Comment, PolicyBlock
from npc.compiler.lint.edits import Edit
from npc.compiler.lint.statements import rules_of


def without_policy(source: Source, lines: Lines, name_at: int) -> Edit | None:
    """Remove the policy whose name stands at a place; None where a comment would go with it."""
    program = parse(source, lines.text).program
    for item in program.items:
        if isinstance(item, PolicyBlock | ClusterPolicyBlock) and item.name.start == name_at:
            return _without(lines, item.start, item.end, program.comments)
    return None


def without_duplicate(source: Source, lines: Lines, start: int, end: int) -> Edit | None:
    """Remove a statement, or a peer or service of one with the comma before it.

    None where a comment would go with it.
    """
    program = parse(source, lines.text).program
    for rule in rules_of(source):
        if rule.start <= start and end <= rule.end and (start, end) != (rule.start, rule.end):
            for nodes in (rule.peers, rule.services):
                for before, node in pairwise(nodes):
                    if (node.start, node.end) == (start, end):
                        if any(before.end <= one.start < end for one in program.comments):
                            return None
                        return Edit(before.end, end)
            return None
    return _without(lines, start, end, program.comments)


def _without(lines: Lines, start: int, end: int, comments: tuple[Comment, ...]) -> Edit | None:
    """Remove some characters, and the lines that have nothing else; None where a comment is among them."""
    first, last = lines.number(start), lines.number(end)
    following = lines.starts[last + 1] if last + 1 < len(lines.starts) else len(lines.text)
    before = lines.text[lines.starts[first] : start]
    after = lines.text[end:following]
    if not before.strip() and not after.strip():
        start, end = lines.starts[first], following
    elif before.strip():
        start -= len(before) - len(before.rstrip())
    if any(start <= one.start < end for one in comments) or "#" in after:
        return None
    return Edit(start, end)
