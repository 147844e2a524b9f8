"""Rules in nft's language: from words to statements.

>>> words = "tcp dport { 22 , 80-90 } ip saddr != 10.0.0.0/8 counter packets 5 bytes 9 goto deny".split()
>>> [str(one) for one in statements(words, Line("npc.nft", 1))]
['tcp dport { 22, 80-90 }', 'ip saddr != 10.0.0.0/8', 'goto deny']
"""

from __future__ import annotations

from collections.abc import Sequence

from npc.backends.nft.reader import words as known
from npc.backends.nft.reader.tree import (
    CATCH_ALL,
    TERMINAL,
    Elements,
    Match,
    Opaque,
    Reject,
    Right,
    Statement,
    Verdict,
    VerdictMap,
)
from npc.compiler.verify.program import Line, Malformed, Unsupported

_MASKS = frozenset({"&", "|", "^", "/", "<<", ">>", ","})


class Words:
    """The words of one statement, one after another; at the end there are empty ones."""

    def __init__(self, words: Sequence[str], line: Line) -> None:
        self.line = line
        self._words = words
        self._position = 0

    def peek(self, ahead: int = 0) -> str:
        """The next word, or one after it, which stays where it is."""
        position = self._position + ahead
        return self._words[position] if position < len(self._words) else ""

    def next(self) -> str:
        """The next word; Malformed where there is none."""
        word = self.peek()
        if not word:
            raise Malformed("the end of the statement, where more was expected", self.line)
        self._position += 1
        return word

    def take(self, *words: str) -> bool:
        """Whether these are the next words, which then are behind."""
        found = all(self.peek(index) == word for index, word in enumerate(words))
        self._position += len(words) if found else 0
        return found

    def expect(self, word: str) -> None:
        """The next word is this one; Malformed where it is another."""
        if not self.take(word):
            raise Malformed(f"the word `{self.peek()}`, where `{word}` was expected", self.line)

    def name(self) -> str:
        """The next word, which is a name, a number or a string."""
        word = self.next()
        if word in "{},;:()|^&<>=.!":
            raise Malformed(f"the word `{word}`, where a name or a value was expected", self.line)
        return word


def statements(words: Sequence[str], line: Line) -> tuple[Statement, ...]:
    """The statements of a rule; those that decide nothing and let all packets on are left out."""
    rest = Words(words, line)
    found: list[Statement] = []
    while rest.peek():
        if rest.take("comment"):
            rest.name()
            continue
        if found and isinstance(last := found[-1], Verdict | Reject) and str(last) != "continue":
            raise Malformed(f"the word `{rest.peek()}` after a verdict", line)
        one = _statement(rest)
        if one is not None:
            found.append(one)
    return tuple(found)


def _statement(rest: Words) -> Statement | None:
    match rest.peek():
        case "accept" | "drop" | "return" | "continue" | "jump" | "goto":
            return verdict(rest)
        case "reject":
            rest.next()
            return _reject(rest)
        case "counter":
            rest.next()
            _counter(rest)
            return None
        case "log":
            rest.next()
            _log(rest)
            return None
        case "limit":
            rest.next()
            return _limit(rest)
        case "meta" if rest.take("meta", "nftrace", "set"):
            rest.name()
            return None
        case _:
            return _match(rest)


def verdict(rest: Words) -> Verdict:
    """`goto NAME` and the like; Unsupported for what is none."""
    word = rest.name()
    if word in ("jump", "goto"):
        return Verdict(word, rest.name())
    if word in TERMINAL or word == "continue":
        return Verdict(word)
    raise Unsupported(f"the verdict `{word}`", rest.line)


def _reject(rest: Words) -> Reject:
    if not rest.take("with"):
        return Reject("")
    answer = rest.name()
    if answer not in known.REJECTIONS:
        raise Unsupported(f"the answer `reject with {answer}`", rest.line)
    rest.take("type")
    rest.name()
    return Reject(known.REJECTIONS[answer])


def _counter(rest: Words) -> None:
    if rest.take("name"):
        rest.name()
    elif rest.take("packets"):
        rest.name()
        rest.expect("bytes")
        rest.name()


