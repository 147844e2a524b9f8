"""A tree as text, in the one form that `npc fmt` writes.

Takes a `Program` and the text it was read from, or a tree that was made. Reading the result gives the
same tree, every comment is kept, and formatting it again changes nothing. What is longer than WIDTH is
broken: a rule before `from` or `to` and before each clause, then lists, one entry a line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from npc.compiler.frontend.syntax import Direction
from npc.compiler.language.comments import Attached, Node, Remarks
from npc.compiler.language.layout import (
    BLANK,
    HARD,
    LINE,
    SOFT,
    Group,
    Indent,
    Layout,
    Remark,
    flat,
    joined,
    printed,
)
from npc.compiler.language.quoting import is_word, quote
from npc.compiler.language.tree import (
    Assertion,
    BehindService,
    Block,
    ClusterPolicyBlock,
    Comment,
    Comparison,
    Everyone,
    Include,
    Isolate,
    Item,
    NamedEnd,
    NamedNamespace,
    Namespaces,
    Nodes,
    Number,
    Pair,
    Peer,
    Pods,
    PolicyBlock,
    PortRange,
    Program,
    Requirement,
    Requirements,
    RuleStatement,
    Service,
    ServiceDefinition,
    ServiceReference,
    SetDefinition,
    SetReference,
    Statement,
    Text,
)

WIDTH = 100
"""Columns of a line, as long as it can be broken."""

WAYS = {Direction.INGRESS: "from", Direction.EGRESS: "to"}
_N = TypeVar("_N", bound=Node)


def format_program(program: Program, text: str | None = None) -> str:
    r"""The text of a program. `text` is what it was read from: where it has blank lines, the result has one.

    >>> offices = SetDefinition(Text("offices"), (Block(Text("192.0.2.0/24")), SetReference(Text("home"))))
    >>> format_program(Program((offices,)))
    'set offices = 192.0.2.0/24, @home\n'
    """
    remarks = Remarks.of(program, text)
    formatter = _Formatter(remarks)
    written: list[str] = []
    before: Item | None = None
    was_tall = False
    for item in program.items:
        rows = [(blank, printed(row, WIDTH)) for blank, row in formatter.rows(item, formatter.item(item))]
        is_tall = rows[-1][1].count("\n") > 1
        first_blank = rows[0][0] if text is not None else not (_is_short(before) and _is_short(item))
        rows[0] = (first_blank or is_tall or was_tall, rows[0][1])
        for blank, row in rows:
            written.append(f"\n{row}" if blank and written else row)
        before, was_tall = item, is_tall
    for comment in remarks.closing:
        if written and remarks.is_blank_before(comment.start):
            written.append("\n")
        written.append(f"{_words(comment)}\n")
    return "".join(written)


def _is_short(item: Item | None) -> bool:
    """Whether an item of a tree that was made needs no blank line beside others of its kind."""
    return isinstance(item, Include | SetDefinition | ServiceDefinition | Assertion)


def _words(comment: Comment) -> str:
    return comment.text.rstrip()


class _Formatter:
    """Nodes to layouts, with the comments that belong to them."""

    def __init__(self, remarks: Remarks) -> None:
        self._remarks = remarks

    def item(self, item: Item) -> Layout:
        match item:
            case Include(path=path):
                return f"include {quote(path.text)}"
            case SetDefinition(name=name, peers=peers):
                return self._listed(f"set {name} =", peers, self._peer)
            case ServiceDefinition(name=name, services=services):
                return self._listed(f"service {name} =", services, _service)
            case Assertion():
                return self._assertion(item)
            case PolicyBlock() | ClusterPolicyBlock():
                return self._block(item)

    def rows(self, node: Item | Statement, layout: Layout) -> Iterator[tuple[bool, Layout]]:
        """The comments above a node and the node itself, each with whether a blank line is before it."""
        attached = self._remarks.of_node(node)
        is_blank = self._remarks.is_blank_before
        for comment in attached.leading:
            if comment.start < node.start:
                yield is_blank(comment.start), _words(comment)
        blank = is_blank(node.start)
        for comment in attached.leading:
            if comment.start > node.start:
                yield blank, _words(comment)
                blank = False
        yield blank, (layout, *_trailing(attached))

    # --- blocks

    def _block(self, block: PolicyBlock | ClusterPolicyBlock) -> Layout:
        header = self._header(block)
        if (line := self._one_line(block, header)) is not None:
            return line
        rows = [row for one in block.statements for row in self.rows(one, self._statement(one))]
        subject = self._remarks.of_node(block.subject)
        for comment in subject.closing:
            rows.append((self._remarks.is_blank_before(comment.start), _words(comment)))
        body = [part for blank, row in rows for part in (BLANK if blank else HARD, row)]
        if body:
            body[0] = HARD
        return (
            Group((*header, LINE, "{")),
            *_trailing(subject),
            Indent(tuple(body)),
            HARD,
            "}",
        )

    def _one_line(self, block: PolicyBlock | ClusterPolicyBlock, header: tuple[Layout, ...]) -> str | None:
        """The whole block on one line, where it has a statement at most, and its author has put it on one."""
        if len(block.statements) > 1 or self._remarks.any_inside(block.start, block.end):
            return None
        if not block.statements:
            line = f"{flat(header)} {{}}"
        elif self._remarks.has_line_end(block.start, block.end):
            return None
        else:
            line = f"{flat(header)} {{ {flat(self._statement(block.statements[0]))} }}"
        return line if len(line) <= WIDTH else None

    def _header(self, block: PolicyBlock | ClusterPolicyBlock) -> tuple[Layout, ...]:
        parts: list[Layout] = [_opening(block)]
        for word, pairs in (("labels", block.labels), ("annotations", block.annotations)):
            if pairs:
                parts.append(Indent((LINE, word, self._parens(pairs, _pair))))
        above = (part for one in self._remarks.of_node(block.subject).leading for part in (_words(one), HARD))
        parts.append(Indent((LINE, *above, "for ", self._peer(block.subject))))
        return tuple(parts)

    # --- statements

    def _statement(self, statement: Statement) -> Layout:
        match statement:
            case Isolate(directions=directions, only=only):
                words = ", ".join(direction.value for direction in directions)
                return f"isolate {'only ' if only else ''}{words}"
            case RuleStatement():
                return self._rule(statement)

    def _rule(self, rule: RuleStatement) -> Layout:
        head = self._head(rule, WAYS[rule.direction], rule.peers)
        return Group((*head, *(Indent((LINE, clause)) for clause in self._clauses(rule))))

    def _assertion(self, assertion: Assertion) -> Layout:
        head = self._head(assertion, "from", assertion.sources)
        to = self._listed("to", assertion.destinations, self._peer)
        label = assertion.label
        clauses = [] if label is None else [self._entry(label, f"as {_value(label)}")]
        return Group((*head, *(Indent((LINE, one)) for one in (to, *clauses))))

    def _head(
        self, sentence: RuleStatement | Assertion, way: str, peers: Sequence[Peer]
    ) -> tuple[Layout, ...]:
        """What is allowed or denied, and the first of its ends."""
        word = sentence.action.value
        if not sentence.services:
            return (self._listed(f"{word} {way}", peers, self._peer, depth=2),)
        return (
            self._listed(word, sentence.services, _service, depth=2),
            Indent((LINE, self._listed(way, peers, self._peer))),
        )

    def _clauses(self, rule: RuleStatement) -> Iterator[Layout]:
        if rule.log is not None:
            prefix = f" {quote(rule.log.prefix.text)}" if rule.log.prefix is not None else ""
            yield self._entry(rule.log, f"log{prefix}")
        if rule.label is not None:
            yield self._entry(rule.label, f"as {_value(rule.label)}")
        if rule.until is not None:
            yield self._entry(rule.until, f"until {rule.until}")

    # --- peers

    def _peer(self, peer: Peer) -> Layout:
        match peer:
            case Pods():
                return self._pods(peer)
            case Namespaces(requirements=requirements):
                return self._selector("ns", requirements)
            case NamedNamespace(name=name):
                return f"ns/{name}"
            case Nodes(requirements=requirements):
                return self._selector("nodes", requirements)
            case BehindService(name=name, namespace=namespace):
                return f"svc/{name}" + (f" in ns/{namespace}" if namespace is not None else "")
            case NamedEnd(name=name):
                return name.text
            case Block(cidr=cidr, excepts=excepts):
                return self._blocks(cidr, excepts)
            case Everyone():
                return "any"
            case SetReference(name=name):
                return f"@{name}"

    def _pods(self, pods: Pods) -> Layout:
        if pods.namespaces is None:
            return self._selector("pods", pods.requirements)
        if not pods.requirements:
            return self._beside("pods in", pods.namespaces, self._peer)
        labels = self._parens(pods.requirements, self._requirement)
        # In one group: the labels of the pods are broken before those of the namespaces.
        return Group(("pods", *labels.parts, *self._beside(" in", pods.namespaces, self._peer)))

    def _blocks(self, cidr: Text, excepts: Sequence[Text]) -> Layout:
        if not excepts:
            return str(cidr)
        if len(excepts) == 1 and self._remarks.of_node(excepts[0]) == Attached():
            return f"{cidr} except {excepts[0]}"
        return f"{cidr} except ", self._parens(excepts, str)

    def _selector(self, word: str, requirements: Requirements) -> Layout:
        return (word, self._parens(requirements, self._requirement)) if requirements else word

    def _requirement(self, requirement: Requirement) -> Layout:
        key, values = str(requirement.key), requirement.values
        match requirement.comparison:
            case Comparison.EQUALS:
                return f"{key}={_value(values[0])}"
            case Comparison.IN | Comparison.NOT_IN:
                return f"{key} {requirement.comparison.value} ", self._parens(values, _value)
            case Comparison.EXISTS:
                return key
            case Comparison.NOT_EXISTS:
                return f"!{key}"

    # --- lists

    def _listed(
        self, words: str, nodes: Sequence[_N], layout: Callable[[_N], Layout], depth: int = 1
    ) -> Layout:
        """Words and a list after them: on their line, or an entry a line, `depth` steps to the right."""
        if len(nodes) == 1:
            return (words, *self._beside("", nodes[0], layout))
        entries: Layout = (LINE, *self._entries(nodes, layout))
        for _ in range(depth):
            entries = Indent((entries,))
        return words, Group((entries,))

    def _parens(self, nodes: Sequence[_N], layout: Callable[[_N], Layout]) -> Group:
        return Group(("(", Indent((SOFT, *self._entries(nodes, layout))), SOFT, ")"))

    def _entries(self, nodes: Sequence[_N], layout: Callable[[_N], Layout]) -> tuple[Layout, ...]:
        last = len(nodes) - 1
        entries = [
            self._entry(node, layout(node), "," if index < last else "") for index, node in enumerate(nodes)
        ]
        return joined(entries, LINE)

    def _entry(self, node: Node, layout: Layout, comma: str = "") -> Layout:
        """A node of a list between its comments; what precedes it ends a line if it has some."""
        attached = self._remarks.of_node(node)
        above = (part for one in attached.leading for part in (_words(one), HARD))
        below = (part for one in attached.closing for part in (HARD, _words(one)))
        return (*above, layout, comma, *_trailing(attached), *below)

    def _beside(self, words: str, node: _N, layout: Callable[[_N], Layout]) -> tuple[Layout, ...]:
        """Words and one node after them: below them where it has comments of its own."""
        entry = self._entry(node, layout(node))
        if self._remarks.of_node(node).leading:
            return words, Indent((HARD, entry))
        return f"{words} ", entry


def _opening(block: PolicyBlock | ClusterPolicyBlock) -> str:
    match block:
        case PolicyBlock(name=name, namespace=namespace):
            return f"policy {name}" + (f" in {namespace}" if namespace is not None else "")
        case ClusterPolicyBlock(name=name, tier=tier, priority=priority):
            words = f"cluster policy {name} tier {tier.value}"
            return words + (f" priority {priority.value}" if priority is not None else "")


def _trailing(attached: Attached) -> Iterator[Layout]:
    return (Remark(_words(comment)) for comment in attached.trailing)


def _service(service: Service | ServiceReference) -> str:
    match service:
        case ServiceReference(name=name):
            return f"@{name}"
        case Service(protocol=protocol, port=None):
            return protocol
        case Service(protocol=protocol, port=Number(value=number)):
            return f"{protocol}/{number}"
        case Service(protocol=protocol, port=PortRange(first=first, last=last)):
            return f"{protocol}/{first}-{last}"
        case Service(protocol=protocol, port=port):
            return f"{protocol}/{port}"


def _pair(pair: Pair) -> str:
    return f"{pair.key}={_value(pair.value)}"


def _value(text: Text) -> str:
    return text.text if is_word(text.text) and text.text.isprintable() else quote(text.text)
