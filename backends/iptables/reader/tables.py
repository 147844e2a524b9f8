"""The chains of one family's table that packets may come to, read rule by rule."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from npc.backends.iptables.reader.resolving import Resolving
from npc.backends.iptables.reader.rules import Around, Read, read_rule
from npc.backends.iptables.reader.saved import BUILT_IN, Saved, SavedChain
from npc.backends.iptables.reader.sets import Sets
from npc.compiler.algebra.addresses import Family
from npc.compiler.verify.program import MOST_DEEP, Chain, Kind, Line, Malformed, Unsupported


class Table:
    """Reads chains when they are asked for: what nobody comes to may say anything."""

    def __init__(self, saved: Saved, family: Family, sets: Sets) -> None:
        self.saved = saved
        self.family = family
        self._around = Around(family, frozenset(saved.chains.keys() - {*BUILT_IN}), sets)
        self._read: dict[str, tuple[Read, ...]] = {}

    def chains_from(self, entry: str, prefix: str) -> list[Chain]:
        """A chain and all that it leads to, their names with a prefix. Raises Unsupported and Malformed."""
        names = self._reached(entry)
        resolving = Resolving({name: self._read[name] for name in names})
        return [resolving.chain(name, prefix) for name in names]

    def cut(self, name: str, goal: str) -> int | None:
        """How many rules a built-in chain has up to the last that leads to a chain whose name so begins.

        None where no rule leads there. Only the targets of rules are looked at, so that rules behind it may
        say anything.
        """
        leading = [
            place
            for place, (_, text) in enumerate(self.saved.chains[name].rules)
            if self._leads(_targets(text), goal)
        ]
        return leading[-1] + 1 if leading else None

    def keep(self, name: str, count: int) -> None:
        """Leave the rules of a chain behind the first few out."""
        chain = self.saved.chains[name]
        self.saved.chains[name] = SavedChain(name, chain.line, chain.policy, chain.rules[:count])

    def _leads(self, names: Sequence[str], goal: str) -> bool:
        """Whether one of some chains has a name that so begins, or leads to one that has."""
        seen: set[str] = set()
        pending = list(names)
        while pending:
            name = pending.pop()
            if name in seen or name not in self._around.chains:
                continue
            if name.startswith(goal):
                return True
            seen.add(name)
            pending += [word for _, text in self.saved.chains[name].rules for word in _targets(text)]
        return False

    def _reached(self, entry: str) -> list[str]:
        """All chains from an entry on, each after what leads to it; Malformed where one leads to itself."""
        finished: list[str] = []
        open_: dict[str, Line] = {}
        path = [(entry, iter(self._next(entry)))]
        open_[entry] = self.saved.chains[entry].line
        while path:
            name, following = path[-1]
            step = next(following, None)
            if step is None:
                path.pop()
                del open_[name]
                finished.append(name)
                continue
            target, line = step
            if target in open_:
                raise Malformed(f"the chain `{target}`", line, "it leads back to itself")
            if len(path) == MOST_DEEP:
                raise Unsupported(f"more than {MOST_DEEP} chains that lead from one to the next", line)
            if target not in finished:
                open_[target] = line
                path.append((target, iter(self._next(target))))
        return finished[::-1]

    def _next(self, name: str) -> list[tuple[str, Line]]:
        return [
            (read.rule.action.chain, read.rule.line)
            for read in self.rules(name)
            if read.rule.action.kind in (Kind.JUMP, Kind.GOTO)
        ]

    def rules(self, name: str) -> tuple[Read, ...]:
        """The rules of a chain as they are read."""
        if name not in self._read:
            file = self.saved.file
            self._read[name] = tuple(
                read_rule(text, self._around, Line(file, at)) for at, text in self.saved.chains[name].rules
            )
        return self._read[name]


def _targets(text: str) -> list[str]:
    """The words behind -j and -g."""
    words = text.split()
    return [after for word, after in pairwise(words) if word in ("-j", "-g", "--jump", "--goto")]
