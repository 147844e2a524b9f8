"""The public API: from paths or sources to artifacts, in one call."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from npc.backends.base import Backend, Options, Printer, Target, find_target
from npc.backends.printing import Templates
from npc.backends.statistics import Statistics
from npc.compiler.ambiguity import ambiguous_priorities
from npc.compiler.ask.assumptions import AS_COMPILED, Reading
from npc.compiler.ask.narrowing import as_read
from npc.compiler.expected import with_expected
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import (
    Diagnostic,
    InputError,
    Related,
    did_you_mean,
    has_errors,
    nearest,
)
from npc.compiler.frontend.documents import Loaded, Progress, load
from npc.compiler.frontend.files import NOTHING, Exclude, sources
from npc.compiler.frontend.kinds import CONTROLLERS
from npc.compiler.frontend.source import Source
from npc.compiler.frontend.syntax import Direction, Policy
from npc.compiler.idle_rules import idle_rules
from npc.compiler.inventory import Inventory
from npc.compiler.inventory_builder import build_inventory
from npc.compiler.language.table import ASSERTIONS_SUFFIX
from npc.compiler.lint.checked import Checked
from npc.compiler.lint.levels import DEFAULTS, Levels
from npc.compiler.optimize import build_plan
from npc.compiler.optimize.passes import PASSES, Pass, optimize
from npc.compiler.plan import Plan
from npc.compiler.resolve import Model
from npc.compiler.services import unmet_services

if TYPE_CHECKING:
    from npc.nodes import Fleet

_FEW = 5
"""Policies that a message names."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What policies come to before a target is chosen, with warnings and notes."""

    plan: Plan
    inventory: Inventory
    diagnostics: tuple[Diagnostic, ...]


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
) -> Compilation:
    """Compile the policies in files and directories for the inventory that is in them too.

    `node` limits the subjects to one node's endpoints. Rules of the policy language whose last day is before
    `today` are left out; None: none is. `levels` says what warnings and notes count as, `exclude` what is not
    read of directories. `passes` are those of the optimizer that run. Raises InputError with all diagnostics.
    """
    found, faults = sources(paths, stdin or _standard_input, exclude=exclude)
    if faults:
        raise InputError(faults)
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
) -> Compilation:
    """Compile what sources hold; as `compile_paths` otherwise."""
    step = progress or _nobody
    backend = find_target(target)
    options = options or Options()
    _check_settings(backend, options)
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
    step = progress or _nobody
    with collector_paused():
        loaded = load(found, progress, today=today)
        step("resolving", 0, 1)
        inventory, diagnostics = _inventory(loaded, levels)
        plan = optimize(_plan(loaded, inventory, node, levels, diagnostics), passes)
    return Planned(plan, inventory, tuple(diagnostics))


def model_paths(
    paths: Iterable[str],
    *,
    progress: Progress | None = None,
    today: date | None = None,
    levels: Levels = DEFAULTS,
    exclude: Exclude = NOTHING,
    stdin: Callable[[], bytes] | None = None,
) -> tuple[Model, tuple[Diagnostic, ...]]:
    """As `model_sources`, of what files and directories hold."""
    found, faults = sources(paths, stdin or _standard_input, exclude=exclude)
    if faults:
        raise InputError(faults)
    return model_sources(found, progress=progress, today=today, levels=levels)


def model_sources(
    found: Iterable[Source],
    *,
    progress: Progress | None = None,
    today: date | None = None,
    levels: Levels = DEFAULTS,
) -> tuple[Model, tuple[Diagnostic, ...]]:
    """The policies and the inventory in sources, resolved, with what was found; raises as `compile_paths`.

    What `at_odds` finds is not among them.
    """
    step = progress or _nobody
    with collector_paused():
        loaded = load(found, progress, today=today)
        step("resolving", 0, 1)
        inventory, diagnostics = _inventory(loaded, levels)
        return _model(loaded, inventory), tuple(diagnostics)


