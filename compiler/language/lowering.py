"""From trees to policies: names are looked up, values validated, and all is said as YAML would have said it.

Takes the sources in the policy language, gives `syntax` policies and diagnostics. A policy with an error is
left out: the diagnostics have at least one error then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, Related, has_errors
from npc.compiler.frontend.metadata import LARGEST_ANNOTATIONS
from npc.compiler.frontend.names import (
    dns_label_fault,
    dns_subdomain_fault,
    label_key_fault,
    label_value_fault,
)
from npc.compiler.frontend.shapes import quoted
from npc.compiler.frontend.source import Source
from npc.compiler.frontend.syntax import (
    Action,
    ClusterPolicy,
    Direction,
    Log,
    NetworkPolicy,
    Rule,
)
from npc.compiler.language import tree
from npc.compiler.language.findings import Findings
from npc.compiler.language.including import read_files
from npc.compiler.language.library import Library
from npc.compiler.language.peers import PeerReader, Place
from npc.compiler.language.services import ServiceReader

LAST_PRIORITY = 1000
LONGEST_RULE_NAME = 100
"""Characters of a rule's name, as ClusterNetworkPolicy has it."""
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Lowered:
    """What the sources in the policy language say."""

    policies: tuple[NetworkPolicy, ...]
    cluster_policies: tuple[ClusterPolicy, ...]
    diagnostics: tuple[Diagnostic, ...]
    is_empty: bool
    """Whether there is nothing in them."""


def lower(sources: Iterable[Source], today: date | None = None) -> Lowered:
    """The policies of sources and of all that they include, each file once.

    Rules whose last day is before `today` are left out; None: none is.
    """
    files = read_files(sources)
    library = Library.of(files)
    policies: list[NetworkPolicy] = []
    cluster_policies: list[ClusterPolicy] = []
    for file in files:
        peers, services = library.peers(file), library.services(file)
        reader = _PolicyReader(file.findings, peers, services, file.parsed.mistakes, today)
        for item in file.parsed.program.items:
            match item:
                case tree.PolicyBlock():
                    if (policy := reader.policy(item)) is not None:
                        policies.append(policy)
                case tree.ClusterPolicyBlock():
                    if (cluster_policy := reader.cluster_policy(item)) is not None:
                        cluster_policies.append(cluster_policy)
                case _:
                    pass
    diagnostics = [one for file in files for one in file.findings.diagnostics]
    if not has_errors(diagnostics):
        library.definitions.report_unused(files)
        diagnostics = [one for file in files for one in file.findings.diagnostics]
    is_empty = not any(file.parsed.program.items for file in files)
    return Lowered(tuple(policies), tuple(cluster_policies), tuple(diagnostics), is_empty)


