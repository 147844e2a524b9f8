"""Sources to Kubernetes objects, by kind.

Any mix of YAML streams, JSON and `List` objects; policies and inventory may stand together. What
goes to msgspec as bytes stays bytes until its type is known, so a large inventory is decoded once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import Raw, Struct

from npc.compiler.frontend import codes, schema
from npc.compiler.frontend.diagnostics import Diagnostic, did_you_mean, nearest
from npc.compiler.frontend.json_reader import DuplicateKeyError, find_duplicate, read_json, span_at
from npc.compiler.frontend.networkpolicy import read_policy
from npc.compiler.frontend.shapes import Problem, check_shape, describe, quoted
from npc.compiler.frontend.source import Origin, Source, Span, Step, format_path
from npc.compiler.frontend.syntax import NetworkPolicy
from npc.compiler.frontend.yaml_reader import read_yaml

Progress = Callable[[str, int, int], None]
"""Told what is being done, and how far it is: (words, done, total)."""

InventoryObject = schema.Object | schema.Inventory

_INVENTORY_KINDS = ("Pod", "Namespace", "Node", "Service")
_POLICY_GROUP = "networking.k8s.io"
_CLUSTER_POLICIES = ("ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy")
_COMPACT = {"endpoints", "namespaces", "nodes"}
"""The keys by which the compact inventory form is known."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was read: valid policies, inventory objects with their origins, and what was found."""

    policies: tuple[NetworkPolicy, ...] = ()
    inventory: tuple[tuple[InventoryObject, Origin], ...] = field(default=(), repr=False)
    diagnostics: tuple[Diagnostic, ...] = ()


class _Head(Struct):
    """Enough of an object to know what it is."""

    kind: Any = None
    apiVersion: Any = None


class _Items(Struct):
    kind: Any = None
    apiVersion: Any = None
    items: list[Raw] | None = None


_head = msgspec.json.Decoder(_Head)
_items = msgspec.json.Decoder(_Items)
_object = msgspec.json.Decoder(schema.Object)
_object_list = msgspec.json.Decoder(schema.ObjectList)


def load(sources: Iterable[Source], progress: Progress | None = None) -> Loaded:
    """Read and validate all sources; errors are in the result's diagnostics, never raised."""
    reader = _Reader()
    listed = list(sources)
    for done, source in enumerate(listed):
        if progress is not None:
            progress("reading", done, len(listed))
        reader.source(source)
    reader.count_passed_over()
    return Loaded(tuple(reader.policies), tuple(reader.inventory), tuple(reader.diagnostics))