def asked_sources(
    found: Iterable[Source],
    *,
    reading: Reading = AS_COMPILED,
    progress: Progress | None = None,
    today: date | None = None,
    levels: Levels = DEFAULTS,
) -> tuple[Model, tuple[Diagnostic, ...]]:
    """As `model_sources`, for questions: with the pods that controllers in the input will make.

    Pods that have no address yet are endpoints too. InputError also for Services that are not there.
    """
    step = progress or _nobody
    with collector_paused():
        loaded = load(found, progress, today=today, controllers=CONTROLLERS)
        step("resolving", 0, 1)
        inventory, diagnostics = _inventory(loaded, levels)
        read = as_read(_model(loaded, inventory), reading)
        inventory, faults = with_expected(read.inventory, loaded.controllers, reading)
        model = Model(read.policies, read.cluster_policies, inventory)
        faults += unmet_services((*model.policies, *model.cluster_policies), inventory)
    diagnostics = [one for one in diagnostics if one.code is not codes.NO_ADDRESS] + faults
    if has_errors(diagnostics):
        raise InputError(diagnostics)
    return model, tuple(diagnostics)


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
) -> Fleet:
    """Every node of the inventory, ready to be compiled; as `compile_paths` otherwise.

    The files are read and checked here; what the Fleet gives is compiled as it is asked for.
    """
    found, faults = sources(paths, stdin or _standard_input, exclude=exclude)
    if faults:
        raise InputError(faults)
    backend = find_target(target)
    options = options or Options()
    _check_settings(backend, options)
    if isinstance(backend, Printer):
        raise _no_nodes_in(backend, "separate rules for each node", "--all-nodes")
    step = progress or _nobody
    with collector_paused():
        loaded = load(found, progress, today=today)
        step("resolving", 0, 1)
        inventory, diagnostics = _inventory(loaded, levels)
        nodes = tuple(sorted(inventory.node_names()))
        if not nodes:
            diagnostics.append(Diagnostic(codes.UNKNOWN_NODE, "the inventory names no node"))
            raise InputError(diagnostics)
        model = _checked_model(loaded, inventory, levels, diagnostics)
        _tell([*_idle(model), *_on_no_node(model)], levels, diagnostics)
        from npc.nodes import Fleet, NodeCompiler  # which need what is in here

        compiler = NodeCompiler(model, backend, options, template_dir, tuple(passes))
        if not compiler.rules_anyone(nodes):
            _tell([_nothing_isolated(model, None)], levels, diagnostics)
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
    step = progress or _nobody
    with collector_paused():
        loaded = load(found, progress, today=today)
        diagnostics = levels.judged([*loaded.diagnostics, *_duplicates(loaded)])
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


def check_paths(
    paths: Iterable[str],
    *,
    assertions: Iterable[str] = (),
    today: date | None = None,
    levels: Levels = DEFAULTS,
    exclude: Exclude = NOTHING,
    stdin: Callable[[], bytes] | None = None,
) -> tuple[Diagnostic, ...]:
    """Everything that can be said about policies and inventories without compiling them.

    `assertions` are files of assertions besides those that are among the paths by their names.
    """
    found, faults = sources(paths, stdin or _standard_input, exclude=exclude)
    asserted, unread = sources(assertions, stdin or _standard_input, (ASSERTIONS_SUFFIX,))
    return (*faults, *unread, *check_sources(found, today=today, levels=levels, assertions=asserted))


def check_sources(
    found: Iterable[Source],
    *,
    today: date | None = None,
    inventory: Inventory | None = None,
    levels: Levels = DEFAULTS,
    assertions: Sequence[Source] = (),
) -> tuple[Diagnostic, ...]:
    """As `check_paths`, of what sources hold; `inventory` takes the place of one among them.

    The lints look at policies without errors; those that need an inventory are silent where there is none.
    """
    from npc.compiler.lint.lints import findings, searched  # compile need not wait for them

    listed = list(found)
    with collector_paused():
        loaded = load(listed, today=today)
        own, faults = build_inventory(loaded.inventory, (one.namespace for one in loaded.policies))
        diagnostics = [*loaded.diagnostics, *_duplicates(loaded), *faults]
        if has_errors(diagnostics):
            return tuple(levels.judged(diagnostics))
        is_known = inventory is not None or bool(loaded.inventory)
        model = _model(loaded, own if inventory is None else inventory)
        if is_known:
            diagnostics += at_odds(model)
            if has_errors(diagnostics):
                return tuple(levels.judged(diagnostics))
            diagnostics += _asserted(model, listed, assertions, diagnostics)
            diagnostics += _idle(model)
        elif assertions:
            diagnostics.append(no_inventory())
        checked = Checked.of(model.policies, model.cluster_policies, model if is_known else None)
        diagnostics += findings(checked, levels)
        if levels.of(codes.UNUSED_ALLOW) is not None:
            from npc.compiler.lint.allowances import unused

            is_whole = any(one.in_folder for one in listed)
            diagnostics += unused(diagnostics, listed, searched(checked, levels, is_whole=is_whole))
        return tuple(levels.judged(diagnostics))


