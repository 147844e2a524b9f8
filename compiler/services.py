"""Services that rules name and the inventory does not know: nobody could be found behind them (X5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, did_you_mean
from npc.compiler.frontend.source import Origin
from npc.compiler.frontend.syntax import BehindService, NetworkPolicy, Policy, Rule
from npc.compiler.inventory import Inventory


def unknown_services(policies: Iterable[Policy], inventory: Inventory) -> Iterator[Diagnostic]:
    """An error for each place that names a Service which is not there, or which selects no pods."""
    known = {(one.namespace, one.name): one for one in inventory.services}
    told: set[tuple[Origin, str]] = set()  # a set's Service is one of each policy that uses the set
    for policy, rule, peer in _named(policies):
        namespace = peer.namespace or (policy.namespace if isinstance(policy, NetworkPolicy) else "")
        service = known.get((namespace, peer.name))
        if service is not None and service.selector:
            continue
        if service is None:
            names = [name for space, name in known if space == namespace]
            message = f"the inventory has no Service {namespace}/{peer.name}"
            help = did_you_mean(peer.name, names) if names else f"it has none in {namespace}"
        else:
            message = f"the Service {namespace}/{peer.name} selects no pods: it has no selector"
            help = "name its addresses instead"
        origin = peer.origin or rule.origin
        if (origin, message) not in told:
            told.add((origin, message))
            about = f"{policy.kind} {policy}"
            yield Diagnostic(codes.UNKNOWN_SERVICE, message, origin, help=help, about=about)


def _named(policies: Iterable[Policy]) -> Iterator[tuple[Policy, Rule, BehindService]]:
    """The Services that rules name."""
    for policy in policies:
        for rule in (*policy.ingress, *policy.egress):
            for peer in rule.peers or ():
                if isinstance(peer, BehindService):
                    yield policy, rule, peer
