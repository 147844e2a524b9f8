"""One rule: its words become conditions and an action.

Matches that no `Condition` can say (interfaces, source ports, limits) make a rule `opaque`: that is no harm
where the rule only logs. Repeated options, and such as a module or protocol does not have, are Malformed, as
iptables refuses them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from npc.backends.iptables.reader import vocabulary as known
from npc.backends.iptables.reader.addresses import Mask, blocks, span
from npc.backends.iptables.reader.icmp import icmp_types
from npc.backends.iptables.reader.sets import Sets
from npc.backends.iptables.reader.words import number, split_words
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import EVERY_ADDRESS, Family
from npc.compiler.algebra.intervals import Intervals, Range
from npc.compiler.verify.program import (
    ACCEPT,
    CONTINUE,
    DROP,
    RETURN,
    Action,
    Among,
    Box,
    Condition,
    Kind,
    Known,
    Line,
    Malformed,
    Rule,
    Unsupported,
)

STATE = "ct state"
"""The fact that connection tracking finds."""

_SLOTS = 15
"""Ports that one multiport match takes; a range takes two."""
_TWICE = frozenset({"tcp", "udp", "sctp", "dccp"})
"""Modules of whose two uses in a rule iptables-legacy compares both, iptables-nft the last alone."""
_PLAIN: Mapping[str, Action] = {"ACCEPT": ACCEPT, "DROP": DROP, "RETURN": RETURN}
_IMPLIED = {one: module for module, one in known.PORT_MODULES.items()}


@dataclass(frozen=True, slots=True)
class Read:
    """A rule as it was read, with what is still to be resolved."""

    rule: Rule
    sources: Mask | None = None
    destinations: Mask | None = None
    opaque: str = ""
    """A match that holds of packets that nobody here knows."""


@dataclass(frozen=True, slots=True)
class Around:
    """What a rule stands in: the family, the chains that it may lead to, and the sets."""

    family: Family
    chains: frozenset[str]
    sets: Sets


def read_rule(text: str, around: Around, line: Line) -> Read:
    """Raises Unsupported and Malformed."""
    draft = _Draft(around, line, split_words(text, line))
    while draft.rest:
        negated = draft.rest[0] == "!"
        if negated:
            del draft.rest[0]
        draft.option(draft.word("an option"), negated=negated)
    return draft.done()


@dataclass(slots=True)
class _Draft:
    """A rule whose words are being read."""

    around: Around
    line: Line
    rest: list[str]
    seen: set[str] = field(default_factory=set)
    loaded: list[str] = field(default_factory=list)
    """Modules, in order; of one used again, the last use."""
    used: dict[str, set[str]] = field(default_factory=dict)
    """The options given to the last use of each module."""
    protocol: int | None = None
    """The one protocol that the rule is for."""
    sources: Intervals = EVERY_ADDRESS
    destinations: Intervals = EVERY_ADDRESS
    traffic: Intervals = traffic.ANY
    masks: dict[str, Mask] = field(default_factory=dict)
    facts: list[Known] = field(default_factory=list)
    in_sets: list[Among] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)
    """The words of what the box says."""
    opaque: str = ""
    target: str = ""
    is_goto: bool = False
    answer: str = ""

    def word(self, what: str) -> str:
        if not self.rest:
            raise Malformed(f"the end of the rule in place of {what}", self.line)
        return self.rest.pop(0)

    def option(self, written: str, *, negated: bool) -> None:
        option = known.ALIASES.get(written, written)
        match option:
            case "-s" | "-d" | "-p" | "-i" | "-o" | "-f" | "-j" | "-g":
                self._once(self.seen, "-j" if option == "-g" else option)
                self._own(option, negated=negated)
            case "-m":
                self._refuse_negation(option, negated)
                self._load(self.word("the name of a match"))
            case _ if option in known.TARGETS.get(self.target, {}):
                self._refuse_negation(option, negated)
                self._once(self.seen, option)
                words = [
                    self.word(f"what follows {option}") for _ in range(known.TARGETS[self.target][option])
                ]
                if option == "--reject-with":
                    self.answer = words[0]
            case _:
                module = self._module_of(option)
                self._once(self.used.setdefault(module, set()), option)
                words = [self.word(f"what follows {option}") for _ in range(known.MODULES[module][option])]
                self._match(module, option, words, negated=negated)

    def _own(self, option: str, *, negated: bool) -> None:
        """An option that needs no module."""
        if option == "-f":
            self._opaque("the match `-f`")
            return
        text = self.word(f"what follows {option}")
        match option:
            case "-s" | "-d":
                side = "sources" if option == "-s" else "destinations"
                found = blocks(text, self.around.family, negated=negated, line=self.line)
                if isinstance(found, Mask):
                    self.masks[side] = found
                else:
                    self._narrow(side, found)
                self._say(option, text, negated=negated)
            case "-p":
                self._protocol(text, negated=negated)
                self._say(option, text, negated=negated)
            case "-i" | "-o":
                self._opaque(f"the match `{option} {text}`")
            case _:
                self._refuse_negation(option, negated)
                if text in known.OTHER_TARGETS and text not in self.around.chains:
                    raise Unsupported(f"the target `{text}`", self.line)
                self.target, self.is_goto = text, option == "-g"

    def _protocol(self, text: str, *, negated: bool) -> None:
        name = text.lower()
        if name == "all" or text == "0":
            if negated:
                raise Malformed(f"`! -p {text}`", self.line, "no packet is of no protocol")
            return
        value = known.PROTOCOLS.get(name)
        if value is None:
            if not name[:1].isdecimal():
                raise Unsupported(f"the protocol `{text}`", self.line, "write its number")
            value = number(text, traffic.LAST_PROTOCOL, "the protocol", self.line)
        every = traffic.every(value)
        self.traffic &= traffic.ANY - every if negated else every
        self.protocol = None if negated else value

    def _load(self, written: str) -> None:
        is_icmp = (self.around.family, written) in known.ICMP_MODULES
        name = "icmp6" if is_icmp and written != "icmp" else written
        if name not in known.MODULES:
            raise Unsupported(f"the match `-m {written}`", self.line)
        if name in ("icmp", "icmp6") and not is_icmp:
            version = self.around.family.value
            raise Malformed(f"the match `-m {written}`", self.line, f"IPv{version} has another ICMP")
        if name in _TWICE and name in self.loaded:
            raise Unsupported(f"the match `-m {written}` a second time", self.line)
        if name == "limit":
            self._opaque("the match `limit`")
        self._complete(name)
        self.loaded = [*(one for one in self.loaded if one != name), name]
        self.used[name] = set()

    def _complete(self, name: str) -> None:
        """Malformed where a module is used again, or the rule ends, and it was given no option."""
        if name in self.loaded and name not in _TWICE and name != "limit" and not self.used[name]:
            raise Malformed(f"the match `-m {name}` without an option", self.line)

    def _module_of(self, option: str) -> str:
        """The loaded module that has an option; else that of the rule's protocol."""
        for name in reversed(self.loaded):
            if option in known.MODULES[name]:
                return name
        implied = _IMPLIED.get(self.protocol or 0)
        if implied is None and self.protocol == _own_icmp(self.around.family):
            implied = "icmp" if self.around.family is Family.V4 else "icmp6"
        if implied is None or option not in known.MODULES[implied]:
            raise Malformed(f"the option `{option}`", self.line, "no match of the rule has it")
        self.loaded.append(implied)
        return implied

    def _match(self, module: str, option: str, words: list[str], *, negated: bool) -> None:
        match option:
            case "--dport":
                protocol = known.PORT_MODULES[module]
                low, high = self._ports(words[0])
                found = traffic.of(protocol, low, high)
                self.traffic &= traffic.every(protocol) - found if negated else found
            case "--dports":
                protocol = self._protocol_with_ports()
                found = self._multiport(words[0], protocol)
                self.traffic &= traffic.every(protocol) - found if negated else found
            case "--icmp-type" | "--icmpv6-type":
                found = icmp_types(words[0], self.around.family, self.line)
                every = traffic.every(_own_icmp(self.around.family))
                self.traffic &= every - found if negated else found
            case "--src-range" | "--dst-range":
                self._range(option, words[0], negated=negated)
            case "--ctstate" | "--state":
                self._states(words[0], negated=negated)
                return
            case "--match-set":
                self._set(*words, negated=negated)
                return
            case "--comment":
                self._refuse_negation(option, negated)
                return
            case "--update-counters" | "--update-subcounters":
                return
            case _:
                self._opaque(f"the match `{' '.join([option, *words])}`")
                return
        self._say(option, *words, negated=negated)

    def _ports(self, text: str) -> Range:
        first, colon, last = text.partition(":")
        low = number(first, traffic.LAST_PORT, "the port", self.line) if first or not colon else 0
        high = low if not colon else traffic.LAST_PORT
        if last:
            high = number(last, traffic.LAST_PORT, "the port", self.line)
        if low > high:
            raise Malformed(f"the ports `{text}`", self.line, "the first is above the last")
        return low, high

    def _protocol_with_ports(self) -> int:
        if self.protocol not in known.MULTIPORT_PROTOCOLS:
            raise Malformed(
                "the match `multiport`", self.line, "`-p` with a protocol that has ports goes before"
            )
        return self.protocol

    def _multiport(self, text: str, protocol: int) -> Intervals:
        parts = text.split(",")
        if sum(2 if ":" in part else 1 for part in parts) > _SLOTS:
            raise Malformed(
                f"the ports `{text}`", self.line, f"there is room for {_SLOTS}, a range takes two"
            )
        return Intervals.of(*(traffic.of(protocol, *self._ports(part)).ranges[0] for part in parts))

    def _range(self, option: str, text: str, *, negated: bool) -> None:
        side = "sources" if option == "--src-range" else "destinations"
        found = span(text, self.around.family, self.line)
        inside = Intervals((found,)) if found is not None else Intervals()
        self._narrow(side, self.around.family.every - inside if negated else inside)

    def _states(self, text: str, *, negated: bool) -> None:
        states = [one.lower() for one in text.split(",")]
        for one in states:
            if one not in known.CT_STATES:
                raise Unsupported(f"the state `{one}`", self.line)
        self.facts.append(Known(STATE, frozenset(states), negated))

    def _set(self, name: str, flags: str, *, negated: bool) -> None:
        sides = tuple(flags.split(","))
        if not {"src", "dst"} >= set(sides) or len(sides) > 6:
            raise Malformed(f"the flags `{flags}`", self.line, "up to six of src and dst, with commas")
        boxes = self.around.sets.boxes(name, sides, self.around.family, self.line)
        sign = "! " if negated else ""
        if isinstance(boxes, str):
            self._opaque(boxes)
        else:
            self.in_sets.append(Among(boxes, negated, f"-m set {sign}--match-set {name} {flags}"))

    def done(self) -> Read:
        """The rule, when all words are read."""
        for name in self.loaded:
            self._complete(name)
            self._check_protocol(name)
        box = Box(self.sources, self.destinations, self.traffic)
        plain = [Among((box,), text=" ".join(self.plain))] if box != Box() else []
        conditions: tuple[Condition, ...] = (*self.facts, *plain, *self.in_sets)
        action = self._action()
        masks = self.masks.get("sources"), self.masks.get("destinations")
        if action.kind is Kind.CONTINUE and (self.opaque or any(masks)):
            return Read(Rule((), action, self.line))
        return Read(Rule(conditions, action, self.line), *masks, opaque=self.opaque)

    def _check_protocol(self, module: str) -> None:
        needed = known.PORT_MODULES.get(module)
        if module in ("icmp", "icmp6"):
            needed = _own_icmp(self.around.family)
        if needed is not None and self.protocol != needed:
            raise Malformed(f"the match `{module}`", self.line, f"the rule needs `-p {module}`")

    def _action(self) -> Action:
        target = self.target
        if target in self.around.chains:
            return Action(Kind.GOTO if self.is_goto else Kind.JUMP, target)
        if not target or target in ("LOG", "NFLOG"):
            action = CONTINUE
        elif target == "REJECT":
            self._check_answer()
            action = DROP
        elif target in _PLAIN:
            action = _PLAIN[target]
        else:
            raise Malformed(f"the chain `{target}`", self.line, "it is not declared")
        if self.is_goto:
            raise Malformed(f"`-g {target}`", self.line, "-g leads to a chain")
        return action

    def _check_answer(self) -> None:
        if self.answer and self.answer not in known.REJECTS[self.around.family]:
            raise Malformed(f"the answer `{self.answer}`", self.line)
        if self.answer in known.TCP_RESETS and self.protocol != traffic.TCP:
            raise Malformed(f"the answer `{self.answer}`", self.line, "the rule needs `-p tcp`")

    def _narrow(self, side: str, found: Intervals) -> None:
        if side == "sources":
            self.sources &= found
        else:
            self.destinations &= found

    def _say(self, *words: str, negated: bool) -> None:
        self.plain += ["!", *words] if negated else words

    def _once(self, seen: set[str], option: str) -> None:
        if option in seen:
            raise Malformed(f"`{option}` a second time", self.line)
        seen.add(option)

    def _opaque(self, construct: str) -> None:
        self.opaque = self.opaque or construct

    def _refuse_negation(self, option: str, negated: bool) -> None:
        if negated:
            raise Malformed(f"`! {option}`", self.line, "it cannot be negated")


def _own_icmp(family: Family) -> int:
    return traffic.ICMP if family is Family.V4 else traffic.ICMPV6
