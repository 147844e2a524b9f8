"""What is said about one file, by the nodes of its tree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from npc.compiler.frontend import codes
from npc.compiler.frontend.codes import Code, Severity
from npc.compiler.frontend.diagnostics import Diagnostic, Related
from npc.compiler.frontend.shapes import Problem, quoted
from npc.compiler.frontend.source import Origin, Source
from npc.compiler.language.usual import value_hint


class Node(Protocol):
    """Anything that stands somewhere in a text."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


@dataclass(slots=True)
class Findings:
    """The diagnostics of one file, and what they are about now."""

    source: Source
    diagnostics: list[Diagnostic] = field(default_factory=list)
    about: str = ""
    """The policy that is being read: `NetworkPolicy shop/web`."""
    errors: int = 0
    """How many of the diagnostics are errors."""

    def origin(self, node: Node) -> Origin:
        """Where a node was written."""
        return Origin(self.source, within=(node.start, node.end))

    def report(
        self,
        code: Code,
        message: str,
        node: Node,
        *,
        help: str = "",
        label: str = "",
        related: tuple[Related, ...] = (),
    ) -> None:
        """Put down what there is to say of a node."""
        self.errors += code.severity is Severity.ERROR
        self.diagnostics.append(
            Diagnostic(
                code, message, self.origin(node), label=label, help=help, about=self.about, related=related
            )
        )

    def invalid(self, value: str, expected: str, node: Node, help: str = "") -> None:
        """A value (as it is to be shown) that is not what was expected."""
        self.report(codes.INVALID, f"Invalid value {value}: not {expected}", node, help=help)

    def check(self, fault: Callable[[str], str | None], node: TextNode, expected: str) -> None:
        """Report a text in which a function of `frontend.names` finds fault."""
        if (why := fault(node.text)) is not None:
            self.invalid(quoted(node.text), expected, node, value_hint(expected, node.text) or why)

    def at(self, node: Node) -> Callable[[Problem], None]:
        """What the checks of the YAML front end report to, with all they say placed at a node."""

        def report(problem: Problem) -> None:
            self.report(problem.code, problem.message, node, help=problem.help, label=problem.label)

        return report


class TextNode(Node, Protocol):
    """A piece of text that stands somewhere."""

    @property
    def text(self) -> str: ...
