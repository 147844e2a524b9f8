"""The public API: from paths or sources to artifacts, in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from npc.backends.base import Backend, Options, Printer, Target, find_target
from npc.backends.printing import Templates
from npc.backends.statistics import Statistics
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import (
    Diagnostic,
    InputError,
    did_you_mean,
    has_errors,
    nearest,
)
from npc.compiler.frontend.documents import Loaded, Progress, load
from npc.compiler.frontend.files import NOTHING, Exclude
from npc.compiler.frontend.source import Source
from npc.compiler.frontend.syntax import Policy
from npc.compiler.inventory import Inventory
from npc.compiler.lint.levels import DEFAULTS, Levels
from npc.compiler.optimize import build_plan
from npc.compiler.optimize.passes import PASSES, Pass, optimize
from npc.compiler.plan import Plan
from npc.compiler.resolve import Model
from npc.models import (
    checked_model,
    collector_paused,
    duplicates,
    idle,
    nobody,
    nothing_isolated,
    on_no_node,
    read_input,
    readable,
    tell,
)

if TYPE_CHECKING:
    from npc.nodes import Fleet


@dataclass(frozen=True, slots=True)
class Planned:
    """What policies come to before a target is chosen, with warnings and notes."""

    plan: Plan
    model: Model = field(repr=False)
    diagnostics: tuple[Diagnostic, ...]

    @property
    def inventory(self) -> Inventory:
        return self.model.inventory


@dataclass(frozen=True, slots=True)
class Compilation:
    """What came of a compilation: the files to load, the plan behind them, warnings and notes."""

    artifacts: Mapping[str, str]
    plan: Plan
    """Empty for a target that prints the policies: it rules no packets."""
    diagnostics: tuple[Diagnostic, ...]
    statistics: tuple[Statistics, Statistics] | None = None
    """What the ruleset would come to with the rules as written, and what it does; None if not asked for."""


def compile_paths(
    paths: Iterable[str],
    target: str = "nft",
    *,
    node: str | None = None,
    options: Options | None = None,
    template_dir: Path | None = None,
    progress: Progress | None = None,
    today: date | None = None,
    levels: Levels = DEFAULTS,
    exclude: Exclude = NOTHING,
    stdin: Callable[[], bytes] | None = None,
    passes: Sequence[Pass] = PASSES,
    statistics: bool = False,
    verify: bool = False,
) -> Compilation:
    """Compile the policies in files and directories for the inventory that is in them too.

    `node` limits the subjects to one node's endpoints. Rules of the policy language whose last day is before
    `today` are left out; None: none is. `levels` says what warnings and notes count as, `exclude` what is not
    read of directories. `passes` are those of the optimizer that run. `verify` proves what was compiled:
    NotProven where it does not enforce the policies, a bug. Raises InputError with all diagnostics.
    """
    found = readable(paths, stdin, exclude)
    return compile_sources(
        found,
        target,
        node=node,
        options=options,
        template_dir=template_dir,
        progress=progress,
        today=today,
        passes=passes,
        statistics=statistics,
        levels=levels,
        verify=verify,
    )


def compile_sources(
    found: Iterable[Source],
    target: str = "nft",
    *,
    node: str | None = None,
    options: Options | None = None,
    template_dir: Path | None = None,
    progress: Progress | None = None,
    today: date | None = None,
    passes: Sequence[Pass] = PASSES,
    statistics: bool = False,
    levels: Levels = DEFAULTS,
    verify: bool = False,
) -> Compilation:
    """Compile what sources hold; as `compile_paths` otherwise."""
    step = progress or nobody
    backend = find_target(target)
    options = options or Options()
    check_settings(backend, options)
    if verify:
        _check_verifiable(backend)
    if statistics and (isinstance(backend, Printer) or backend.statistics is None):
        raise InputError([Diagnostic(codes.OPTION, f"the target {backend.name} has no statistics")])
    if isinstance(backend, Printer):
        _check_no_node(backend, node)
        return print_sources(found, backend, progress=progress, today=today, levels=levels)
    planned = plan_sources(
        found,
        node=node,
        progress=progress,
        today=today,
        passes=() if statistics else passes,
        levels=levels,
    )
    step("lowering", 0, 1)
    with collector_paused():
        plan = optimize(planned.plan, passes) if statistics else planned.plan
        artifacts = emit(plan, backend, options, template_dir)
        if verify:
            from npc.verifying.proving import check_own  # not needed otherwise

            step("proving", 0, 1)
            check_own(backend, artifacts, plan, planned.model, options, template_dir)
        measured = _measured((planned.plan, plan), backend, options) if statistics else None
    return Compilation(artifacts, plan, planned.diagnostics, measured)


def plan_sources(
    found: Iterable[Source],
    *,
    node: str | None = None,
    progress: Progress | None = None,
    today: date | None = None,
    passes: Sequence[Pass] = PASSES,
    levels: Levels = DEFAULTS,
) -> Planned:
    """What the policies in sources decide, for one node's endpoints or all; raises as `compile_paths`."""
    with collector_paused():
        loaded, inventory, diagnostics = read_input(found, progress, today, levels)
        model, plan = _plan(loaded, inventory, node, levels, diagnostics)
        plan = optimize(plan, passes)
    return Planned(plan, model, tuple(diagnostics))


