"""What is often written, and how the language says it.

>>> from npc.compiler.language.hints import hint_for
>>> hint_for(USUAL, "allow tcp 80 from any", (10, 12), frozenset({"FROM", "TO", "COMMA"}))
'write tcp/80 in one word'
"""

from __future__ import annotations

import re
from typing import Final

from npc.compiler.language.hints import Hint, hint
from npc.compiler.language.quoting import QUOTES, WORD

_W: Final = f"{WORD}+"
_PROTOCOL: Final = "tcp|udp|sctp|icmpv6|icmp"
_ITEM: Final = "policy|cluster|set|service|include"
_STATEMENT: Final = "allow|deny|pass|isolate"
_CLAUSE: Final = "log|until|as"
_ALL: Final = r"all|any|everything|everyone|traffic|\*"
_PEER: Final = "a peer is any, pods(...), ns(...), ns/NAME, nodes(...), svc/NAME, an address block or @NAME"
_NOT_THESE: Final = "say which are meant by their labels: pods(KEY not in (VALUE)), ns(!KEY)"
_KNOWN: Final = {
    "http": "tcp/80",
    "https": "tcp/443",
    "ssh": "tcp/22",
    "dns": "udp/53, tcp/53",
    "ntp": "udp/123",
    "ping": "icmp/echo-request, icmpv6/echo-request",
}
"""Services by the names that they are known by."""

