"""nft's language: what `npc compile` writes, and what `nft list` prints, to a tree.

Lines of elements are nearly all of a large ruleset, so these are split without looking at single words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from npc.backends.nft.reader.cursor import END, END_OF_LINE, Cursor, split
from npc.backends.nft.reader.grammar import Words, element, fields, statements
from npc.backends.nft.reader.tree import Chain, Elements, Hook, Rule, Ruleset, Set, Table, Verdict
from npc.backends.nft.reader.words import PRIORITIES
from npc.compiler.verify.program import Line, Malformed, Unsupported

FAMILY = "inet"
_COUNTED = frozenset({"counter", "quota", "limit"})
"""Objects that a rule may name, and which by themselves do nothing."""
_PLAIN = re.compile(r"^[ \t]*([0-9a-fA-F.:/-]+),[ \t]*(?:#.*)?$", re.MULTILINE)
"""A line with one element that is a number, an address or a range."""
_ENDING = frozenset({"timeout", "gc-interval"})


def read_file(file: str, text: str, name: str, ruleset: Ruleset) -> None:
    """Run the commands of a text on a ruleset; of the tables, `inet NAME` is read.

    Unsupported, or Malformed, for the first word that is not understood.
    """
    cursor = Cursor(file, text)
    while (word := cursor.next()) != END:
        match word:
            case "\n" | ";":
                continue
            case "table":
                _table(cursor, name, ruleset)
            case "add" | "create" if cursor.peek() == "table":
                cursor.next()
                _table(cursor, name, ruleset)
            case "delete" | "destroy" if cursor.peek() == "table":
                cursor.next()
                key = _table_name(cursor)
                ruleset.others.pop(key, None)
                if key == (FAMILY, name):
                    ruleset.table = None
            case "flush" if cursor.peek() == "ruleset":
                cursor.next()
                ruleset.table = None
                ruleset.others.clear()
            case _:
                raise Unsupported(f"the command `{word}`", cursor.line)
        _end_of_statement(cursor)


def _end_of_statement(cursor: Cursor) -> None:
    """What stands behind a statement or a block; nft asks for it before a closing brace, too."""
    if cursor.peek() not in (END_OF_LINE, ";", END):
        raise Malformed(f"the word `{cursor.peek()}`, where the line was expected to end", cursor.line)


def _table_name(cursor: Cursor) -> tuple[str, str]:
    families = ("ip", "ip6", "inet", "arp", "bridge", "netdev")
    family = cursor.next() if cursor.peek() in families else "ip"
    return family, cursor.name()


def _table(cursor: Cursor, name: str, ruleset: Ruleset) -> None:
    key = _table_name(cursor)
    is_read = key == (FAMILY, name)
    if is_read and ruleset.table is None:
        ruleset.table = Table(name)
    if cursor.peek() != "{":
        if not is_read:
            ruleset.others.setdefault(key, [])
        return
    cursor.next()
    if is_read and ruleset.table is not None:
        _table_block(cursor, ruleset.table)
    else:
        hooks = ruleset.others.setdefault(key, [])
        hooks += (
            words[words.index("hook") + 1]
            for words in cursor.skip_block()
            if words[:1] == ["type"] and "hook" in words[:-1]
        )


def _block(cursor: Cursor) -> bool:
    """Whether a block goes on with a statement; what ends it is then behind."""
    while cursor.peek() in (END_OF_LINE, ";"):
        cursor.next()
    if cursor.peek() == END:
        raise Malformed("the end of the text, in a block", cursor.line)
    if cursor.peek() != "}":
        return True
    cursor.next()
    return False


def _table_block(cursor: Cursor, table: Table) -> None:
    while _block(cursor):
        line = cursor.line
        match cursor.next():
            case "chain":
                name = cursor.name()
                _chain(cursor, name, line, table)
            case "set" | "map" as word:
                name = cursor.name()
                _set(cursor, word, name, line, table)
            case "flags":
                table.flags.update(one for one in cursor.statement() if one != ",")
            case "comment":
                cursor.statement()
            case word if word in _COUNTED:
                cursor.name()
                cursor.expect("{")
                cursor.skip_block()
            case word:
                raise Unsupported(f"the word `{word}` in a table", line)
        _end_of_statement(cursor)


def _chain(cursor: Cursor, name: str, its_line: Line, table: Table) -> None:
    is_new = name not in table.chains
    chain = table.chains.setdefault(name, Chain(name, its_line))
    cursor.expect("{")
    while _block(cursor):
        line = cursor.line
        words = cursor.statement()
        match words:
            case ["type", *rest]:
                hook = _hook(rest, line)
                known = chain.hook
                if not is_new and (
                    known is None or (known.name, known.priority) != (hook.name, hook.priority)
                ):
                    raise Malformed(f"the chain `{name}` a second time, with another hook or priority", line)
                chain.hook = hook
            case ["policy", "accept" | "drop" as policy]:
                chain.policy = policy
            case ["comment", _]:
                continue
            case ["policy" | "flags" | "device" | "devices" | "comment" as word, *_]:
                raise Unsupported(f"the property `{word}` of a chain", line)
            case _:
                chain.rules.append(Rule(statements(words, line), line))
        _end_of_statement(cursor)


def _hook(words: list[str], line: Line) -> Hook:
    match words:
        case ["filter", "hook", name, "priority", *priority]:
            return Hook(name, _priority(priority, line), line)
        case [kind, *_] if kind != "filter":
            raise Unsupported(f"the chain of type `{kind}`", line)
        case ["filter", "hook", name, *_]:
            raise Unsupported(f"the hook `{name}`", line)
        case _:
            raise Malformed("the chain's hook", line)


def _priority(words: list[str], line: Line) -> int:
    match words:
        case [one] if one.removeprefix("-").isdecimal() and one.isascii() and len(one) < 12:
            return int(one)
        case [one] if one in PRIORITIES:
            return PRIORITIES[one]
        case [one, sign, offset] if one in PRIORITIES and sign in ("+", "-"):
            return PRIORITIES[one] + _priority([f"-{offset}" if sign == "-" else offset], line)
        case _:
            raise Unsupported(f"the priority `{' '.join(words)}`", line)


def _set(cursor: Cursor, word: str, name: str, line: Line, table: Table) -> None:
    cursor.expect("{")
    new = Set(name, line, Elements(line.file))
    while _block(cursor):
        its_line = cursor.line
        if cursor.peek() == "elements":
            cursor.next()
            cursor.expect("=")
            cursor.expect("{")
            count = len(new.elements.keys)
            _elements(cursor, new.elements)
            if len(new.elements.keys) == count:
                raise Malformed(f"the {word} `{name}` with braces, and no elements between them", its_line)
        else:
            _property(new, cursor.statement(), its_line)
        _end_of_statement(cursor)
    if not (new.types or new.typeof):
        raise Malformed(f"the {word} `{name}` without a type", line)
    if bool(new.value) != (word == "map"):
        raise Malformed(f"the type of the {word} `{name}`", line)
    known = table.sets.setdefault(name, new)
    if known is not new:
        if (known.types, known.typeof, known.value) != (new.types, new.typeof, new.value):
            raise Malformed(f"the {word} `{name}` of two types", line)
        for its_key, verdict, its_line in new.elements:
            known.elements.add(its_key, verdict, its_line.number)


def _property(one: Set, words: list[str], line: Line) -> None:
    match words:
        case ["type", *rest]:
            key, colon, value = " ".join(rest).partition(" : ")
            one.types, one.value = tuple(key.split(" . ")), value if colon else ""
        case ["typeof", *rest]:
            reading = Words(rest, line)
            one.typeof = fields(reading)
            one.value = reading.next() if reading.take(":") else ""
            if reading.peek():
                raise Unsupported(f"the type of the set `{one.name}`", line)
        case ["flags", *rest]:
            one.flags.update(word for word in rest if word != ",")
        case ["size", number] if number.isascii() and number.isdecimal() and len(number) < 12:
            one.size = int(number)
        case ["auto-merge"]:
            one.auto_merge = True
        case ["comment", _] | ["counter"] | ["policy", "performance" | "memory"]:
            return
        case [word, *_] if word in _ENDING:
            one.unlike = word
        case _:
            raise Unsupported(f"the property `{' '.join(words)}` of a set", line)


def _elements(cursor: Cursor, found: Elements) -> None:
    """The rest of `elements = { ... }`."""
    raw, number = cursor.take_line()
    offset = len(cursor.lines[number - 1]) - len(raw)
    if not raw.strip():
        plain = _plain_lines(cursor.lines, number)
        found.keys.extend((one,) for one in plain)
        found.verdicts.extend([None] * len(plain))
        found.numbers.extend(range(number + 1, number + 1 + len(plain)))
        number += len(plain)
        raw, offset = _following(cursor.lines, found.file, number), 0
        number += 1
    ended = True  # whether a comma, or nothing, stands before what comes
    while True:
        pieces, length = _split_elements(raw)
        for piece in pieces:
            words = piece.split() if '"' not in piece else []
            if words or '"' in piece:
                if not ended:
                    raise Malformed(
                        f"the element `{piece.strip()}` without a comma before it", Line(found.file, number)
                    )
                _element(found, words, piece, number)
            ended = True
        ended = not pieces or not pieces[-1].strip()
        if length >= 0:
            cursor.resume(number, offset + length)
            return
        raw, offset = _following(cursor.lines, found.file, number), 0
        number += 1


def _plain_lines(lines: Sequence[str], start: int) -> list[str]:
    """The elements of the next lines, up to one with a brace, if all are plain; else none."""
    end = next((index for index in range(start, len(lines)) if "}" in lines[index]), start)
    found = _PLAIN.findall("\n".join(lines[start:end]))
    return found if len(found) == end - start else []


def _following(lines: Sequence[str], file: str, number: int) -> str:
    """The line after one."""
    if number >= len(lines):
        raise Malformed("the end of the text, in a set", Line(file, number))
    return lines[number]


def _split_elements(raw: str) -> tuple[list[str], int]:
    """What is between the commas of a line, and where the brace that ends the set is behind it, or -1."""
    if '"' not in raw:
        if "#" in raw:
            raw = raw[: raw.index("#")]
        if "}" in raw:
            end = raw.index("}")
            return raw[:end].split(","), end + 1
        return raw.split(","), -1
    pieces: list[list[str]] = [[]]
    for word, end in split(raw):
        if word == "}":
            return [" ".join(piece) for piece in pieces], end
        if word == ",":
            pieces.append([])
        else:
            pieces[-1].append(word)
    return [" ".join(piece) for piece in pieces], -1


def _element(found: Elements, words: list[str], piece: str, number: int) -> None:
    match words:
        case [value]:
            found.add((value,), None, number)
        case [key, ":", "goto" | "jump" as word, chain]:
            found.add((key,), Verdict(word, chain), number)
        case [_, ".", *_] if words[1::2] == ["."] * (len(words) // 2) and len(words) % 2:
            found.add(tuple(words[::2]), None, number)
        case _:
            rest = Words([word for word, _ in split(piece)], Line(found.file, number))
            its_key, verdict = element(rest)
            if rest.peek():
                raise Malformed(f"the word `{rest.peek()}` in an element", rest.line)
            found.add(its_key, verdict, number)
