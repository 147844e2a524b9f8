"""The tree of a `.npc` text: what was written, in its order and its spelling, and where.

Everything a NetworkPolicy or a ClusterNetworkPolicy can say has a form here of its own: `app=web`
(matchLabels) and `app in (web)` (matchExpressions) are two, `ns(team=a)` and `pods in ns(team=a)`
are two, lists keep their order and their duplicates, CIDRs their host bits. Names are not yet
looked up and values not yet validated: that is `lowering`'s.

`start` and `end` are the characters of the text that a node was read from, `end` exclusive. They do
not count when trees are compared, nor do comments: `parse(format(tree)) == tree`. A tree that was
not read from a text leaves them 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from npc.compiler.frontend.syntax import Action, Direction, Tier

DEFAULT_NAMESPACE = "default"
"""Where a policy without `in NAMESPACE` is."""
DEFAULT_PRIORITY = 1000
"""Of a cluster policy without `priority`: the last."""


def _offset() -> int:
    return field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A name, a value or a string: what it says, without quotes and escapes."""

    text: str
    start: int = _offset()
    end: int = _offset()

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Number:
    """A number that stands by itself."""

    value: int
    start: int = _offset()
    end: int = _offset()


@dataclass(frozen=True, slots=True)
class Comment:
    """From `#` to before the end of its line; `#` included."""

    text: str
    start: int = _offset()
    end: int = _offset()


# --- selectors


class Comparison(Enum):
    """How a requirement is written."""

    EQUALS = "="
    """`app=web`: an entry of matchLabels. One value."""
    IN = "in"
    """`app in (web, api)`. One value or more."""
    NOT_IN = "not in"
    """`app not in (web, api)`. One value or more."""
    EXISTS = ""
    """`app`. No value."""
    NOT_EXISTS = "!"
    """`!app`. No value."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on labels."""

    key: Text
    comparison: Comparison
    values: tuple[Text, ...] = ()
    start: int = _offset()
    end: int = _offset()


Requirements = tuple[Requirement, ...]
"""Conditions that all hold. `pods` and `pods()` have none, and select all."""


# --- peers


@dataclass(frozen=True, slots=True)
class Namespaces:
    """`ns`, `ns(env=prod)`: namespaces by label; as a peer, all the pods in them."""

    requirements: Requirements = ()
    start: int = _offset()
    end: int = _offset()


@dataclass(frozen=True, slots=True)
class NamedNamespace:
    """`ns/shop`: the namespace with the label `kubernetes.io/metadata.name=shop`, an entry of matchLabels."""

    name: Text
    start: int = _offset()
    end: int = _offset()


@dataclass(frozen=True, slots=True)
class Pods:
    """`pods(app=web)`, of the policy's own namespace; `pods(app=web) in ns(env=prod)`, of those."""

    requirements: Requirements = ()
    namespaces: Namespaces | NamedNamespace | None = None
    start: int = _offset()
    end: int = _offset()


@dataclass(frozen=True, slots=True)
class Nodes:
    """`nodes`, `nodes(role=worker)`: the addresses of nodes."""

    requirements: Requirements = ()
    start: int = _offset()
    end: int = _offset()


@dataclass(frozen=True, slots=True)
class BehindService:
    """`svc/web`, `svc/web in ns/shop`: the pods behind a Kubernetes Service, at its target ports."""

    name: Text
    namespace: Text | None = None
    start: int = _offset()
    end: int = _offset()


@dataclass(frozen=True, slots=True)
class NamedEnd:
    """`shop/db-0`, `shop/deploy/web`: a pod or a workload by its name; assertions alone have such."""

    name: Text
    start: int = _offset()
    end: int = _offset()


@dataclass(frozen=True, slots=True)
class Block:
    """`10.0.0.0/8 except (10.1.0.0/16, 10.2.0.0/16)`: CIDRs as they were written."""

    cidr: Text
    excepts: tuple[Text, ...] = ()
    start: int = _offset()
    end: int = _offset()


@dataclass(frozen=True, slots=True)
class Everyone:
    """`any`: every peer, inside the cluster and out. It stands alone in its list."""

    start: int = _offset()
    end: int = _offset()


@dataclass(frozen=True, slots=True)
class SetReference:
    """`@clients` among peers."""

    name: Text
    """Without the `@`."""
    start: int = _offset()
    end: int = _offset()


Peer = Pods | Namespaces | NamedNamespace | Nodes | BehindService | NamedEnd | Block | Everyone | SetReference


# --- services: what a rule is about, in the language of protocols and ports


@dataclass(frozen=True, slots=True)
class PortRange:
    """`30000-32767`; `80-80` and `80` are two spellings."""

    first: int
    last: int
    start: int = _offset()
    end: int = _offset()


