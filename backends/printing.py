"""Templates to text: Jinja with undefined names as errors, and a directory that may override any template."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError

BUILT_IN = Path(__file__).with_name("templates")


def render(template: str, template_dir: Path | None, **variables: Any) -> str:
    """The text of a template, from `template_dir` where it has one of that name.

    InputError with the template's line when it is missing, malformed, or fails.
    """
    folders = [folder for folder in (template_dir, BUILT_IN) if folder is not None]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # rulesets are no HTML
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    try:
        return environment.get_template(template).render(variables)
    except jinja2.TemplateSyntaxError as error:
        where = f"{error.filename or template}:{error.lineno}"
        raise _fault(f"{where}: {error.message}") from None
    except jinja2.TemplateNotFound as error:
        raise _fault(f"there is no template {error.name}") from None
    except jinja2.UndefinedError as error:
        raise _fault(f"{template}: {error.message}") from None


def _fault(message: str) -> InputError:
    return InputError([Diagnostic(codes.TEMPLATE, message)])
