"""Sources to policies and inventory objects, by kind.

Any mix of YAML streams, JSON and `List` objects, and of texts in npc's own language; policies and inventory
may stand together. What goes to msgspec as bytes stays bytes until its type is known, so a large inventory is
decoded once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import msgspec
from msgspec import Raw, Struct

from npc.compiler.frontend import codes, schema
from npc.compiler.frontend.diagnostics import Diagnostic, nearest
from npc.compiler.frontend.files import LANGUAGE_SUFFIX, STDIN
from npc.compiler.frontend.inventory_stream import NotStreamed, pieces
from npc.compiler.frontend.json_reader import MalformedJson, read_json
from npc.compiler.frontend.kinds import (
    has_namesakes,
    is_controller,
    is_inventory,
    is_list,
    is_policy,
    item_kind,
    mistake,
)
from npc.compiler.frontend.malformed import not_text
from npc.compiler.frontend.plain_pods import PlainPods
from npc.compiler.frontend.policies import policy_of
from npc.compiler.frontend.recognition import is_meant_as_the_language
from npc.compiler.frontend.shapes import Problem, check_shape, describe, quoted
from npc.compiler.frontend.source import Origin, PathInDocument, Source, format_path
from npc.compiler.frontend.syntax import ClusterPolicy, NetworkPolicy
from npc.compiler.frontend.yaml_reader import DEEPEST, read_yaml

Progress = Callable[[str, int, int], None]
"""Told what is being done, and how far it is: (words, done, total)."""

InventoryObject = (
    schema.Object
    | schema.Inventory
    | schema.InventoryEndpoint
    | schema.InventoryNamespace
    | schema.InventoryNode
    | schema.InventoryService
)

Collected = tuple[InventoryObject, Origin] | PlainPods
"""An object of an inventory and where it was written, or what is in a whole list of them."""

_COMPACT: dict[str, tuple[str, type[InventoryObject]]] = {
    "endpoints": ("endpoint", schema.InventoryEndpoint),
    "namespaces": ("Namespace", schema.InventoryNamespace),
    "nodes": ("Node", schema.InventoryNode),
    "services": ("Service", schema.InventoryService),
}
"""The keys by which the compact inventory form is known, and what each lists."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was read: valid policies, inventory objects with their origins, and what was found."""

    policies: tuple[NetworkPolicy, ...] = ()
    cluster_policies: tuple[ClusterPolicy, ...] = ()
    inventory: tuple[Collected, ...] = field(default=(), repr=False)
    diagnostics: tuple[Diagnostic, ...] = ()
    controllers: tuple[tuple[schema.Controller, Origin], ...] = field(default=(), repr=False)
    """Deployments and their like, where they are read."""


class _Head(Struct):
    """Enough of an object to know what it is."""

    kind: Any = None
    apiVersion: Any = None


class _List(Struct):
    """A list of objects that are still as they were written."""

    kind: Any = None
    apiVersion: Any = None
    items: Raw = Raw()


