r"""The words of a line, and the numbers in them, as iptables-restore and ipset read them.

>>> split_words(r'-m comment --comment "a \"b\"" -j DROP', Line("rules", 1))
['-m', 'comment', '--comment', 'a "b"', '-j', 'DROP']
"""

from __future__ import annotations

from npc.compiler.verify.program import Line, Malformed, Unsupported


def split_words(text: str, line: Line) -> list[str]:
    """Words between blanks; quotation marks hold blanks, a backslash in them the next character.

    Raises Malformed where a quotation has no end, Unsupported where one begins or ends inside a word.
    """
    if '"' not in text:
        return text.split()
    found: list[str] = []
    rest = text.strip()
    while rest:
        if rest[0] == '"':
            word, rest = _quoted(rest, line)
            if rest and not rest[0].isspace():
                raise Unsupported("a quotation mark inside a word", line)
        else:
            word, *others = rest.split(maxsplit=1)
            rest = others[0] if others else ""
            if '"' in word:
                raise Unsupported("a quotation mark inside a word", line)
        found.append(word)
        rest = rest.lstrip()
    return found


def _quoted(text: str, line: Line) -> tuple[str, str]:
    """The word in the quotation that the text begins with, and what follows it."""
    word: list[str] = []
    characters = enumerate(text[1:], 1)
    for place, character in characters:
        if character == '"':
            return "".join(word), text[place + 1 :]
        if character == "\\":
            _, character = next(characters, (place, ""))
        word.append(character)
    raise Malformed("a quotation without an end", line)


def number(text: str, highest: int, what: str, line: Line) -> int:
    """A decimal number up to `highest`.

    With a zero in front the programs read octal, as 0x50 hexadecimal: Unsupported, as nobody means it.
    """
    if not (text.isascii() and text.isdecimal()) or (text[0] == "0" and text != "0"):
        raise Unsupported(f"{what} `{text}`", line, "write it as a decimal number")
    value = int(text) if len(text) < 12 else highest + 1
    if value > highest:
        raise Malformed(f"{what} `{text}`", line, f"the highest is {highest}")
    return value
