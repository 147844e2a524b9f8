"""Pieces of the policy language outside of a policy: peers and services as somebody writes them in a
question.

Takes `pods(app=web) in ns/shop` or `tcp/443, udp/53`, gives what the same words mean in a policy;
InputError with the place in the text where they mean nothing. `@NAME` is a set or service of the policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError, has_errors
from npc.compiler.frontend.source import Source
from npc.compiler.frontend.syntax import Peer, Port
from npc.compiler.language import tree
from npc.compiler.language.findings import Findings
from npc.compiler.language.named import NamedThings
from npc.compiler.language.parser import parse
from npc.compiler.language.peers import NOBODY, Meaning, PeerReader, Place
from npc.compiler.language.services import ServiceReader

_SET, _SERVICE = "set it = ", "service it = "


@dataclass(frozen=True, slots=True)
class Meant:
    """The peers that a text names."""

    peers: tuple[Peer, ...] | None
    """None: `any`."""
    warnings: tuple[Diagnostic, ...]


@dataclass(frozen=True)
class Phrases:
    """Reads texts beside the policies of some sources."""

    sources: Sequence[Source] = ()
    """In the policy language: read again when a text names a definition of theirs."""

    @cached_property
    def _named(self) -> NamedThings:
        return NamedThings.of(self.sources)

    def peers(self, text: str, about: str, namespace: str | None) -> Meant:
        """The peers that a text names.

        `about` is what the text is called in messages; `namespace` that of pods and Services which are of
        "their own".
        """
        definition, findings = _definition(_SET, text, about)
        if isinstance(definition, tree.SetDefinition):
            for one in definition.peers:
                if namespace is None and _has_no_namespace(one):
                    _report_homeless(findings, one)

            def of_set(reference: tree.SetReference) -> Meaning:
                found = self._named.set(reference.name.text)
                if found is None:
                    self._report_unnamed(findings, reference, "set")
                elif found.local is not None and namespace is None:
                    _report_homeless(findings, reference)
                return found or NOBODY

            found = PeerReader(findings, of_set).read(definition.peers, Place.POLICY)
            moved = _moved(_SET, text, about, findings.diagnostics)
            return Meant(found.peers, moved)
        raise InputError([Diagnostic(codes.QUESTION, f"{about}: {text!r} names nobody")])

    def services(self, text: str, about: str) -> tuple[Port, ...]:
        """The protocols and ports that a text names."""
        definition, findings = _definition(_SERVICE, text, about)
        if isinstance(definition, tree.ServiceDefinition):

            def of_service(reference: tree.ServiceReference) -> tuple[Port, ...]:
                found = self._named.service(reference.name.text)
                if found is None:
                    self._report_unnamed(findings, reference, "service")
                return found or ()

            found = ServiceReader(findings, of_service).read(definition.services)
            _moved(_SERVICE, text, about, findings.diagnostics)
            return found
        raise InputError([Diagnostic(codes.QUESTION, f"{about}: {text!r} names no traffic")])

    def _report_unnamed(
        self, findings: Findings, reference: tree.SetReference | tree.ServiceReference, word: str
    ) -> None:
        message, help = self._named.fault(word, reference.name.text)
        findings.report(codes.UNDEFINED, message, reference, help=help)


def _definition(prefix: str, text: str, about: str) -> tuple[tree.Item | None, Findings]:
    """The one definition that a text is with a prefix before it."""
    source = Source(about, content=f"{prefix}{text}".encode())
    parsed = parse(source, f"{prefix}{text}")
    _moved(prefix, text, about, parsed.diagnostics)
    items = parsed.program.items
    if len(items) > 1:
        at = Findings(source)
        at.report(codes.SENTENCE, "expected the end of the text", items[1])
        _moved(prefix, text, about, at.diagnostics)
    return (items[0] if items else None), Findings(source)


def _has_no_namespace(peer: tree.Peer) -> bool:
    match peer:
        case tree.Pods(namespaces=None) | tree.BehindService(namespace=None):
            return True
        case _:
            return False


def _report_homeless(findings: Findings, peer: tree.Peer) -> None:
    findings.report(
        codes.QUESTION,
        "of which namespace? A question has none of its own",
        peer,
        help="write `in ns/NAME`, for pods of all namespaces `in ns`, or give --namespace NAME",
    )


def _moved(prefix: str, text: str, about: str, found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """What was found, with its places in the text itself; raised if an error is among it."""
    source = Source(about, content=text.encode())
    moved = []
    for one in found:
        origin = one.origin
        if origin is not None and origin.within is not None:
            first, last = (max(0, at - len(prefix)) for at in origin.within)
            origin = replace(origin, source=source, within=(first, max(last, first + 1)))
        moved.append(replace(one, origin=origin, related=()))
    if has_errors(moved):
        raise InputError(moved)
    return tuple(moved)
