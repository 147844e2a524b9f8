"""Every diagnostic that npc can give: stable codes, severities and titles.

1xx: input that cannot be read; 2xx: what the API server rejects; 3xx: the inventory;
4xx: notes and warnings about what was read; 5xx: what was asked of npc; 6xx: the policy language;
7xx: what `npc check` finds in policies that are valid;
8xx: assertions; 9xx: `npc verify`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of diagnostic: `NPC101`, how bad it is, and its title in documentation and SARIF."""

    name: str
    severity: Severity
    title: str
    is_on: bool = True
    """Whether it is reported where no configuration says."""


def _error(name: str, title: str) -> Code:
    return Code(name, Severity.ERROR, title)


def _warning(name: str, title: str) -> Code:
    return Code(name, Severity.WARNING, title)


def _note(name: str, title: str) -> Code:
    return Code(name, Severity.NOTE, title)


def _off(name: str, title: str) -> Code:
    return Code(name, Severity.WARNING, title, is_on=False)


UNREADABLE = _error("NPC101", "the file cannot be read")
NOT_TEXT = _error("NPC102", "the file is not UTF-8 text")
SYNTAX = _error("NPC103", "the YAML or JSON is malformed")
DUPLICATE_KEY = _error("NPC104", "a mapping has a key twice")
UNSUPPORTED_YAML = _error("NPC105", "a YAML feature that Kubernetes manifests cannot use")
TOO_DEEP = _error("NPC106", "the document is nested too deeply or its aliases expand too far")
NOT_AN_OBJECT = _error("NPC107", "the document is not a Kubernetes object")
UNKNOWN_VERSION = _error("NPC108", "an apiVersion or kind that npc cannot compile")
NO_INPUT = _error("NPC109", "there is nothing to read")
NOT_COMPILABLE = _error("NPC110", "a part of the API that npc cannot compile")

UNKNOWN_FIELD = _error("NPC201", "a field that the API does not have")
WRONG_TYPE = _error("NPC202", "a value of the wrong type")
REQUIRED = _error("NPC203", "a required value is missing")
INVALID = _error("NPC204", "an invalid value")
NOT_SUPPORTED = _error("NPC205", "a value outside the supported ones")
FORBIDDEN = _error("NPC206", "a field that may not stand beside another")
TOO_LONG = _error("NPC207", "a value that is too long")
DUPLICATE_POLICY = _error("NPC208", "two different policies have one name")

DUPLICATE_ADDRESS = _error("NPC301", "two live endpoints have one address")
DUPLICATE_OBJECT = _error("NPC302", "two different objects have one name")
INVALID_INVENTORY = _error("NPC303", "an invalid inventory object")
UNKNOWN_SERVICE = _error("NPC304", "a Service that the inventory does not have")
NO_NODES = _error("NPC305", "nodes that the inventory does not have")

HOST_BITS = _warning("NPC401", "a CIDR has bits set beyond its prefix length")
LEADING_ZEROS = _warning("NPC402", "a CIDR has numbers with leading zeros")
NULL_LABEL = _warning("NPC403", "a label value is null and read as empty")
REPEATED = _warning("NPC404", "the same object stands in the input twice")
FAILS_CLOSED = _warning("NPC405", "a peer or protocol of a kind that npc does not know")
UNUSED = _warning("NPC406", "a set or service is used nowhere")
EXPIRED = _warning("NPC407", "a rule is left out: its last day is past")
IN_A_BLOCK = _warning("NPC408", "a block is part of one that has an except")
NAMED_LIKE_ALL = _warning("NPC409", "a port has a name that looks like all ports")
INERT = _warning("NPC410", "a rule or a policy does nothing")
HOST_NETWORK = _note("NPC411", "host-network pods are no endpoints")
FINISHED = _note("NPC412", "finished pods are no endpoints")
NO_ADDRESS = _note("NPC413", "pods without an address are no endpoints")
UNLISTED_NAMESPACE = _note("NPC414", "a namespace is not in the inventory")
PASSED_OVER = _note("NPC415", "objects of other kinds were passed over")
NO_SUBJECTS = _warning("NPC416", "no endpoint is isolated by any policy")
NO_ENDPOINT = _note("NPC417", "policies that select no endpoint")
AMBIGUOUS_PRIORITY = _warning("NPC418", "policies of equal priority disagree")
DENIES_NOBODY = _warning("NPC419", "a rule that denies matches nothing")
OTHER_PORTS = _warning("NPC420", "a rule has none of a Service's target ports")
ON_NO_NODE = _warning("NPC421", "endpoints that no node's ruleset rules")
NODE_GONE = _warning("NPC422", "files of nodes that the inventory does not have")

