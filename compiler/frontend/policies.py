"""One policy, from plain values to syntax, with all that is wrong with it in one run.

What is well formed is converted by msgspec at once. Where that fails, `shapes` says what is not of
the right shape, and what is left is validated like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from npc.compiler.frontend import cluster_schema, codes, schema
from npc.compiler.frontend.clusterpolicy import read_cluster_policy
from npc.compiler.frontend.networkpolicy import read_policy
from npc.compiler.frontend.selectors import Report
from npc.compiler.frontend.shapes import Problem, check_shape
from npc.compiler.frontend.source import Origin, PathInDocument
from npc.compiler.frontend.syntax import Policy

_Object = (
    schema.NetworkPolicy
    | cluster_schema.ClusterNetworkPolicy
    | cluster_schema.AdminNetworkPolicy
    | cluster_schema.BaselineAdminNetworkPolicy
)
_SCHEMAS: dict[str, type[_Object]] = {
    "NetworkPolicy": schema.NetworkPolicy,
    "ClusterNetworkPolicy": cluster_schema.ClusterNetworkPolicy,
    "AdminNetworkPolicy": cluster_schema.AdminNetworkPolicy,
    "BaselineAdminNetworkPolicy": cluster_schema.BaselineAdminNetworkPolicy,
}


def policy_of(value: dict[str, Any], kind: str, origin: Origin) -> tuple[Policy | None, list[Problem]]:
    """The policy that an object of a policy's kind is, None when it has errors; and its problems."""
    problems: list[Problem] = []
    type_ = _SCHEMAS[kind]
    try:
        decoded = msgspec.convert(value, type_)
    except msgspec.ValidationError:
        shape, kept = check_shape(value, type_)
        policy = _read(msgspec.convert(kept, type_), origin, problems.append)
        problems = [*shape, *_standing(problems, shape, value)] if shape else problems
    else:
        policy = _read(decoded, origin, problems.append)
    refused = any(one.code.severity is codes.Severity.ERROR for one in problems)
    return None if refused else policy, problems


def _read(decoded: _Object, origin: Origin, report: Report) -> Policy:
    if isinstance(decoded, schema.NetworkPolicy):
        return read_policy(decoded, origin, report)
    return read_cluster_policy(decoded, origin, report)


def _standing(problems: list[Problem], shape: list[Problem], value: dict[str, Any]) -> Iterator[Problem]:
    """The problems that stand whatever the parts of a wrong shape were meant to be.

    What stands around or in such a part, or is missing beside one, would be judged wrongly without it.
    """
    wrong = {one.path for one in shape}
    around = {path[:length] for path in wrong for length in range(len(path))}
    beside = {path[:-1] for path in wrong if isinstance(path[-1], str)}
    for one in problems:
        within = any(one.path[:length] in wrong for length in range(1, len(one.path) + 1))
        relies = one.path[-1] == "endPort" or not _leads(value, one.path)
        if one.path not in around and not within and not (relies and one.path[:-1] in beside):
            yield one


def _leads(value: Any, path: PathInDocument) -> bool:
    """Whether there is something at a path."""
    try:
        for step in path:
            value = value[step]
    except (KeyError, IndexError, TypeError):
        return False
    return True