_head = msgspec.json.Decoder(_Head)
_list = msgspec.json.Decoder(_List)
_items = msgspec.json.Decoder(list[Raw])
_object = msgspec.json.Decoder(schema.Object)
_BEGINS_LIKE_JSON = re.compile(rb"\s*[{\[]")
_MEANT_AS_JSON = re.compile(rb'\s*(?:\{\s*"|\[\s*[{\["])')
_REFUSED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not what was asked for."""


def load(
    sources: Iterable[Source],
    progress: Progress | None = None,
    *,
    today: date | None = None,
    controllers: Collection[str] = (),
) -> Loaded:
    """Read and validate all sources; errors are in the result's diagnostics, never raised.

    Rules whose last day is before `today` are left out (X6); None: none is. `controllers` are the kinds of
    objects that make pods which are read too, and not passed over; with any, pods' owners are read as well.
    """
    reader = _Reader(frozenset(controllers))
    listed = list(sources)
    for done, source in enumerate(listed):
        if progress is not None:
            progress("reading", done, len(listed))
        reader.source(source)
    reader.read_language(today)
    reader.finish(listed)
    return Loaded(
        tuple(reader.policies),
        tuple(reader.cluster_policies),
        tuple(reader.inventory),
        tuple(reader.diagnostics),
        tuple(reader.controllers),
    )


@dataclass(slots=True)
class _Reader:
    controller_kinds: frozenset[str] = frozenset()
    """The kinds of controllers to read."""
    policies: list[NetworkPolicy] = field(default_factory=list)
    cluster_policies: list[ClusterPolicy] = field(default_factory=list)
    inventory: list[Collected] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    controllers: list[tuple[schema.Controller, Origin]] = field(default_factory=list)
    in_language: list[Source] = field(default_factory=list)
    """Those in npc's own language: read together, for they include each other."""
    passed_over: dict[str, int] = field(default_factory=dict)
    is_empty: bool = True
    """Whether no document has been seen yet."""

    def source(self, source: Source) -> None:
        if source.name.endswith(LANGUAGE_SUFFIX):
            self.in_language.append(source)
            return
        try:
            if self._inventory_list(source):
                return
            data = source.data()
        except OSError as error:
            reason = error.strerror or str(error)
            self.diagnostics.append(Diagnostic(codes.UNREADABLE, f"{source.name}: {reason}"))
            return
        if source.name == STDIN and is_meant_as_the_language(data):
            self.in_language.append(source)
            return
        data = data.removeprefix(b"\xef\xbb\xbf")
        refused = None
        if _BEGINS_LIKE_JSON.match(data):
            refused = self._json(Origin(source), data)
            if refused is None:
                return
            if source.name.endswith(".json"):
                self._malformed_json(Origin(source), data, refused)
                return
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            self.diagnostics.append(not_text(Origin(source), error))
            return
        documents, diagnostics = read_yaml(source, data)
        if refused is not None and not documents and _MEANT_AS_JSON.match(data):
            self._malformed_json(Origin(source), data, refused)
            return
        self.diagnostics.extend(diagnostics)
        for document in documents:
            if document.value is not None:
                self._value(document.value, document.origin)

    def read_language(self, today: date | None) -> None:
        """Read the sources in npc's own language, when there are any."""
        if not self.in_language:
            return
        from npc.compiler.language.lowering import lower

        lowered = lower(self.in_language, today)
        self.policies.extend(lowered.policies)
        self.cluster_policies.extend(lowered.cluster_policies)
        self.diagnostics.extend(lowered.diagnostics)
        self.is_empty &= lowered.is_empty

    def finish(self, sources: Sequence[Source]) -> None:
        """Say what only the end shows: how much was passed over, or that there was nothing at all."""
        if self.passed_over:
            counts = ", ".join(f"{count:,} {kind}" for kind, count in sorted(self.passed_over.items()))
            self.diagnostics.append(Diagnostic(codes.PASSED_OVER, f"passed over: {counts}"))
        elif sources and self.is_empty and not self.diagnostics:
            where = sources[0].name if len(sources) == 1 else f"any of the {len(sources):,} files"
            what = "policy" if len(self.in_language) == len(sources) else "object"
            self.diagnostics.append(Diagnostic(codes.NO_INPUT, f"there is no {what} in {where}"))

    def _json(self, origin: Origin, data: bytes) -> Exception | None:
        """Read a JSON text; what msgspec said when it is none, and YAML may still make sense of it."""
        try:
            whole = _list.decode(data)
        except msgspec.ValidationError:  # no object
            whole = _List()
        except _REFUSED as error:
            return error
        if is_list(whole.kind) and bytes(whole.items)[:1] == b"[":
            self._json_list(whole, origin, data)
        else:
            self._json_object(Raw(data), origin)
        return None

    def _inventory_list(self, source: Source) -> bool:
        """Read a list of nothing but inventory objects, piece by piece; False when it may hold more."""
        pods = PlainPods(Origin(source))
        try:
            with source.open() as file:
                for items in pieces(file, owners=bool(self.controller_kinds)):
                    pods.add(items)
        except NotStreamed:
            return False
        self.is_empty = False
        if pods:
            self.inventory.append(pods)
        return True

    def _json_list(self, whole: _List, origin: Origin, data: bytes) -> None:
        """A list that is not all inventory, object by object."""
        self.is_empty = False
        envelope = data.replace(bytes(whole.items), b"[]", 1)
        try:
            read_json(envelope.decode("utf-8"))  # msgspec would not see a second `items`
        except (MalformedJson, UnicodeDecodeError) as error:
            self._malformed_json(origin, data, error)
            return
        for index, item in enumerate(_items.decode(whole.items)):
            self._json_object(item, origin.at("items", index), whole)

    def _json_object(self, raw: Raw, origin: Origin, parent: _List | None = None) -> None:
        try:
            head = _head.decode(raw)
        except _REFUSED:
            head = _Head()
        kind, version = head.kind, head.apiVersion
        if is_inventory(kind, version):
            try:
                self.inventory.append((_object.decode(raw), origin))
                self.is_empty = False
                return
            except _REFUSED:
                pass  # to be looked at closely
        elif parent is not None and not kind:
            kind, version = item_kind(parent.kind), version or parent.apiVersion
        if isinstance(kind, str) and kind and not self._is_of_concern(kind, version):
            self._pass_over(kind, version)
            return
        data = bytes(raw)
        try:
            value = read_json(data.decode("utf-8"))
        except (MalformedJson, UnicodeDecodeError) as error:
            self._malformed_json(origin, data, error)
            return
        if parent is not None and isinstance(value, dict):
            value = _as_item(value, parent.kind, parent.apiVersion)
        self._value(value, origin)

    def _malformed_json(self, origin: Origin, data: bytes, error: Exception) -> None:
        """Report why the data at an origin are no JSON; msgspec knows that they are not, but little more."""
        fault = MalformedJson(codes.SYNTAX, f"malformed JSON: {error}", (0, 1))
        try:
            text = data.decode("utf-8")
            if not isinstance(error, MalformedJson):
                read_json(text)
        except UnicodeDecodeError as located:
            self.diagnostics.append(not_text(origin, located))
            return
        except MalformedJson as explained:
            error = explained
        if isinstance(error, MalformedJson):
            fault = error
        at = replace(origin, within=fault.at)
        self.diagnostics.append(Diagnostic(fault.code, fault.message, at, help=fault.help))

    def _value(self, value: Any, origin: Origin) -> None:
        """One object as plain values."""
        self.is_empty = False
        if origin.source.in_folder and not origin.path and _is_something_else(value):
            self._pass_over("without a kind", None)
        elif not isinstance(value, dict):
            self._no_object(value, origin)
        else:
            self._object(value, origin)

    def _no_object(self, value: Any, origin: Origin) -> None:
        message = f"expected a Kubernetes object, found {describe(value)}"
        help = "an object is a mapping with apiVersion, kind and metadata"
        if isinstance(value, list):
            help = "separate objects by '---', or make them the items of an object of kind List"
        self._report(origin, "", Problem((), codes.NOT_AN_OBJECT, message, help=help))

    def _object(self, value: dict[str, Any], origin: Origin) -> None:
        kind, version = value.get("kind"), value.get("apiVersion")
        if kind is None and _is_compact(value):
            self._compact(value, origin)
        elif not isinstance(kind, str) or not kind:
            self._kindless(value, origin)
        elif is_list(kind):
            self._list(value, kind, origin)
        elif is_inventory(kind, version):
            self._inventory_object(value, kind, origin)
        elif is_policy(kind, version):
            self._policy(value, kind, origin)
        elif self._is_controller(kind, version):
            self._controller(value, kind, origin)
        elif (problem := mistake(kind, version)) is not None:
            self._report(origin, "", problem)
        else:
            self._pass_over(kind, version)

    def _is_controller(self, kind: str, version: Any) -> bool:
        """Whether an object is a controller that is to be read."""
        return kind in self.controller_kinds and is_controller(kind, version)

    def _is_of_concern(self, kind: str, version: Any) -> bool:
        """Whether an object of this kind is not to be passed over."""
        return bool(
            is_list(kind)
            or is_inventory(kind, version)
            or is_policy(kind, version)
            or self._is_controller(kind, version)
            or mistake(kind, version)
        )

    def _controller(self, value: dict[str, Any], kind: str, origin: Origin) -> None:
        try:
            self.controllers.append((msgspec.convert(value, schema.Controller), origin))
        except msgspec.ValidationError:
            for problem in check_shape(value, schema.Controller)[0]:
                self._report(origin, f"{kind} {_name_of(value)}", problem)

    def _list(self, value: dict[str, Any], kind: str, origin: Origin) -> None:
        items = value.get("items")
        if len(origin.path) >= DEEPEST:
            self._report(origin, "", Problem((), codes.TOO_DEEP, "lists are nested too deeply"))
        elif isinstance(items, list):
            for index, item in enumerate(items):
                if isinstance(item, dict):
                    item = _as_item(item, kind, value.get("apiVersion"))
                self._value(item, origin.at("items", index))
        elif items is not None:
            message = f"expected a list, found {describe(items)}"
            self._report(origin, kind, Problem(("items",), codes.WRONG_TYPE, message, "TypeInvalid"))
        elif "spec" in value and self._is_of_concern(item_kind(kind) or "", value.get("apiVersion")):
            message = f"a {kind} has items, and no spec"
            help = f"is it a {item_kind(kind)}?"
            self._report(origin, kind, Problem(("spec",), codes.UNKNOWN_FIELD, message, help=help))

    def _policy(self, value: dict[str, Any], kind: str, origin: Origin) -> None:
        policy, problems = policy_of(value, kind, origin)
        match policy:
            case NetworkPolicy():
                self.policies.append(policy)
            case ClusterPolicy():
                self.cluster_policies.append(policy)
        for problem in problems:
            self._report(origin, f"{kind} {_name_of(value)}", problem)

    def _inventory_object(self, value: dict[str, Any], kind: str, origin: Origin) -> None:
        try:
            self.inventory.append((msgspec.convert(value, schema.Object), origin))
        except msgspec.ValidationError:
            for problem in check_shape(value, schema.Object)[0]:
                self._report(origin, f"{kind} {_name_of(value)}", problem)

    def _compact(self, value: dict[str, Any], origin: Origin) -> None:
        """The compact inventory form; where parts of it are wrong, the others are looked at all the same."""
        try:
            self.inventory.append((msgspec.convert(value, schema.Inventory), origin))
            return
        except msgspec.ValidationError:
            problems = check_shape(value, schema.Inventory)[0]
        abouts: dict[PathInDocument, str] = {}
        for key, (word, type_) in _COMPACT.items():
            entries = value.get(key)
            for index, entry in enumerate(entries if isinstance(entries, list) else ()):
                abouts[key, index] = f"{word} {_name_of(entry)}"
                try:
                    self.inventory.append((msgspec.convert(entry, type_), origin.at(key, index)))
                except msgspec.ValidationError:
                    pass  # among the problems
        for problem in problems:
            self._report(origin, abouts.get(problem.path[:2], "the inventory"), problem)

    def _kindless(self, value: dict[str, Any], origin: Origin) -> None:
        kind = value.get("kind")
        if kind is not None and kind != "":
            message = f"expected a string, found {describe(kind)}"
            self._report(origin, "", Problem(("kind",), codes.WRONG_TYPE, message, "TypeInvalid"))
        elif value.keys() & {"kind", "apiVersion", "metadata", "spec"}:
            mistyped = nearest("kind", [key for key in value if key not in ("kind", "metadata", "spec")])
            help = f"is {quoted(mistyped)} meant to be kind?" if mistyped else "write kind: NetworkPolicy"
            message = "Required value: the object has no kind"
            self._report(origin, "", Problem(("kind",), codes.NOT_AN_OBJECT, message, "Required", help=help))
        elif (mistyped := _hosts_key(value)) is not None:
            help = f"did you mean {nearest(mistyped, _COMPACT, cutoff=0.8) or 'endpoints'!r}?"
            message = f"unknown field {quoted(mistyped)}"
            problem = Problem((mistyped,), codes.UNKNOWN_FIELD, message, on_key=True, help=help)
            self._report(origin, "the inventory", problem)
        else:
            self._pass_over("without a kind", None)

    def _pass_over(self, kind: str, version: Any) -> None:
        self.is_empty = False
        group = version.rpartition("/")[0] if isinstance(version, str) else ""
        name = f"{kind}.{group}" if group and has_namesakes(kind) else kind
        name = name if len(name) <= 80 else name[:77] + "..."
        self.passed_over[name] = self.passed_over.get(name, 0) + 1

    def _report(self, origin: Origin, about: str, problem: Problem) -> None:
        path = origin.path + (problem.show if problem.show is not None else problem.path)
        self.diagnostics.append(
            Diagnostic(
                problem.code,
                problem.message,
                Origin(origin.source, origin.document, path, problem.on_key),
                field=format_path(problem.path),
                reason=problem.reason,
                help=problem.help,
                about=about.strip(),
            )
        )