def _log(rest: Words) -> None:
    while (option := rest.peek()) in known.LOG_OPTIONS or option == "flags":
        rest.next()
        if option == "flags" and rest.peek() in ("tcp", "ip"):
            rest.next()
        rest.name()
        while rest.take(","):
            rest.name()


def _limit(rest: Words) -> Opaque:
    if rest.take("name"):
        rest.name()
    else:
        rest.expect("rate")
        rest.take("over")
        _quantity(rest)
        if rest.take("burst"):
            _quantity(rest)
    return Opaque("the statement `limit` before a verdict", "a limit is understood before `log` alone")


def _quantity(rest: Words) -> None:
    """`10/second`, `20 packets` or `5 kbytes/second`."""
    number = rest.name()
    if rest.take("/") or (number.isdecimal() and rest.peek().split("/")[0].endswith(("bytes", "packets"))):
        rest.name()


def fields(rest: Words) -> tuple[str, ...]:
    """A field, or several with dots between them; Unsupported for others than the manual's common ones."""
    found = [_field(rest)]
    while rest.take("."):
        found.append(_field(rest))
    return tuple(found)


def _field(rest: Words) -> str:
    first = rest.name()
    if first in known.FIELDS:
        return field(first, rest.name(), rest.line)
    if first in known.BARE:
        return first
    raise Unsupported(f"the statement `{first}`", rest.line)


def field(header: str, name: str, line: Line) -> str:
    """A header's field as one text; Unsupported for those that are not known."""
    if name not in known.FIELDS.get(header, frozenset()):
        raise Unsupported(f"the match `{header} {name}`", line)
    return f"{header} {name}"


def _match(rest: Words) -> Statement:
    compared = fields(rest)
    if rest.take("vmap"):
        return VerdictMap(compared, _right(rest))
    if rest.peek() in ("set", "map"):
        raise Unsupported(f"the statement `{' . '.join(compared)} {rest.peek()}`", rest.line)
    if rest.peek() in _MASKS:
        return _masked(compared, rest)
    operator = known.OPERATORS.get(rest.peek())
    if operator:
        rest.next()
    right = _right(rest)
    if rest.peek() not in _MASKS:
        return Match(compared, operator or "==", right)
    if isinstance(right, str) and rest.peek() == "," and not operator and compared == ("ct state",):
        flags = Elements(rest.line.file)
        flags.add((right,), None, rest.line.number)
        while rest.take(","):
            flags.add((rest.name(),), None, rest.line.number)
        return Match(compared, "in", flags)
    return _masked(compared, rest)


def _masked(compared: tuple[str, ...], rest: Words) -> Opaque:
    """A comparison that computes: its words are passed over."""
    while rest.peek() in _MASKS or rest.peek() in known.OPERATORS:
        rest.next()
        if rest.take("("):
            while not rest.take(")"):
                rest.next()
        else:
            _right(rest)
    return Opaque(f"the match of bits of `{' . '.join(compared)}`")


def _right(rest: Words) -> Right:
    if rest.take("{"):
        found = Elements(rest.line.file)
        while not rest.take("}"):
            key, its_verdict = element(rest)
            found.add(key, its_verdict, rest.line.number)
            if rest.peek() != "}":
                rest.expect(",")
        return found
    return _value(rest)


def element(rest: Words) -> tuple[tuple[str, ...], Verdict | None]:
    """A member of a set or map; Unsupported for those that end by themselves."""
    key = [_value(rest)]
    while rest.take("."):
        key.append(_value(rest))
    while rest.peek() in ("counter", "comment", "timeout", "expires"):
        match rest.next():
            case "counter":
                _counter(rest)
            case "comment":
                rest.name()
            case word:
                raise Unsupported(f"the element `{' . '.join(key)}` with `{word}`", rest.line)
    return tuple(key), verdict(rest) if rest.take(":") else None


def _value(rest: Words) -> str:
    value = rest.name() if rest.peek() != CATCH_ALL else rest.next()
    return f"{value}-{rest.name()}" if rest.take("-") else value
