"""The pairs of texts in golden/language: what was written, and what npc makes of it.

A folder holds `before.npc` and `after.npc`, a text and its one form; or, where its name begins with
`convert-`, a `before.npc` with the `after.yaml` that it is converted to, or a `before.yaml` with the
`after.npc` that it is converted to and the `after.yaml` that this is converted back to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from npc.compiler.frontend.diagnostics import has_errors
from npc.compiler.frontend.source import Source
from npc.compiler.language.conversion import convert
from npc.compiler.language.format import format_program
from npc.compiler.language.notation import Notation
from npc.compiler.language.parser import parse

GOLDEN = Path(__file__).parents[2] / "golden" / "language"


def folders() -> list[Path]:
    """The folders with pairs, in order of their names."""
    return sorted(path for path in GOLDEN.iterdir() if path.is_dir())


def made(folder: Path) -> Mapping[str, str]:
    """What npc makes of the text in a folder: file name to text."""
    npc, yaml = folder / "before.npc", folder / "before.yaml"
    if not folder.name.startswith("convert-"):
        return {"after.npc": formatted(npc.read_text(encoding="utf-8"))}
    if npc.exists():
        return {"after.yaml": converted(Source("before.npc", npc), Notation.YAML)}
    text = converted(Source("before.yaml", yaml), Notation.NPC)
    back = converted(Source("after.npc", content=text.encode()), Notation.YAML)
    return {"after.npc": text, "after.yaml": back}


def formatted(text: str) -> str:
    """The one form of a text that has no errors."""
    parsed = parse(Source("x.npc"), text)
    assert not parsed.diagnostics, [one.message for one in parsed.diagnostics]
    return format_program(parsed.program, text)


def converted(source: Source, to: Notation) -> str:
    """The policies of a source that has no errors, in the other notation."""
    result = convert([source], to)
    assert not has_errors(result.diagnostics), [one.message for one in result.diagnostics]
    (text,) = result.texts.values()
    return text


def stale() -> Iterator[tuple[Path, str]]:
    """The files that do not hold what npc makes now, each with what it makes."""
    for folder in folders():
        for name, text in made(folder).items():
            path = folder / name
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                yield path, text
