"""Sets and maps, named or in place: the packets whose fields have one of their keys.

Members are put together to few boxes: clients of the same servers, servers with the same clients.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from npc.backends.nft.reader.fields import FIELDS, Axis, Field, narrowed
from npc.backends.nft.reader.tree import CATCH_ALL, Elements, Right, Set, Verdict
from npc.backends.nft.reader.values import KINDS, span
from npc.compiler.algebra.intervals import Intervals, Range
from npc.compiler.verify.program import Box, Line, Malformed, Unsupported

_STABLE = frozenset({"constant", "interval"})
Parts = dict[Verdict | None, list[tuple[Range, ...]]]
"""The keys of each verdict, in order; of a set, of none."""


class Sets:
    """The sets of a table; what their texts mean is kept."""

    def __init__(self, sets: Mapping[str, Set]) -> None:
        self._sets = sets
        self._spans: dict[str, dict[str, Range]] = {kind: {} for kind in KINDS}
        self._parts: dict[tuple[str, tuple[str, ...], bool], Parts] = {}

    def keys(self, fields: Sequence[Field], right: Right, line: Line, *, is_map: bool) -> Parts:
        """The keys of `@name`, of a set in place, or of a single value, as ranges of numbers.

        Malformed for what nft refuses, Unsupported for sets that change by themselves.
        """
        kinds = tuple(one.kind for one in fields)
        if isinstance(right, Elements):
            return self._read(right, kinds, is_map)
        if not right.startswith("@"):
            if len(kinds) > 1 or is_map:
                raise Malformed(f"the value `{right}`, where a set was expected", line)
            return {None: [(self._span(kinds[0], right, line),)]}
        name = right[1:]
        asked = name, kinds, is_map
        if asked not in self._parts:
            self._parts[asked] = self._named(name, kinds, line, is_map)
        return self._parts[asked]

    def _named(self, name: str, kinds: tuple[str, ...], line: Line, is_map: bool) -> Parts:
        one = self._sets.get(name)
        word = "map" if is_map else "set"
        if one is None or bool(one.value) != is_map:
            raise Malformed(f"the {word} `{name}`, which is not there", line)
        if is_map and one.value != "verdict":
            raise Malformed(f"the map `{name}` to values of type `{one.value}`", line)
        declared = one.types or tuple(
            FIELDS[field].kind if field in FIELDS else field for field in one.typeof
        )
        if declared != kinds:
            raise Malformed(f"the {word} `{name}` of type `{' . '.join(declared)}` for other fields", line)
        if one.unlike or one.flags - _STABLE:
            why = one.unlike or min(one.flags - _STABLE)
            raise Unsupported(f"the {word} `{name}` with `{why}`, which changes by itself", one.line)
        return self._read(one.elements, kinds, is_map, one)

    def _read(
        self, elements: Elements, kinds: tuple[str, ...], is_map: bool, named: Set | None = None
    ) -> Parts:
        parts: Parts = {}
        rest: list[tuple[Verdict | None, Line]] = []
        if len(kinds) == 1 and not is_map:
            self._read_single(elements, kinds[0], parts, rest)
        else:
            for key, verdict, line in elements:
                if len(key) != len(kinds) and key != (CATCH_ALL,):
                    raise Malformed(f"the element `{' . '.join(key)}` of another number of fields", line)
                if (verdict is not None) != is_map:
                    raise Malformed(
                        f"the element `{' . '.join(key)}`{' without a verdict' if is_map else ''}", line
                    )
                if key == (CATCH_ALL,):
                    rest.append((verdict, line))
                    continue
                spans = tuple(self._span(kind, text, line) for kind, text in zip(kinds, key, strict=True))
                parts.setdefault(verdict, []).append(spans)
        if named is not None:
            _check(named, [key for found in parts.values() for key in found])
        if is_map and len(parts) + len(rest) > 1:
            _check_verdicts(parts, elements)
        for verdict, line in rest:
            if len(kinds) > 1 or len(rest) > 1:
                raise Unsupported("the element `*`", line)
            every = KINDS[kinds[0]].every
            others = Intervals.of(*(key[0] for found in parts.values() for key in found))
            parts.setdefault(verdict, []).extend((one,) for one in (every - others).ranges)
        return parts

    def _read_single(
        self, elements: Elements, kind: str, parts: Parts, rest: list[tuple[Verdict | None, Line]]
    ) -> None:
        """As for all sets, but fast: of one field, and no map."""
        known = self._spans[kind]
        for index, key in enumerate(elements.keys):
            if key[0] in known and len(key) == 1:
                continue
            line = Line(elements.file, elements.numbers[index])
            if len(key) != 1:
                raise Malformed(f"the element `{' . '.join(key)}` of another number of fields", line)
            if key == (CATCH_ALL,):
                rest.append((None, line))
            else:
                known[key[0]] = span(kind, key[0], line)
        if any(elements.verdicts):
            raise Malformed("a verdict in a set", next(iter(elements))[2])
        parts[None] = [(known[text],) for (text,) in elements.keys if text != CATCH_ALL]

    def _span(self, kind: str, text: str, line: Line) -> Range:
        known = self._spans[kind]
        found = known.get(text)
        if found is None:
            found = known[text] = span(kind, text, line)
        return found


def _check(one: Set, keys: Sequence[tuple[Range, ...]]) -> None:
    """Raise Malformed for keys that a set with its flags cannot have."""
    what = f"the {'map' if one.value else 'set'} `{one.name}`"
    if "interval" not in one.flags:
        if any(low != high for key in keys for low, high in key):
            raise Malformed(f"{what} with ranges, without `flags interval`", one.line)
        if one.size and len(keys) > one.size and len(set(keys)) > one.size:
            raise Malformed(f"{what} with more elements than its size", one.line)
    elif keys and len(keys[0]) == 1 and not one.auto_merge:
        _check_disjoint(sorted({key[0] for key in keys}), what, one.line)


def _check_disjoint(spans: Sequence[Range], what: str, line: Line) -> None:
    for one, following in pairwise(spans):
        if following[0] <= one[1]:
            raise Malformed(f"{what} with elements that overlap", line)


def _check_verdicts(parts: Parts, elements: Elements) -> None:
    """No key may lead to two verdicts."""
    line = next(iter(elements))[2]
    owners: dict[tuple[Range, ...], Verdict | None] = {}
    for verdict, keys in parts.items():
        for key in keys:
            if owners.setdefault(key, verdict) != verdict:
                raise Malformed("a key of a map with two verdicts", line)
    if all(len(key) == 1 for key in owners):
        _check_disjoint(sorted(key[0] for key in owners), "the map", line)
    elif any(low != high for key in owners for low, high in key):
        raise Unsupported("the map of ranges of several fields", line)


def boxes(
    fields: Sequence[Field], keys: Iterable[tuple[Range, ...]], within: Box, line: Line
) -> tuple[Box, ...]:
    """The packets of a box that have the fields with one of some keys, as few boxes."""
    if len(fields) == 1:
        return (narrowed(within, fields[0], [key[0] for key in keys], line),)
    for one in fields:
        if one.axis in (Axis.STATE, Axis.FAMILY):
            raise Unsupported(f"the type {one.kind} in a concatenation", line)
    for one in fields:
        within = narrowed(within, one, KINDS[one.kind].every.ranges, line) if not one.any_protocol else within
    sources, destinations = (_positions(fields, axis, line) for axis in (Axis.SOURCE, Axis.DESTINATION))
    others = [index for index in range(len(fields)) if index not in (sources, destinations)]
    # Ports of any protocol last: which protocols there are is then known.
    others.sort(key=lambda index: fields[index].any_protocol)
    known: dict[tuple[Range, ...], Intervals] = {}
    clients: dict[tuple[Range | None, Intervals], list[Range]] = {}
    for key in keys:
        rest = tuple(key[index] for index in others)
        carried = known.get(rest)
        if carried is None:
            box = within
            for index, its_span in zip(others, rest, strict=True):
                box = narrowed(box, fields[index], [its_span], line)
            carried = known[rest] = box.traffic
        end = key[destinations] if destinations is not None else None
        found = clients.setdefault((end, carried), [])
        if sources is not None:
            found.append(key[sources])
    return tuple(_merged(clients, within))


def _positions(fields: Sequence[Field], axis: Axis, line: Line) -> int | None:
    found = [index for index, one in enumerate(fields) if one.axis is axis]
    if len(found) > 1:
        raise Unsupported("the same field twice in a concatenation", line)
    return found[0] if found else None


def _merged(clients: Mapping[tuple[Range | None, Intervals], list[Range]], within: Box) -> Iterator[Box]:
    servers: dict[tuple[Intervals, Intervals], list[Range]] = {}
    for (end, carried), ranges in clients.items():
        sources = Intervals.of(*ranges) & within.sources if ranges else within.sources
        servers.setdefault((sources, carried), []).extend([end] if end is not None else [])
    ports: dict[tuple[Intervals, Intervals], list[Intervals]] = {}
    for (sources, carried), ends in servers.items():
        destinations = Intervals.of(*ends) & within.destinations if ends else within.destinations
        ports.setdefault((sources, destinations), []).append(carried)
    for (sources, destinations), carried_by in ports.items():
        yield Box(sources, destinations, Intervals.union(carried_by))
