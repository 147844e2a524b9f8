"""What the sets and services of files stand for, by name, for those who ask from outside of any file.

A file sees its own definitions and those that it includes. A question is in no file: it sees all, and a name
that stands for different things in two files is no name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from npc.compiler.frontend.diagnostics import nearest
from npc.compiler.frontend.source import Source
from npc.compiler.frontend.syntax import Port
from npc.compiler.language.definitions import Defined
from npc.compiler.language.including import read_files
from npc.compiler.language.library import Library
from npc.compiler.language.peers import Meaning


@dataclass(frozen=True, slots=True)
class NamedThings:
    """The definitions of files that were read without an error."""

    library: Library
    by_name: Mapping[tuple[str, str], tuple[Defined, ...]]
    """By what they are (`set`, `service`) and their name."""

    @staticmethod
    def of(sources: Iterable[Source]) -> NamedThings:
        """The definitions of sources and of all that they include."""
        library = Library.of(read_files(sources))
        by_name: dict[tuple[str, str], tuple[Defined, ...]] = {}
        for one in library.definitions.order:
            key = one.word, one.definition.name.text
            by_name[key] = (*by_name.get(key, ()), one)
        return NamedThings(library, by_name)

    def set(self, name: str) -> Meaning | None:
        """What a set stands for; None where it has no one meaning."""
        found = [self.library.sets[id(one)] for one in self.by_name.get(("set", name), ())]
        return found[0] if len({one.peers for one in found}) == 1 else None

    def service(self, name: str) -> tuple[Port, ...] | None:
        """The protocols and ports of a service; None where it has no one meaning."""
        found = [self.library.ports[id(one)] for one in self.by_name.get(("service", name), ())]
        return found[0] if len(set(found)) == 1 else None

    def fault(self, word: str, name: str) -> tuple[str, str]:
        """Why a name has no one meaning, and what to write instead."""
        found = self.by_name.get((word, name), ())
        if found:
            files = ", ".join(sorted({one.file.source.name for one in found}))
            return f"'@{name}' is not the same {word} everywhere: {files}", "write what it stands for"
        close = nearest(name, self._names(word))
        other = "service" if word == "set" else "set"
        help = f"did you mean '@{close}'?" if close else ""
        if (other, name) in self.by_name:
            help = f"it is a {other}"
        elif not close:
            few = ", ".join(f"@{one}" for one in sorted(self._names(word))[:5])
            help = f"the {word}s of the policies: {few}" if few else "write what it stands for"
        return f"the policies have no {word} {name!r}", help

    def _names(self, word: str) -> Iterator[str]:
        return (name for kind, name in self.by_name if kind == word)
