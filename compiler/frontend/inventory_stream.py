"""Lists of inventory objects in JSON, decoded as they are read: no large file is ever whole in memory.

Takes a list as kubectl prints it (or as the API server answers), gives its items a few thousand at a time.
A piece is cut where an item seems to end, and what seems so is proven by decoding: a text that begins right
after the list's bracket, or after a comma between two items, and that is complete when a bracket is put
behind it, ends between two items, too. Whatever is not plainly such a list is refused, and is for
`documents` to read as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import msgspec
from msgspec import Raw

from npc.compiler.frontend import schema
from npc.compiler.frontend.json_reader import MalformedJson, read_json
from npc.compiler.frontend.kinds import is_inventory, is_list, item_kind
from npc.compiler.frontend.schema import Open

PIECE = 4 << 20
"""Bytes that are decoded at once, and the most that are in memory where items end where they seem to."""

_BOM = b"\xef\xbb\xbf"
_STRING = rb'"[^"\\]*"'
_HEAD = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*\{"
    rb'(?:\s*"(?:apiVersion|kind)"\s*:\s*' + _STRING + rb"\s*,"
    rb'|\s*"metadata"\s*:\s*\{[^{}\[\]]*\}\s*,)*'
    rb'\s*"items"\s*:\s*\['
)
_FIRST_KEY = re.compile(rb"\s*\{\s*" + _STRING)
_LONGEST_HEAD = 1 << 16


class NotStreamed(Exception):
    """The text is not plainly a list of inventory objects."""


class Container(Open):
    ports: Raw = Raw()
    restart_policy: str | None = None


class Address(Open):
    ip: str | None = None


class Metadata(Open):
    name: str = ""
    namespace: str | None = None
    labels: Raw = Raw()
    annotations: schema.Annotations | None = None

    @property
    def owners(self) -> Raw:
        """What stands in ownerReferences; nothing, where they are not read."""
        return Raw()


class OwnedMetadata(Metadata):
    owner_references: Raw = Raw()

    @property
    def owners(self) -> Raw:
        return self.owner_references


class Spec(Open):
    node_name: str | None = None
    host_network: bool | None = None
    containers: list[Container] | None = None
    init_containers: list[Container] | None = None
    selector: Raw = Raw()
    ports: Raw = Raw()
    pod_CIDR: Raw = Raw()
    pod_CIDRs: Raw = Raw()
    cluster_IP: Raw = Raw()
    cluster_IPs: Raw = Raw()
    external_IPs: Raw = Raw()


class Status(Open):
    phase: str | None = None
    pod_IP: str | None = None
    pod_IPs: list[Address] | None = None
    addresses: Raw = Raw()
    load_balancer: Raw = Raw()


class Item(Open):
    """A `schema.Object` of which the parts that many objects share are still as they were written.

    They are of the buffer that is being read: an item is of no use any more when the next piece is asked for.
    """

    metadata: Metadata
    kind: str = ""
    api_version: str | None = None
    spec: Spec | None = None
    status: Status | None = None


class OwnedItem(Item):
    """An item with its owners, for those who ask what made a pod."""

    metadata: OwnedMetadata


class _Envelope(Open):
    """A list but for its items."""

    kind: str = ""
    api_version: str | None = None
    items: list[Raw] | None = None


_Items = msgspec.json.Decoder[list[Item]] | msgspec.json.Decoder[list[OwnedItem]]
_items = msgspec.json.Decoder(list[Item])
_owned_items = msgspec.json.Decoder(list[OwnedItem])
_envelope = msgspec.json.Decoder(_Envelope)
_labels = msgspec.json.Decoder(schema.Labels | None)
_ports = msgspec.json.Decoder(list[schema.ContainerPort] | None)
_service_ports = msgspec.json.Decoder(list[schema.ServicePort] | None)
_addresses = msgspec.json.Decoder(list[schema.Address] | None)
_REFUSED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def pieces(file: BinaryIO, size: int = PIECE, *, owners: bool = False) -> Iterator[Sequence[Item]]:
    """The items of a list, some at a time, in order; raises NotStreamed, maybe after some were given."""
    decoder = _owned_items if owners else _items
    head = file.read(_LONGEST_HEAD)
    begin = _HEAD.match(head)
    if begin is None:
        raise NotStreamed
    opening = begin[0].removeprefix(_BOM)
    kind = _kind_of(opening)
    buffer = bytearray(max(size, len(head)))
    filled = len(head) - begin.end() + 1
    buffer[:filled] = b"[" + head[begin.end() :]
    first = _FIRST_KEY.match(head, begin.end())
    separator = b"," + first[0] if first is not None else b""
    while read := file.readinto(memoryview(buffer)[filled:]):  # type: ignore[attr-defined]
        filled += read
        cut = buffer.rfind(separator, 0, filled) if separator else -1
        found = _until(buffer, cut, decoder) if cut > 0 else None
        if found is not None:
            yield _checked(found, kind)
            del found
            rest = bytes(memoryview(buffer)[cut + 1 : filled])
            filled = len(rest) + 1
            buffer[1:filled] = rest
        if filled == len(buffer):
            buffer = buffer + bytes(len(buffer))
    yield _checked(_last(opening, bytes(buffer[1:filled]), kind, decoder), kind)


def whole(item: Item) -> schema.Object:
    """The object that an item is; raises NotStreamed where a part is none of what it should be."""
    metadata = item.metadata
    try:
        return schema.Object(
            item.kind,
            schema.Metadata(
                metadata.name,
                metadata.namespace,
                labels_in(bytes(metadata.labels)),
                metadata.annotations,
                _anything(metadata.owners),
            ),
            item.api_version,
            None if item.spec is None else _whole_spec(item.spec),
            None if item.status is None else _whole_status(item.status),
        )
    except _REFUSED:
        raise NotStreamed from None


def _whole_spec(spec: Spec) -> schema.Spec:
    return schema.Spec(
        spec.node_name,
        spec.host_network,
        _containers(spec.containers),
        _containers(spec.init_containers),
        labels_in(bytes(spec.selector)),
        _service_ports.decode(spec.ports) if bytes(spec.ports) else None,
        _anything(spec.pod_CIDR),
        _anything(spec.pod_CIDRs),
        _anything(spec.cluster_IP),
        _anything(spec.cluster_IPs),
        _anything(spec.external_IPs),
    )


def _whole_status(status: Status) -> schema.Status:
    return schema.Status(
        status.phase,
        status.pod_IP,
        None if status.pod_IPs is None else [schema.Address(one.ip) for one in status.pod_IPs],
        _addresses.decode(status.addresses) if bytes(status.addresses) else None,
        _anything(status.load_balancer),
    )


def _anything(raw: Raw) -> Any:
    """What is written there; None where nothing is."""
    text = bytes(raw)
    return msgspec.json.decode(text) if text else None


def labels_in(text: bytes) -> schema.Labels | None:
    """Labels as they are written, or nothing; raises NotStreamed where they are none."""
    try:
        return _labels.decode(text) if text else None
    except _REFUSED:
        raise NotStreamed from None


def ports_in(text: bytes) -> list[schema.ContainerPort] | None:
    """A container's ports as they are written, or nothing; raises NotStreamed where they are none."""
    try:
        return _ports.decode(text) if text else None
    except _REFUSED:
        raise NotStreamed from None


