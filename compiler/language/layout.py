"""Documents that know how they would break, and their printing within a width.

The classic pretty printer (P. Wadler, "A prettier printer"): a `Group` is printed on one line where it
fits, else all of its own `Line`s become line breaks. A `Remark` is text for the end of the line that it
falls on: a comment, after which nothing else may stand there.

>>> peers = Group((Indent((LINE, "pods(app=web),", LINE, "10.0.0.0/8")),))
>>> print(printed(("from", peers), width=40), end="")
from pods(app=web), 10.0.0.0/8
>>> print(printed(("from", peers), width=20), end="")
from
  pods(app=web),
  10.0.0.0/8
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

STEP = 2
"""Columns of one indentation."""


@dataclass(frozen=True, slots=True)
class Line:
    """A place to break: `flat` is what stands there where the line goes on."""

    flat: str
    is_hard: bool = False
    """Always a break; the groups around it cannot be on one line."""
    blank: bool = False
    """A hard break with an empty line after it."""


LINE, SOFT = Line(" "), Line("")
HARD = Line("", is_hard=True)
BLANK = Line("", is_hard=True, blank=True)


@dataclass(frozen=True, slots=True)
class Remark:
    """A text that ends the line it falls on; the groups around it cannot be on one line."""

    text: str


@dataclass(frozen=True, slots=True)
class Indent:
    """Lines that begin one step further to the right."""

    parts: tuple[Layout, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """What is printed on one line if it fits."""

    parts: tuple[Layout, ...]


Layout: TypeAlias = "str | Line | Remark | Indent | Group | tuple[Layout, ...]"

_Rest: TypeAlias = "tuple[Sequence[Layout], int, _Rest] | None"
"""What comes after a part: the others of its list from an index on, then what comes after the list."""


def joined(parts: Sequence[Layout], separator: Layout) -> tuple[Layout, ...]:
    """The parts with a separator between them."""
    return tuple(one for part in parts for one in (separator, part))[1:]


def breaks(layout: Layout) -> bool:
    """Whether a layout cannot be on one line."""
    match layout:
        case Line(is_hard=is_hard):
            return is_hard
        case Remark():
            return True
        case Indent(parts) | Group(parts):
            return any(map(breaks, parts))
        case tuple():
            return any(map(breaks, layout))
        case _:
            return False


def flat(layout: Layout) -> str:
    """A layout on one line; it must not be one that `breaks`."""
    match layout:
        case str():
            return layout
        case Line():
            return layout.flat
        case Indent(parts) | Group(parts):
            return "".join(map(flat, parts))
        case tuple():
            return "".join(map(flat, layout))
        case Remark():
            raise ValueError("a remark ends its line")


def printed(layout: Layout, width: int) -> str:
    """The text of a layout; each line ends with a line feed, and none with a space."""
    printer = _Printer(width)
    printer.put(layout, 0, is_flat=False, rest=None)
    printer.end_line()
    return "".join(f"{line}\n" for line in printer.lines)


class _Printer:
    def __init__(self, width: int) -> None:
        self.lines: list[str] = []
        self._width = width
        self._line = ""
        self._remarks: list[str] = []

    def put(self, layout: Layout, depth: int, *, is_flat: bool, rest: _Rest) -> None:
        """Print a layout; `rest` is what comes after it until there may be a break."""
        match layout:
            case str():
                self._line += layout
            case Remark(text):
                self._remarks.append(text)
            case Line():
                self._break(layout, depth, is_flat=is_flat)
            case Indent(parts):
                self._put_all(parts, depth + STEP, is_flat=is_flat, rest=rest)
            case tuple():
                self._put_all(layout, depth, is_flat=is_flat, rest=rest)
            case Group(parts):
                is_flat = is_flat or (not breaks(layout) and self._fits(layout, rest))
                self._put_all(parts, depth, is_flat=is_flat, rest=rest)

    def end_line(self) -> None:
        """End the line, if there is one; remarks that are too many for it follow on lines of their own."""
        if not self._line.strip() and not self._remarks:
            self._line = ""
            return
        indentation = self._line[: len(self._line) - len(self._line.lstrip(" "))]
        first, *others = self._remarks or [""]
        self.lines.append(
            f"{self._line.rstrip(' ')}  {first}".rstrip(" ") if first else self._line.rstrip(" ")
        )
        self.lines += [indentation + one for one in others]
        self._line, self._remarks = "", []

    def _put_all(self, parts: Sequence[Layout], depth: int, *, is_flat: bool, rest: _Rest) -> None:
        for index, part in enumerate(parts):
            self.put(part, depth, is_flat=is_flat, rest=(parts, index + 1, rest))

    def _break(self, line: Line, depth: int, *, is_flat: bool) -> None:
        if is_flat and not line.is_hard:
            self._line += line.flat
            return
        self.end_line()
        if line.blank and self.lines and self.lines[-1]:
            self.lines.append("")
        self._line = " " * depth

    def _fits(self, layout: Layout, rest: _Rest) -> bool:
        room = self._width - len(self._line) - len(flat(layout))
        for part in _following(rest):
            width, may_break = _until_break(part)
            room -= width
            if may_break or room < 0:
                break
        return room >= 0


def _following(rest: _Rest) -> Iterator[Layout]:
    while rest is not None:
        parts, first, rest = rest
        for index in range(first, len(parts)):
            yield parts[index]


def _until_break(layout: Layout) -> tuple[int, bool]:
    """The columns of a layout up to where it may break, and whether it may at all."""
    match layout:
        case str():
            return len(layout), False
        case Line() | Remark():
            return 0, True
        case Indent(parts) | Group(parts):
            return _until_break(parts)
        case tuple():
            total = 0
            for part in layout:
                width, may_break = _until_break(part)
                total += width
                if may_break:
                    return total, True
            return total, False
