"""A case is compiled and compared with what it expects; `accept` makes what came of it the expectation."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from npc.api import Planned, emit, plan_sources, print_sources
from npc.backends.base import Backend, Options, Target, find_target
from npc.compiler.frontend.diagnostics import Diagnostic, Format, InputError, did_you_mean
from npc.compiler.frontend.files import sources
from npc.compiler.frontend.render import render, summary
from npc.compiler.frontend.source import Source
from npc.compiler.lint.levels import DEFAULTS, Levels
from npc.compiler.plan import Plan
from npc.testing.cases import DIAGNOSTICS, EXPECT, PACKETS, PLAN, SETTINGS, Case
from npc.testing.meaning import changed_logs, changed_options, witness
from npc.testing.packets import check_claims, read_claims
from npc.testing.plantext import PlanTextError, read_plan, write_plan
from npc.testing.settings import Settings, read_settings


@dataclass(frozen=True, slots=True)
class Change:
    """An expectation that is not met: None stands for a file that is not there, or not made."""

    file: str
    expected: bytes | None
    made: bytes | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a case. It passed when there is neither a fault nor a change."""

    case: Case
    faults: tuple[str, ...] = ()
    """What no acceptance mends: the case cannot be run, or packets fare otherwise than it says."""
    changes: tuple[Change, ...] = ()
    meaning: str = ""
    """Whether the changes change what passes, in a sentence; empty when there are none."""
    seconds: float = field(default=0.0, compare=False)

    @property
    def passed(self) -> bool:
        return not self.faults and not self.changes


class CaseError(Exception):
    """A case that cannot be run; the message has a line for each reason."""


def examine(case: Case, levels: Levels = DEFAULTS) -> Outcome:
    """Compile a case and compare; what goes wrong is in the outcome, never raised."""
    started = time.monotonic()
    try:
        outcome = _examine(case, levels)
    except CaseError as error:
        outcome = Outcome(case, tuple(str(error).splitlines()))
    except Exception as error:  # of npc or of a third party's target: the other cases run on
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno} in {where.name}"
        outcome = Outcome(case, (f"internal error: {type(error).__name__}: {error}, at {place}",))
    return replace(outcome, seconds=time.monotonic() - started)


def accept(outcome: Outcome) -> list[str]:
    """Make what a case gives what it expects; what was done to each file. OSError when it cannot be."""
    done = []
    for change in outcome.changes:
        path = outcome.case.folder / change.file
        if change.made is None:
            path.unlink()
            done.append(f"removed {change.file}")
        else:
            path.write_bytes(change.made)
            done.append(f"{'wrote' if change.expected is None else 'rewrote'} {change.file}")
    return done


@dataclass(frozen=True, slots=True)
class _Compiled:
    """What a case gives: expectations by file name, and the plan where there is one."""

    files: dict[str, bytes]
    planned: Planned | None


def _examine(case: Case, levels: Levels) -> Outcome:
    if strays := list(case.strays()):
        raise CaseError("\n".join(strays))
    settings = _settings(case)
    compiled = _compile(case, settings, levels)
    expected = case.expected()
    packets = case.folder / PACKETS
    if not packets.exists():
        faults: list[str] = []
    elif compiled.planned is None:
        faults = [f"{PACKETS}: the case does not compile"]
        if not expected:
            faults += compiled.files[DIAGNOSTICS].decode().splitlines()
    else:
        faults = list(_packet_faults(packets, compiled.planned, settings.options))
    if packets.exists() and not expected:
        return Outcome(case, tuple(faults))
    changes = tuple(
        Change(name, expected.get(name), compiled.files.get(name))
        for name in sorted(expected.keys() | compiled.files.keys())
        if expected.get(name) != compiled.files.get(name)
    )
    meaning = ""
    if changes and all(change.expected is None for change in changes):
        meaning = "what it expects besides is as it was" if expected else "it expects nothing yet"
    elif changes:
        meaning = _meaning(expected, compiled)
    return Outcome(case, tuple(faults), changes, meaning)


def _settings(case: Case) -> Settings:
    path = case.folder / SETTINGS
    try:
        return read_settings(path.read_text(encoding="utf-8")) if path.exists() else Settings()
    except (ValueError, OSError) as error:
        raise CaseError(f"{SETTINGS}: {error}") from None