USUAL: Final[tuple[Hint, ...]] = (
    # --- signs of other languages
    hint("", ";", "nothing ends a statement: leave the ';' out"),
    hint("", "'.*", "strings stand in double quotes"),
    hint("", f"(?P<sign>[{QUOTES}]).*", 'strings stand in straight double quotes, "...", not in {sign}'),
    hint("", r'"(?:[^"\\]|\\.)*', "the string has no end on its line; a line end in it is written \\n"),
    hint("", r"[\[\]].*", "lists stand in round brackets, or in none"),
    hint("", r"//.*|/\*.*|--(?!-).*", "comments begin with '#'"),
    hint("", "/", "write {protocol}/PORT in one word", behind=rf"(?P<protocol>{_PROTOCOL}|any)"),
    hint("POLICY", "}", "there is no '{{' that it would close"),
    # --- a policy, set, service or include
    hint(
        "POLICY",
        _STATEMENT,
        "statements stand in a policy: policy NAME in NAMESPACE for pods(...) {{ ... }}",
    ),
    hint("POLICY", r".*:|---", "is this YAML? npc reads it from files whose names end in .yaml"),
    hint(
        "POLICY",
        "cluster-?(?:network-?)?policy|adminnetworkpolicy|baselineadminnetworkpolicy",
        "write cluster policy",
    ),
    hint(
        "POLICY", "admin|baseline", "write cluster policy NAME tier {found}", ahead=r"(?:cluster\s+)?policy"
    ),
    hint("POLICY", "network", "write policy", ahead="policy"),
    hint("POLICY SET", _W, "write set {found} = PEERS, or service {found} = SERVICES", ahead="="),
    hint("=EQUAL", ".+", "write {what} {name} = ...", behind=rf"(?P<what>set|service)\s+(?P<name>{_W}?):?"),
    hint(
        "=NAME",
        "@",
        "the '@' is for what refers to it: {what} {name} = ...",
        behind="(?P<what>set|service)",
        ahead=f"(?P<name>{_W})",
    ),
    hint("=NAME", rf'"(?P<name>{_W})"', "names stand without quotes: {name}"),
    hint("=STRING", rf"<?(?P<path>(?:(?![<>]){WORD})+)>?", 'write "{path}"'),
    # --- the head of a policy
    hint("FOR", r"\{", "say whom it is for: for pods, or for pods(app=web)"),
    hint("FOR", "pods|ns", "write 'for {found}'"),
    hint(
        "FOR IN",
        ".*",
        "'{name}' is the policy's name here; is the name missing?",
        behind=r"policy\s+(?P<name>in|for|labels|annotations)",
    ),
    hint("FOR IN", "of|at|namespace|ns", "write in {name}", ahead=f"(?P<name>{_W})"),
    hint("FOR IN", "ns/(?P<name>.+)", "write in {name}"),
    hint("FOR IN", _W, "write in {found}", ahead="for|labels|annotations"),
    hint("FOR !IN", _W, "write in {found}", behind=r"in\s+ns"),
    hint("FOR", "tier|priority", "only a cluster policy has a tier: cluster policy NAME tier ..."),
    hint("FOR", ",", "a policy has one name: write a policy each"),
    hint("=TIER", "admin|baseline", "write tier {found}"),
    hint("=TIER", "in", "a cluster policy has no namespace: behind 'for' it says which ones it is for"),
    hint(
        "=TIER",
        r"for|priority|labels|annotations|\{",
        "a cluster policy stands in a tier: cluster policy NAME tier admin, or tier baseline",
    ),
    hint(
        "=PODS",
        "(?:ns|namespaces?)(?:/.*)?",
        "a policy is for pods of its own namespace; a cluster policy can be for namespaces",
    ),
    hint("=PODS", _ALL, "write for pods: all pods of the namespace"),
    hint("PODS NS !ADDRESS", _ALL, "write for ns: all pods of all namespaces"),
    hint("PODS NS !ADDRESS", "nodes?(?:/.*)?", "policies are for pods, not for nodes"),
    hint("PODS !ADDRESS", _W, "labels stand in brackets: pods({found}=...)", ahead=r"="),
    hint(
        "LBRACE",
        r",|or|and|[|&]+",
        "write a policy each, or ns(kubernetes.io/metadata.name in (a, b))",
        behind=rf"ns(?:/{_W}|\s*\([^()]*\))?",
    ),
    hint("LBRACE", r",|or|and|[|&]+", "write a policy each, or pods(app in (a, b))"),
    hint(
        "LBRACE",
        "in",
        "a policy is for pods of its own namespace: policy NAME in NAMESPACE for pods(...)",
    ),
    hint("LBRACE", "labels|annotations|tier|priority", "'{found}' stands before 'for'"),
    hint("LBRACE", _STATEMENT, "statements stand in braces: {{ ... }}"),
    hint("LBRACE", "[:=]", "leave the '{found}' out"),
    # --- labels, in brackets
    hint("", r"\{", "labels stand in round brackets: {what}(app=web)", behind="(?P<what>pods|ns|nodes)"),
    hint("PODS ADDRESS", r"\{", "labels stand in round brackets: pods(app=web)"),
    hint(
        "ISOLATE",
        _W,
        "labels stand in round brackets: {what}(...)",
        behind=r"(?P<what>pods|ns)\s*\{",
        ahead=r"=|in\b|not\b|,|\}\s*\{",
    ),
    hint("NOT RPAR", "=", "labels are compared by one '=': {key}=VALUE", behind=f"(?P<key>{_W})", ahead="="),
    hint("NOT RPAR", "=", "write {key} in (a, b)", behind=f"(?P<key>{_W})", ahead=r"[(\[]"),
    hint(
        "NOT RPAR",
        "=",
        'the value is missing; the empty one is written {key}=""',
        behind=f"(?P<key>{_W})",
    ),
    hint("NOT RPAR", "!", "write {key} not in (VALUE)", behind=f"(?P<key>{_W})", ahead="="),
    hint("NOT RPAR", "notin", "write 'not in'"),
    hint("NOT RPAR", _W, "write {key}={found}", behind=f"(?P<key>{_W}):"),
    hint("NOT RPAR", _W, "write !{found}", behind=r"[(,]\s*not"),
    hint("=IN", _W, "write {key} not in ({found})", behind=rf"(?P<key>{_W})\s+not"),
    hint(
        "RPAR COMMA",
        "=",
        "write {key} not in ({value})",
        behind=rf"!\s*(?P<key>{_W})",
        ahead=rf'(?P<value>{_W}|"[^"\r\n]*")',
    ),
    hint("RPAR COMMA", "[0-9].*", "write ',' between address blocks", behind="[0-9].*/[0-9]+"),
    hint("RPAR COMMA", "and|&+", "write ',' between labels: all of them hold"),
    hint(
        "RPAR COMMA",
        r"or|[|]+",
        "for one of several values write KEY in (a, b); for other labels, a peer each",
    ),
    hint("=LPAR", _W, "write {what}(KEY=VALUE)", behind="(?P<what>labels|annotations)"),
    hint("=LPAR", _W, "values stand in brackets: ({found})", behind="in"),
    hint(
        "PAIR !NAME",
        "(?P<key>.+):",
        "each has a value behind '=': {key}={value}",
        ahead=f"(?P<value>{_W})",
    ),
    hint("PAIR !NAME", f"(?P<key>{_W}?):?", "each has a value: {key}=VALUE"),
    # --- services
    hint("TRAFFIC", "(?P<port>[0-9]{1,5}(?:-[0-9]{1,5})?)", "a port has a protocol: tcp/{port}"),
    hint("TRAFFIC", f"(?P<port>[0-9]{{1,5}})/(?P<protocol>{_PROTOCOL})", "write {protocol}/{port}"),
    hint("TRAFFIC", "ports?", "a port has a protocol: tcp/{port}", ahead="(?P<port>[0-9]{1,5})"),
    hint("TRAFFIC", "icmp(?:v4|4)(?P<rest>/.*)?", "did you mean 'icmp{rest}'?"),
    hint("TRAFFIC", "icmp6(?P<rest>/.*)?", "did you mean 'icmpv6{rest}'?"),
    hint("TRAFFIC", r"\(", "services stand without brackets: tcp/80, tcp/443"),
    hint(
        "TRAFFIC FROM", _ALL, "all traffic is meant without a service: leave '{found}' out", ahead="from|to"
    ),
    hint(
        "TRAFFIC FROM",
        _ALL,
        "write {action} from any, or {action} to any",
        behind="(?P<action>allow|deny|pass)",
    ),
    hint(
        "FROM !TRAFFIC",
        ".*",
        "write {action} from any, or {action} to any",
        behind=r"(?P<action>allow|deny|pass)\s+any",
    ),
    hint("FROM", _CLAUSE, "'{found}' stands at the end of the rule: allow tcp/80 from any {found} ..."),
    hint("FROM", "(?P<word>from|to):", "write '{word}' without the ':'"),
    hint("TRAFFIC FROM", "ingress|egress", "'from' means ingress and 'to' egress: leave '{found}' out"),
    hint(
        "TRAFFIC FROM",
        r"[0-9.]+/[0-9]+|[0-9a-f]*:[0-9a-f:]*/[0-9]+|(?:pods|nodes|ns)(?:/.*)?|svc/.*",
        "say the direction: {action} from {found}, or {action} to {found}",
        behind="(?P<action>allow|deny|pass)",
    ),
    hint(
        "FROM",
        r"\(",
        "each port has its protocol: {protocol}/80, {protocol}/443",
        behind=f"(?P<protocol>{_PROTOCOL})/?",
    ),
    hint(
        "COMMA !TRAFFIC",
        "[0-9].*",
        "write {protocol}/{found} in one word",
        behind=f"(?P<protocol>{_PROTOCOL})/?",
    ),
    hint(
        "COMMA !TRAFFIC",
        "ports?",
        "write {protocol}/{port}",
        behind=f"(?P<protocol>{_PROTOCOL})",
        ahead="(?P<port>[0-9]{1,5})",
    ),
    hint("FROM !TRAFFIC", rf"(?:{_PROTOCOL})(?:/.*)?|@", "write ',' between services"),
    # --- what no list has
    hint("", "any", "'any' is everyone: it stands alone", behind=","),
    hint("", ",", "'any' is everyone: it stands alone", behind="any"),
    hint("", rf"from|to|[}})]|{_ITEM}|{_STATEMENT}", "leave the ',' out", behind=","),
    # --- peers
    hint("PODS ADDRESS", "not", _NOT_THESE),
    hint("PODS ADDRESS", "!", _NOT_THESE),
    hint("PODS ADDRESS", r"\(", "peers stand without brackets, with ',' between them"),
    hint("PODS ADDRESS", "services?/(?P<name>.*)", "write svc/{name}"),
    hint("PODS ADDRESS", "(?:svc|services?)", "write svc/{name}", ahead=rf"\(?\s*(?P<name>(?!from|to){_W})"),
    hint("PODS ADDRESS", "(?:ns|namespaces?)[/:](?P<name>.*)", "write ns/{name}"),
    hint("PODS ADDRESS", "namespaces?", "write ns/{name}", ahead=f"(?P<name>{_W})"),
    hint(
        "PODS ADDRESS", "nodes?/(?P<name>.+)", "nodes stand by labels: nodes(kubernetes.io/hostname={name})"
    ),
    hint(
        "PODS ADDRESS",
        "(?:pods?|po|deployments?|deploy|statefulsets?|sts|daemonsets?|ds|replicasets?|rs|jobs?|cronjobs?)"
        "/(?P<name>.+)",
        "pods stand by labels, like pods(app={name})",
    ),
    hint(
        "PODS ADDRESS",
        "internet|world|outside|external",
        "write any, or address blocks: 0.0.0.0/0 except 10.0.0.0/8",
    ),
    hint(
        "PODS ADDRESS", _W, "labels stand in brackets: pods(...) or ns(...)", ahead=r"=|in\s*\(|not\s+in\s*\("
    ),
    hint(
        "LPAR",
        _W,
        "labels stand in brackets: {what}({found} ...)",
        behind="(?P<what>pods|ns|nodes)",
        ahead=r"=|in\s*\(|not\s+in\s*\(",
    ),
    hint("LPAR", "=", "write ns/{name}", behind="ns", ahead=f"(?P<name>{_W})"),
    # --- behind peers
    hint("", r"\(", "write pods(...) in ns/{name}", behind=f"ns/(?P<name>(?:(?!/){WORD})+)/pods"),
    hint(
        "!EXCEPT",
        "except",
        "write address blocks: 0.0.0.0/0 except {block}, ::/0",
        behind="any",
        ahead=r"\(?(?P<block>[0-9.]+/[0-9]+)",
    ),
    hint(
        "!EXCEPT",
        "except",
        "write ns(kubernetes.io/metadata.name not in ({name}))",
        behind="ns",
        ahead=f"ns/(?P<name>{_W})",
    ),
    hint(
        "!EXCEPT",
        "except",
        "write {what}({key} not in ({value}))",
        behind="(?P<what>pods|ns|nodes)",
        ahead=rf"(?:pods|ns|nodes)\s*\(\s*(?P<key>{_W})\s*=\s*(?P<value>{_W})\s*\)",
    ),
    hint("!EXCEPT", "except", f"only address blocks have an 'except': {_NOT_THESE}"),
    hint("LOG", r"or|[|]+", "write ',' between peers"),
    hint("LOG", "and|&+", "write ',' between peers, or pods(...) in ns(...) for pods of certain namespaces"),
    hint("LOG", "from|to", "a rule has one direction: begin another with 'allow'"),
    hint(
        "LOG",
        rf"(?:{_PROTOCOL})(?:/.*)?|ports?",
        "services stand before 'from' and 'to': allow tcp/80 from any",
    ),
    hint(
        "",
        "[0-9].*",
        "write except ({block}, {found})",
        behind=rf"except\s+(?P<block>{_W})",
    ),
    hint("", "in", "nodes are in no namespace: leave '{found}' out", behind=r"nodes(?:\s*\([^()]*\))?"),
    hint("LOG COMMA", r"(?:pods|ns|nodes)|(?:ns|svc)/.*|@|[0-9]+\.[0-9.]+/[0-9]+", "write ',' between peers"),
    hint("=NUMBER", "[:=]", "leave the '{found}' out"),
    hint("=DATE", '"(?P<date>[^"]*)"', "a date stands without quotes: until {date}"),
    # --- statements
    hint("ISOLATE !LOG", _CLAUSE, "'{found}' stands at the end of a rule: allow from any {found} ..."),
    hint(
        "ISOLATE !LOG",
        rf"from|to|(?:{_PROTOCOL})(?:/.*)?",
        "a rule begins with what becomes of the traffic: allow {found} ...",
    ),
    hint("ISOLATE COMMA !LOG", "ingress|egress", "write ',' between directions"),
    hint("ISOLATE", "ingress|egress", "write isolate {found}"),
    hint("ISOLATE COMMA", "and", "write ',' between directions"),
    hint("INGRESS", "all|any|both|everything", "write isolate ingress, egress"),
)
"""Mistakes whose looks leave no doubt."""

