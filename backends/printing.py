"""Templates to text: Jinja with undefined names as errors, and a directory that may override any template."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import jinja2

from npc.backends.base import BUILT_IN
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError


class Templates:
    """The templates of a target: from `template_dir` where it has one of that name, else from `folder`.

    That of `folder`, the target's own, is always there as `npc/NAME`, to include or extend.
    """

    def __init__(self, template_dir: Path | None, folder: Path = BUILT_IN) -> None:
        own = jinja2.FileSystemLoader(folder)
        loaders: list[jinja2.BaseLoader] = [own, jinja2.PrefixLoader({"npc": own})]
        if template_dir is not None:
            loaders.insert(0, jinja2.FileSystemLoader(template_dir))
        self._are_npcs = template_dir is None and folder == BUILT_IN
        self._environment = jinja2.Environment(
            loader=jinja2.ChoiceLoader(loaders),
            undefined=jinja2.StrictUndefined,
            autoescape=False,  # rulesets are no HTML
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
        )

    def render(self, template: str, **variables: Any) -> str:
        """The text of a template.

        InputError with the template's line when one that is not npc's is malformed or fails.
        """
        try:
            return self._environment.get_template(template).render(variables)
        except Exception as error:
            if self._are_npcs:  # npc's own templates do not fail: a bug
                raise
            message = f"{_place(error, template)}: {str(error) or type(error).__name__}"
            raise InputError([Diagnostic(codes.TEMPLATE, message)]) from None


def render(template: str, template_dir: Path | None, folder: Path = BUILT_IN, **variables: Any) -> str:
    """The text of one template, as `Templates` gives it."""
    return Templates(template_dir, folder).render(template, **variables)


def _place(error: Exception, template: str) -> str:
    """The line of a template that failed, as far as it is known."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return f"{error.filename or template}:{error.lineno}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(".j2")]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else template