@dataclass(slots=True)
class _Reader:
    policies: list[NetworkPolicy] = field(default_factory=list)
    inventory: list[tuple[InventoryObject, Origin]] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    passed_over: dict[str, int] = field(default_factory=dict)

    def source(self, source: Source) -> None:
        try:
            data = source.data()
        except OSError as error:
            reason = error.strerror or str(error)
            self.diagnostics.append(Diagnostic(codes.UNREADABLE, f"{source.name}: {reason}"))
            return
        data = data.removeprefix(b"\xef\xbb\xbf")
        if data[:4096].lstrip()[:1] in (b"{", b"[") and self._json(source, data):
            return
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            self.diagnostics.append(_not_text(source, data, error.start))
            return
        documents, diagnostics = read_yaml(source, data)
        self.diagnostics.extend(diagnostics)
        for document in documents:
            if document.value is not None:
                self._value(document.value, document.origin)

    def _json(self, source: Source, data: bytes) -> bool:
        """Read a JSON text; False when it is none and YAML may still make sense of it."""
        origin = Origin(source)
        if self._inventory_list(data, origin):
            return True
        try:
            whole = _items.decode(data)
        except msgspec.ValidationError:
            self._json_object(Raw(data), origin)
            return True
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if not source.name.endswith(".json") and not isinstance(error, RecursionError):
                return False
            self.diagnostics.append(_malformed_json(source, data, error))
            return True
        if whole.items is None or not _is_list(whole.kind):
            self._json_object(Raw(data), origin)
            return True
        for index, item in enumerate(whole.items):
            self._json_object(item, origin.at("items", index), whole)
        return True

    def _inventory_list(self, data: bytes, origin: Origin) -> bool:
        """Read a list that holds nothing but inventory objects, in one pass; False when it may hold more."""
        try:
            listed = _object_list.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        kinds = {(one.api_version, one.kind) for one in listed.items}
        if listed.kind != "List" or not kinds <= {("v1", kind) for kind in _INVENTORY_KINDS}:
            return False
        self.inventory.extend((one, origin.at("items", index)) for index, one in enumerate(listed.items))
        return True

    def _json_object(self, raw: Raw, origin: Origin, parent: _Items | None = None) -> None:
        try:
            head = _head.decode(raw)
        except msgspec.ValidationError:
            self._value(None, origin)
            return
        kind = head.kind or (_item_kind(parent.kind) if parent else None)
        if kind in _INVENTORY_KINDS and head.kind and (head.apiVersion or "v1") == "v1":
            try:
                self.inventory.append((_object.decode(raw), origin))
            except (msgspec.ValidationError, UnicodeDecodeError):
                self._plain_json(raw, origin, parent)
        elif isinstance(kind, str) and not _concerns_npc(kind):
            self._pass_over(kind, head.apiVersion)
        else:
            self._plain_json(raw, origin, parent)

    def _plain_json(self, raw: Raw, origin: Origin, parent: _Items | None) -> None:
        """An object that is looked at closely: a policy, or one that something is wrong with."""
        data = bytes(raw)
        try:
            value = read_json(data)
        except DuplicateKeyError as error:
            text = origin.source.data().decode("utf-8", "replace")
            offset = find_duplicate(text, error.key) or 0
            span = span_at(text, offset, offset + len(error.key) + 2)
            self.diagnostics.append(
                Diagnostic(codes.DUPLICATE_KEY, str(error), Origin(origin.source, span=span))
            )
            return
        except (ValueError, RecursionError) as error:
            self.diagnostics.append(_malformed_json(origin.source, origin.source.data(), error))
            return
        if parent is not None and isinstance(value, dict):
            value = _as_item(value, parent.kind, parent.apiVersion)
        self._value(value, origin)

    def _value(self, value: Any, origin: Origin) -> None:
        """One object as plain values."""
        if not isinstance(value, dict):
            self._report(
                origin,
                "",
                Problem(
                    (),
                    codes.NOT_AN_OBJECT,
                    f"expected a Kubernetes object, found {describe(value)}",
                    help="an object is a mapping with apiVersion, kind and metadata",
                ),
            )
            return
        kind, version = value.get("kind"), value.get("apiVersion")
        if kind is None and _COMPACT & value.keys():
            self._inventory_object(value, schema.Inventory, "inventory", origin)
        elif not isinstance(kind, str) or not kind:
            self._kindless(value, origin)
        elif _is_list(kind) and isinstance(value.get("items"), list):
            for index, item in enumerate(value["items"]):
                if isinstance(item, dict):
                    item = _as_item(item, kind, version)
                self._value(item, origin.at("items", index))
        elif kind in _INVENTORY_KINDS and version in ("v1", None):
            self._inventory_object(value, schema.Object, kind, origin)
        elif kind == "NetworkPolicy" and version == f"{_POLICY_GROUP}/v1":
            self._policy(value, origin)
        elif _concerns_npc(kind):
            self._unknown_version(kind, version, origin)
        else:
            self._pass_over(kind, version)

    def _policy(self, value: dict[str, Any], origin: Origin) -> None:
        problems: list[Problem] = []
        try:
            decoded: schema.NetworkPolicy | None = msgspec.convert(value, schema.NetworkPolicy)
            shape: list[Problem] = []
        except msgspec.ValidationError:
            shape, kept = check_shape(value, schema.NetworkPolicy)
            decoded = None if kept is None else msgspec.convert(kept, schema.NetworkPolicy)
        about = f"NetworkPolicy {_name_of(value)}"
        if decoded is not None:
            policy = read_policy(decoded, origin, problems.append)
            # What stands beside or around an unreadable part would be judged wrongly without it.
            unsure = {one.path[:length] for one in shape for length in range(len(one.path) + 1)}
            beside = {one.path[:-1] for one in shape}
            problems = [one for one in problems if one.path not in unsure and one.path[:-1] not in beside]
            if not shape and not any(one.code.severity is codes.Severity.ERROR for one in problems):
                self.policies.append(policy)
        for problem in shape + problems:
            self._report(origin, about, problem)

    def _inventory_object(
        self, value: dict[str, Any], type_: type[InventoryObject], kind: str, origin: Origin
    ) -> None:
        try:
            self.inventory.append((msgspec.convert(value, type_), origin))
        except msgspec.ValidationError:
            for problem in check_shape(value, type_)[0]:
                self._report(origin, f"{kind} {_name_of(value)}".strip(), problem)

    def _kindless(self, value: dict[str, Any], origin: Origin) -> None:
        if value.keys() & {"apiVersion", "metadata", "spec"}:
            mistyped = nearest("kind", [key for key in value if key not in ("metadata", "spec")])
            self._report(
                origin,
                "",
                Problem(
                    ("kind",),
                    codes.NOT_AN_OBJECT,
                    "Required value: the object has no kind",
                    "Required",
                    help=f"is {quoted(mistyped)} meant to be kind?" if mistyped else "",
                ),
            )
        else:
            self._pass_over("no Kubernetes object", None)

    def _unknown_version(self, kind: str, version: Any, origin: Origin) -> None:
        group = version.rpartition("/")[0] if isinstance(version, str) else ""
        if kind in _CLUSTER_POLICIES:
            problem = Problem(
                ("kind",),
                codes.UNKNOWN_VERSION,
                f"{kind} cannot be compiled by this version of npc",
                help="without it the ruleset would not be what the policies say",
            )
        elif kind == "NetworkPolicy" and group not in ("", "extensions", _POLICY_GROUP):
            self._pass_over(kind, version)
            return
        elif kind == "NetworkPolicy" or kind in _INVENTORY_KINDS:
            wanted = "v1" if kind in _INVENTORY_KINDS else f"{_POLICY_GROUP}/v1"
            found = "there is no apiVersion" if version is None else f"found {describe(version)}"
            problem = Problem(
                ("apiVersion",),
                codes.UNKNOWN_VERSION,
                f"{kind} has the apiVersion {wanted}; {found}",
                help=f"write apiVersion: {wanted}",
            )
        else:
            problem = Problem(
                ("kind",),
                codes.UNKNOWN_VERSION,
                f"unknown kind {quoted(kind)}",
                help=did_you_mean(kind, ["NetworkPolicy"]),
            )
        self._report(origin, "", problem)

    def _pass_over(self, kind: str, version: Any) -> None:
        group = version.rpartition("/")[0] if isinstance(version, str) else ""
        name = f"{kind}.{group}" if kind == "NetworkPolicy" and group else kind
        self.passed_over[name] = self.passed_over.get(name, 0) + 1

    def count_passed_over(self) -> None:
        if self.passed_over:
            counts = ", ".join(f"{count:,} {kind}" for kind, count in sorted(self.passed_over.items()))
            self.diagnostics.append(Diagnostic(codes.PASSED_OVER, f"passed over: {counts}"))

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
                about=about,
            )
        )