LIKELY: Final[tuple[Hint, ...]] = (
    hint("ADMIN", ".*", "admin comes before the policies of namespaces, baseline after them"),
    hint("LPAR", _W, "write ns/{found}", behind="ns"),
    hint("NAMED_NAMESPACE !PODS", "ns|namespaces?", "a Service is in one namespace: write in ns/NAME"),
    hint("NAMED_NAMESPACE !PODS", _W, "write in ns/{found}"),
    hint("STRING LOG", _W, 'write log "{found}"', behind="log"),
    hint(
        "LOG",
        _W,
        'a name of several words stands in quotes: as "{name} {found}"',
        behind=rf"as\s+(?P<name>{_W})",
    ),
    hint(
        "RPAR COMMA !IN",
        _W,
        'a value with blanks stands in double quotes: "{value} {found}"',
        behind=rf"annotations\s*\([^()]*=\s*(?P<value>{_W})",
    ),
    hint("RPAR COMMA", _W, "write ',' between labels"),
    hint("FROM !TRAFFIC", _W, "write {protocol}/{found} in one word", behind=f"(?P<protocol>{_PROTOCOL})"),
    *(hint("TRAFFIC", name, f"write {services}") for name, services in _KNOWN.items()),
    hint("TRAFFIC", ".+", "a service is a protocol with or without ports, like tcp/80, or @NAME"),
    hint(
        "PODS ADDRESS",
        rf"(?!{WORD}*[/:]).*?\.[A-Za-z].*",
        "names of hosts cannot be compiled: their addresses change",
    ),
    hint(
        "NAMED_END",
        "[a-z0-9][a-z0-9.-]*",
        "a pod or a workload stands with its namespace: NAMESPACE/{found}",
    ),
    hint("PODS ADDRESS", ".+", _PEER),
)
"""Guesses, where no word is nearer."""

