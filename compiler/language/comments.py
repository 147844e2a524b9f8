"""Which comment belongs to which node of a tree, and where blank lines stood.

A comment at the end of a line belongs to what ends before it, one on a line of its own to what comes
after it, or to the end of the block or list that it closes. Each comment of a program belongs to exactly
one node, once.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from npc.compiler.language.tree import (
    Assertion,
    Block,
    ClusterPolicyBlock,
    Comment,
    Item,
    Log,
    Namespaces,
    Nodes,
    Pair,
    Peer,
    Pods,
    PolicyBlock,
    Program,
    Requirement,
    RuleStatement,
    Service,
    ServiceDefinition,
    ServiceReference,
    SetDefinition,
    Statement,
    Text,
)

Node: TypeAlias = Item | Statement | Peer | Service | ServiceReference | Requirement | Pair | Text | Log
"""What a comment may belong to."""

_LINE_END = re.compile(r"\r\n?|\n")
_BLANK_LINE = re.compile(r"(?:\r\n?|\n)[^\S\r\n]*(?:\r\n?|\n)")


@dataclass(slots=True)
class Attached:
    """The comments of one node."""

    leading: list[Comment] = field(default_factory=list)
    """On lines of their own before it; those that stood inside it, where no line can end, come last."""
    trailing: list[Comment] = field(default_factory=list)
    """Behind it on its last line; of a policy's subject, behind the `{`. One at most."""
    closing: list[Comment] = field(default_factory=list)
    """After it, before what closes the list that it is the last of; of a subject, all that end its block."""


_NOTHING = Attached()


@dataclass(frozen=True, slots=True)
class Remarks:
    """The comments of a program by the nodes they belong to, and its blank lines."""

    text: str | None
    """What the program was read from; None for a tree that was made."""
    comments: Sequence[Comment] = ()
    """All, in order."""
    at: dict[int, Attached] = field(default_factory=dict)
    """By the identity of the node, which must live on."""
    closing: list[Comment] = field(default_factory=list)
    """After the last item."""

    @staticmethod
    def of(program: Program, text: str | None) -> Remarks:
        """The remarks of a program that was read from a text."""
        if text is None:
            return Remarks(None)
        remarks = Remarks(text, program.comments)
        remarks.closing.extend(_Attaching(remarks, text).place(program.items, program.comments, closes=True))
        return remarks

    def of_node(self, node: Node) -> Attached:
        """The comments of a node."""
        return self.at.get(id(node), _NOTHING)

    def any_inside(self, start: int, end: int) -> bool:
        """Whether a comment stands between two places of the text."""
        first = bisect_left(self.comments, start, key=lambda comment: comment.start)
        return first < len(self.comments) and self.comments[first].start < end

    def is_blank_before(self, place: int) -> bool:
        """Whether there is an empty line between what stands at a place and what comes before it."""
        if self.text is None:
            return False
        start = place
        while start > 0 and self.text[start - 1].isspace():
            start -= 1
        return _BLANK_LINE.search(self.text, start, place) is not None

    def has_line_end(self, start: int, end: int) -> bool:
        """Whether a line ends between two places of the text."""
        return self.text is not None and _LINE_END.search(self.text, start, end) is not None


@dataclass(frozen=True, slots=True)
class _Attaching:
    remarks: Remarks
    text: str

    def place(self, children: Sequence[Node], comments: Sequence[Comment], *, closes: bool) -> list[Comment]:
        """Attach the comments around and in the children of a node, and give back those that have no child.

        With `closes`, what comes after the last child is given back too.
        """
        inside: dict[int, list[Comment]] = {}
        left = []
        for comment in comments:
            index = bisect_left(children, comment.start, key=lambda child: child.start)
            before = children[index - 1] if index > 0 else None
            after = children[index] if index < len(children) else None
            if before is not None and comment.start < before.end:
                inside.setdefault(index - 1, []).append(comment)
            elif before is not None and self._follows(before, comment):
                self._of(before).trailing.append(comment)
            elif after is not None:
                self._of(after).leading.append(comment)
            elif before is not None and not closes:
                self._of(before).closing.append(comment)
            else:
                left.append(comment)
        for index, some in inside.items():
            child = children[index]
            self._of(child).leading.extend(self._enter(child, some))
        return left

    def _enter(self, node: Node, comments: Sequence[Comment]) -> list[Comment]:
        """Attach comments that stand inside a node; those that cannot be are given back."""
        match node:
            case PolicyBlock() | ClusterPolicyBlock():
                return self._block(node, comments)
            case RuleStatement(services=services, peers=peers, log=log, label=label, until=until):
                clauses = [one for one in (log, label, until) if one is not None]
                clauses.sort(key=lambda clause: clause.start)
                return self.place([*services, *peers, *clauses], comments, closes=False)
            case Assertion(services=services, sources=sources, destinations=destinations, label=label):
                clause = () if label is None else (label,)
                return self.place([*services, *sources, *destinations, *clause], comments, closes=False)
            case SetDefinition(peers=peers):
                return self.place(peers, comments, closes=False)
            case ServiceDefinition(services=services):
                return self.place(services, comments, closes=False)
            case Pods(requirements=requirements, namespaces=namespaces) if requirements and namespaces:
                closing = self._find(")", requirements[-1].end, comments)
                within = [one for one in comments if one.start < closing]
                self.place(requirements, within, closes=False)
                return self.place((namespaces,), comments[len(within) :], closes=False)
            case Pods(requirements=requirements, namespaces=namespaces):
                children = requirements if namespaces is None else (namespaces,)
                return self.place(children, comments, closes=False)
            case Namespaces(requirements=requirements) | Nodes(requirements=requirements):
                return self.place(requirements, comments, closes=False)
            case Requirement(values=values):
                return self.place(values, comments, closes=False)
            case Block(excepts=excepts):
                return self.place(excepts, comments, closes=False)
            case _:
                return list(comments)

    def _block(self, node: PolicyBlock | ClusterPolicyBlock, comments: Sequence[Comment]) -> list[Comment]:
        subject = node.subject
        opening = self._find("{", subject.end, comments)
        head = [one for one in comments if one.start < subject.end]
        between = [one for one in comments if subject.end <= one.start < opening]
        body = [one for one in comments if one.start > opening]
        pairs = sorted((*node.labels, *node.annotations), key=lambda pair: pair.start)
        self.place([*pairs, subject], head, closes=False)
        attached = self._of(subject)
        if not between and body and not self.remarks.has_line_end(opening, body[0].start):
            first = node.statements[0].start if node.statements else node.end
            if body[0].start < first:
                attached.trailing.append(body.pop(0))
        elif between:
            attached.trailing.append(between.pop(0))
        if node.statements:
            self._of(node.statements[0]).leading.extend(between)
            attached.closing.extend(self.place(node.statements, body, closes=True))
        else:
            attached.closing.extend((*between, *body))
        return []

    def _find(self, sign: str, start: int, comments: Sequence[Comment]) -> int:
        """Where a sign is first from a place on, outside of comments."""
        for comment in comments:
            if comment.start >= start:
                found = self.text.find(sign, start, comment.start)
                if found >= 0:
                    return found
                start = comment.end
        return self.text.find(sign, start)

    def _follows(self, node: Node, comment: Comment) -> bool:
        """Whether a comment is on the line that a node ends on, and the first there."""
        return not self._of(node).trailing and not self.remarks.has_line_end(node.end, comment.start)

    def _of(self, node: Node) -> Attached:
        return self.remarks.at.setdefault(id(node), Attached())