UNKNOWN_NODE = _error("NPC501", "the inventory has no such node")
NO_INVENTORY = _error("NPC502", "there is no inventory")
NO_TARGET = _error("NPC503", "there is no such target")
TEMPLATE = _error("NPC504", "a template cannot be used")
OUTPUT = _error("NPC505", "the output cannot be written")
OPTION = _error("NPC506", "an option has a value that the target cannot use")
INEXPRESSIBLE = _error("NPC507", "the target cannot express a rule")
EXECUTOR = _error("NPC508", "the workers cannot be used, or are lost")
CONFIGURATION = _error("NPC509", "the configuration cannot be used")
UNKNOWN_END = _error("NPC510", "a question about something that the inventory does not have")
QUESTION = _error("NPC511", "a question that has no answer")

SENTENCE = _error("NPC601", "a text that is not in the policy language")
UNDEFINED = _error("NPC602", "a set or service that is not defined")
DEFINED_TWICE = _error("NPC603", "a set or service is defined twice")
CYCLE = _error("NPC604", "a set or service is defined by itself")
NOT_INCLUDED = _error("NPC605", "a file cannot be included")
INCLUDE_CYCLE = _error("NPC606", "files include each other")
NOT_HERE = _error("NPC607", "what a policy of this kind cannot say")
ISOLATES_NOTHING = _error("NPC608", "a policy isolates nothing")
NOT_IN_KUBERNETES = _error("NPC611", "what Kubernetes cannot say")
NO_WORDS = _error("NPC612", "what the policy language cannot say")

REDUNDANT = _warning("NPC701", "a rule adds nothing to others")
NEVER_DECIDES = _warning("NPC702", "a rule never decides: others are asked before it")
REDUNDANT_HERE = _off("NPC703", "a rule adds nothing in this inventory")
NO_PEERS = _warning("NPC704", "a peer matches nothing")
NO_SUCH_PORT = _warning("NPC705", "a named port that no destination has")
NO_DNS = _warning("NPC706", "egress is isolated, and DNS is not allowed")
IN_POD_RANGE = _warning("NPC707", "a block names pods by their addresses")
LETS_ALL_IN = _warning("NPC708", "a rule lets everyone in on every port")
WIDE = _off("NPC709", "a rule is for every address")
CONTRADICTION = _warning("NPC710", "a selector contradicts itself")
NO_POLICY_TYPES = _off("NPC711", "a policy does not say what it isolates")
DUPLICATE = _warning("NPC712", "a rule, a peer or a port stands twice")
SAME_MEANING = _warning("NPC713", "two policies say the same")
UNUSED_ALLOW = _warning("NPC714", "a comment allows what is not found")

ASSERTION_FAILS = _error("NPC801", "an assertion does not hold")
ABOUT_NOBODY = _warning("NPC802", "an assertion is about nobody")

NOT_PROVEN = _error("NPC901", "a ruleset does not enforce the policies")
NOT_UNDERSTOOD = _error("NPC902", "a construct that `npc verify` does not understand")
MALFORMED_RULESET = _error("NPC903", "a ruleset that its dataplane would not take")
NOT_VERIFIABLE = _error("NPC904", "a target that cannot be verified")

ALL: tuple[Code, ...] = tuple(value for value in dict(globals()).values() if isinstance(value, Code))
"""Every code, in order."""