def compile_nodes(
    paths: Iterable[str],
    target: str = "nft",
    *,
    options: Options | None = None,
    template_dir: Path | None = None,
    progress: Progress | None = None,
    today: date | None = None,
    levels: Levels = DEFAULTS,
    exclude: Exclude = NOTHING,
    stdin: Callable[[], bytes] | None = None,
    passes: Sequence[Pass] = PASSES,
    verify: bool = False,
) -> Fleet:
    """Every node of the inventory, ready to be compiled; as `compile_paths` otherwise.

    The files are read and checked here; what the Fleet gives is compiled as it is asked for.
    """
    found = readable(paths, stdin, exclude)
    backend = find_target(target)
    options = options or Options()
    check_settings(backend, options)
    if verify:
        _check_verifiable(backend)
    if isinstance(backend, Printer):
        raise _no_nodes_in(backend, "separate rules for each node", "--all-nodes")
    with collector_paused():
        loaded, inventory, diagnostics = read_input(found, progress, today, levels)
        nodes = tuple(sorted(inventory.node_names()))
        if not nodes:
            diagnostics.append(Diagnostic(codes.UNKNOWN_NODE, "the inventory names no node"))
            raise InputError(diagnostics)
        model = checked_model(loaded, inventory, levels, diagnostics)
        tell([*idle(model), *on_no_node(model)], levels, diagnostics)
        from npc.nodes import Fleet, NodeCompiler  # which need what is in here

        compiler = NodeCompiler(model, backend, options, template_dir, tuple(passes), verify)
        if not compiler.rules_anyone(nodes):
            tell([nothing_isolated(model, None)], levels, diagnostics)
    return Fleet(nodes, compiler, tuple(diagnostics))


def print_sources(
    found: Iterable[Source],
    printer: Printer,
    *,
    progress: Progress | None = None,
    today: date | None = None,
    levels: Levels = DEFAULTS,
) -> Compilation:
    """The policies in sources in another notation, each once; raises as `compile_paths`."""
    step = progress or nobody
    with collector_paused():
        loaded = load(found, progress, today=today)
        diagnostics = levels.judged([*loaded.diagnostics, *duplicates(loaded)])
        policies: tuple[Policy, ...] = (*loaded.policies, *loaded.cluster_policies)
        if not policies and not has_errors(diagnostics):
            diagnostics.append(Diagnostic(codes.NO_INPUT, "there is no policy in the input"))
        if has_errors(diagnostics):
            raise InputError(diagnostics)
        step("printing", 0, 1)
        from npc.compiler.language.conversion import as_written  # other targets need not wait for it

        unique = {(policy.kind, str(policy)): policy for policy in policies}
        text = printer.write(as_written(unique.values()), today)
    return Compilation({printer.artifact: text}, Plan((), {}), tuple(diagnostics))


def check_settings(target: Target, options: Options) -> None:
    """InputError where an option is set that the target does not have."""
    known = target.settings if isinstance(target, Backend) else {}
    unknown = [
        Diagnostic(
            codes.OPTION, f"the target {target.name} has no setting {name!r}", help=did_you_mean(name, known)
        )
        for name in options.settings
        if name not in known
    ]
    if unknown:
        raise InputError(unknown)


def _check_verifiable(target: Target) -> None:
    from npc.verifying.proving import verifiable  # not needed otherwise

    verifiable(target)


def _check_no_node(printer: Printer, node: str | None) -> None:
    if node is not None:
        raise _no_nodes_in(printer, f"nothing for the node {node!r}", "--node")


def _no_nodes_in(printer: Printer, what: str, option: str) -> InputError:
    message = f"the target {printer.name} has {what}: it prints all policies"
    return InputError([Diagnostic(codes.OPTION, message, help=f"leave out {option}")])


def emit(
    plan: Plan, backend: Backend, options: Options, template_dir: Path | None = None
) -> Mapping[str, str]:
    """A plan as a target's files: file name to text."""
    return emitter(backend, options, template_dir)(plan)


def emitter(
    backend: Backend, options: Options, template_dir: Path | None = None
) -> Callable[[Plan], Mapping[str, str]]:
    """What makes a target's files of plans, one after the other: what they share it makes once."""
    lower = backend.series(options) if backend.series is not None else None
    templates = Templates(template_dir, backend.template_folder)

    def files(plan: Plan) -> Mapping[str, str]:
        ruleset = lower(plan) if lower is not None else backend.lower(plan, options)
        return {name: templates.render(one, ruleset=ruleset) for name, one in backend.templates.items()}

    return files


def _measured(
    plans: tuple[Plan, Plan], backend: Backend, options: Options
) -> tuple[Statistics, Statistics] | None:
    if backend.statistics is None:
        return None
    before, after = (backend.statistics(backend.lower(plan, options)) for plan in plans)
    return before, after


def _plan(
    loaded: Loaded, inventory: Inventory, node: str | None, levels: Levels, diagnostics: list[Diagnostic]
) -> tuple[Model, Plan]:
    if node is not None and node not in inventory.node_names():
        known = sorted(inventory.node_names())
        close = nearest(node, known)
        few = "it has " + ", ".join(known) if known else "it names no node"
        many = f"it has {len(known):,} nodes"
        help = f"did you mean {close!r}?" if close else few if len(known) <= 10 else many
        raise InputError(
            [*diagnostics, Diagnostic(codes.UNKNOWN_NODE, f"the inventory has no node {node!r}", help=help)]
        )
    model = checked_model(loaded, inventory, levels, diagnostics)
    if node is None:
        tell(idle(model), levels, diagnostics)
    plan = build_plan(model, node)
    if not plan.classes and not plan.hairpins:
        tell([nothing_isolated(model, node)], levels, diagnostics)
    return model, plan