_VALUES: Final[tuple[tuple[str, str, str], ...]] = (
    ("a namespace's name", r"ns/(?P<name>.+)", "write {name}"),
    ("a namespace's name", r"(?P<ns>[^/]+)/.*", "pods stand before their namespace: pods(...) in ns/{ns}"),
    ("a label key", r"(?P<key>[^:]+):(?P<value>.+)", "write {key}={value}"),
    ("a label key", r"\*", "for all of them leave the brackets out"),
    ("a label value", r"\*", "for any value write the label alone, without '='"),
    ("a label value", r"(?P<one>[^|]+)\|(?P<other>[^|]+).*", "write KEY in ({one}, {other})"),
    ("a label value", r".*\s.*", "the value of a label has no blanks; that of an annotation may"),
    *(
        row
        for protocol in ("icmp", "icmpv6")
        for row in (
            (f"an {protocol} type", "ping|echo", f"write {protocol}/echo-request"),
            (f"an {protocol} type", "pong|reply", f"write {protocol}/echo-reply"),
            (f"an {protocol} type", r"any|all|\*", f"for all types write {protocol} alone"),
        )
    ),
    ("a port", r"\*", "for all ports write the protocol alone"),
    ("a port", r"(?P<first>[0-9]+)(?::|\.\.)(?P<last>[0-9]+)", "write {first}-{last}"),
    ("a port", r"(?P<port>[0-9]+)/(?P<protocol>tcp|udp|sctp)", "write {protocol}/{port}"),
)
"""What a value should be, what it is, and what to write."""


def value_hint(kind: str, text: str) -> str | None:
    """How to write what a value of a kind was meant to say; None: no guess.

    >>> value_hint("a label key", "app:web")
    'write app=web'
    """
    for one, pattern, help in _VALUES:
        if one == kind and (match := re.fullmatch(pattern, text)) is not None:
            return help.format(**match.groupdict(""))
    return None
