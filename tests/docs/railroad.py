"""The grammar drawn as railroad diagrams: `python -m tests.docs.railroad` writes docs/images/grammar/*.svg.

The .lark files are read with lark's own grammar of its notation: the pictures show what the parser knows.
A rule of few words is drawn where it is used; every other has a picture of its own.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import railroad  # type: ignore[import-untyped]
from lark import Lark, Token, Tree

from tests.docs.pages import ROOT

FOLDER = ROOT / "docs" / "images" / "grammar"
GRAMMARS = tuple(sorted((ROOT / "grammar").glob("*.lark")))
FEW = 3
"""Words of a rule that gets no picture of its own."""
WIDEST = 720
"""Pixels of a line, less the tracks between what stands in it."""

Node: TypeAlias = Tree[Token] | Token

_STYLE = """
svg { background-color: white; }
path { stroke: #444; stroke-width: 1.5; fill: none; }
text { font: 14px ui-monospace, monospace; text-anchor: middle; fill: #111; }
rect { stroke: #444; stroke-width: 1.5; fill: #eef3fb; }
g.terminal rect { fill: #fdf3d8; }
""".strip()


@dataclass(frozen=True, slots=True)
class Definition:
    """A rule or a terminal of the grammar, and what stands after its colon."""

    name: str
    body: Node

    @property
    def title(self) -> str:
        """What it is called in pictures: without the mark of rules that leave no node."""
        return self.name.lstrip("_").lower().replace("_", " ")

    @property
    def is_rule(self) -> bool:
        return self.name.islower()


def main() -> None:
    """Write every picture, and remove those of rules that are no more."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    drawn = pictures()
    for stale in {one.name for one in FOLDER.glob("*.svg")} - drawn.keys():
        (FOLDER / stale).unlink()
    for name, text in drawn.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def pictures() -> Mapping[str, str]:
    """Each picture: file name to SVG."""
    return {
        f"{one.title.replace(' ', '-')}.svg": _picture(one)
        for one in definitions().values()
        if one.is_rule and not _is_small(one)
    }


@cache
def definitions() -> Mapping[str, Definition]:
    """The rules and terminals of all grammar files, by name."""
    meta = Lark.open_from_package("lark", "lark.lark", ["grammars"], parser="lalr", maybe_placeholders=False)
    found = {}
    for file in GRAMMARS:
        parsed = meta.parse(file.read_text(encoding="utf-8"))
        for node in (*parsed.find_data("rule"), *parsed.find_data("token")):
            name = str(node.children[0]).lstrip("!?")
            found[name] = Definition(name, node.children[-1])
    return found


def words() -> frozenset[str]:
    """The keywords: every terminal that is one word."""
    return frozenset(
        text
        for one in definitions().values()
        if not one.is_rule and (text := _spelling(one)) is not None and text.isalpha()
    )


def _is_small(one: Definition) -> bool:
    """Whether a rule is drawn where it is used."""
    return sum(1 for _ in _tokens(one.body)) <= FEW


def _tokens(node: Node) -> Iterator[Token]:
    """The names and signs in a part of a rule."""
    if isinstance(node, Token):
        if node.type in ("RULE", "TOKEN", "STRING", "REGEXP"):
            yield node
        return
    for child in node.children:
        yield from _tokens(child)


def _spelling(one: Definition) -> str | None:
    """How a terminal is written where it is always written so."""
    match one.body:
        case Tree(data="literal", children=[Token(type="STRING") as text]):
            return str(ast.literal_eval(text.removesuffix("i")))
        case _:
            return None


def _picture(one: Definition) -> str:
    written: list[str] = []
    railroad.Diagram(_folded(one.body)).writeStandalone(written.append, css=_STYLE)
    return "".join(written).strip() + "\n"


def _folded(body: Node) -> railroad.DiagramItem:
    """A whole rule; a long sequence goes on in lines below."""
    if not isinstance(body, Tree) or body.data != "expansion":
        return _drawn(body)
    lines: list[list[railroad.DiagramItem]] = [[]]
    for part in _looped(body.children):
        if sum(one.width for one in lines[-1]) + part.width > WIDEST:
            lines.append([])
        lines[-1].append(part)
    return railroad.Stack(*(railroad.Sequence(*line) for line in lines))


def _drawn(node: Node) -> railroad.DiagramItem:
    """What a part of a rule looks like."""
    match node:
        case Tree(data="expansions", children=branches):
            return railroad.Choice(0, *map(_drawn, branches))
        case Tree(data="alias", children=[body, *_]):
            return _drawn(body)
        case Tree(data="expansion", children=parts):
            return railroad.Sequence(*_looped(parts)) if parts else railroad.Skip()
        case Tree(data="maybe", children=[body]) | Tree(data="expr", children=[body, "?"]):
            return railroad.Optional(_drawn(body))
        case Tree(data="expr", children=[body, "*"]):
            return railroad.ZeroOrMore(_drawn(body))
        case Tree(data="expr", children=[body, "+"]):
            return railroad.OneOrMore(_drawn(body))
        case Tree(data="literal", children=[Token(type="STRING") as text]):
            return railroad.Terminal(ast.literal_eval(text))
        case Tree(data="name", children=[Token() as name]):
            return _named(definitions()[name])
        case _:
            raise TypeError(f"no picture for {node!r}")


def _looped(parts: list[Node]) -> Iterator[railroad.DiagramItem]:
    """The parts of a sequence; `x ("," x)*` is one loop with the comma on its way back."""
    rest = list(parts)
    while rest:
        first = rest.pop(0)
        match rest:
            case [
                Tree(data="expr", children=[Tree(data="expansion", children=[sign, again]), "*"]),
                *others,
            ] if again == first:
                rest = others
                yield railroad.OneOrMore(_drawn(first), _drawn(sign))
            case _:
                yield _drawn(first)


def _named(one: Definition) -> railroad.DiagramItem:
    """A keyword as it is written, a small rule as it is drawn, any other by its title."""
    if (text := _spelling(one)) is not None:
        return railroad.Terminal(text)
    if one.is_rule and _is_small(one):
        return _drawn(one.body)
    return railroad.NonTerminal(one.title)


if __name__ == "__main__":
    main()
