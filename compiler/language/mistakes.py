"""What is said of a word that cannot be where it is: what could be there, and what was most likely meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, Related, nearest
from npc.compiler.frontend.source import LINE_END, Origin, Source
from npc.compiler.language.building import shown
from npc.compiler.language.quoting import is_word, quote
from npc.compiler.language.table import load_table


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
    (_PEERS, "a peer"),
    (frozenset({"NS", "NAMED_NAMESPACE"}), "'ns'"),
    (frozenset({"TRAFFIC", "REFERENCE"}), "a service"),
    (frozenset({"NAME", "PAIR", "NOT_KEY"}), "a label"),
    (frozenset({"LOG", "AS", "UNTIL"}), "a clause (log, as, until)"),
    (frozenset({"ALLOW", "DENY", "PASS", "ISOLATE"}), "a statement"),
    (
        frozenset({"CLUSTER", "INCLUDE", "POLICY", "SERVICE", "SET"}),
        "a policy, set, service or include",
    ),
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
    "(": "a value",
    ",": "a value",
}
"""What a name is the name of, by the word before it."""
_ELSEWHERE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("accept", "permit"), "allow"),
    **dict.fromkeys(("drop", "reject", "block"), "deny"),
    **dict.fromkeys(("pod", "podselector"), "pods"),
    **dict.fromkeys(("namespace", "namespaces", "namespaceselector"), "ns"),
    **dict.fromkeys(("all", "everyone", "everything", "anyone", "*"), "any"),
    **dict.fromkeys(("policytypes", "isolates"), "isolate"),
    **dict.fromkeys(("expires", "expire"), "until"),
    **dict.fromkeys(("without", "but"), "except"),
    **dict.fromkeys(("networkpolicy",), "policy"),
    **dict.fromkeys(("import",), "include"),
}
"""How the keywords are called in other languages."""
_ITEMS: Final = frozenset({"policy", "cluster", "set", "service", "include"})
_STATEMENTS: Final = frozenset({"allow", "deny", "pass", "isolate"})
_STRING: Final = re.compile(r'"(?:[^"\\\r\n]|\\.)*"')
_PROTOCOLS: Final = ("tcp", "udp", "sctp", "icmp", "icmpv6", "any")


def explain(source: Source, text: str, mistake: Mistake) -> Diagnostic:
    """The diagnostic of a mistake."""
    found = text[mistake.start : mistake.end]
    before = text[slice(*mistake.before)]
    message = f"expected {_expected(mistake.accepted, before)}"
    help = next(filter(None, _guesses(text, mistake, found, before)), "")
    related: tuple[Related, ...] = ()
    place = (mistake.start, mistake.end)
    if mistake.opened is not None and _is_behind(mistake, text[mistake.opened], found):
        opened = Origin(source, within=(mistake.opened, mistake.opened + 1))
        related = (Related(opened, "not closed"),)
        message += f", found {shown(found)}" if found else ", found the end of the text"
    elif before and _is_missing(text, mistake, found):
        message += f" behind {shown(before)}"
        place = (mistake.before[1], mistake.before[1])
    else:
        message += f", found {shown(found)}" if found else ", found the end of the text"
    if not found:
        place = mistake.before
    return Diagnostic(codes.SENTENCE, message, Origin(source, within=place), help=help, related=related)


def _is_behind(mistake: Mistake, bracket: str, found: str) -> bool:
    """Whether the word shows that a bracket before it was not closed."""
    if bracket == "{":
        return not found or found in _ITEMS
    return "RPAR" in mistake.accepted and (not found or found in "{}" or found in _ITEMS | _STATEMENTS)


def _is_missing(text: str, mistake: Mistake, found: str) -> bool:
    """Whether the word is right where it is, on a line of its own, and something before it is missing."""
    begins = found in _ITEMS or found in _STATEMENTS or (found == "}" and "POLICY" not in mistake.accepted)
    return begins and any(LINE_END.finditer(text, mistake.before[1], mistake.start))


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


def _guesses(text: str, mistake: Mistake, found: str, before: str) -> Iterator[str]:
    """How to write what may have been meant, the likeliest first; empty where there is no guess."""
    accepted = mistake.accepted
    keywords = [one.lower() for one in load_table().keywords if one in accepted]
    meant = _ELSEWHERE.get(found.lower())
    yield f"did you mean {meant!r}?" if meant in keywords else ""
    yield _sign_help(text, mistake, found, before)
    yield _place_help(accepted, found, before)
    if found:
        close = nearest(found, keywords)
        yield f"did you mean {close!r}?" if close is not None else ""
        yield _service_help(found) if "TRAFFIC" in accepted else ""
        yield _peer_help(text, mistake, found) if accepted >= _PEERS else ""


def _sign_help(text: str, mistake: Mistake, found: str, before: str) -> str:
    """Signs of other languages."""
    accepted = mistake.accepted
    match found[:1]:
        case ";":
            return "nothing ends a statement: leave the ';' out"
        case "'":
            return "strings stand in double quotes"
        case '"' if _STRING.fullmatch(found) is None:
            return "the string has no end on its line; a line end in it is written \\n"
        case "[" | "]":
            return "lists stand in round brackets, or in none"
        case "/" if before in _PROTOCOLS:
            return f"write {before}/PORT in one word"
        case "}" if "POLICY" in accepted:
            return "there is no '{' that it would close"
        case "=" if "IN" in accepted and text[mistake.end : mistake.end + 1] == "=":
            return f"labels are compared by one '=': {before}=VALUE"
        case "=" if "IN" in accepted:
            return f'the value is missing; the empty one is written {before}=""'
        case "!" if "IN" in accepted and text[mistake.end : mistake.end + 1] == "=":
            return f"write {before} not in (VALUE)"
        case _:
            return "write 'not in'" if found == "notin" else ""


def _place_help(accepted: frozenset[str], found: str, before: str) -> str:
    """Words that belong elsewhere, and what is missing before them."""
    if (found == "any" and before == ",") or (found == "," and before == "any"):
        return "'any' is everyone: it stands alone"
    if before == "," and (found in ("from", "to", "}", ")") or found in _ITEMS | _STATEMENTS):
        return "leave the ',' out"
    if found in ("from", "to") and "COMMA" in accepted:
        return "a rule has one direction: begin another with 'allow'"
    if "POLICY" in accepted and "SET" in accepted:
        return _item_help(found)
    if "FOR" in accepted:
        return _head_help(accepted, found, before)
    if "LBRACE" in accepted:
        return _brace_help(found)
    if "TIER" in accepted and found in ("for", "priority", "labels", "annotations"):
        return "a cluster policy stands in a tier: cluster policy NAME tier admin, or tier baseline"
    if not accepted - {"PODS"} and (found == "ns" or found.startswith("ns/")):
        return "a policy is for pods of its own namespace; a cluster policy can be for namespaces"
    if not accepted - {"STRING"} and is_word(found):
        return f"write {quote(found)}"
    if "PAIR" in accepted and "NAME" not in accepted and is_word(found):
        return f"each has a value: {found}=VALUE"
    return ""


def _item_help(found: str) -> str:
    """What is no item."""
    if found in _STATEMENTS:
        return "statements stand in a policy: policy NAME in NAMESPACE for pods(...) { ... }"
    if found.endswith(":"):
        return "is this YAML? npc reads it from files whose names end in .yaml"
    return ""


def _head_help(accepted: frozenset[str], found: str, before: str) -> str:
    """What cannot be before 'for'."""
    if found == "{":
        return "say whom it is for: for pods, or for pods(app=web)"
    if found in ("pods", "ns"):
        return f"write 'for {found}'"
    if "IN" in accepted and before in ("in", "for", "labels", "annotations"):
        return f"{before!r} is the policy's name here; is the name missing?"
    return ""


def _brace_help(found: str) -> str:
    """What cannot be before the braces."""
    if found == "in":
        return "a policy is for pods of its own namespace: policy NAME in NAMESPACE for pods(...)"
    if found in ("labels", "annotations", "tier", "priority"):
        return f"{found!r} stands before 'for'"
    if found in _STATEMENTS:
        return "statements stand in braces: { ... }"
    return ""


def _service_help(found: str) -> str:
    """How a service is written."""
    if re.fullmatch(r"[0-9]{1,5}(-[0-9]{1,5})?", found):
        return f"a port has a protocol: tcp/{found}"
    if (match := re.fullmatch(r"([0-9]{1,5})/([A-Za-z]+)", found)) and match[2].lower() in _PROTOCOLS:
        return f"write {match[2].lower()}/{match[1]}"
    protocol, sign, port = found.replace(":", "/", 1).partition("/")
    close = nearest(protocol, _PROTOCOLS)
    if close is not None:
        return f"did you mean {close + sign + port!r}?"
    return "a service is a protocol with or without ports, like tcp/80, or @NAME"


def _peer_help(text: str, mistake: Mistake, found: str) -> str:
    """How a peer is written."""
    if found.lower().startswith(("service/", "services/")):
        return f"write svc/{found.partition('/')[2]}"
    if found.lower().startswith(("namespace/", "namespaces/")):
        return f"write ns/{found.partition('/')[2]}"
    if re.match(r"\s*(?:=|in\s*\(|not\s+in\s*\()", text[mistake.end : mistake.end + 40]):
        return "labels stand in brackets: pods(...) or ns(...)"
    if re.fullmatch(r"[^/:]*\.[A-Za-z][^/:]*", found):
        return "names of hosts cannot be compiled: their addresses change"
    return "a peer is any, pods(...), ns(...), ns/NAME, nodes(...), svc/NAME, an address block or @NAME"
