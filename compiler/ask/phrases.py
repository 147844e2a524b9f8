"""Pieces of the policy language outside of a policy: peers and services as somebody writes them in a
question.

Takes `pods(app=web) in ns/shop` or `tcp/443, udp/53`, gives what the same words mean in a policy;
InputError with the place in the text where they mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError, has_errors
from npc.compiler.frontend.source import Source
from npc.compiler.frontend.syntax import Peer, Port
from npc.compiler.language import tree
from npc.compiler.language.findings import Findings
from npc.compiler.language.parser import parse
from npc.compiler.language.peers import NOBODY, Meaning, PeerReader, Place
from npc.compiler.language.services import ServiceReader

_SET, _SERVICE = "set it = ", "service it = "


def read_peers(text: str, about: str, namespace: str | None) -> tuple[Peer, ...] | None:
    """The peers that a text names; None: `any`.

    `about` is what the text is called in messages; `namespace` that of pods and Services which are of
    "their own".
    """
    definition, findings = _definition(_SET, text, about)
    if isinstance(definition, tree.SetDefinition):
        for one in definition.peers:
            if namespace is None and _has_no_namespace(one):
                findings.report(
                    codes.QUESTION,
                    "of which namespace? A question has none of its own",
                    one,
                    help="write `in ns/NAME`, for pods of all namespaces `in ns`, or give --namespace NAME",
                )

        def unknown(reference: tree.SetReference) -> Meaning:
            _report_reference(findings, reference)
            return NOBODY

        found = PeerReader(findings, unknown).read(definition.peers, Place.POLICY)
        _raise(_SET, text, about, findings.diagnostics)
        return found.peers
    raise InputError([Diagnostic(codes.QUESTION, f"{about}: {text!r} names nobody")])


def read_services(text: str, about: str) -> tuple[Port, ...]:
    """The protocols and ports that a text names."""
    definition, findings = _definition(_SERVICE, text, about)
    if isinstance(definition, tree.ServiceDefinition):

        def unknown(reference: tree.ServiceReference) -> tuple[Port, ...]:
            _report_reference(findings, reference)
            return ()

        found = ServiceReader(findings, unknown).read(definition.services)
        _raise(_SERVICE, text, about, findings.diagnostics)
        return found
    raise InputError([Diagnostic(codes.QUESTION, f"{about}: {text!r} names no traffic")])


def _definition(prefix: str, text: str, about: str) -> tuple[tree.Item | None, Findings]:
    """The one definition that a text is with a prefix before it."""
    source = Source(about, content=f"{prefix}{text}".encode())
    parsed = parse(source, f"{prefix}{text}")
    _raise(prefix, text, about, parsed.diagnostics)
    items = parsed.program.items
    if len(items) > 1:
        at = Findings(source)
        at.report(codes.SENTENCE, "expected the end of the text", items[1])
        _raise(prefix, text, about, at.diagnostics)
    return (items[0] if items else None), Findings(source)


def _has_no_namespace(peer: tree.Peer) -> bool:
    match peer:
        case tree.Pods(namespaces=None) | tree.BehindService(namespace=None):
            return True
        case _:
            return False


def _report_reference(findings: Findings, reference: tree.SetReference | tree.ServiceReference) -> None:
    message = (
        f"'@{reference.name.text}' is defined nowhere: a question knows no sets and services of policies"
    )
    findings.report(codes.UNDEFINED, message, reference, help="write what it stands for")


def _raise(prefix: str, text: str, about: str, found: Iterable[Diagnostic]) -> None:
    """Raise what was found if an error is among it, with its places in the text itself."""
    listed = list(found)
    if not has_errors(listed):
        return
    source = Source(about, content=text.encode())
    moved = []
    for one in listed:
        origin = one.origin
        if origin is not None and origin.within is not None:
            first, last = (max(0, at - len(prefix)) for at in origin.within)
            origin = replace(origin, source=source, within=(first, max(last, first + 1)))
        moved.append(replace(one, origin=origin, related=()))
    raise InputError(moved)