def _asserted(
    model: Model, listed: Sequence[Source], assertions: Sequence[Source], said: Sequence[Diagnostic]
) -> Iterator[Diagnostic]:
    """What comes of the assertions in some files, and of those among all that were read."""
    from npc.asserting import failed_assertions, files_of_assertions  # compile need not wait for them

    files = [*files_of_assertions(listed), *assertions]
    if files:
        yield from (one for one in failed_assertions(files, model) if one not in said)


def _check_settings(target: Target, options: Options) -> None:
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


def no_inventory(where: str = "") -> Diagnostic:
    """That there is no inventory, in the input or in a part of it."""
    return Diagnostic(
        codes.NO_INVENTORY,
        f"there is no inventory{where}: no pod, namespace or node in the input",
        help="add --inventory FILE as `kubectl get pods,namespaces,nodes,services -A -o json` prints",
    )


def _inventory(loaded: Loaded, levels: Levels) -> tuple[Inventory, list[Diagnostic]]:
    """The inventory and all diagnostics so far; InputError when one of them is an error."""
    namespaces = (one.namespace for one in loaded.policies)
    inventory, found = build_inventory(loaded.inventory, namespaces)
    diagnostics = levels.judged([*loaded.diagnostics, *_duplicates(loaded), *found])
    if not (loaded.inventory or loaded.controllers) and not has_errors(diagnostics):
        diagnostics.append(no_inventory())
    if has_errors(diagnostics):
        raise InputError(diagnostics)
    return inventory, diagnostics


def _plan(
    loaded: Loaded, inventory: Inventory, node: str | None, levels: Levels, diagnostics: list[Diagnostic]
) -> Plan:
    if node is not None and node not in inventory.node_names():
        known = sorted(inventory.node_names())
        close = nearest(node, known)
        few = "it has " + ", ".join(known) if known else "it names no node"
        many = f"it has {len(known):,} nodes"
        help = f"did you mean {close!r}?" if close else few if len(known) <= 10 else many
        raise InputError(
            [*diagnostics, Diagnostic(codes.UNKNOWN_NODE, f"the inventory has no node {node!r}", help=help)]
        )
    model = _checked_model(loaded, inventory, levels, diagnostics)
    if node is None:
        _tell(_idle(model), levels, diagnostics)
    plan = build_plan(model, node)
    if not plan.classes and not plan.hairpins:
        _tell([_nothing_isolated(model, node)], levels, diagnostics)
    return plan


def _tell(found: Iterable[Diagnostic], levels: Levels, diagnostics: list[Diagnostic]) -> None:
    """Add to the diagnostics those that count; InputError when one of them is an error."""
    told = levels.judged(found)
    diagnostics += told
    if has_errors(told):
        raise InputError(diagnostics)


def _checked_model(
    loaded: Loaded, inventory: Inventory, levels: Levels, diagnostics: list[Diagnostic]
) -> Model:
    """The model; what is to be said of it is added to the diagnostics, InputError when that is an error."""
    model = _model(loaded, inventory)
    _tell(at_odds(model), levels, diagnostics)
    return model


def _idle(model: Model) -> list[Diagnostic]:
    """The policies that are for nobody."""
    return [
        Diagnostic(codes.NO_ENDPOINT, f"the {one.kind} {one} selects no endpoint", one.origin)
        for one in model.idle()
    ]


