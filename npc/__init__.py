"""npc, the network policy compiler: policies and an inventory in, rules for a real dataplane out.

>>> import npc
>>> result = npc.compile_paths(["examples/shop"], target="nft")    # doctest: +SKIP
>>> print(result.artifacts["npc.nft"])                             # doctest: +SKIP
"""

from npc.api import Compilation, check_paths, compile_paths, compile_sources
from npc.backends.base import Deny, Options, OwnNode
from npc.compiler.frontend.diagnostics import Diagnostic, InputError
from npc.compiler.frontend.source import Source

__all__ = [
    "Compilation",
    "Deny",
    "Diagnostic",
    "InputError",
    "Options",
    "OwnNode",
    "Source",
    "check_paths",
    "compile_paths",
    "compile_sources",
]
