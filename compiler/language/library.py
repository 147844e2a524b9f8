"""What the sets and services of files stand for, each worked out once, and readers of what refers to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from npc.compiler.frontend.names import label_value_fault
from npc.compiler.frontend.syntax import Port
from npc.compiler.language import tree
from npc.compiler.language.definitions import Defined, Definitions
from npc.compiler.language.including import File
from npc.compiler.language.peers import NOBODY, Meaning, PeerReader, Place
from npc.compiler.language.services import ServiceReader


@dataclass(frozen=True, slots=True)
class Library:
    """All definitions of a run, and what they stand for, by their identity."""

    definitions: Definitions
    sets: dict[int, Meaning] = field(default_factory=dict)
    ports: dict[int, tuple[Port, ...]] = field(default_factory=dict)

    @staticmethod
    def of(files: Sequence[File]) -> Library:
        """The definitions of files; what is wrong with them is put down in the files' findings."""
        library = Library(Definitions.of(files))
        for defined in library.definitions.order:
            library._read(defined)
        return library

    def peers(self, file: File) -> PeerReader:
        """Reads the peers of a file."""

        def of_set(reference: tree.SetReference) -> Meaning:
            target = self.definitions.find(file, reference)
            return NOBODY if target is None else self.sets[id(target)]

        return PeerReader(file.findings, of_set)

    def services(self, file: File) -> ServiceReader:
        """Reads the services of a file."""

        def of_service(reference: tree.ServiceReference) -> tuple[Port, ...]:
            target = self.definitions.find(file, reference)
            return () if target is None else self.ports[id(target)]

        return ServiceReader(file.findings, of_service)

    def _read(self, defined: Defined) -> None:
        """Put down what a definition stands for; those that it is made of have been read before."""
        findings, meant = defined.file.findings, self.definitions.meant

        def of_set(reference: tree.SetReference) -> Meaning:
            target = meant.get(id(reference))
            return NOBODY if target is None else self.sets[id(target)]

        def of_service(reference: tree.ServiceReference) -> tuple[Port, ...]:
            target = meant.get(id(reference))
            return () if target is None else self.ports[id(target)]

        findings.check(_name_fault, defined.definition.name, f"a {defined.word}'s name")
        match defined.definition:
            case tree.SetDefinition(peers=peers):
                self.sets[id(defined)] = PeerReader(findings, of_set).read(peers, Place.SET)
            case tree.ServiceDefinition(services=services):
                ports = ServiceReader(findings, of_service).read(services)
                self.ports[id(defined)] = tuple(dict.fromkeys(ports))


def _name_fault(name: str) -> str | None:
    return label_value_fault(name) if name else "it must not be empty"
