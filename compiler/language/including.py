"""The files that are read: those that were named, and those that they include, each once.

A file is known by its real path, however it was named. What a file includes is looked for beside it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, Related
from npc.compiler.frontend.files import ASSERTIONS_SUFFIX
from npc.compiler.frontend.malformed import not_text
from npc.compiler.frontend.recognition import begins_like_the_language
from npc.compiler.frontend.source import Origin, Source
from npc.compiler.language.building import shown
from npc.compiler.language.findings import Findings
from npc.compiler.language.parser import Parsed, parse
from npc.compiler.language.table import Start
from npc.compiler.language.tree import Include, Program

_OTHERS = (".yaml", ".yml", ".json")


@dataclass(slots=True)
class File:
    """One file: its tree, the files that it includes, and what is said of it."""

    source: Source
    parsed: Parsed
    findings: Findings
    includes: list[tuple[Include, File]] = field(default_factory=list)
    is_included: bool = False
    """Whether another file includes it."""
    is_complete: bool = True
    """Whether it and all that it includes could be read, but for definitions whose names are known."""

    def reach(self) -> Iterator[File]:
        """This file and all that it includes, and they include, each once; the nearest first."""
        seen = {id(self)}
        files = [self]
        for one in files:
            yield one
            for _, other in one.includes:
                if id(other) not in seen:
                    seen.add(id(other))
                    files.append(other)


def read_files(sources: Iterable[Source], start: Start | None = None) -> list[File]:
    """The files of sources and all that they include; what cannot be read is among their findings.

    `start` is what the sources are made of, where their names need not tell.
    """
    files: dict[str, File] = {}
    waiting = []
    for source in sources:
        key = _key(source)
        if key not in files:
            try:
                files[key] = _file(source, source.data(), start)
            except OSError as error:
                files[key] = _unreadable(source, error)
            waiting.append(files[key])
    for file in waiting:
        includes = (item for item in file.parsed.program.items if isinstance(item, Include))
        for item in includes:
            included = _included(file, item)
            if included is None:
                continue
            key = _key(included)
            if key not in files:
                try:
                    data = included.data()
                except OSError as error:
                    _refuse(file, item, error.strerror or str(error))
                    continue
                if not _is_in_the_language(included, data):  # it may be anything: no diagnostic may quote it
                    help = "a text in it begins with policy, cluster, set, service or include"
                    _refuse(file, item, "it is not in the policy language", help)
                    continue
                files[key] = _file(included, data)
                waiting.append(files[key])
            file.includes.append((item, files[key]))
            files[key].is_included = True
    _report_cycles(waiting)
    return waiting


def _key(source: Source) -> str:
    return os.path.realpath(source.path if source.path is not None else source.name)


def _is_in_the_language(source: Source, data: bytes) -> bool:
    return source.name.endswith(ASSERTIONS_SUFFIX) or begins_like_the_language(data)


def _file(source: Source, data: bytes, start: Start | None = None) -> File:
    """One file, of what is in it."""
    findings = Findings(source)
    try:
        parsed = parse(source, data.removeprefix(b"\xef\xbb\xbf").decode("utf-8"), start)
    except UnicodeDecodeError as error:
        findings.diagnostics.append(not_text(Origin(source), error))
        return File(source, Parsed(Program()), findings, is_complete=False)
    findings.diagnostics.extend(parsed.diagnostics)
    return File(source, parsed, findings, is_complete=parsed.is_complete)


def _unreadable(source: Source, error: OSError) -> File:
    findings = Findings(source)
    message = f"{source.name}: {error.strerror or error}"
    findings.diagnostics.append(Diagnostic(codes.UNREADABLE, message))
    return File(source, Parsed(Program()), findings, is_complete=False)


def _included(file: File, item: Include) -> Source | None:
    """What an include names; None, and reported, when that cannot be a file of the language."""
    text = item.path.text
    beside = Path(file.source.path if file.source.path is not None else file.source.name).parent
    path = beside / text
    if not text or "\0" in text:
        _refuse(file, item, "it has no name" if not text else "no file can have this name")
    elif text.endswith(_OTHERS):
        _refuse(file, item, "it is not in the policy language", "name it among the files to compile instead")
    elif file.source.beside is not None:
        found = file.source.beside(text)
        if found is None:
            _refuse(file, item, "there is no such file", f"it is looked for beside {file.source.name}")
        return found
    elif not os.path.lexists(path):
        _refuse(file, item, "there is no such file", f"it is looked for beside {file.source.name}")
    elif not os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises for names that are too long
        _refuse(file, item, "it is no file")
    else:
        return Source(os.path.normpath(path), path)
    return None


def _refuse(file: File, item: Include, why: str, help: str = "") -> None:
    file.is_complete = False
    message = f"{shown(item.path.text)} cannot be included: {why}"
    file.findings.report(codes.NOT_INCLUDED, message, item.path, help=help)


def _report_cycles(files: Sequence[File]) -> None:
    """Report each include that leads back to the file that it stands in."""
    done: set[int] = set()
    for root in files:
        if id(root) in done:
            continue
        way: list[tuple[Include | None, File]] = [(None, root)]
        open_ = {id(root): iter(root.includes)}
        while way:
            _, file = way[-1]
            step = next(open_[id(file)], None)
            if step is None:
                way.pop()
                done.add(id(file))
                continue
            item, other = step
            if id(other) in done:
                continue
            if id(other) in open_:
                _report_cycle(way, item, other)
            else:
                way.append(step)
                open_[id(other)] = iter(other.includes)


def _report_cycle(way: Sequence[tuple[Include | None, File]], item: Include, first: File) -> None:
    """Report that `item`, in the last file of the way, includes a file that is on the way already."""
    begin = next(index for index, (_, file) in enumerate(way) if file is first)
    ring = way[begin:]
    names = " includes ".join([*(file.source.name for _, file in ring), first.source.name])
    related = tuple(
        Related(file.findings.origin(step.path), f"{next_.source.name} is included here")
        for (_, file), (step, next_) in pairwise(ring)
        if step is not None
    )
    ring[-1][1].findings.report(codes.INCLUDE_CYCLE, names, item.path, related=related)
