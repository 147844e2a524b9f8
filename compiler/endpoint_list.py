"""Endpoints as they are read, each with where it was written: put in order, held against each other.

Takes live endpoints, gives them sorted by namespace and name, and what is wrong with them together: two of
one name, or two with one address (E2). Places are looked up only for what is wrong: there may be a million.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import msgspec

from npc.compiler.algebra.addresses import format_address
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, Related
from npc.compiler.frontend.plain_pods import PlainPods
from npc.compiler.frontend.source import Origin, PathInDocument
from npc.compiler.inventory import Endpoint, Listed

_ADDRESSES_AT: dict[PathInDocument, PathInDocument] = {("metadata",): ("status", "podIP"), (): ("addresses",)}
"""Where an endpoint's addresses are, by where its name is."""
_KINDS: dict[PathInDocument, str] = {("metadata",): "Pod", (): "endpoint"}
"""What it is called, by the same."""


@dataclass(slots=True)
class EndpointList:
    """Endpoints in the order in which they were read; their numbers here are their places in it."""

    endpoints: list[Endpoint] = field(default_factory=list)
    _singly: dict[int, tuple[Origin, PathInDocument]] = field(default_factory=dict)
    """Where those were written that are in no list, and the path from there to their names."""
    _lists: list[tuple[int, PlainPods]] = field(default_factory=list)
    """With the number of each list's first endpoint."""

    def add(self, endpoint: Endpoint, origin: Origin, named_at: PathInDocument) -> None:
        """Add one endpoint; `named_at` is the path from its origin to what holds its name."""
        self._singly[len(self.endpoints)] = origin, named_at
        self.endpoints.append(endpoint)

    def extend(self, pods: PlainPods) -> None:
        """Add the endpoints of a list."""
        self._lists.append((len(self.endpoints), pods))
        self.endpoints += pods.endpoints

    def namespaces(self) -> set[str]:
        """The namespaces that they are in."""
        return {endpoint.namespace for endpoint in self.endpoints}

    def checked(self) -> tuple[tuple[Endpoint, ...], Listed, list[Diagnostic]]:
        """The endpoints in order, of those with one name the first; and what is wrong with them."""
        endpoints = self.endpoints
        order = sorted(range(len(endpoints)), key=[one.name for one in endpoints].__getitem__)
        order.sort(key=[one.namespace for one in endpoints].__getitem__)
        repeated = {later: first for first, later in self._repeated(order)}
        if repeated:
            order = [number for number in order if number not in repeated]
        diagnostics = [self._again(number, repeated[number]) for number in sorted(repeated)]
        addresses = [one for number in order for one in endpoints[number].addresses]
        if len(set(addresses)) < len(addresses):
            diagnostics += self._conflicts(sorted(order))
        found = tuple([endpoints[number] for number in order])
        return found, Listed(found, addresses), diagnostics

    def _repeated(self, order: list[int]) -> Iterator[tuple[int, int]]:
        """The first endpoint of each name that stands there again, with each of the others."""
        endpoints = self.endpoints
        first = -1
        for one, other in pairwise(order):
            if (
                endpoints[one].name == endpoints[other].name
                and endpoints[one].namespace == endpoints[other].namespace
            ):
                first = one if first < 0 else first
                yield first, other
            else:
                first = -1

    def _conflicts(self, numbers: list[int]) -> Iterator[Diagnostic]:
        """An error for each address of an endpoint that one before it has (E2)."""
        owners: dict[int, int] = {}
        for number in numbers:
            for address in self.endpoints[number].addresses:
                first = owners.setdefault(address, number)
                if first != number:
                    endpoint, other = self.endpoints[number], self.endpoints[first]
                    yield Diagnostic(
                        codes.DUPLICATE_ADDRESS,
                        f"{other} and {endpoint} both have the address {format_address(address)}",
                        self._at(number, _ADDRESSES_AT),
                        help="one of the records is stale: rules for one would hit the other",
                        related=(Related(self._at(first, _ADDRESSES_AT), f"{other} has it here"),),
                    )

    def _again(self, number: int, first: int) -> Diagnostic:
        endpoint = self.endpoints[number]
        _, named_at = self._written(number)
        return repeated(
            f"{_KINDS[named_at]} {endpoint}",
            self._at(number),
            self._at(first),
            same=_without_controller(endpoint) == _without_controller(self.endpoints[first]),
        )

    def _at(self, number: int, below: dict[PathInDocument, PathInDocument] | None = None) -> Origin:
        """Where an endpoint's name is written, or what stands elsewhere in it."""
        origin, named_at = self._written(number)
        return origin.at(*(named_at if below is None else below[named_at]))

    def _written(self, number: int) -> tuple[Origin, PathInDocument]:
        if number in self._singly:
            return self._singly[number]
        first, pods = self._lists[bisect_right(self._lists, number, key=lambda one: one[0]) - 1]
        return pods.origin.at("items", pods.places[number - first]), ("metadata",)


def _without_controller(endpoint: Endpoint) -> Endpoint:
    """What rulesets depend on: what made it is not told by all who write inventories."""
    return msgspec.structs.replace(endpoint, controller="")


def repeated(about: str, origin: Origin, first: Origin, *, same: bool) -> Diagnostic:
    """That an object stands in the input twice: an error when the two differ, else worth a warning."""
    code = codes.REPEATED if same else codes.DUPLICATE_OBJECT
    message = f"the {about} stands in the input twice" + ("" if same else ", and differs")
    related = (Related(first.at("name"), "first here"),)
    return Diagnostic(code, message, origin.at("name"), related=related)
