"""The texts of a ruleset: of files, of a folder as `npc compile --output` fills it, of standard input."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from npc.backends.base import Backend
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError
from npc.compiler.frontend.files import sources
from npc.compiler.frontend.source import Source


def ruleset_texts(paths: Iterable[str], backend: Backend, stdin: Callable[[], bytes]) -> Mapping[str, str]:
    """The texts of a ruleset by the names of their files; InputError where one cannot be read.

    Of a folder those files count that the target makes, by their names.
    """
    found: list[Source] = []
    faults: list[Diagnostic] = []
    for path in paths:
        if path and Path(path).is_dir():
            files = files_in(Path(path), backend.templates)
            if not files:
                faults.append(_nothing_in(path, backend))
            found += (Source(str(file), file) for file in files)
        else:
            read, unread = sources([path], stdin)
            found += read
            faults += unread
    texts = {}
    for one in found:
        try:
            texts[one.name] = one.data().decode("utf-8-sig")
        except OSError as error:
            faults.append(Diagnostic(codes.UNREADABLE, f"{one.name}: {error.strerror or error}"))
        except UnicodeDecodeError:
            faults.append(Diagnostic(codes.NOT_TEXT, f"{one.name} is not UTF-8 text"))
    if not faults and not any(text.strip() for text in texts.values()):
        faults.append(_empty(texts))
    if faults:
        raise InputError(faults)
    return texts


def files_in(folder: Path, names: Collection[str]) -> list[Path]:
    """The files of a folder that have some names."""
    return [folder / name for name in names if (folder / name).is_file()]


def _empty(files: Iterable[str]) -> Diagnostic:
    """A listing that failed leaves nothing, and so does a host without a rule: neither enforces a policy."""
    message = f"the listing is empty: {', '.join(files)}"
    help = "did the command that lists fail? A host that has no rules at all enforces no policies"
    return Diagnostic(codes.NO_INPUT, message, help=help)


def _nothing_in(path: str, backend: Backend) -> Diagnostic:
    message = f"there is no {' or '.join(backend.templates)} in the folder {path}"
    inside = sorted(
        one.name for one in Path(path).iterdir() if one.is_dir() and files_in(one, backend.templates)
    )
    if inside:
        help = f"it has rulesets of nodes: name one, like {Path(path) / inside[0]}"
    else:
        help = f"name the file itself, or a folder that `npc compile --target {backend.name} --output` filled"
    return Diagnostic(codes.NO_INPUT, message, help=help)
