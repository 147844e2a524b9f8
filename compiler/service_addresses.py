"""The addresses that a Service has for itself, which nodes turn into those of the pods behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from npc.compiler.algebra.addresses import parse_address
from npc.compiler.frontend import schema


def service_addresses(spec: schema.Spec, status: schema.Status) -> tuple[tuple[int, str], ...]:
    """The addresses of a Service, each with what it is; without what is no address (a headless one's `None`).

    They explain answers, and decide nothing: what is odd about them is no finding.
    """
    found: dict[int, str] = {}
    for text, what in _texts(spec, status):
        try:
            found.setdefault(parse_address(text), what)
        except ValueError:
            continue
    return tuple(found.items())


def _texts(spec: schema.Spec, status: schema.Status) -> Iterator[tuple[str, str]]:
    balancer = status.load_balancer
    ingress = balancer.get("ingress") if isinstance(balancer, dict) else None
    points = [one.get("ip") for one in _listed(ingress) if isinstance(one, dict)]
    for values, what in (
        ([spec.cluster_IP, *_listed(spec.cluster_IPs)], "clusterIP"),
        (_listed(spec.external_IPs), "externalIP"),
        (points, "load balancer's address"),
    ):
        yield from ((value, what) for value in values if isinstance(value, str))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
