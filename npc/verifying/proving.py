"""Is a ruleset proven to enforce policies: from paths, from sources, or of what was just compiled.

The plan that a ruleset is held against is made without the optimizer: what that does is proven, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from npc.api import check_settings, emit, plan_sources
from npc.backends.base import Backend, Options, Target, find_target
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, Format, InputError
from npc.compiler.frontend.documents import Progress
from npc.compiler.frontend.files import NOTHING, Exclude
from npc.compiler.frontend.render import render
from npc.compiler.frontend.source import Source
from npc.compiler.lint.levels import DEFAULTS, Levels
from npc.compiler.optimize.passes import PASSES, Pass, optimize
from npc.compiler.plan import Plan
from npc.compiler.resolve import Model
from npc.compiler.verify.program import Program, Unsupported
from npc.compiler.verify.proof import Proof, prove
from npc.models import collector_paused, nobody, readable, standard_input
from npc.verifying import NotProven
from npc.verifying.pages import Pages
from npc.verifying.rulesets import ruleset_texts

if TYPE_CHECKING:
    from npc.verifying.explaining import Refuted

_HEADING = re.compile(r"^# Compiled by npc for [\w ]+: (?P<scope>.+)\.$", re.MULTILINE)
"""What the files that npc writes begin with."""
_HEAD = 500
"""Characters of a text in which that stands."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of a proof, and what was said of the input."""

    target: str
    scope: str
    """Whose endpoints the plan decides for, in words."""
    node: str | None
    proof: Proof
    refuted: tuple[Refuted, ...]
    """Packets with which the ruleset does not do what the policies say; none: it is proven."""
    notes: tuple[str, ...]
    """What is in the ruleset and was left out of the proof, in sentences."""
    diagnostics: tuple[Diagnostic, ...] = ()
    """Warnings and notes about the policies and the inventory."""

    @property
    def is_proven(self) -> bool:
        return not self.refuted


def verify_paths(
    paths: Iterable[str],
    rulesets: Sequence[str] = (),
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
) -> Verification:
    """Prove that the ruleset in some files enforces the policies in others, for every packet, or refute it.

    `rulesets` are files, a folder that `npc compile` filled, or "-"; none: what npc compiles now is proven.
    The other arguments are those of `compile_paths`. Raises InputError, also for what is not understood.
    """
    backend = verifiable(find_target(target))
    texts = ruleset_texts(rulesets, backend, stdin or standard_input) if rulesets else None
    return verify_sources(
        readable(paths, stdin, exclude),
        texts,
        target,
        node=node,
        options=options,
        template_dir=template_dir,
        progress=progress,
        today=today,
        levels=levels,
        passes=passes,
    )


def verify_sources(
    found: Iterable[Source],
    texts: Mapping[str, str] | None = None,
    target: str = "nft",
    *,
    node: str | None = None,
    options: Options | None = None,
    template_dir: Path | None = None,
    progress: Progress | None = None,
    today: date | None = None,
    levels: Levels = DEFAULTS,
    passes: Sequence[Pass] = PASSES,
) -> Verification:
    """As `verify_paths`, of what sources hold and the ruleset's texts by the names of their files."""
    backend = verifiable(find_target(target))
    options = options or Options()
    check_options(backend, options)
    planned = plan_sources(found, node=node, progress=progress, today=today, passes=(), levels=levels)
    with collector_paused():
        if texts is None:
            texts = emit(optimize(planned.plan, passes), backend, options, template_dir)
        return verified(backend, texts, planned.plan, planned.model, options, progress, planned.diagnostics)


def verified(
    backend: Backend,
    texts: Mapping[str, str],
    plan: Plan,
    model: Model,
    options: Options,
    progress: Progress | None = None,
    diagnostics: tuple[Diagnostic, ...] = (),
) -> Verification:
    """The proof that texts enforce a plan, or its refutations explained; InputError as `verify_paths`."""
    step = progress or nobody
    step("reading the ruleset", 0, 1)
    pages = Pages(texts)
    try:
        program = read(backend, texts, plan, options)
        step("proving", 0, 1)
        proof = prove(program, plan)
    except Unsupported as error:
        raise InputError([*diagnostics, pages.not_understood(error, backend.name)]) from None
    notes = (*_for_others(texts, plan), *program.notes)
    refuted: tuple[Refuted, ...] = ()
    if proof.refutations:
        from npc.verifying.explaining import explained  # those who find nothing wrong need not wait for it

        refuted = tuple(explained(proof.refutations, plan, model, options, pages))
    return Verification(backend.name, plan.scope, plan.node, proof, refuted, notes, diagnostics)


def _for_others(texts: Mapping[str, str], plan: Plan) -> Iterator[str]:
    """What a text says of itself, where it was compiled for others than the proof is about."""
    for file, text in texts.items():
        found = _HEADING.search(text[:_HEAD])
        if found is not None and found["scope"] != plan.scope:
            node = found["scope"].removeprefix("node ")
            option = f"give --node {node}" if node != found["scope"] else "leave out --node"
            yield f"{file} says that it was compiled for {found['scope']}: {option} for a proof of that."


def check_own(
    backend: Backend,
    texts: Mapping[str, str],
    plan: Plan,
    model: Model,
    options: Options,
    template_dir: Path | None,
) -> None:
    """Raise NotProven where what npc has compiled does not enforce its plan.

    InputError instead where that may be the user's own templates' doing.
    """
    try:
        found = verified(backend, texts, plan, model, options)
    except InputError as error:
        if template_dir is not None:
            raise
        words = render(error.diagnostics, Format.TEXT).strip()
        raise NotProven(f"npc does not understand its own ruleset\n{words}") from None
    if found.is_proven:
        return
    from npc.verifying.report import findings, refutation_text  # as in `verified`

    if template_dir is not None:
        raise InputError(findings(found))
    where = f" of the node {plan.node}" if plan.node is not None else ""
    words = "\n".join(refutation_text(found.refuted[0], lambda text, _: text))
    raise NotProven(f"the ruleset{where} that npc made does not enforce the policies\n{words}")


def check_options(backend: Backend, options: Options) -> None:
    """InputError for the options that `npc compile` refuses."""
    check_settings(backend, options)
    backend.lower(Plan((), {}), options)


def verifiable(target: Target) -> Backend:
    """The target where its rulesets can be read back; else InputError."""
    if isinstance(target, Backend) and target.read is not None:
        return target
    why = "it has no reader of rulesets" if isinstance(target, Backend) else "it rules no packets"
    raise InputError(
        [Diagnostic(codes.NOT_VERIFIABLE, f"the target {target.name} cannot be verified: {why}")]
    )


def read(backend: Backend, texts: Mapping[str, str], plan: Plan, options: Options) -> Program:
    """What texts do, as the target's reader says; raises as `Backend.read`."""
    assert backend.read is not None, "a verifiable target has a reader"
    return backend.read(texts, plan, options)
