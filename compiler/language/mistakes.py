"""What is said of a word that cannot be where it is: what could be there, and what was most likely meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, Related, nearest
from npc.compiler.frontend.source import LINE_END, Origin, Source
from npc.compiler.language.building import shown
from npc.compiler.language.hints import hint_for
from npc.compiler.language.quoting import QUOTES, WORD
from npc.compiler.language.recovery import word_at
from npc.compiler.language.table import load_table
from npc.compiler.language.usual import LIKELY, USUAL


@dataclass(frozen=True, slots=True)
class Mistake:
    """A word that cannot be where it is."""

    start: int
    end: int
    """Where it ends; as `start`, at the end of the text."""
    accepted: frozenset[str]
    """The terminals that could be there."""
    before: tuple[int, int]
    """The word before it."""
    opened: int | None
    """The `{` or `(` that it is behind."""


@dataclass(frozen=True, slots=True)
class Known:
    """The names that a text defines."""

    sets: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()


_SIGNS: Final = {
    "LPAR": "'('",
    "RPAR": "')'",
    "LBRACE": "'{'",
    "RBRACE": "'}'",
    "COMMA": "','",
    "EQUAL": "'='",
}
_PEERS: Final = frozenset(
    {"PODS", "NS", "NAMED_NAMESPACE", "NODES", "BEHIND_SERVICE", "ADDRESS", "REFERENCE"}
)
_GROUPS: Final[tuple[tuple[frozenset[str], str], ...]] = (
    (_PEERS | {"ANY"}, "a peer"),
    (_PEERS | {"ANY", "NAMED_END"}, "a peer"),
    (_PEERS | {"NAMED_END"}, "a peer"),
    (_PEERS, "a peer"),
    (frozenset({"NS", "NAMED_NAMESPACE"}), "'ns'"),
    (frozenset({"TRAFFIC", "REFERENCE"}), "a service"),
    (frozenset({"NAME", "PAIR", "NOT_KEY"}), "a label"),
    (frozenset({"LOG", "AS", "UNTIL"}), "a clause (log, as, until)"),
    (frozenset({"ALLOW", "DENY", "PASS", "ISOLATE"}), "a statement"),
    (frozenset({"ALLOW", "DENY"}), "an assertion (allow, deny)"),
    (
        frozenset({"CLUSTER", "INCLUDE", "POLICY", "SERVICE", "SET"}),
        "a policy, set, service or include",
    ),
    (frozenset({"INCLUDE", "SERVICE", "SET"}), "a set, service or include"),
)
"""Terminals that are named together."""
_WORDS: Final = {
    "NUMBER": "a number",
    "DATE": "a date like 2027-01-31",
    "STRING": "a string",
    "PAIR": "a key=value",
    "ADDRESS": "an address block",
    "NAMED_NAMESPACE": "ns/NAME",
}
_NAMES: Final = {
    "policy": "the policy's name",
    "set": "the set's name",
    "service": "the service's name",
    "in": "a namespace's name",
    "as": "a name",
    "=": "a value",
    "(": "a value",
    ",": "a value",
}
"""What a name is the name of, by the word before it."""
_ELSEWHERE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("accept", "permit"), "allow"),
    **dict.fromkeys(("drop", "reject", "block"), "deny"),
    **dict.fromkeys(("pod", "podselector"), "pods"),
    **dict.fromkeys(("namespace", "namespaces", "namespaceselector"), "ns"),
    **dict.fromkeys(("all", "everyone", "everything", "anyone", "anywhere", "*"), "any"),
    **dict.fromkeys(("policytypes", "isolates"), "isolate"),
    **dict.fromkeys(("expires", "expire"), "until"),
    **dict.fromkeys(("without", "but"), "except"),
    **dict.fromkeys(("networkpolicy",), "policy"),
    **dict.fromkeys(("import",), "include"),
}
"""How the keywords are called in other languages."""
_ITEMS: Final = frozenset({"policy", "cluster", "set", "service", "include"})
_OF_ASSERTIONS: Final = frozenset({"ALLOW", "DENY", "SET"})
"""What can come together in files of assertions alone."""
_ASSERTION_WORDS: Final = frozenset({"allow", "deny", "set", "service", "include"})
_STATEMENTS: Final = frozenset({"allow", "deny", "pass", "isolate"})
_PAIR: Final = re.compile(rf"(?P<key>(?:{WORD}+)?)\s*(?P<sign>=)\s*(?=[\"{QUOTES}])")
_OTHER_STRING: Final = re.compile(rf"[{QUOTES}][^{QUOTES}\r\n]*[{QUOTES}]")
_PROTOCOLS: Final = ("tcp", "udp", "sctp", "icmp", "icmpv6", "any")


def explain(source: Source, text: str, mistake: Mistake, known: Known) -> Diagnostic:
    """The diagnostic of a mistake; `known` is what a name without its `@` may mean."""
    mistake = _whole(text, _at_value(text, mistake))
    found = text[mistake.start : mistake.end]
    before = text[slice(*mistake.before)]
    message = f"expected {_expected(mistake.accepted, before)}"
    names = known.services if "TRAFFIC" in mistake.accepted else known.sets
    help = next(filter(None, _guesses(text, mistake, names)), "")
    related: tuple[Related, ...] = ()
    place = (mistake.start, mistake.end)
    opened = mistake.opened
    if opened is not None and _is_behind(text, mistake, text[opened], found):
        help = ""
        related = (Related(Origin(source, within=(opened, opened + 1)), "not closed"),)
        message += f", found {shown(found)}" if found else ", found the end of the text"
    elif before and _is_missing(text, mistake, found):
        message += f" behind {shown(before)}"
        place = (mistake.before[1], mistake.before[1])
    else:
        message += f", found {shown(found)}" if found else ", found the end of the text"
    if not found:
        place = mistake.before
    return Diagnostic(codes.SENTENCE, message, Origin(source, within=place), help=help, related=related)


def _at_value(text: str, mistake: Mistake) -> Mistake:
    """The mistake of a `key=value` where the value is what is wrong with it, and a quote shows that."""
    accepted = mistake.accepted
    begins_pair = "PAIR" in accepted and "NAME" not in accepted
    match = _PAIR.match(text, mistake.start) if begins_pair or "NOT" in accepted else None
    if match is None or (begins_pair and not match["key"]):
        return mistake
    start, end = word_at(text, match.end())
    return Mistake(start, end, frozenset({"NAME", "STRING"}), match.span("sign"), None)


def _whole(text: str, mistake: Mistake) -> Mistake:
    """The mistake of a whole string, where the word is the quote that one of another kind begins with."""
    match = _OTHER_STRING.match(text, mistake.start)
    return mistake if match is None else replace(mistake, end=match.end())


def _is_behind(text: str, mistake: Mistake, bracket: str, found: str) -> bool:
    """Whether the word shows that a bracket before it was not closed."""
    if bracket == "{":
        return not found or (found in _ITEMS and _begins_line(text, mistake))
    return "RPAR" in mistake.accepted and (not found or found in "{}" or found in _ITEMS | _STATEMENTS)


def _is_missing(text: str, mistake: Mistake, found: str) -> bool:
    """Whether the word is right where it is, on a line of its own, and something before it is missing."""
    if mistake.accepted >= _OF_ASSERTIONS and found not in _ASSERTION_WORDS:
        return False
    begins = found in _ITEMS or found in _STATEMENTS or (found == "}" and "POLICY" not in mistake.accepted)
    return begins and _begins_line(text, mistake)


def _begins_line(text: str, mistake: Mistake) -> bool:
    return any(LINE_END.finditer(text, mistake.before[1], mistake.start))


def _expected(accepted: frozenset[str], before: str) -> str:
    """What could be there, in words."""
    left = set(accepted)
    words = []
    for group, name in _GROUPS:
        if group <= left:
            left -= group
            words.append(name)
    if "NAME" in left:
        words.insert(0, _NAMES.get(before, "a name"))
        left.discard("NAME")
        left -= {"STRING"} if "STRING" in left else set()
    words += [word for one, word in _WORDS.items() if one in left]
    words += [f"'{one.lower()}'" for one in load_table().keywords if one in left]
    words += [sign for one, sign in _SIGNS.items() if one in left]
    if not words:
        return "the end of the text"
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def _guesses(text: str, mistake: Mistake, names: Iterable[str]) -> Iterator[str | None]:
    """How to write what may have been meant, the likeliest first; nothing where there is no guess."""
    accepted, place = mistake.accepted, (mistake.start, mistake.end)
    found = text[mistake.start : mistake.end]
    keywords = [one.lower() for one in load_table().keywords if one in accepted]
    known = list(names) if "REFERENCE" in accepted else []
    yield f"write @{found}" if found in known else None
    if accepted >= _OF_ASSERTIONS and found in _ITEMS:
        yield "this is a file of assertions: policies stand in files of their own"
    yield hint_for(USUAL, text, place, accepted)
    meant = _ELSEWHERE.get(found.lower())
    yield f"did you mean {meant!r}?" if meant in keywords else None
    if not found:
        return
    close = nearest(found, keywords)
    yield f"did you mean {close!r}?" if close is not None else None
    close = nearest(found, known)
    yield f"did you mean '@{close}'?" if close is not None else None
    yield _mistyped_service(found) if "TRAFFIC" in accepted else None
    yield hint_for(LIKELY, text, place, accepted)


def _mistyped_service(found: str) -> str | None:
    """A service whose protocol is not written right, or whose slash is not."""
    protocol, sign, port = found.replace(":", "/", 1).partition("/")
    close = nearest(protocol, _PROTOCOLS)
    return None if close is None else f"did you mean {close + sign + port!r}?"
