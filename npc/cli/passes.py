"""`--passes`: which steps of the optimizer run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError, did_you_mean

if TYPE_CHECKING:
    from npc.compiler.optimize.passes import Pass


def chosen(names: str | None) -> Sequence[Pass]:
    """The passes of the optimizer that `--passes` names; InputError where it has none of a name."""
    from npc.compiler.optimize.passes import PASSES, find_passes

    if names is None:
        return PASSES
    wanted = [name.strip() for name in names.split(",")] if names.strip() != "none" else []
    known = [one.name for one in PASSES]
    if unknown := [name for name in wanted if name not in known]:
        help = did_you_mean(unknown[0], known)
        raise InputError([Diagnostic(codes.OPTION, f"the optimizer has no pass {unknown[0]!r}", help=help)])
    return find_passes(wanted)