@dataclass(frozen=True, slots=True)
class Service:
    """`tcp`, `tcp/80`, `tcp/80-90`, `tcp/metrics`, `icmp/8`, `icmp/echo-request`, `any/metrics`.

    A name is a port's, or with `icmp` and `icmpv6` a type's. Of `any`, which is whichever protocol
    the destination gives the name, only a port's name is valid.
    """

    protocol: str
    """`tcp`, `udp`, `sctp`, `icmp`, `icmpv6`, `any`."""
    port: Number | PortRange | Text | None = None
    start: int = _offset()
    end: int = _offset()


@dataclass(frozen=True, slots=True)
class ServiceReference:
    """`@dns` among services."""

    name: Text
    """Without the `@`."""
    start: int = _offset()
    end: int = _offset()


Traffic = tuple[Service | ServiceReference, ...]
"""Services in their order; none at all stand for all traffic."""


# --- statements


@dataclass(frozen=True, slots=True)
class Log:
    """`log`, `log "prefix "`."""

    prefix: Text | None = None
    start: int = _offset()
    end: int = _offset()


@dataclass(frozen=True, slots=True)
class Isolate:
    """`isolate ingress, egress`, `isolate only egress`."""

    directions: tuple[Direction, ...]
    only: bool = False
    start: int = _offset()
    end: int = _offset()


@dataclass(frozen=True, slots=True)
class RuleStatement:
    """`allow tcp/80 from pods(app=web) log "web " as web until 2027-01-31`."""

    action: Action
    services: Traffic
    direction: Direction
    """`from`: ingress; `to`: egress."""
    peers: tuple[Peer, ...]
    """At least one."""
    log: Log | None = None
    label: Text | None = None
    """The rule's name, after `as`: a word, or any text in quotes."""
    until: Text | None = None
    """The last day on which it holds, as it was written: `2027-01-31`."""
    start: int = _offset()
    end: int = _offset()


Statement = Isolate | RuleStatement


# --- items


@dataclass(frozen=True, slots=True)
class Pair:
    """`owner=net`: an entry of labels or annotations."""

    key: Text
    value: Text
    start: int = _offset()
    end: int = _offset()


@dataclass(frozen=True, slots=True)
class Include:
    """`include "common.npc"`."""

    path: Text
    start: int = _offset()
    end: int = _offset()


@dataclass(frozen=True, slots=True)
class SetDefinition:
    """`set clients = pods(app=web), @offices`."""

    name: Text
    peers: tuple[Peer, ...]
    start: int = _offset()
    end: int = _offset()


@dataclass(frozen=True, slots=True)
class ServiceDefinition:
    """`service dns = udp/53, tcp/53`."""

    name: Text
    services: Traffic
    start: int = _offset()
    end: int = _offset()


@dataclass(frozen=True, slots=True)
class PolicyBlock:
    """`policy web in shop labels(a=b) annotations(c="d") for pods(app=web) { ... }`: a NetworkPolicy."""

    name: Text
    namespace: Text | None
    """None: `DEFAULT_NAMESPACE`."""
    labels: tuple[Pair, ...]
    annotations: tuple[Pair, ...]
    subject: Pods
    """Its `namespaces` are None."""
    statements: tuple[Statement, ...]
    start: int = _offset()
    end: int = _offset()


@dataclass(frozen=True, slots=True)
class ClusterPolicyBlock:
    """`cluster policy guard tier admin priority 10 labels(a=b) for ns(env=prod) { ... }`."""

    name: Text
    tier: Tier
    priority: Number | None
    """None: `DEFAULT_PRIORITY`."""
    labels: tuple[Pair, ...]
    annotations: tuple[Pair, ...]
    subject: Pods | Namespaces | NamedNamespace
    """Pods have `namespaces`, or lowering reports it."""
    statements: tuple[Statement, ...]
    start: int = _offset()
    end: int = _offset()


@dataclass(frozen=True, slots=True)
class Assertion:
    """`deny tcp from ns(env=dev) to ns(env=prod) as no-dev`: what shall pass, or shall not."""

    action: Action
    """ALLOW: all of it passes; DENY: nothing of it does."""
    services: Traffic
    sources: tuple[Peer, ...]
    destinations: tuple[Peer, ...]
    label: Text | None = None
    """Its name, after `as`."""
    start: int = _offset()
    end: int = _offset()


Item = Include | SetDefinition | ServiceDefinition | PolicyBlock | ClusterPolicyBlock | Assertion


@dataclass(frozen=True, slots=True)
class Program:
    """A whole text: its items in order, and beside them all its comments, in order too."""

    items: tuple[Item, ...] = ()
    comments: tuple[Comment, ...] = field(default=(), compare=False)
