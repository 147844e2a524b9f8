"""Mutants in real dataplanes: packets fare as the rules that the readers made of the text say.

Each mutant is loaded; sent are the packets that refute it, and a sample of others. With mutants that are
proven to be equivalent they fare as the plan says; malformed ones are refused by the loaders of netfilter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from itertools import count, islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from npc.compiler.algebra import traffic
from npc.compiler.verify.program import Malformed, Program, Scenario, Unsupported
from npc.compiler.verify.proof import prove
from npc.compiler.verify.trace import Packet, trace
from tests.backends import dense
from tests.compiler.compiling import on_line, traffic_of
from tests.dataplane.clusters import as_probe
from tests.dataplane.dataplanes import IPTABLES, NFT, Dataplane
from tests.dataplane.namespace import CommandError
from tests.dataplane.ovs import PROGRAMS, SETTINGS, open_bridge
from tests.dataplane.probe import Probe, differences, run
from tests.dataplane.topology import Address, Host, Network, open_network
from tests.reference.evaluator import Packet as Sent
from tests.verify import seeded
from tests.verify.judging import right
from tests.verify.mutants import MOST_LINES
from tests.verify.notations import MUTATIONS
from tests.verify.rulesets import FORMS, LOWER, Ruleset, printed, read

SAMPLED: Final = 60
"""Packets that are sent beside the witnesses."""
REPLY_PORT: Final = 50_000
"""A port that connections come from: no plan here speaks of it."""
NEW: Final = ("forwarded packets of new", "packets that conntrack calls new")
ESTABLISHED: Final = ("forwarded packets of established", "packets that conntrack calls established")
NO_REPLIES: Final = frozenset({"connections not tracked", "zone changed", "connections of another state"})
"""Of Open vSwitch: what becomes of replies, then, is conntrack's, and no matter of a single packet."""
NOT_HERE: Final = frozenset({"no search for prefixes", "identities in conjunctions"})
"""Forms with settings that the network of the tests does not have."""