def _is_list(kind: Any) -> bool:
    return isinstance(kind, str) and kind.endswith("List")


def _item_kind(list_kind: Any) -> str | None:
    """The kind of the items of a typed list, which leave it out: a PodList's are Pods."""
    return list_kind.removesuffix("List") or None if isinstance(list_kind, str) else None


def _as_item(value: dict[str, Any], list_kind: Any, list_version: Any) -> dict[str, Any]:
    kind = _item_kind(list_kind)
    if kind is None or "kind" in value:
        return value
    return {"apiVersion": list_version, "kind": kind, **value}


def _concerns_npc(kind: str) -> bool:
    """Whether passing over an object of this kind could leave a policy out."""
    known = ("NetworkPolicy", *_CLUSTER_POLICIES)
    foreign = kind.endswith(("NetworkPolicy", "NetworkPolicies"))
    return kind in known or kind in _INVENTORY_KINDS or (not foreign and _is_mistyped(kind))


def _is_mistyped(kind: str) -> bool:
    wanted = "networkpolicy"
    lowered = kind.lower()
    return lowered == wanted or (abs(len(lowered) - len(wanted)) <= 2 and nearest(kind, [wanted]) is not None)


def _name_of(value: dict[str, Any]) -> str:
    metadata = value.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else value
    steps: list[Step] = [metadata.get(key) for key in ("namespace", "name")]  # type: ignore[misc]
    return "/".join(one[:80] for one in steps if isinstance(one, str))


def _not_text(source: Source, data: bytes, offset: int) -> Diagnostic:
    line = data.count(b"\n", 0, offset)
    column = len(data[data.rfind(b"\n", 0, offset) + 1 : offset].decode("utf-8", "replace"))
    origin = Origin(source, span=Span(line + 1, column + 1, column + 2))
    return Diagnostic(
        codes.NOT_TEXT,
        f"the byte 0x{data[offset]:02x} is not UTF-8",
        origin,
        help="manifests are UTF-8 text; is this another kind of file?",
    )


def _malformed_json(source: Source, data: bytes, error: Exception) -> Diagnostic:
    match error:
        case RecursionError():
            return Diagnostic(codes.TOO_DEEP, "nested too deeply", Origin(source, span=Span(1, 1, 2)))
        case UnicodeDecodeError():
            try:
                data.decode("utf-8")
            except UnicodeDecodeError as located:
                return _not_text(source, data, located.start)
    try:
        read_json(data)
    except DuplicateKeyError:
        pass
    except ValueError as located:
        offset = getattr(located, "pos", 0)
        problem = getattr(located, "msg", str(located))
        text = data.decode("utf-8", "replace")
        span = span_at(text, min(offset, len(text)), offset + 1)
        return Diagnostic(codes.SYNTAX, f"malformed JSON: {problem}", Origin(source, span=span))
    return Diagnostic(codes.SYNTAX, f"malformed JSON: {error}", Origin(source, span=Span(1, 1, 2)))
