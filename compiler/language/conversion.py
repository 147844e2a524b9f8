"""Policies as they were written, in either notation, and the other notation of them.

Takes policies that were read without an error, and reads again how they were written: what is made of them
loses nothing. What the other notation cannot say is an error that names the rule and its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

import msgspec

from npc.compiler.frontend import cluster_schema, codes, schema
from npc.compiler.frontend.diagnostics import Diagnostic, InputError, Related, has_errors
from npc.compiler.frontend.documents import load
from npc.compiler.frontend.reread import reread
from npc.compiler.frontend.shapes import check_shape
from npc.compiler.frontend.source import Origin, PathInDocument, Source, format_path
from npc.compiler.frontend.syntax import ClusterPolicy, NetworkPolicy, Policy
from npc.compiler.language.format import format_program
from npc.compiler.language.from_kubernetes import cluster_policy_block, policy_block
from npc.compiler.language.including import File, read_files
from npc.compiler.language.names import Names
from npc.compiler.language.notation import Notation
from npc.compiler.language.to_kubernetes import (
    Object,
    Place,
    cluster_network_policy,
    network_policy,
)
from npc.compiler.language.tree import (
    ClusterPolicyBlock,
    PolicyBlock,
    Program,
    ServiceDefinition,
    ServiceReference,
    SetDefinition,
    SetReference,
)
from npc.compiler.language.yaml_writer import yaml_text

_T = TypeVar("_T")

Block = PolicyBlock | ClusterPolicyBlock

_CLUSTER_SCHEMAS: dict[str, type[cluster_schema.ClusterPolicyObject]] = {
    "ClusterNetworkPolicy": cluster_schema.ClusterNetworkPolicy,
    "AdminNetworkPolicy": cluster_schema.AdminNetworkPolicy,
    "BaselineAdminNetworkPolicy": cluster_schema.BaselineAdminNetworkPolicy,
}


@dataclass(frozen=True, slots=True)
class Converted:
    """The policies of each source in the other notation, and what there is to say of them."""

    texts: Mapping[Source, str]
    """Empty when one of the diagnostics is an error."""
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """A policy as its author wrote it: a block of the language, whatever notation it was written in."""

    block: Block
    origin: Origin = field(repr=False)
    names: Names = field(default_factory=Names, repr=False)
    """What the block refers to; empty where it was Kubernetes' notation."""
    definitions: Mapping[int, Origin] = field(default_factory=dict, repr=False)
    """Where each of them was written, by its identity."""

    @property
    def name(self) -> str:
        """As diagnostics name the policy."""
        match self.block:
            case PolicyBlock(name=name, namespace=namespace):
                return f"NetworkPolicy {f'{namespace}/' if namespace is not None else ''}{name}"
            case ClusterPolicyBlock(name=name):
                return f"ClusterNetworkPolicy {name}"

    def place(self, node: Place) -> Origin:
        """Where a node of the block was written; the whole policy, where the notation was Kubernetes'."""
        if is_in_language(self.origin):
            return Origin(self.origin.source, within=(node.start, node.end))
        return self.origin

    def definition(self, node: Place) -> tuple[Related, ...]:
        """Where what a node refers to is defined, if it refers to something."""
        match node:
            case SetReference(name=name):
                return (Related(self.definitions[id(self.names.sets[name.text])], "defined here"),)
            case ServiceReference(name=name):
                return (Related(self.definitions[id(self.names.services[name.text])], "defined here"),)
            case _:
                return ()


def convert(sources: Iterable[Source], to: Notation) -> Converted:
    """The policies of sources that are not in a notation yet, in it; what is wrong is in the diagnostics."""
    loaded = load(sources)
    diagnostics = list(loaded.diagnostics)
    if has_errors(diagnostics):
        return Converted({}, tuple(diagnostics))
    policies: list[Policy] = [*loaded.policies, *loaded.cluster_policies]
    chosen = [one for one in policies if is_in_language(one.origin) != (to is Notation.NPC)]
    if len(chosen) < len(policies):
        count = len(policies) - len(chosen)
        words = f"{count:,} {'policy that is' if count == 1 else 'policies that are'} in {to.value} already"
        diagnostics.append(Diagnostic(codes.PASSED_OVER, f"passed over: {words}"))
    if not chosen:
        diagnostics.append(Diagnostic(codes.NO_INPUT, f"there is no policy to convert to {to.value}"))
    texts: dict[Source, str] = {}
    match to:
        case Notation.NPC:
            blocks: dict[Source, list[Block]] = {}
            written = list(written_in_kubernetes(chosen, diagnostics))
            diagnostics += _namesakes(written)
            for one in written:
                blocks.setdefault(one.origin.source, []).append(one.block)
            texts = {source: format_program(Program(tuple(some))) for source, some in blocks.items()}
        case Notation.YAML:
            objects: dict[Source, list[str]] = {}
            for one in written_in_language(dict.fromkeys(policy.origin.source for policy in chosen)):
                text = yaml_text(in_kubernetes(one, diagnostics))
                objects.setdefault(one.origin.source, []).append(text)
            texts = {source: together(some, to) for source, some in objects.items()}
    return Converted({} if has_errors(diagnostics) else texts, tuple(diagnostics))


def together(texts: Iterable[str], notation: Notation) -> str:
    """Several texts of a notation as one."""
    return ("---\n" if notation is Notation.YAML else "\n").join(texts)


