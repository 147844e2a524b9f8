"""What may come next at a place of a text: words that the parser expects there, and names that there are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from npc.compiler.language import tree
from npc.compiler.language.icmp import TYPES
from npc.compiler.language.parser import expected
from npc.compiler.language.quoting import WORD, is_word, quote
from npc.compiler.language.table import Start
from npc.lsp.cluster import Cluster
from npc.lsp.keywords import ICMP, KEYWORDS, PROTOCOLS
from npc.lsp.project import Document, Project

MOST = 500
"""Candidates that are offered; a longer beginning of the word brings others."""

_WORD_BEFORE = re.compile(rf"[@!]?{WORD}*\Z")
_QUOTE_OPEN = re.compile(r'\A[^"#]*(?:"(?:[^"\\]|\\.)*"[^"#]*)*"(?:[^"\\]|\\.)*\Z')
_COMMENT_OPEN = re.compile(r'\A[^"#]*(?:"(?:[^"\\]|\\.)*"[^"#]*)*#')
_INCLUDE_OPEN = re.compile(r'\binclude\s+"([^"]*)\Z')
_ITEM = re.compile(r"^[ \t]*(?:cluster\s+policy|policy|set|service|include)(?=[ \t])", re.MULTILINE)
_STATEMENT = re.compile(rf"(?<!{WORD})(?:allow|deny|pass|isolate)(?!{WORD})")
_ITEMS = 3
_VALUE_OF = re.compile(rf"""({WORD}+)\s*=\s*\Z""")
_VALUES_OF = re.compile(rf"""({WORD}+)\s+(?:not\s+)?in\s*\([^()]*\Z""")
_SELECTOR_OF = re.compile(rf"""(?<!{WORD})(pods|ns|nodes)\s*\((?:[^()]|\([^()]*\))*(?:\([^()]*)?\Z""")
_HOME = re.compile(rf"(?<!{WORD})policy\s+{WORD}+(?:\s+in\s+({WORD}+))?")


class CompletionKind(Enum):
    KEYWORD = "keyword"
    NAME = "name"
    LABEL = "label"
    VALUE = "value"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Completion:
    """A candidate for the characters from `start` to the cursor."""

    text: str
    kind: CompletionKind
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Completions:
    """The candidates for the word before the cursor, which begins at `start`."""

    start: int
    found: tuple[Completion, ...] = ()
    is_all: bool = True


def completions(document: Document, offset: int, project: Project) -> Completions:
    """What may stand at an offset, given what stands before it."""
    before = document.text[:offset]
    line = before[before.rfind("\n") + 1 :]
    if (match := _INCLUDE_OPEN.search(line)) is not None:
        return _matching(offset - len(match[1]), match[1], _files(document))
    if _COMMENT_OPEN.match(line) or _QUOTE_OPEN.match(line):
        return Completions(offset)
    match = _WORD_BEFORE.search(line)
    word = match[0] if match else ""
    start = offset - len(word)
    return _matching(start, word, _candidates(document, start, word, project))


def _matching(start: int, word: str, candidates: Iterable[Completion]) -> Completions:
    """The candidates that begin as the word does, each once."""
    found = list(dict.fromkeys(one for one in candidates if one.text.startswith(word) and one.text != word))
    return Completions(start, tuple(found[:MOST]), len(found) <= MOST)


def _candidates(document: Document, start: int, word: str, project: Project) -> Iterator[Completion]:
    """What may stand from an offset on, where `word` is written already."""
    before = _recent(document.text[:start])
    cluster = project.cluster()
    kind = _selected_kind(before)
    if kind is not None and (match := _VALUE_OF.search(before)) is not None:
        yield from _values(kind, match[1], cluster)
        return
    start_of_text = Start.of(document.path.name)
    terminals = _expected(before, start_of_text)
    if start_of_text is Start.POLICIES and not _is_clusterwide(before):
        terminals -= {"DENY", "PASS"}
    for terminal in sorted(terminals):
        if (keyword := terminal.lower()) in KEYWORDS:
            yield Completion(keyword, CompletionKind.KEYWORD, KEYWORDS[keyword])
    if "TRAFFIC" in terminals:
        for protocol, detail in PROTOCOLS.items():
            yield Completion(protocol, CompletionKind.KEYWORD, detail)
        yield from _ports(word, cluster)
    if "REFERENCE" in terminals:
        wanted = tree.ServiceDefinition if "TRAFFIC" in terminals else tree.SetDefinition
        for where, definition in project.definitions(document):
            itself = where is document and definition.start <= start <= definition.end
            if isinstance(definition, wanted) and not itself:
                yield Completion(f"@{definition.name.text}", CompletionKind.NAME, _parts(where, definition))
    if "NAMED_NAMESPACE" in terminals:
        for name in _spaces(cluster):
            yield Completion(f"ns/{name}", CompletionKind.NAME, "namespace")
    if "BEHIND_SERVICE" in terminals:
        yield from _kubernetes_services(before, cluster)
    if "NAME" in terminals and re.search(rf"(?<!{WORD})in\s+\Z", before):
        for name in _spaces(cluster):
            yield Completion(name, CompletionKind.NAME, "namespace")
    if kind is None:
        return
    if "NAME" in terminals and (match := _VALUES_OF.search(before)) is not None:
        yield from _values(kind, match[1], cluster)
    elif "NOT_KEY" in terminals:
        yield from _keys(kind, word, cluster)


def _recent(before: str) -> str:
    """The last items of a text: what is wrong earlier does not matter here, nor does how long it is."""
    starts = [match.start() for match in _ITEM.finditer(before)]
    return before[starts[-_ITEMS] :] if len(starts) > _ITEMS else before


def _expected(before: str, of: Start) -> frozenset[str]:
    """The terminals that may follow a text, its last item, or its last statement: what is right of it."""
    if of is Start.ASSERTIONS:
        sentences = [0, *(match.start() for match in _STATEMENT.finditer(before))]
        following = (expected(before[start:], of) for start in reversed(sentences))
        return next(filter(None, following), frozenset())
    starts = [match.start() for match in _ITEM.finditer(before)]
    for start in [*reversed(starts), 0]:
        if found := expected(before[start:]):
            return found
    statements = list(_STATEMENT.finditer(before))
    return expected(f"policy x for pods {{ {before[statements[-1].start() :]}") if statements else frozenset()


def _is_clusterwide(before: str) -> bool:
    """Whether the last item of a text is a cluster policy."""
    items = _ITEM.findall(before)
    return bool(items) and items[-1].split()[0] == "cluster"


def _parts(document: Document, definition: tree.SetDefinition | tree.ServiceDefinition) -> str:
    parts = definition.peers if isinstance(definition, tree.SetDefinition) else definition.services
    return ", ".join(document.slice(one) for one in parts)


def _files(document: Document) -> Iterator[Completion]:
    """The other files of the language in the document's folder and the folders in it."""
    folder = document.path.parent
    try:
        paths = sorted(
            one for one in (*folder.glob("*.npc"), *folder.glob("*/*.npc")) if one != document.path
        )
    except OSError:
        return
    for path in paths:
        yield Completion(path.relative_to(folder).as_posix(), CompletionKind.FILE)


def _spaces(cluster: Cluster | None) -> Iterable[str]:
    return cluster.inventory.namespaces if cluster is not None else ()


def _ports(word: str, cluster: Cluster | None) -> Iterator[Completion]:
    """`tcp/metrics` and `icmp/echo-request`, once the protocol stands there."""
    protocol, slash, _ = word.partition("/")
    if not slash:
        return
    if (number := ICMP.get(protocol)) is not None:
        for name, code in TYPES[number].items():
            yield Completion(f"{protocol}/{name}", CompletionKind.NAME, f"type {code}")
    elif cluster is not None:
        for name in sorted(cluster.port_names(protocol)):
            yield Completion(f"{protocol}/{name}", CompletionKind.NAME, "port")


def _kubernetes_services(before: str, cluster: Cluster | None) -> Iterator[Completion]:
    """The Services of the policy's own namespace as they are, those of others with theirs: all with pods."""
    home = None
    for match in _HOME.finditer(before):
        home = match[1] or tree.DEFAULT_NAMESPACE
    services = cluster.inventory.services if cluster is not None else ()
    for one in (service for service in services if service.selector):
        own = one.namespace == home
        text = f"svc/{one.name}" + ("" if own else f" in ns/{one.namespace}")
        yield Completion(text, CompletionKind.NAME, f"Service of {one.namespace}")


def _selected_kind(before: str) -> str | None:
    """Whose labels a place inside parentheses is about: `pods`, `ns` or `nodes`."""
    match = _SELECTOR_OF.search(before)
    return match[1] if match is not None else None


def _keys(kind: str, word: str, cluster: Cluster | None) -> Iterator[Completion]:
    """The label keys that things of a kind have."""
    if cluster is None:
        return
    mark = "!" if word.startswith("!") else ""
    for key, values in sorted(cluster.labels(kind).items()):
        shown = ", ".join(sorted(values)[:5]) + (", ..." if len(values) > 5 else "")
        yield Completion(mark + key, CompletionKind.LABEL, shown)


def _values(kind: str, key: str, cluster: Cluster | None) -> Iterator[Completion]:
    """The values that a label of things of a kind has."""
    if cluster is None:
        return
    for value in sorted(cluster.labels(kind).get(key, ())):
        yield Completion(value if is_word(value) else quote(value), CompletionKind.VALUE, key)