def _containers(containers: list[Container] | None) -> list[schema.Container] | None:
    if containers is None:
        return None
    return [schema.Container(ports_in(bytes(one.ports)), one.restart_policy) for one in containers]


def _kind_of(opening: bytes) -> str | None:
    """What the items are that do not say so: of a PodList they are Pods. None: they must say so."""
    envelope = _envelope.decode(opening + b"]}")
    kind = item_kind(envelope.kind) if is_list(envelope.kind) else None
    return kind if is_inventory(kind, envelope.api_version) else None


def _until(buffer: bytearray, cut: int, decoder: _Items) -> Sequence[Item] | None:
    """The items before a comma; None where it does not stand between two of them."""
    buffer[cut] = ord("]")
    try:
        return decoder.decode(memoryview(buffer)[: cut + 1])
    except _REFUSED:
        return None
    finally:
        buffer[cut] = ord(",")


def _last(opening: bytes, rest: bytes, kind: str | None, decoder: _Items) -> Sequence[Item]:
    """The items of what is left of the list, when that ends as it should."""
    end = rest.rfind(b"]")
    try:
        text = opening + rest[end:]
        read_json(text.decode("utf-8"))  # msgspec would not see a second `items`
        envelope = _envelope.decode(text)
        is_known = envelope.kind == "List" or (kind is not None and item_kind(envelope.kind) == kind)
        if end < 0 or not is_known:
            raise NotStreamed
        return decoder.decode(b"[" + rest[: end + 1])
    except (*_REFUSED, MalformedJson):
        raise NotStreamed from None


def _checked(items: Sequence[Item], kind: str | None) -> Sequence[Item]:
    """The items with their kinds, all of which are of an inventory."""
    if kind is not None:
        for one in items:
            if not one.kind:
                one.kind, one.api_version = kind, one.api_version or "v1"
    if not all(is_inventory(*head) for head in {(one.kind, one.api_version) for one in items}):
        raise NotStreamed
    return items