def _compile(case: Case, settings: Settings, levels: Levels) -> _Compiled:
    targets = [_target(name) for name in settings.targets]
    for name in settings.options.settings:
        known = [one for target in targets if isinstance(target, Backend) for one in target.settings]
        if name not in known:
            raise CaseError(f"{SETTINGS}: no target has a setting {name!r}: {did_you_mean(name, known)}")
    diagnostics: list[Diagnostic] = []
    files: dict[str, bytes] = {}
    planned = None
    try:
        planned = plan_sources(
            _sources(case, settings), node=settings.node, today=settings.today, levels=levels
        )
    except InputError as error:
        diagnostics += error.diagnostics
    else:
        diagnostics += planned.diagnostics
        files[PLAN] = write_plan(planned.plan, settings.options).encode()
        for target in targets:
            try:
                artifacts = _artifacts(target, planned.plan, case, settings)
            except InputError as error:
                diagnostics += error.diagnostics
                continue
            for artifact, text in artifacts.items():
                name = EXPECT + artifact.removeprefix("npc.")
                if name in files or name == DIAGNOSTICS:
                    raise CaseError(f"{SETTINGS}: two things would be {name}: leave out a target")
                files[name] = text.encode()
    if diagnostics:
        counts = summary(diagnostics)
        text = render(diagnostics, Format.TEXT) + (f"npc: {counts}\n" if counts else "")
        files[DIAGNOSTICS] = text.encode()
    return _Compiled(files, planned)


def _artifacts(target: Target, plan: Plan, case: Case, settings: Settings) -> Mapping[str, str]:
    if isinstance(target, Backend):
        return emit(plan, target, _own(settings.options, target))
    return print_sources(_sources(case, settings), target, today=settings.today).artifacts


def _target(name: str) -> Target:
    try:
        return find_target(name)
    except InputError as error:
        (fault,) = error.diagnostics
        raise CaseError(f"{SETTINGS}: targets: {fault.message}: {fault.help}") from None


def _own(options: Options, backend: Backend) -> Options:
    """The options with the settings that a target knows: the others are another target's of the case."""
    known = {name: value for name, value in options.settings.items() if name in backend.settings}
    return replace(options, settings=known)


def _sources(case: Case, settings: Settings) -> list[Source]:
    """The input, by names that are the same wherever the case stands."""
    paths = [str(path) for path in case.inputs()]
    paths += [str(case.folder / text) for text in settings.input]
    found, faults = sources(paths, bytes)
    if faults:
        raise CaseError("\n".join(f"{SETTINGS}: input: {fault.message}" for fault in faults))
    if not found:
        raise CaseError("there is no YAML, JSON or .npc file to compile")
    return [
        replace(one, name=Path(os.path.relpath(one.path, case.folder)).as_posix())
        for one in found
        if one.path is not None
    ]


def _packet_faults(path: Path, planned: Planned, options: Options) -> Iterator[str]:
    try:
        claims, faults = read_claims(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeError) as error:
        yield f"{PACKETS}: {error}"
        return
    faults += check_claims(claims, planned.plan, planned.inventory, options.own_node)
    for fault in sorted(faults, key=lambda fault: fault.line):
        yield f"{PACKETS}:{fault.line}: {fault.message}"


def _meaning(expected: dict[str, bytes], compiled: _Compiled) -> str:
    """Whether what passes is another, as far as the expectations tell what it was."""
    planned = compiled.planned
    if expected.keys() == {DIAGNOSTICS}:
        return "it does not compile, as before" if planned is None else "it compiles now"
    if planned is None:
        return "it does not compile any more"
    if PLAN not in expected:
        return f"what it meant before is not known: there was no {PLAN}"
    try:
        old = read_plan(expected[PLAN].decode())
    except (PlanTextError, UnicodeError) as error:
        return f"what it meant before is not known: {PLAN}: {error}"
    names = {address: str(one) for one in planned.inventory.endpoints for address in one.addresses}
    new = replace(read_plan(compiled.files[PLAN].decode()), names=names)
    found: Sequence[str] = [*changed_options(old, new), *changed_logs(old, new)]
    if (packet := witness(old, new)) is not None:
        found = [str(packet), *found]
    return f"the meaning changed: {'; '.join(found)}" if found else "only the text changed, not what passes"
