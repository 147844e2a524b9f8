"""Trees of the policy language, every construct and every spelling, and texts that mean the same tree.

`programs` are trees that were made; `disturbed` is a tree's text with other white space and with comments
wherever one may stand.
"""

from __future__ import annotations

import re
from typing import Final, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from npc.compiler.frontend.syntax import Action, Direction, Tier
from npc.compiler.language.format import format_program
from npc.compiler.language.quoting import WORD
from npc.compiler.language.tree import (
    Assertion,
    BehindService,
    Block,
    ClusterPolicyBlock,
    Comparison,
    Everyone,
    Include,
    Isolate,
    Item,
    Log,
    NamedEnd,
    NamedNamespace,
    Namespaces,
    Nodes,
    Number,
    Pair,
    Peer,
    Pods,
    PolicyBlock,
    PortRange,
    Program,
    Requirement,
    RuleStatement,
    Service,
    ServiceDefinition,
    ServiceReference,
    SetDefinition,
    SetReference,
    Text,
)
from tests.language.objects import KEYS, NAMES, PORT_NAMES, SUBDOMAINS, TEXTS, VALUES, cidrs

_T = TypeVar("_T")


def _tuples(value: SearchStrategy[_T], least: int = 0, most: int = 3) -> SearchStrategy[tuple[_T, ...]]:
    return st.lists(value, min_size=least, max_size=most).map(tuple)


def _texts(words: SearchStrategy[str]) -> SearchStrategy[Text]:
    return st.builds(Text, words)


_NAME: Final = _texts(NAMES)
_VALUE: Final = _texts(st.one_of(VALUES, TEXTS))
_REQUIREMENT: Final = st.one_of(
    st.builds(Requirement, _texts(KEYS), st.just(Comparison.EQUALS), _tuples(_VALUE, 1, 1)),
    st.builds(
        Requirement,
        _texts(KEYS),
        st.sampled_from((Comparison.IN, Comparison.NOT_IN)),
        _tuples(_VALUE, 1, 12),
    ),
    st.builds(Requirement, _texts(KEYS), st.sampled_from((Comparison.EXISTS, Comparison.NOT_EXISTS))),
)


def _without_repeats(requirements: tuple[Requirement, ...]) -> tuple[Requirement, ...]:
    """A key stands once as `key=value` in a selector: matchLabels is a map."""
    equal = [one.key.text for one in requirements if one.comparison is Comparison.EQUALS]
    return requirements if len(equal) == len(set(equal)) else ()


_SELECTOR: Final = _tuples(_REQUIREMENT, most=4).map(_without_repeats)
_NAMESPACES: Final = st.one_of(st.builds(NamedNamespace, _NAME), st.builds(Namespaces, _SELECTOR))
_PODS: Final = st.builds(Pods, _SELECTOR)
_PODS_IN: Final = st.builds(Pods, _SELECTOR, _NAMESPACES)
_CIDR: Final = _texts(cidrs())
_PEER: Final[SearchStrategy[Peer]] = st.one_of(
    _PODS,
    _PODS_IN,
    _NAMESPACES,
    st.builds(Nodes, _SELECTOR),
    st.builds(BehindService, _NAME, st.none() | _NAME),
    st.builds(Block, _CIDR, _tuples(_CIDR)),
    st.builds(SetReference, _NAME),
)
_PEERS: Final[SearchStrategy[tuple[Peer, ...]]] = st.one_of(_tuples(_PEER, 1, 6), st.just((Everyone(),)))

_RANGE: Final = st.lists(st.integers(1, 65535), min_size=2, max_size=2).map(
    lambda ends: PortRange(min(ends), max(ends))
)
_SERVICE: Final[SearchStrategy[Service | ServiceReference]] = st.one_of(
    st.builds(
        Service,
        st.sampled_from(("tcp", "udp", "sctp")),
        st.one_of(st.none(), st.builds(Number, st.integers(1, 65535)), _RANGE, _texts(PORT_NAMES)),
    ),
    st.builds(
        Service,
        st.sampled_from(("icmp", "icmpv6")),
        st.one_of(st.none(), st.builds(Number, st.integers(0, 255)), st.just(Text("echo-request"))),
    ),
    st.builds(Service, st.just("any"), _texts(PORT_NAMES)),
    st.builds(ServiceReference, _NAME),
)

