"""npc, the network policy compiler: policies and an inventory in, rules for a real dataplane out.

>>> import npc
>>> result = npc.compile_paths(["examples/shop"], target="nft")    # doctest: +SKIP
>>> print(result.artifacts["npc.nft"])                             # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from npc.api import Compilation, compile_nodes, compile_paths, compile_sources
    from npc.backends.base import Deny, Options, OwnNode
    from npc.checking import check_paths
    from npc.compiler.frontend.diagnostics import Diagnostic, InputError
    from npc.compiler.frontend.source import Source
    from npc.nodes import Fleet
    from npc.verifying import NotProven
    from npc.verifying.proving import Verification, verify_paths, verify_sources

__all__ = [
    "Compilation",
    "Deny",
    "Diagnostic",
    "Fleet",
    "InputError",
    "NotProven",
    "Options",
    "OwnNode",
    "Source",
    "Verification",
    "check_paths",
    "compile_nodes",
    "compile_paths",
    "compile_sources",
    "verify_paths",
    "verify_sources",
]

_MODULES = {
    "npc.api": ("Compilation", "compile_nodes", "compile_paths", "compile_sources"),
    "npc.backends.base": ("Deny", "Options", "OwnNode"),
    "npc.checking": ("check_paths",),
    "npc.compiler.frontend.diagnostics": ("Diagnostic", "InputError"),
    "npc.compiler.frontend.source": ("Source",),
    "npc.nodes": ("Fleet",),
    "npc.verifying": ("NotProven",),
    "npc.verifying.proving": ("Verification", "verify_paths", "verify_sources"),
}
"""Where the names are: imported when they are asked for (PEP 562), as `npc --help` needs no compiler."""


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
