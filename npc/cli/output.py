"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError


def write(artifacts: Mapping[str, str], output: Path) -> None:
    """Write one artifact to a file, or several into a directory, each by an atomic rename.

    InputError when it cannot be done.
    """
    if not output.name:
        raise _fault(f"{str(output)!r} names no file")
    if len(artifacts) > 1 and output.is_file():
        raise _fault(f"{output} is a file, and there are {len(artifacts)} files to write: name a folder")
    try:
        if len(artifacts) > 1 or output.is_dir():
            output.mkdir(parents=True, exist_ok=True)
            for name, text in artifacts.items():
                _replace(output / name, text)
        else:
            _replace(output, *artifacts.values())
    except OSError as error:
        raise _fault(f"cannot write {output}: {error.strerror}") from None


def _fault(message: str) -> InputError:
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
        temporary.chmod(path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink()
        raise


def _umask() -> int:
    """The process's umask; the system only tells it while setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