_RULE: Final = st.builds(
    RuleStatement,
    st.sampled_from(Action),
    _tuples(_SERVICE, most=6),
    st.sampled_from(Direction),
    _PEERS,
    st.none() | st.builds(Log, st.none() | _texts(TEXTS)),
    st.none() | _texts(st.one_of(NAMES, TEXTS)),
    st.none() | _texts(st.sampled_from(("2027-01-31", "1999-12-31"))),
)
_DIRECTIONS: Final = st.permutations(tuple(Direction)).flatmap(
    lambda both: st.sampled_from((tuple(both), (both[0],)))
)
_STATEMENT: Final = st.one_of(_RULE, st.builds(Isolate, _DIRECTIONS, st.booleans()))
_PAIRS: Final = _tuples(st.builds(Pair, _texts(KEYS), _VALUE)).map(
    lambda pairs: tuple({pair.key.text: pair for pair in pairs}.values())
)
_SUBDOMAIN: Final = _texts(SUBDOMAINS)
_ITEM: Final[SearchStrategy[Item]] = st.one_of(
    st.builds(Include, _texts(TEXTS)),
    st.builds(SetDefinition, _NAME, _PEERS),
    st.builds(ServiceDefinition, _NAME, _tuples(_SERVICE, 1, 8)),
    st.builds(PolicyBlock, _SUBDOMAIN, st.none() | _NAME, _PAIRS, _PAIRS, _PODS, _tuples(_STATEMENT)),
    st.builds(
        ClusterPolicyBlock,
        _SUBDOMAIN,
        st.sampled_from(Tier),
        st.none() | st.builds(Number, st.integers(0, 1000)),
        _PAIRS,
        _PAIRS,
        st.one_of(_PODS, _PODS_IN, _NAMESPACES),
        _tuples(_STATEMENT),
    ),
)

programs: Final = st.builds(Program, _tuples(_ITEM, most=4))
"""Programs that can be read, whatever they mean."""
_NAMED_END: Final = st.builds(
    NamedEnd, _texts(st.sampled_from(("shop/db-0", "shop/deploy/web", "deploy/web", "a.b/c", "tcp/80")))
)
_CLAIMED: Final = st.one_of(_PEERS, _tuples(_NAMED_END, 1, 3))
assertions: Final = st.builds(
    Program,
    _tuples(
        st.one_of(
            st.builds(
                Assertion,
                st.sampled_from((Action.ALLOW, Action.DENY)),
                _tuples(_SERVICE, most=6),
                _CLAIMED,
                _CLAIMED,
                st.none() | _texts(st.one_of(NAMES, TEXTS)),
            ),
            st.builds(SetDefinition, _NAME, _PEERS),
        ),
        most=5,
    ),
)
"""Files of assertions, whatever they mean."""

_TOKEN: Final = re.compile(
    rf"""(?P<space>\s+)|{WORD}+=(?:"(?:[^"\\]|\\.)*"|{WORD}+)|"(?:[^"\\]|\\.)*"
    |[@!]{WORD}+|[(){{}},=]|{WORD}+""",
    re.VERBOSE,
)
_GAPS: Final = st.sampled_from(("", " ", "\n", "\n\n", "\r\n", "\t", "\n\n\n  "))
_COMMENTS: Final = st.sampled_from(("#", "# a", "#b {", '# "c', "# } d  ", "# é", "# (e,"))
_ENDS: Final = st.sampled_from(("\n", "\r\n", "\n\n", "\n  # x\n"))


@st.composite
def disturbed(draw: DrawFn, program: Program) -> str:
    """The text of a program, its words as they are, with other space and with comments between them."""
    often = draw(st.sampled_from((0, 1, 8)))
    parts = []
    needs_gap = False
    for match in _TOKEN.finditer(format_program(program)):
        if match["space"]:
            needs_gap = True
            continue
        gap = draw(_GAPS) or (" " if needs_gap else "")
        if draw(st.integers(0, 8)) < often:
            gap += draw(_COMMENTS) + draw(_ENDS) + draw(_GAPS)
        parts += [gap, match[0]]
        needs_gap = False
    return "".join(parts) + draw(st.sampled_from(("", "\n", "# the end", "\n# the end\n\n")))