@dataclass(frozen=True, slots=True)
class _PolicyReader:
    """Reads the policies of one file."""

    findings: Findings
    peers: PeerReader
    services: ServiceReader
    mistakes: Sequence[int]
    """Where statements were lost."""
    today: date | None

    def policy(self, block: tree.PolicyBlock) -> NetworkPolicy | None:
        """A policy; None when there are errors in it."""
        findings = self.findings
        name = block.name.text
        namespace = tree.DEFAULT_NAMESPACE if block.namespace is None else block.namespace.text
        findings.about = f"NetworkPolicy {namespace}/{name}"
        errors = findings.errors
        if "/" in name:
            help = "write policy {1} in {0}".format(*name.split("/", 1))
            findings.invalid(quoted(name), "a DNS subdomain", block.name, help)
        else:
            findings.check(dns_subdomain_fault, block.name, "a DNS subdomain")
        if block.namespace is not None:
            findings.check(dns_label_fault, block.namespace, "a namespace's name")
        self._check_metadata(block.labels, block.annotations)
        subject = self.peers.selector(block.subject.requirements)
        rules: dict[Direction, list[Rule]] = {Direction.INGRESS: [], Direction.EGRESS: []}
        isolates = self._isolated(block)
        for statement in block.statements:
            if isinstance(statement, tree.RuleStatement):
                if statement.action is not Action.ALLOW:
                    word = statement.action.value
                    message = f"{word!r} is for cluster policies: a policy only allows"
                    help = "what no rule allows is denied; a cluster policy can deny it to all policies"
                    findings.report(codes.NOT_HERE, message, statement, help=help)
                rule = self._rule(statement, Place.POLICY)
                if rule is not None:
                    rules[statement.direction].append(rule)
        policy = NetworkPolicy(
            name,
            namespace,
            subject,
            isolates,
            tuple(rules[Direction.INGRESS]),
            tuple(rules[Direction.EGRESS]),
            findings.origin(block.name),
        )
        findings.about = ""
        return policy if findings.errors == errors else None

    def cluster_policy(self, block: tree.ClusterPolicyBlock) -> ClusterPolicy | None:
        """A cluster policy; None when there are errors in it."""
        findings = self.findings
        findings.about = f"ClusterNetworkPolicy {block.name.text}"
        errors = findings.errors
        findings.check(dns_subdomain_fault, block.name, "a DNS subdomain")
        self._check_metadata(block.labels, block.annotations)
        priority = tree.DEFAULT_PRIORITY
        if block.priority is not None:
            priority = block.priority.value
            if priority > LAST_PRIORITY:
                help = f"0 to {LAST_PRIORITY}, 0 first"
                findings.invalid(str(priority), "a priority", block.priority, help)
        if not block.statements and not self._has_mistakes(block):
            message = f"the cluster policy {block.name.text!r} has no rule: it does nothing"
            findings.report(codes.INERT, message, block.name)
        subject = self.peers.subject(block.subject)
        rules: dict[Direction, list[Rule]] = {Direction.INGRESS: [], Direction.EGRESS: []}
        for statement in block.statements:
            match statement:
                case tree.Isolate():
                    message = "a cluster policy isolates nobody: what its rules do not match goes on"
                    help = "end it with 'deny from any' or 'deny to any'"
                    findings.report(codes.NOT_HERE, message, statement, help=help)
                case tree.RuleStatement():
                    rule = self._rule(statement, Place.CLUSTER_POLICY)
                    if rule is not None:
                        rules[statement.direction].append(rule)
        policy = ClusterPolicy(
            block.name.text,
            block.tier,
            priority,
            subject,
            tuple(rules[Direction.INGRESS]),
            tuple(rules[Direction.EGRESS]),
            findings.origin(block.name),
        )
        findings.about = ""
        return policy if findings.errors == errors else None

    def _rule(self, statement: tree.RuleStatement, place: Place) -> Rule | None:
        """A rule; None when its last day is past."""
        services = statement.services
        ports = self.services.read(services) if services else None
        peers = self.peers.read(statement.peers, place).peers
        log = label = until = None
        if statement.log is not None:
            prefix = statement.log.prefix
            log = Log("" if prefix is None else prefix.text, self.findings.origin(statement.log))
        if (label := statement.label) is not None and len(label.text) > LONGEST_RULE_NAME:
            message = f"Too long: {len(label.text):,} characters, at most {LONGEST_RULE_NAME}"
            self.findings.report(codes.TOO_LONG, message, label)
        if statement.until is not None:
            until = self._date(statement.until)
            if until is not None and self.today is not None and until < self.today:
                message = f"the rule's last day, {until}, is past: it is left out"
                help = "remove it, or give it a later day"
                self.findings.report(codes.EXPIRED, message, statement.until, help=help)
                return None
        name = "" if label is None else label.text
        return Rule(peers, ports, self.findings.origin(statement), statement.action, name, log, until)

    def _date(self, text: tree.Text) -> date | None:
        try:
            if _DATE.fullmatch(text.text):
                return date.fromisoformat(text.text)
        except ValueError:
            pass  # the 30th of February
        self.findings.invalid(quoted(text.text), "a date", text, "year, month and day, like 2027-01-31")
        return None

    def _isolated(self, block: tree.PolicyBlock) -> frozenset[Direction]:
        """The directions that a policy isolates: those it has rules for and those it names."""
        named: set[Direction] = set()
        ruled: set[Direction] = set()
        only: tree.Isolate | None = None
        others = []
        for statement in block.statements:
            match statement:
                case tree.RuleStatement(direction=direction):
                    ruled.add(direction)
                case tree.Isolate(directions=directions):
                    named |= set(directions)
                    if statement.only and only is None:
                        only = statement
                    else:
                        others.append(statement)
        if only is not None:
            for one in others:
                first = Related(self.findings.origin(only), "this says all")
                message = "another 'isolate' stands beside 'isolate only'"
                self.findings.report(codes.NOT_HERE, message, one, related=(first,))
            self._report_inert(block, only, named)
            return frozenset(named)
        if not named and not ruled and not self._has_mistakes(block):
            message = f"the policy {block.name.text!r} isolates nothing: it has no rule and no 'isolate'"
            help = "to deny all, write { isolate ingress, egress }"
            self.findings.report(codes.ISOLATES_NOTHING, message, block.name, help=help)
        return frozenset(named | ruled)

    def _has_mistakes(self, block: tree.PolicyBlock | tree.ClusterPolicyBlock) -> bool:
        """Whether something in a policy could not be read."""
        return any(block.start <= one < block.end for one in self.mistakes)

    def _report_inert(self, block: tree.PolicyBlock, only: tree.Isolate, named: set[Direction]) -> None:
        """Warn of rules of directions that a policy with `isolate only` does not isolate."""
        for direction in Direction:
            rules = [one for one in _rules(block) if one.direction is direction]
            if rules and direction not in named:
                others = len(rules) - 1
                which = "the rule does" if not others else f"this rule and {others:,} more do"
                message = f"{which} nothing: the policy does not isolate {direction.value}"
                first = Related(self.findings.origin(only), "this says all that it isolates")
                self.findings.report(
                    codes.INERT, message, rules[0], help="leave 'only' out, or the rules", related=(first,)
                )

    def _check_metadata(self, labels: Sequence[tree.Pair], annotations: Sequence[tree.Pair]) -> None:
        if not labels and not annotations:
            return
        for pair in labels:
            self.findings.check(label_key_fault, pair.key, "a label key")
            self.findings.check(label_value_fault, pair.value, "a label value")
        for pair in annotations:
            self.findings.check(_annotation_key_fault, pair.key, "an annotation key")
        for pairs in (labels, annotations):
            seen: dict[str, tree.Pair] = {}
            for pair in pairs:
                if (first := seen.setdefault(pair.key.text, pair)) is not pair:
                    related = Related(self.findings.origin(first.key), "first here")
                    message = f"the key {quoted(pair.key.text)} stands here twice"
                    self.findings.report(codes.DUPLICATE_KEY, message, pair.key, related=(related,))
        size = sum(len(one.key.text.encode()) + len(one.value.text.encode()) for one in annotations)
        if size > LARGEST_ANNOTATIONS:
            message = f"Too long: {size:,} bytes, at most {LARGEST_ANNOTATIONS:,}"
            self.findings.report(codes.TOO_LONG, message, annotations[0].key)


def _rules(block: tree.PolicyBlock) -> list[tree.RuleStatement]:
    return [one for one in block.statements if isinstance(one, tree.RuleStatement)]


def _annotation_key_fault(key: str) -> str | None:
    return label_key_fault(key.lower())
