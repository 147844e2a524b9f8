"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import typer

from npc.cli.reporting import EXIT_INPUT, report
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, Format, InputError


def names_folder(output: str) -> bool:
    """Whether `--output` names a folder: one that is there, or `NAME/`.

    >>> names_folder("rules/"), names_folder("rules.nft")
    (True, False)
    """
    return output.endswith(("/", os.sep)) or Path(output).is_dir()


def write(artifacts: Mapping[str, str], output: str) -> None:
    """Write into a folder, or to a file when there is one artifact and no folder is named.

    Each file by an atomic rename. InputError when it cannot be done.
    """
    path = Path(output)
    if not output:
        raise fault("'' names no file")
    if len(artifacts) > 1 and path.is_file():
        raise fault(f"{output} is a file, and there are {len(artifacts)} files to write: name a folder")
    try:
        if len(artifacts) > 1 or names_folder(output):
            path.mkdir(parents=True, exist_ok=True)
            for name, text in artifacts.items():
                _replace(path / name, text)
        else:
            _replace(path, *artifacts.values())
    except OSError as error:
        raise fault(f"cannot write {output}: {error.strerror}") from None


def fault(message: str) -> InputError:
    """That the output cannot be written."""
    return InputError([Diagnostic(codes.OUTPUT, message)])


def _replace(path: Path, text: str) -> None:
    if path.exists() and not path.is_file():  # a pipe or a device
        path.write_text(text, encoding="utf-8")
        return
    path = path.resolve()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.chmod(0o666 & ~_umask())
        move_into_place(temporary, path)
    except BaseException:
        temporary.unlink()
        raise


def move_into_place(temporary: Path, path: Path) -> None:
    """Let a finished file of the same file system take a path; one that is replaced leaves its mode.

    A symbolic link stays one: the file that it leads to is replaced.
    """
    path = path.resolve()
    if path.exists():
        temporary.chmod(path.stat().st_mode & 0o7777)
    temporary.replace(path)


def _umask() -> int:
    """The process's umask; the system only tells it while setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def print_whole(text: str) -> None:
    """Write to standard output; one line, and exit code 1, where that cannot be."""
    with _standard_output() as stdout:
        stdout.write(text)
        stdout.flush()


def print_bytes(data: bytes) -> None:
    """As `print_whole`, of what is bytes already."""
    with _standard_output() as stdout:
        stdout.buffer.write(data)
        stdout.buffer.flush()


@contextmanager
def _standard_output() -> Iterator[TextIO]:
    try:
        if sys.stdout is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        yield sys.stdout
    except BrokenPipeError:
        raise  # whoever read has seen enough; typer knows what to do
    except OSError as error:
        fault = Diagnostic(codes.OUTPUT, f"cannot write to standard output: {error.strerror}")
        report([fault], Format.TEXT, quiet=True)
        raise typer.Exit(EXIT_INPUT) from None