def _is_something_else(value: Any) -> bool:
    """Whether a value is plainly no Kubernetes object and no inventory: Helm's Chart.yaml, a list of values.

    What has a kind, however it is spelt, a spec, or a policy's apiVersion may be a policy that is broken.
    """
    if not isinstance(value, dict):
        return not (isinstance(value, list) and any(isinstance(one, dict) and "kind" in one for one in value))
    if value.keys() & {"kind", "metadata", "spec"} or _is_compact(value) or _hosts_key(value) is not None:
        return False
    version = value.get("apiVersion")
    is_policy = isinstance(version, str) and "network" in version
    return not is_policy and nearest("kind", value) is None


def _is_compact(value: dict[str, Any]) -> bool:
    """Whether a mapping without a kind is meant as the compact inventory form.

    Files of other programs have `services`, too (Compose, GitLab); those of an inventory have selectors.
    """
    services = value.get("services")
    if value.keys() <= _COMPACT.keys():
        return bool(value) and not (value.keys() == {"services"} and isinstance(services, dict))
    if isinstance(services, list) and any(isinstance(one, dict) and "selector" in one for one in services):
        return True
    return any(isinstance(value.get(key), list) for key in _COMPACT if key != "services")


def _hosts_key(value: dict[str, Any]) -> str | None:
    """The key of a list of things with addresses: hosts that must not be passed over for a mistyped key."""
    for key, entries in value.items():
        if isinstance(entries, list) and any(isinstance(one, dict) and "addresses" in one for one in entries):
            return key
    return None


def _as_item(value: dict[str, Any], list_kind: Any, list_version: Any) -> dict[str, Any]:
    kind = item_kind(list_kind)
    if kind is None or "kind" in value:
        return value
    return {"apiVersion": list_version, "kind": kind, **value}


def _name_of(value: Any) -> str:
    """`namespace/name` of an object or of an entry of the compact form, as far as it has them."""
    if not isinstance(value, dict):
        return ""
    metadata = value.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else value
    names = [metadata.get(key) for key in ("namespace", "name")]
    return "/".join(one[:80] for one in names if isinstance(one, str))
