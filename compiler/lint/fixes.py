"""What can be mended in the text of a source without a change of meaning: edits for some findings.

Takes findings of one source, gives edits. That the meaning stays is not only meant: `mended` reads the text
that comes of them, and where a policy says something else than before, or cannot be read, there are no
edits at all.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import replace

from npc.compiler.algebra.addresses import format_cidr, parse_cidr
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, has_errors
from npc.compiler.frontend.documents import Loaded, load
from npc.compiler.frontend.locate import Page, locate
from npc.compiler.frontend.source import Origin, Source
from npc.compiler.frontend.syntax import Direction, NetworkPolicy, Policy
from npc.compiler.lint.checked import is_in_yaml
from npc.compiler.lint.duplicates import said
from npc.compiler.lint.edits import Edit, applied
from npc.compiler.lint.yaml_edits import YamlDocument

FIXABLE = frozenset(
    {codes.HOST_BITS, codes.LEADING_ZEROS, codes.REPEATED, codes.DUPLICATE, codes.NO_POLICY_TYPES}
)
_BOM = "\ufeff"


def mended(source: Source, findings: Iterable[Diagnostic]) -> str | None:
    """The text of a source without some findings; None where nothing can be mended."""
    try:
        text = source.data().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    page = Page.of(source)
    listed = [one for one in findings if one.origin is not None and one.origin.source == source]
    edits = list(_edits(page, listed, load([source])))
    if not edits:
        return None
    after = (_BOM if text.startswith(_BOM) else "") + applied(page.lines.text, edits)
    return after if _means_the_same(source, after) else None


def _edits(page: Page, findings: Iterable[Diagnostic], loaded: Loaded) -> Iterator[Edit]:
    policies = {one.origin: one for one in loaded.policies}
    documents: dict[int, YamlDocument] = {}
    for one in findings:
        origin = one.origin
        assert origin is not None
        if one.code in (codes.HOST_BITS, codes.LEADING_ZEROS):
            edit = _cidr(page, origin)
        elif not is_in_yaml(origin):
            edit = _in_language(page, one, origin)
        elif page.may_be_json:
            edit = None
        else:
            if origin.document not in documents:
                documents[origin.document] = YamlDocument.of(page.lines, origin.document)
            edit = _in_yaml(documents[origin.document], one, origin, policies)
        if edit is not None:
            yield edit


def _in_yaml(
    document: YamlDocument, one: Diagnostic, origin: Origin, policies: Mapping[Origin, NetworkPolicy]
) -> Edit | None:
    if one.code is codes.DUPLICATE:
        return document.without_item(origin.path)
    if one.code is codes.REPEATED:
        is_policy = origin.path == ("metadata", "name")
        is_here = all(related.origin.source == origin.source for related in one.related)
        return document.removed() if is_policy and is_here else None
    policy = policies.get(replace(origin, path=()))
    if policy is None or origin.path != ("spec",):
        return None
    return document.with_policy_types([one.value.title() for one in Direction if one in policy.isolates])


def _in_language(page: Page, one: Diagnostic, origin: Origin) -> Edit | None:
    from npc.compiler.lint.language_edits import without_duplicate, without_policy  # YAML needs them not

    assert origin.within is not None
    start, end = origin.within
    if one.code is codes.DUPLICATE:
        return without_duplicate(page.source, page.lines, start, end)
    if one.code is codes.REPEATED and all(other.origin.source == origin.source for other in one.related):
        return without_policy(page.source, page.lines, start)
    return None


def _cidr(page: Page, origin: Origin) -> Edit | None:
    """A block written as it is meant, in the quotes that it stood in."""
    span = locate([origin])[0][origin]
    start = page.lines.starts[span.line - 1] + span.column - 1
    written = page.lines.text[start : start + span.end - span.column]
    text = written.strip("\"'")
    try:
        meant = format_cidr(parse_cidr(text).block)
    except ValueError:  # not what it seems: an escape, or a text of several lines
        return None
    start += written.index(text)
    return Edit(start, start + len(text), meant)


def _means_the_same(source: Source, after: str) -> bool:
    before, now = load([source]), load([replace(source, content=after.encode())])
    if has_errors((*before.diagnostics, *now.diagnostics)) or len(before.inventory) != len(now.inventory):
        return False
    return _meanings(before) == _meanings(now)


def _meanings(loaded: Loaded) -> dict[tuple[str, str], Hashable]:
    """What the policies say, by kind and name, whatever stands twice."""
    policies: tuple[Policy, ...] = (*loaded.policies, *loaded.cluster_policies)
    return {(one.kind, str(one)): _meaning(one) for one in policies}


def _meaning(policy: Policy) -> Hashable:
    if not isinstance(policy, NetworkPolicy):
        in_order = tuple(map(said, policy.ingress)), tuple(map(said, policy.egress))
        return policy.tier, policy.priority, policy.subject, in_order
    rules = frozenset(map(said, policy.ingress)), frozenset(map(said, policy.egress))
    return policy.subject, policy.isolates, rules
