"""What ipset's commands make: the sets that are there at the end, and the packets that a match finds in one.

Reads `ipset restore` files, in which npc fills sets under other names and then swaps them, what `ipset save`
prints, which are the same commands, and `ipset list`. Elements stay text until a rule asks for their set.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from npc.backends.iptables.reader.elements import Element, Elements, Piece, Reading, parse_elements
from npc.backends.iptables.reader.words import number, split_words
from npc.compiler.algebra.addresses import EVERY_ADDRESS, Family
from npc.compiler.verify.program import Box, Line, Malformed, Unsupported

_FAMILIES = {"inet": Family.V4, "inet6": Family.V6}
_NUMBERS = frozenset({"hashsize", "maxelem", "bucketsize", "netmask", "timeout", "size"})
_FLAGS = frozenset({"counters", "comment", "skbinfo", "forceadd"})
_MOST_ELEMENTS = 65_536
"""Of a set that was made without `maxelem`."""
_HIGHEST = (1 << 32) - 1


@dataclass(slots=True)
class Made:
    """A set as the commands leave it."""

    line: Line
    type: str
    family: Family | None
    """None for sets without addresses, which are for both."""
    options: dict[str, str]
    elements: list[Element] = field(default_factory=list)


@dataclass(slots=True)
class Sets:
    """All sets of a text, by their names."""

    file: str = ""
    made: dict[str, Made] = field(default_factory=dict)
    reading: Reading = field(default_factory=Reading)
    _elements: dict[str, Elements] = field(default_factory=dict)
    _boxes: dict[tuple[str, tuple[str, ...]], tuple[Box, ...] | str] = field(default_factory=dict)

    def boxes(self, name: str, sides: tuple[str, ...], family: Family, line: Line) -> tuple[Box, ...] | str:
        """The packets that `--match-set NAME SIDES` finds, or the construct that nobody here knows.

        Fewer sides than the set's elements have parts: nothing is found. More: the last do not count.
        Raises Malformed where the set is not there, or of the other family.
        """
        if name not in self.made:
            help = "give what `ipset save` prints, too" if not self.file else f"{self.file} does not make it"
            raise Malformed(f"the set `{name}`, which is not there,", line, help)
        made = self.made[name]
        if made.family not in (None, family):
            raise Malformed(f"the set `{name}`", line, f"it is not for IPv{family.value}")
        key = name, sides
        if key not in self._boxes:
            self._boxes[key] = self._found(name, made, sides, family)
        return self._boxes[key]

    def _found(self, name: str, made: Made, sides: tuple[str, ...], family: Family) -> tuple[Box, ...] | str:
        if name not in self._elements:
            self._elements[name] = parse_elements(
                made.type, made.family, made.options, made.elements, self.file, self.reading
            )
            self._check_size(name, made, self._elements[name])
        elements = self._elements[name]
        if elements.members:
            return self._of_members(made, elements, sides, family)
        if len(sides) < elements.parts:
            return ()
        found: list[Box] = []
        for piece in elements.pieces:
            box = _box(piece, sides)
            if box is None:
                return f"the source ports of the set `{name}`"
            found.append(box)
        return tuple(found)

    def _of_members(
        self, made: Made, elements: Elements, sides: tuple[str, ...], family: Family
    ) -> tuple[Box, ...] | str:
        """Of a list of sets: whatever one of them finds."""
        found: list[Box] = []
        for member in elements.members:
            inner = self.made.get(member)
            if inner is None or inner.type == "list:set":
                raise Malformed(f"the set `{member}` in a list of sets", made.line)
            if inner.family in (None, family):
                boxes = self.boxes(member, sides, family, made.line)
                if isinstance(boxes, str):
                    return boxes
                found += boxes
        return tuple(found)

    def _check_size(self, name: str, made: Made, elements: Elements) -> None:
        most = int(made.options.get("maxelem", _MOST_ELEMENTS))
        if made.type.startswith("hash:") and elements.size > most:
            help = f"it has room for {most:,} elements, and {elements.size:,} are added"
            raise Malformed(f"the set `{name}`", made.line, help)


def _box(piece: Piece, sides: tuple[str, ...]) -> Box | None:
    """None where a port is looked for at the source."""
    ends = {"src": EVERY_ADDRESS, "dst": EVERY_ADDRESS}
    traffic = Box().traffic
    for part, side in zip(piece, sides, strict=False):
        if part.is_port:
            if side == "src":
                return None
            traffic &= part.values
        else:
            ends[side] = part.values if ends[side] == EVERY_ADDRESS else ends[side] & part.values
    return Box(ends["src"], ends["dst"], traffic)


def parse_sets(file: str, text: str) -> Sets:
    """Executes the commands of a text; Malformed where ipset would not."""
    sets = Sets(file)
    lines = text.split("\n")
    if any(line.startswith("Name: ") for line in lines):
        lines = list(_commands_of_listing(file, lines))
    made = sets.made
    for place, line in enumerate(lines, 1):
        if line.startswith("add "):  # nearly all of them
            try:
                _, name, element = line.split(" ", 2)
                made[name].elements.append((place, element))
                continue
            except (ValueError, KeyError):
                pass
        _command(made, line, Line(file, place))
    return sets


def _command(made: dict[str, Made], text: str, line: Line) -> None:
    words = split_words(text, line)
    match words:
        case [] | ["COMMIT"]:
            return
        case [first, *_] if first.startswith("#"):
            return
        case ["create", name, type, *options]:
            _create(made, name, Made(line, type, *_options(type, options, line)), line)
        case ["add", name, *element]:
            if not element:
                raise Malformed("`add` without an element", line)
            _known(made, name, line).elements.append((line.number, " ".join(element)))
        case ["flush", name]:
            _known(made, name, line).elements.clear()
        case ["destroy", name]:
            _known(made, name, line)
            del made[name]
        case ["swap", one, other]:
            mine, theirs = _known(made, one, line), _known(made, other, line)
            if (mine.type, mine.family) != (theirs.type, theirs.family):
                raise Malformed(f"`swap {one} {other}`", line, "the sets are of different types")
            made[one], made[other] = theirs, mine
        case ["rename", one, other]:
            if other in made:
                raise Malformed(f"`rename {one} {other}`", line, f"there is a set {other}")
            _known(made, one, line)
            made[other] = made.pop(one)
        case _:
            raise Unsupported(f"the ipset command `{words[0][:40]}`", line)


def _create(made: dict[str, Made], name: str, new: Made, line: Line) -> None:
    old = made.setdefault(name, new)
    limits = ("maxelem", "netmask", "range", "timeout")
    if (old.type, old.family) != (new.type, new.family) or any(
        old.options.get(one) != new.options.get(one) for one in limits
    ):
        raise Malformed(
            f"the set `{name}`", line, f"it is there already, made otherwise in line {old.line.number}"
        )


def _known(made: dict[str, Made], name: str, line: Line) -> Made:
    if name not in made:
        raise Malformed(f"the set `{name}`, which is not there,", line)
    return made[name]


def _options(type: str, words: list[str], line: Line) -> tuple[Family | None, dict[str, str]]:
    """The family and the other options of `create`."""
    found: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if word in _FLAGS or word == "-exist":
            found[word] = ""
            continue
        if word not in _NUMBERS | {"family", "range", "initval"}:
            raise Unsupported(f"the option `{word}` of a set", line)
        value = next(rest, None)
        if value is None:
            raise Malformed(f"the option `{word}` without a value", line)
        if word in _NUMBERS:
            number(value, _HIGHEST, f"the {word}", line)
        found[word] = value
    family = found.get("family", "inet")
    if family not in _FAMILIES:
        raise Malformed(f"the family `{family}`", line, "inet or inet6")
    has_addresses = type not in ("bitmap:port", "list:set")
    return _FAMILIES[family] if has_addresses else None, found


def _commands_of_listing(file: str, lines: list[str]) -> Iterator[str]:
    """What `ipset list` prints as commands, each in the place of its line."""
    name = type = ""
    in_members = False
    for place, line in enumerate(lines, 1):
        title, colon, rest = line.partition(": ")
        if title == "Name" and colon:
            name, in_members = rest, False
            yield ""
        elif in_members:
            yield f"add {name} {line}" if line.strip() else ""
        elif title == "Type" and colon:
            type = rest
            yield ""
        elif title == "Header":
            yield f"create {name} {type} {rest}"
        elif title in ("Revision", "Size in memory", "References", "Number of entries") or not line.strip():
            yield ""
        elif line.strip() == "Members:":
            in_members = True
            yield ""
        else:
            raise Malformed(f"`{line[:40]}` in a list of sets", Line(file, place))