def _namesakes(written: Iterable[Written]) -> Iterator[Diagnostic]:
    """Cluster policies of one name: objects of two kinds may share it, cluster policies may not."""
    first: dict[str, Written] = {}
    for one in written:
        if isinstance(one.block, ClusterPolicyBlock):
            name = one.block.name.text
            other = first.setdefault(name, one)
            if other is not one:
                yield Diagnostic(
                    codes.DUPLICATE_POLICY,
                    f"two cluster policies would have the name {name!r}",
                    one.origin.at("metadata", "name"),
                    related=(Related(other.origin.at("metadata", "name"), "first here"),),
                    help="rename one of them",
                )


def as_written(policies: Iterable[Policy]) -> list[Written]:
    """Policies that were read, as they were written.

    What the tree of the language cannot hold, which is what fails closed (C5), raises InputError.
    """
    listed = list(policies)
    diagnostics: list[Diagnostic] = []
    found = list(
        written_in_kubernetes((one for one in listed if not is_in_language(one.origin)), diagnostics)
    )
    if diagnostics:
        raise InputError(diagnostics)
    wanted = {one.origin for one in listed if is_in_language(one.origin)}
    sources = dict.fromkeys(one.origin.source for one in listed if one.origin in wanted)
    return found + [one for one in written_in_language(sources) if one.origin in wanted]


def is_in_language(origin: Origin) -> bool:
    """Whether a policy was written in the policy language."""
    return origin.within is not None or origin.span is not None


def written_in_language(sources: Iterable[Source]) -> Iterator[Written]:
    """The policies of files in the language and of what they include, in order, each file once."""
    for file in read_files(sources):
        names, places = _names(file)
        for item in file.parsed.program.items:
            if isinstance(item, PolicyBlock | ClusterPolicyBlock):
                yield Written(
                    item, Origin(file.source, within=(item.name.start, item.name.end)), names, places
                )


def _names(file: File) -> tuple[Names, Mapping[int, Origin]]:
    """What a file can refer to, and where each definition, by its identity, was written."""
    sets: dict[str, SetDefinition] = {}
    services: dict[str, ServiceDefinition] = {}
    places: dict[int, Origin] = {}
    for one in file.reach():
        for item in one.parsed.program.items:
            match item:
                case SetDefinition(name=name):
                    sets.setdefault(name.text, item)
                    places[id(item)] = one.findings.origin(name)
                case ServiceDefinition(name=name):
                    services.setdefault(name.text, item)
                    places[id(item)] = one.findings.origin(name)
                case _:
                    pass
    return Names(sets, services), places


def written_in_kubernetes(policies: Iterable[Policy], diagnostics: list[Diagnostic]) -> Iterator[Written]:
    """Policies that were written as Kubernetes objects, in the order in which their files have them.

    What the language has no words for is added to the diagnostics.
    """
    by_origin = {policy.origin: policy for policy in policies}
    places: dict[Source, int] = {}
    for origin in by_origin:
        places.setdefault(origin.source, len(places))
    objects = reread(by_origin)
    for origin in sorted(by_origin, key=lambda one: (places[one.source], one.document, _indices(one))):
        yield Written(_block(by_origin[origin], objects[origin], diagnostics), origin)


def _indices(origin: Origin) -> tuple[int, ...]:
    """Where an object is in the lists that it is in."""
    return tuple(step for step in origin.path if isinstance(step, int))


def _block(policy: Policy, value: dict[str, Any], diagnostics: list[Diagnostic]) -> Block:
    def unsayable(path: PathInDocument, what: str) -> None:
        origin = policy.origin.at(*path)
        message = f"{what} has no words in the policy language"
        about = f"{policy.kind} {policy.name}" if isinstance(policy, ClusterPolicy) else ""
        diagnostics.append(Diagnostic(codes.NO_WORDS, message, origin, field=format_path(path), about=about))

    match policy:
        case NetworkPolicy():
            return policy_block(_decoded(value, schema.NetworkPolicy, "NetworkPolicy"))
        case ClusterPolicy(kind=kind):
            return cluster_policy_block(_decoded(value, _CLUSTER_SCHEMAS[kind], kind), unsayable)


def _decoded(value: dict[str, Any], type_: type[_T], kind: str) -> _T:
    """A valid object as its schema; in a list of its kind it need not say what it is."""
    whole = {"apiVersion": "", "kind": kind, **value}
    try:
        return msgspec.convert(whole, type_)
    except msgspec.ValidationError:  # for a field that npc does not know, which fails closed (C5)
        return msgspec.convert(check_shape(whole, type_)[1], type_)


def in_kubernetes(written: Written, diagnostics: list[Diagnostic], today: date | None = None) -> Object:
    """A policy as a Kubernetes object; what that cannot say is added to the diagnostics.

    Rules that have ended before today are left out (X6), and need not be said. What a set or service has is
    said once, at its first use.
    """

    def refuse(node: Place, why: str, help: str) -> None:
        defined = written.definition(node)
        if defined and any(one.related == defined and one.message == why for one in diagnostics):
            return  # said where the definition is first used
        diagnostics.append(
            Diagnostic(
                codes.NOT_IN_KUBERNETES,
                why,
                written.place(node),
                about=written.name,
                help=help,
                related=defined,
            )
        )

    match written.block:
        case PolicyBlock() as block:
            return network_policy(block, written.names, refuse, today)
        case ClusterPolicyBlock() as block:
            return cluster_network_policy(block, written.names, refuse, today)