Loaded = Callable[[Mapping[str, str]], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def crowd() -> Iterator[Network]:
    """The pods of random plans, and all other addresses that packets are of."""
    pods = [Host(str(number), dense.addresses(number)) for number in range(dense.PODS)]
    rest = [address for number in range(dense.PODS, dense.SPAN) for address in dense.addresses(number)]
    with open_network(pods, [*rest, *dense.OUTSIDE]) as network:
        yield network


@dataclass(frozen=True, slots=True)
class _Mutant:
    name: str
    ruleset: Ruleset
    texts: Mapping[str, str]


def mutants(target: str, seed: int) -> Iterator[_Mutant]:
    """Mutants of small random rulesets, without end: mutations take turns."""
    names = sorted(name for name in MUTATIONS[target] if target != "ovs" or name not in NO_REPLIES)
    for number in count():
        chance = Random(seed + number)
        name = names[number % len(names)]
        for _ in range(200):
            ruleset = _small(target, chance)
            files = [file for file in ruleset.texts if not file.endswith(".sh")]
            file = chance.choice(files)
            old = ruleset.texts[file].split("\n")
            changed = MUTATIONS[target][name](chance, old)
            if changed is not None and changed != old:
                yield _Mutant(f"{name}, {number}", ruleset, {**ruleset.texts, file: "\n".join(changed)})
                break


def _small(target: str, chance: Random) -> Ruleset:
    while True:
        plan = seeded.plan(chance)
        options, layout = FORMS[target][chance.choice(sorted(FORMS[target].keys() - NOT_HERE))]
        if target == "ovs":
            options = replace(options, settings=SETTINGS)
        texts = printed(target, LOWER[target](plan, options, layout))
        if plan.classes and sum(text.count("\n") for text in texts.values()) <= MOST_LINES:
            return Ruleset("random", target, plan, options, texts)


def replay(network: Network, target: str, seed: int, wanted: int, loaded: Loaded) -> None:
    """Load mutants and send packets, until `wanted` were loaded."""
    inside = {on_line(address) for number in range(dense.PODS) for address in dense.addresses(number)}
    found: list[str] = []
    told = 0
    taken = 0
    for mutant in islice(mutants(target, seed), 4 * wanted):
        if taken == wanted:
            break
        ruleset = mutant.ruleset
        try:
            program = read(target, mutant.texts, ruleset.plan, ruleset.options)
            proof = prove(program, ruleset.plan)
        except Malformed as error:
            found += _must_be_refused(mutant, error, loaded)
            continue
        except Unsupported:
            continue
        if any(one.clash for one in proof.refutations):
            continue  # it is not defined which of the two rules the dataplane takes
        witnesses = [one.packet for one in proof.refutations if one.scenario.title.startswith(NEW)]
        others = Random(seed).sample(dense.packets(1000), SAMPLED)
        packets = [*map(_sent, witnesses), *others]
        expected = {
            probe: arrives(program, packet) if not proof else _should_pass(ruleset, program, packet)
            for packet in packets
            if inside & {on_line(packet.source), on_line(packet.destination)}
            and (target != "ovs" or packet.protocol != traffic.SCTP)  # tracked without ports there
            and (probe := _probe(network, packet)) is not None
        }
        told += len(expected.keys() & {_probe(network, _sent(one)) for one in witnesses})
        with loaded(mutant.texts):
            observed = run(network, expected, grace=0.1)
        found += [f"{mutant.name}: {text}" for text in differences(network, expected, observed)]
        taken += 1
    assert found == []
    assert taken == wanted
    assert told, "no witness was sent"


def _must_be_refused(mutant: _Mutant, error: Malformed, loaded: Loaded) -> list[str]:
    if mutant.ruleset.target == "ovs":
        return []  # Open vSwitch leaves out what it cannot match, with a warning, and takes the rest
    try:
        with loaded(mutant.texts):
            pass
    except CommandError:
        return []
    return [f"{mutant.name}: loaded, but it is called malformed: {error}"]


def arrives(program: Program, packet: Sent) -> bool:
    """Whether a packet passes, and the answer that shows it."""
    source, destination, kind = on_line(packet.source), on_line(packet.destination), traffic_of(packet)
    if not _passes(program, NEW, Packet(source, destination, kind)):
        return False
    match packet.protocol:
        case traffic.SCTP:
            return True  # the first packet is seen where it arrives
        case traffic.ICMP:
            answer = traffic.ICMP << 16
        case traffic.ICMPV6:
            answer = traffic.ICMPV6 << 16 | 129 << 8
        case protocol:
            answer = protocol << 16 | REPLY_PORT
    return _passes(program, ESTABLISHED, Packet(destination, source, answer))


def _should_pass(ruleset: Ruleset, program: Program, packet: Sent) -> bool:
    """What the plan alone says."""
    asked = Packet(on_line(packet.source), on_line(packet.destination), traffic_of(packet))
    scenario = _scenario(program, NEW)
    return right(ruleset.plan, ruleset.options, ruleset.target, scenario, asked) is True


def _passes(program: Program, titles: tuple[str, ...], packet: Packet) -> bool:
    return trace(program.chains, _scenario(program, titles), packet).passes


def _scenario(program: Program, titles: tuple[str, ...]) -> Scenario:
    return next(one for one in program.scenarios if one.title.startswith(titles))


def _sent(packet: Packet) -> Sent:
    ends = (_address(packet.source), _address(packet.destination))
    return Sent(*ends, packet.traffic >> 16, packet.traffic & 0xFFFF)


def _address(number: int) -> Address:
    return IPv4Address(number) if number < 1 << 32 else IPv6Address(number - (1 << 128))


def _probe(network: Network, packet: Sent) -> Probe | None:
    """A packet as the harness sends it; None where it cannot."""
    ends = {packet.source, packet.destination}
    is_echo = packet.protocol in (1, 58) and packet.port in (0x0800, 0x8000)
    if (
        len(ends) == 1
        or not ends <= network.owners.keys()
        or not (is_echo or packet.protocol in (6, 17, 132))
    ):
        return None
    return as_probe(packet) if is_echo or packet.port > 0 else None


# --- the dataplanes -----------------------------------------------------------------------------------------

FEW: Final = 12
MANY: Final = 120
COUNTS: Final = [
    pytest.param(1_000_000, FEW, id="few"),
    pytest.param(2_000_000, MANY, id="many", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("seed", "wanted"), COUNTS)
@pytest.mark.parametrize("dataplane", [one.param() for one in (NFT, *IPTABLES)])
def test_kernels_do_what_the_rules_say(dataplane: Dataplane, crowd: Network, seed: int, wanted: int) -> None:
    replay(crowd, dataplane.target, seed, wanted, lambda texts: dataplane.loaded(crowd, texts))


@pytest.mark.dataplane(*PROGRAMS)
@pytest.mark.parametrize(("seed", "wanted"), COUNTS)
def test_open_vswitch_does_what_the_flows_say(crowd: Network, seed: int, wanted: int) -> None:
    with TemporaryDirectory() as folder, open_bridge(crowd, Path(folder)) as bridge:

        @contextmanager
        def loaded(texts: Mapping[str, str]) -> Iterator[None]:
            bridge.load(texts["npc.flows"])
            bridge.appctl("dpctl/flush-conntrack")  # what mutants before let pass is no known connection
            yield

        replay(crowd, "ovs", seed, wanted, loaded)
