"""What `--set` may say to this target, checked: where npc's tables, registers and zone are in a pipeline."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from npc.backends.base import Deny, Options
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError
from npc.compiler.frontend.syntax import Direction
from npc.compiler.inventory import LAST_OVS_PORT


class Step(IntEnum):
    """The tables, counted from the first."""

    ENTRY = 0
    STATE = 1
    SOURCE = 2
    DESTINATION = 3
    EGRESS = 4
    INGRESS = 5
    ACCEPT = 6


TABLES = len(Step)
"""How many tables npc takes, one after the other."""
REGISTERS = 4
"""How many registers npc takes, one after the other."""
LAST_TABLE = 253
"""OVS keeps table 254 for itself (ovs-ofctl(8))."""
_LAST_REGISTER = 15

NAMES = {
    "table": f"number of the first of npc's {TABLES} tables (default: 0)",
    "zone": "conntrack zone, npc's alone: 1 to 65535 (default: 64000)",
    "register": f"number of the first of npc's {REGISTERS} registers, 0 to 12 (default: 0)",
    "next": "what passes goes on to: NORMAL, LOCAL, a table's number or resubmit(,TABLE) (default: NORMAL)",
    "cookie": "the cookie of npc's flows, by which they are told from others (default: 0x6e7063)",
    "ports": "OpenFlow ports of pods: NAMESPACE/POD=NUMBER, separated by commas; --ovs-port adds one",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Where npc's flows stand, and where packets go on to."""

    table: int = 0
    zone: int = 64_000
    register: int = 0
    next: str = "NORMAL"
    """The action for what passes."""
    cookie: str = "0x6e7063"
    ports: Mapping[str, int] = field(default_factory=dict)
    """The OpenFlow port of pods, by `namespace/name`."""

    def class_register(self, direction: Direction) -> str:
        """The register with the number of the class that decides in a direction."""
        return f"reg{self.register + (direction is Direction.INGRESS)}"

    def identity_register(self, direction: Direction) -> str:
        """The register with the number of the peer that the rules of a direction ask for."""
        return f"reg{self.register + 2 + (direction is Direction.EGRESS)}"

    def number(self, step: Step) -> int:
        """The number of a table."""
        return self.table + step

    def goto(self, step: Step) -> str:
        """The action that goes on to a table."""
        return f"goto_table:{self.number(step)}"


def read_settings(options: Options) -> Settings:
    """The settings in some options; InputError for what they or OpenFlow cannot be used for."""
    faults = [*_unsupported(options)]
    texts = options.settings
    default = Settings()
    numbers: dict[str, int] = {}
    for name, usual, first, last in (
        ("table", default.table, 0, LAST_TABLE - TABLES + 1),
        ("zone", default.zone, 1, 0xFFFF),
        ("register", default.register, 0, _LAST_REGISTER - REGISTERS + 1),
        ("cookie", int(default.cookie, 16), 1, 2**64 - 2),
    ):
        number = _number(texts.get(name, str(usual)))
        numbers[name] = usual if number is None else number
        if number is None or not first <= number <= last:
            faults.append(
                _fault(f"{name}={texts[name]!r} cannot be used", f"a number from {first} to {last}")
            )
    action = _action(texts.get("next", default.next), numbers["table"], faults)
    ports = _ports(texts.get("ports", ""), faults)
    if faults:
        raise InputError(faults)
    return Settings(
        numbers["table"], numbers["zone"], numbers["register"], action, f"{numbers['cookie']:#x}", ports
    )


def _unsupported(options: Options) -> list[Diagnostic]:
    """The options that every target has, and that OpenFlow has no words for."""
    default = Options()
    faults = []
    if options.deny_with is not Deny.DROP:
        faults.append(_fault("OpenFlow cannot answer denied packets", "use --deny-with drop"))
    if options.log_denied:
        help = "leave --log-denied out; the counters of `ovs-ofctl dump-flows` show what is dropped"
        faults.append(_fault("OpenFlow cannot log denied packets", help))
    if options.hook_priority != default.hook_priority:
        faults.append(
            _fault("a bridge has no hooks with priorities", "--set table=N says where npc's tables stand")
        )
    if options.table != default.table:
        help = "leave --table out; --set table=N says where npc's tables stand"
        faults.append(_fault("OpenFlow's tables have no names", help))
    return faults


def _action(text: str, first_table: int, faults: list[Diagnostic]) -> str:
    if text.upper() in ("NORMAL", "LOCAL"):
        return text.upper()
    resubmit = re.fullmatch(r"resubmit\(,\s*([0-9]+)\)", text)
    number = _number(resubmit[1] if resubmit else text)
    own = range(first_table, first_table + TABLES)
    if number is None or number > LAST_TABLE or number in own:
        help = f"NORMAL, LOCAL, or a table up to {LAST_TABLE} but npc's own, {own.start} to {own.stop - 1}"
        faults.append(_fault(f"next={text!r} cannot be used", help))
    return f"resubmit(,{number})"


def _ports(text: str, faults: list[Diagnostic]) -> Mapping[str, int]:
    ports: dict[str, int] = {}
    for word in filter(None, map(str.strip, text.split(","))):
        pod, _, number_text = word.rpartition("=")
        number = _number(number_text)
        name = pod if "/" in pod else f"default/{pod}"
        if (
            not re.fullmatch(r"[a-z0-9.-]+/[a-z0-9.-]+", name)
            or number is None
            or not 1 <= number <= LAST_OVS_PORT
        ):
            faults.append(_fault(f"{word!r} is no pod's port", f"NAMESPACE/POD=NUMBER, 1 to {LAST_OVS_PORT}"))
        elif ports.setdefault(name, number) != number:
            faults.append(_fault(f"{name} has two ports: {ports[name]} and {number}", "name one"))
    return ports


def _number(text: str) -> int | None:
    """A decimal or hexadecimal number; None when it is neither."""
    if re.fullmatch(r"[0-9]{1,20}", text):
        return int(text)
    return int(text, 16) if re.fullmatch(r"0x[0-9a-fA-F]{1,16}", text) else None


def _fault(message: str, help: str) -> Diagnostic:
    return Diagnostic(codes.OPTION, message, help=help)
