"""Sets and services by name: which definition a name means in a file, and the order to work them out in.

A file sees its own definitions and those of the files that it includes, theirs too. Sets and services do not
share their names: where peers stand `@dns` is a set, where services stand, a service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
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

_SUGGESTIONS = 20
"""For how many undefined names of a run another is suggested: each is compared with all that there are."""
_SHOWN = 8
"""How many definitions of a ring are named."""


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

    def find(
        self, reference: Reference, *, within: Defined | None = None, suggests: bool = True
    ) -> Defined | None:
        """The definition that a name means; None, and reported, when there is none.

        `within` is the definition that the name stands in.
        """
        kind = SetDefinition if isinstance(reference, SetReference) else ServiceDefinition
        name = reference.name.text
        found = self.names.get((kind, name))
        if found is None and self.is_complete and name not in self.unread:
            names = self.names.items() if suggests else ()
            others = [key[1] for key, one in names if key[0] is kind and one is not within]
            self._report_undefined(reference, kind, others)
        return found

    def _report_undefined(self, reference: Reference, kind: type[Definition], others: Sequence[str]) -> None:
        """Report a name that is not defined; `others` are the definitions that may be meant."""
        name = reference.name.text
        word, other = ("set", "service") if kind is SetDefinition else ("service", "set")
        namesake = self.names.get((ServiceDefinition if kind is SetDefinition else SetDefinition, name))
        close = nearest(name, others)
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
    undefined: int = 0
    """How many references mean nothing."""

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

    def find(self, file: File, reference: Reference, within: Defined | None = None) -> Defined | None:
        """The definition that a name in a file means; None, and reported, when there is none.

        `within` is the definition that the name stands in.
        """
        suggests = self.undefined < _SUGGESTIONS
        defined = self.scopes[id(file)].find(reference, within=within, suggests=suggests)
        if defined is None:
            self.undefined += 1
        else:
            self.used.add(id(defined))
        return defined

    def _sort(self, root: Defined, done: set[int]) -> None:
        """Put a definition in order, behind all that it is made of; report it when it is made of itself.

        Definitions that are made of each other are reported once, all together.
        """
        rings = _Rings()
        rings.enter(root)
        way: list[tuple[Reference | None, Defined]] = [(None, root)]
        waiting = {id(root): iter(list(root.references()))}
        while way:
            _, defined = way[-1]
            reference = next(waiting[id(defined)], None)
            if reference is None:
                way.pop()
                done.add(id(defined))
                self.order.append(defined)
                if (ring := rings.leave(defined)) is not None:
                    ring.report()
            elif (target := self.find(defined.file, reference, defined)) is None:
                continue
            elif id(target) in waiting and id(target) not in done:
                rings.close(target, partial(_ring, way, reference, target))
            else:
                self.meant[id(reference)] = target
                if id(target) in done:
                    rings.close(target)
                else:
                    rings.enter(target)
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


@dataclass(frozen=True, slots=True)
class _Ring:
    """Definitions that are made of each other, each referring to the next."""

    defined: Sequence[Defined]
    last: Reference
    """The name by which the last of them refers to the first."""

    def report(self) -> None:
        first = self.defined[0]
        left_out = len(self.defined) - _SHOWN
        shown = [*self.defined]
        names = [f"@{one.definition.name.text}" for one in [*self.defined, first]]
        if left_out > 0:
            half = _SHOWN // 2
            shown = [*self.defined[:half], *self.defined[-half:]]
            names = [*names[:half], f"({left_out} more)", *names[-half - 1 :]]
        related = tuple(one.here("defined here") for one in shown)
        message = f"the {first.word} {first.definition.name.text!r} is made of itself: {' → '.join(names)}"
        self.defined[-1].file.findings.report(codes.CYCLE, message, self.last, related=related)


def _ring(way: Sequence[tuple[Reference | None, Defined]], last: Reference, first: Defined) -> _Ring:
    """The end of a way that begins at `first`, which `last` refers to."""
    begin = next(index for index in reversed(range(len(way))) if way[index][1] is first)
    return _Ring([defined for _, defined in way[begin:]], last)


@dataclass(slots=True)
class _Rings:
    """Which definitions on a way through them belong together, each being made of all others.

    The strongly connected components, by Gabow's algorithm ("Path-based depth-first search for strong and
    biconnected components", 2000); of each, the first ring that is met.
    """

    numbers: dict[int, int] = field(default_factory=dict)
    """In which order they were entered, by their identity; not those whose components are complete."""
    entered: list[Defined] = field(default_factory=list)
    components: list[tuple[int, _Ring | None]] = field(default_factory=list)
    """The incomplete components: the number of the first definition of each, and a ring in it."""

    def enter(self, defined: Defined) -> None:
        self.numbers[id(defined)] = len(self.entered)
        self.components.append((len(self.entered), None))
        self.entered.append(defined)

    def close(self, target: Defined, ring: Callable[[], _Ring] | None = None) -> None:
        """Put down that the last of the way refers to one that was entered; `ring`, if that closes one."""
        number = self.numbers.get(id(target))
        if number is None:
            return
        found: _Ring | None = None
        while True:
            begin, first = self.components.pop()
            found = first or found
            if begin <= number:
                break
        if found is None and ring is not None:
            found = ring()
        self.components.append((begin, found))

    def leave(self, defined: Defined) -> _Ring | None:
        """Go back from one: a ring of its component, if it has one and is complete now."""
        number = self.numbers[id(defined)]
        if self.components[-1][0] != number:
            return None
        for one in self.entered[number:]:
            del self.numbers[id(one)]
        del self.entered[number:]
        return self.components.pop()[1]