def _on_no_node(model: Model) -> list[Diagnostic]:
    """Whom policies decide for, and no ruleset of a node rules."""
    found = sorted(
        {str(one) for direction in Direction for one, _ in model.deciding(direction, "") if not one.node}
    )
    if not found:
        return []
    few = ", ".join(found[:_FEW]) + (", ..." if len(found) > _FEW else "")
    message = f"policies decide for endpoints that run on no node, and no ruleset rules: {few}"
    return [Diagnostic(codes.ON_NO_NODE, message, help="say in the inventory which node each runs on")]


def at_odds(model: Model) -> Iterator[Diagnostic]:
    """What is to be said of policies that are valid by themselves, once their inventory is known.

    A model of which one of these is an error is not to be asked anything.
    """
    found = list(unmet_services((*model.policies, *model.cluster_policies), model.inventory))
    yield from found
    if not has_errors(found):
        yield from idle_rules(model)
        yield from ambiguous_priorities(model)


def merged_model(parts: Iterable[Loaded], inventory: Inventory) -> tuple[Model, tuple[Diagnostic, ...]]:
    """The policies of several parts of the input with an inventory, and what stands in two of them."""
    listed = list(parts)
    whole = Loaded(
        tuple(policy for one in listed for policy in one.policies),
        tuple(policy for one in listed for policy in one.cluster_policies),
    )
    return _model(whole, inventory), tuple(_duplicates(whole))


def _model(loaded: Loaded, inventory: Inventory) -> Model:
    policies = {(one.namespace, one.name): one for one in loaded.policies}
    cluster_policies = {(one.kind, one.name): one for one in loaded.cluster_policies}
    return Model(
        tuple(policies[key] for key in sorted(policies)),
        tuple(cluster_policies[key] for key in sorted(cluster_policies)),
        inventory,
    )


def _nothing_isolated(model: Model, node: str | None) -> Diagnostic:
    """Why everything passes: no policy, nobody whom one selects, or nothing that one denies."""
    where = f" of the node {node}" if node is not None else ""
    if not (model.policies or model.cluster_policies):
        why, help = f"there is no policy that isolates an endpoint{where}", "add files with policies"
    elif node is not None and not model.population.on_node(node):
        why, help = f"no endpoint runs on the node {node}", ""
    elif selecting := _selecting(model, node):
        why = f"no policy of the input denies anything to an endpoint{where}"
        few = ", ".join(map(str, selecting[:_FEW])) + (", ..." if len(selecting) > _FEW else "")
        help = f"these select endpoints, but deny nothing: {few}"
    else:
        why = f"no policy of the input selects an endpoint{where}"
        help = "check the policies' namespaces and selectors"
    return Diagnostic(codes.NO_SUBJECTS, f"{why}: everything passes", help=help)


def _selecting(model: Model, node: str | None) -> list[Policy]:
    """The policies that are for an endpoint of a node, or for any; of the latter those without rules, too."""
    found: dict[int, Policy] = {}
    for direction in Direction:
        for _, deciders in model.deciding(direction, node):
            found.update((id(one), one) for one in deciders.policies)
    if node is None:
        found |= {id(one): one for one in model.cluster_policies if model.subjects(one)}
    return sorted(found.values(), key=str)


def _duplicates(loaded: Loaded) -> Iterator[Diagnostic]:
    """Two policies of one kind and name: an error when they differ, else worth a warning."""
    seen: dict[tuple[str, str], Policy] = {}
    policies: tuple[Policy, ...] = (*loaded.policies, *loaded.cluster_policies)
    for policy in policies:
        first = seen.setdefault((policy.kind, str(policy)), policy)
        if first is policy:
            continue
        same = first == policy
        yield Diagnostic(
            codes.REPEATED if same else codes.DUPLICATE_POLICY,
            f"the {policy.kind} {policy} stands in the input twice" + ("" if same else ", and differs"),
            policy.origin.at("metadata", "name"),
            related=(Related(first.origin.at("metadata", "name"), "first here"),),
        )


def _standard_input() -> bytes:
    return sys.stdin.buffer.read() if sys.stdin is not None else b""


def _nobody(_words: str, _done: int, _total: int) -> None:
    """Nobody wants to know of progress."""


@contextmanager
def collector_paused() -> Iterator[None]:
    """Without the cyclic garbage collector: it finds nothing here, and trebles the time to decode."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
