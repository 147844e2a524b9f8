"""Edits in a YAML document that keep everything else as it was written, comments too.

What cannot be changed without touching a comment, or in a document with anchors, is left alone: None.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from npc.compiler.frontend.source import Lines, PathInDocument
from npc.compiler.frontend.yaml_reader import document_text
from npc.compiler.lint.edits import Edit

_DASH = re.compile(r" *-[ \t]+")
_COMMA = re.compile(r"[ \t]*,[ \t]*")


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A document of a text: its nodes, and the line (from 0) that it begins on."""

    lines: Lines = field(repr=False)
    first_line: int
    root: Node | None
    """None: it cannot be edited."""

    @staticmethod
    def of(lines: Lines, first_line: int) -> YamlDocument:
        text = document_text(lines, first_line)
        try:
            events = yaml.parse(text, Loader=yaml.CSafeLoader)
            has_anchors = any(getattr(event, "anchor", None) is not None for event in events)
            root = None if has_anchors else yaml.compose(text, Loader=yaml.CSafeLoader)
        except yaml.YAMLError:
            root = None
        return YamlDocument(lines, first_line, root)

    def without_item(self, path: PathInDocument) -> Edit | None:
        """Remove an item of a list; not the first."""
        parent = _find(self.root, path[:-1])
        index = path[-1] if path else None
        if not isinstance(parent, SequenceNode) or not isinstance(index, int):
            return None
        if not 0 < index < len(parent.value):
            return None
        before, item = parent.value[index - 1], parent.value[index]
        if parent.flow_style:
            start, end = self._offset(before.end_mark), self._offset(item.end_mark)
            gap = self.lines.text[start : self._offset(item.start_mark)]
            has_comment = "#" in self.lines.text[start:end]
            return Edit(start, end) if _COMMA.fullmatch(gap) and not has_comment else None
        return self._without_lines(item)

    def with_policy_types(self, types: Sequence[str]) -> Edit | None:
        """Write out what a NetworkPolicy isolates, behind its podSelector."""
        written = f"policyTypes: [{', '.join(types)}]"
        spec = _find(self.root, ("spec",))
        if not isinstance(spec, MappingNode):
            return None
        keys = {key.value: (key, value) for key, value in spec.value if isinstance(key, ScalarNode)}
        if "policyTypes" in keys:
            value = keys["policyTypes"][1]
            is_empty = isinstance(value, SequenceNode) and value.flow_style and not value.value
            start, end = self._offset(value.start_mark), self._offset(value.end_mark)
            return Edit(start, end, written.removeprefix("policyTypes: ")) if is_empty else None
        if "podSelector" not in keys:
            return None
        key, value = keys["podSelector"]
        last = _last(value)
        if last is None:
            return None
        end = self._offset(last.end_mark)
        if spec.flow_style:
            return Edit(end, end, f", {written}")
        line = self.first_line + key.start_mark.line
        indent = self.lines.line(line)[: key.start_mark.column]
        if indent.strip(" "):
            return None
        ending = "\r\n" if "\r\n" in self.lines.text else "\n"
        following = self.first_line + last.end_mark.line + 1
        if following < len(self.lines.starts):
            return Edit(
                self.lines.starts[following], self.lines.starts[following], f"{indent}{written}{ending}"
            )
        return Edit(len(self.lines.text), len(self.lines.text), f"{ending}{indent}{written}")

    def removed(self) -> Edit | None:
        """Remove the document: one that begins with `---`, and has no comment."""
        text = document_text(self.lines, self.first_line)
        if (
            self.root is None
            or not text.startswith("---")
            or "#" in text
            or re.search(r"^\.\.\.", text, re.M)
        ):
            return None
        start = self.lines.starts[self.first_line]
        return Edit(start, start + len(text))

    def _without_lines(self, item: Node) -> Edit | None:
        """Remove an item of a list in block style, which has its lines for itself."""
        last = _last(item)
        if last is None:
            return None
        first_line = self.first_line + item.start_mark.line
        last_line = self.first_line + last.end_mark.line
        before = self.lines.line(first_line)[: item.start_mark.column]
        after = self.lines.line(last_line)[last.end_mark.column :]
        start = self.lines.starts[first_line]
        following = last_line + 1
        end = self.lines.starts[following] if following < len(self.lines.starts) else len(self.lines.text)
        if not _DASH.fullmatch(before) or after.strip() or "#" in self.lines.text[start:end]:
            return None
        return Edit(start, end)

    def _offset(self, mark: yaml.Mark) -> int:
        return self.lines.starts[self.first_line + mark.line] + mark.column


def _find(node: Node | None, path: PathInDocument) -> Node | None:
    """The node at a path; None where it does not lead to one."""
    for step in path:
        match node:
            case MappingNode(value=pairs):
                found = [value for key, value in pairs if isinstance(key, ScalarNode) and key.value == step]
                node = found[0] if len(found) == 1 else None
            case SequenceNode(value=items) if isinstance(step, int) and 0 <= step < len(items):
                node = items[step]
            case _:
                return None
    return node


def _last(node: Node) -> Node | None:
    """The node whose end is a node's end on the page: a block's own mark is behind what follows it."""
    while isinstance(node, MappingNode | SequenceNode) and not node.flow_style:
        if not node.value:
            return None
        last = node.value[-1]
        node = last[1] if isinstance(node, MappingNode) else last
    is_block_text = isinstance(node, ScalarNode) and node.style in ("|", ">")
    return None if is_block_text else node
