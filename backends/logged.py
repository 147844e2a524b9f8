"""What every target asks of the rules that log before it makes anything of them (X2)."""

from __future__ import annotations

from collections.abc import Callable

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError
from npc.compiler.plan import LoggedRule, Plan


def check_logged(plan: Plan, fault: Callable[[LoggedRule], str], help: str) -> None:
    """InputError with each rule that a target cannot log; `fault` says why, or nothing where it can."""
    logged = {(one.rule, one.prefix, one.origin): one for group in plan.classes for one in group.logs}
    faults = [
        Diagnostic(codes.INEXPRESSIBLE, message, one.origin, help=help)
        for one in logged.values()
        if (message := fault(one))
    ]
    if faults:
        raise InputError(faults)
