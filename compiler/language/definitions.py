"""Sets and services by name: which definition a name means in a file, and the order to work them out in.

A file sees its own definitions and those of the files that it includes, theirs too. Sets and services do not
share their names: where peers stand `@dns` is a set, where services stand, a service.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Related, nearest
from npc.compiler.language.including import File
from npc.compiler.language.tree import (
    ClusterPolicyBlock,
    PolicyBlock,
    ServiceDefinition,
    ServiceReference,
    SetDefinition,
    SetReference,
)

Definition: TypeAlias = SetDefinition | ServiceDefinition
Reference: TypeAlias = SetReference | ServiceReference
Key: TypeAlias = tuple[type[Definition], str]


@dataclass(frozen=True, slots=True, eq=False)
class Defined:
    """A definition and the file that it is in."""

    file: File = field(repr=False)
    definition: Definition

    @property
    def word(self) -> str:
        """What it is."""
        return "set" if isinstance(self.definition, SetDefinition) else "service"

    def here(self, label: str) -> Related:
        return Related(self.file.findings.origin(self.definition.name), label)

    def references(self) -> Iterator[Reference]:
        """The names that it is defined by."""
        match self.definition:
            case SetDefinition(peers=peers):
                yield from (one for one in peers if isinstance(one, SetReference))
            case ServiceDefinition(services=services):
                yield from (one for one in services if isinstance(one, ServiceReference))


@dataclass(frozen=True, slots=True)
class Scope:
    """The definitions that a file sees."""

    file: File
    names: Mapping[Key, Defined]
    unread: frozenset[str]
    """Names whose definitions could not be read: nothing is said of their absence."""
    is_complete: bool
    """Whether all included files could be read: else nothing is said of any absence."""

    def find(self, reference: Reference) -> Defined | None:
        """The definition that a name means; None, and reported, when there is none."""
        kind = SetDefinition if isinstance(reference, SetReference) else ServiceDefinition
        name = reference.name.text
        found = self.names.get((kind, name))
        if found is None and self.is_complete and name not in self.unread:
            self._report_undefined(reference, kind)
        return found

    def _report_undefined(self, reference: Reference, kind: type[Definition]) -> None:
        name = reference.name.text
        word, other = ("set", "service") if kind is SetDefinition else ("service", "set")
        namesake = self.names.get((ServiceDefinition if kind is SetDefinition else SetDefinition, name))
        close = nearest(name, (key[1] for key in self.names if key[0] is kind))
        help = ""
        related: tuple[Related, ...] = ()
        if not name:
            help = f"the name of a {word} stands right behind the '@'"
        elif namesake is not None:
            related = (namesake.here(f"a {other} of that name"),)
        elif close is not None:
            help = f"did you mean '@{close}'?"
            related = (self.names[kind, close].here("defined here"),)
        message = f"there is no {word} {name!r}" if name else f"'@' without the name of a {word}"
        self.file.findings.report(codes.UNDEFINED, message, reference, help=help, related=related)


def scopes(files: Iterable[File]) -> list[Scope]:
    """What each file sees; two definitions of one name are reported, once."""
    reported: set[frozenset[int]] = set()
    own = {id(file): [Defined(file, item) for item in _definitions(file)] for file in files}
    found = []
    for file in files:
        names: dict[Key, Defined] = {}
        unread: set[str] = set()
        for one in file.reach():
            unread |= one.parsed.unread
            for defined in own[id(one)]:
                first = names.setdefault((type(defined.definition), defined.definition.name.text), defined)
                if first is not defined and (pair := frozenset((id(first), id(defined)))) not in reported:
                    reported.add(pair)
                    _report_twice(first, defined)
        is_complete = all(one.is_complete for one in file.reach())
        found.append(Scope(file, names, frozenset(unread), is_complete))
    return found


def _definitions(file: File) -> Iterator[Definition]:
    for item in file.parsed.program.items:
        if isinstance(item, SetDefinition | ServiceDefinition):
            yield item


def _report_twice(first: Defined, second: Defined) -> None:
    if first.file is not second.file:
        first, second = second, first  # the nearer to the file that sees both
    message = f"the {first.word} {first.definition.name.text!r} is defined twice"
    second.file.findings.report(
        codes.DEFINED_TWICE, message, second.definition.name, related=(first.here("defined here too"),)
    )


@dataclass(slots=True)
class Definitions:
    """All definitions of a run, each after those that it is made of."""

    scopes: Mapping[int, Scope]
    """By the identity of the file."""
    order: list[Defined] = field(default_factory=list)
    meant: dict[int, Defined] = field(default_factory=dict)
    """What the references in definitions mean, by their identity; those of a cycle mean nothing."""
    used: set[int] = field(default_factory=set)
    """The identities of the definitions that something refers to."""

    @staticmethod
    def of(files: Sequence[File]) -> Definitions:
        """Look up all names in definitions."""
        found = Definitions({id(scope.file): scope for scope in scopes(files)})
        done: set[int] = set()
        for scope in found.scopes.values():
            for defined in scope.names.values():
                if id(defined) not in done:
                    found._sort(defined, done)
        return found

    def find(self, file: File, reference: Reference) -> Defined | None:
        """The definition that a name in a file means; None, and reported, when there is none."""
        defined = self.scopes[id(file)].find(reference)
        if defined is not None:
            self.used.add(id(defined))
        return defined

    def _sort(self, root: Defined, done: set[int]) -> None:
        """Put a definition in order, behind all that it is made of; report it when it is made of itself."""
        way: list[tuple[Reference | None, Defined]] = [(None, root)]
        waiting = {id(root): iter(list(root.references()))}
        while way:
            _, defined = way[-1]
            reference = next(waiting[id(defined)], None)
            if reference is None:
                way.pop()
                done.add(id(defined))
                self.order.append(defined)
            elif (target := self.find(defined.file, reference)) is None:
                continue
            elif id(target) in waiting and id(target) not in done:
                _report_cycle(way, reference, target)
            else:
                self.meant[id(reference)] = target
                if id(target) not in done:
                    way.append((reference, target))
                    waiting[id(target)] = iter(list(target.references()))

    def report_unused(self, files: Iterable[File]) -> None:
        """Warn of definitions that nothing refers to, in files that are no library of others."""
        for file in files:
            policies = (PolicyBlock, ClusterPolicyBlock)
            if file.is_included or not any(isinstance(one, policies) for one in file.parsed.program.items):
                continue
            scope = self.scopes[id(file)]
            for defined in scope.names.values():
                if defined.file is file and id(defined) not in self.used:
                    message = f"the {defined.word} {defined.definition.name.text!r} is used nowhere"
                    file.findings.report(codes.UNUSED, message, defined.definition.name)


def _report_cycle(way: Sequence[tuple[Reference | None, Defined]], last: Reference, first: Defined) -> None:
    """Report that `last`, in the last definition of the way, refers to one that is on the way already."""
    begin = next(index for index, (_, defined) in enumerate(way) if defined is first)
    ring = [defined for _, defined in way[begin:]]
    names = " → ".join(f"@{one.definition.name.text}" for one in [*ring, first])
    related = tuple(one.here("defined here") for one in ring)
    message = f"the {first.word} {first.definition.name.text!r} is made of itself: {names}"
    ring[-1].file.findings.report(codes.CYCLE, message, last, related=related)
