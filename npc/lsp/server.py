"""The language server: the protocol's requests, answered by the functions of the modules beside this one.

Texts come whole with every change, and diagnostics follow when typing has paused. All is done in the one
thread of the event loop, so nothing here is shared.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls import uris
from pygls.lsp.server import LanguageServer
from pygls.workspace import TextDocument

from npc.compiler.frontend.codes import Code, Severity
from npc.lsp.completion import CompletionKind, completions
from npc.lsp.definition import Place, definition
from npc.lsp.edits import formatting
from npc.lsp.findings import Finding, findings
from npc.lsp.hover import hover
from npc.lsp.positions import Encoding, Positions
from npc.lsp.project import SUFFIX, Document, Project, read
from npc.lsp.symbols import Symbol, SymbolKind, symbols
from npc.lsp.trouble import inventory_trouble

PAUSE = 0.15
"""Seconds without a change before a text is looked at."""
_MANUAL = Path(__file__).parents[2] / "docs" / "diagnostics.md"
"""The page about diagnostics, where npc runs from a checkout."""

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.NOTE: types.DiagnosticSeverity.Information,
}
_COMPLETIONS = {
    CompletionKind.KEYWORD: types.CompletionItemKind.Keyword,
    CompletionKind.NAME: types.CompletionItemKind.Reference,
    CompletionKind.LABEL: types.CompletionItemKind.Property,
    CompletionKind.VALUE: types.CompletionItemKind.Value,
    CompletionKind.FILE: types.CompletionItemKind.File,
}
_SYMBOLS = {
    SymbolKind.POLICY: types.SymbolKind.Class,
    SymbolKind.CLUSTER_POLICY: types.SymbolKind.Class,
    SymbolKind.SET: types.SymbolKind.Array,
    SymbolKind.SERVICE: types.SymbolKind.Constant,
    SymbolKind.RULE: types.SymbolKind.Method,
}


class Server(LanguageServer):
    """A language server with the files that its editor works on."""

    def __init__(self) -> None:
        super().__init__(
            "npc", version("npc-compiler"), text_document_sync_kind=types.TextDocumentSyncKind.Full
        )
        self.project = Project(opened=self.opened, today=date.today)
        self.manual = _MANUAL.as_uri() if _MANUAL.is_file() else ""
        self.awaited: dict[str, asyncio.TimerHandle] = {}
        """The texts that are to be looked at, by URI."""
        self.trouble = ""
        """What is wrong with the inventory, as the editor was told last."""

    def opened(self, path: Path) -> str | None:
        """The text of a file that the editor has open."""
        found = self.shown(path)
        return found.source if found is not None else None

    def shown(self, path: Path) -> TextDocument | None:
        """The editor's text of a file, however the editor spells its URI."""
        texts: Mapping[str, TextDocument] = self.workspace.text_documents
        if (found := texts.get(_uri(path))) is not None:
            return found
        return next((one for uri, one in texts.items() if _path(uri) == path), None)

    def document(self, uri: str) -> Document | None:
        """The text at a URI; None where it is not one of npc's language."""
        path = _path(uri)
        return self.project.document(path) if path is not None and path.suffix == SUFFIX else None

    def positions(self, text: str) -> Positions:
        """How the places in a text are told to this editor."""
        return Positions.of(text, Encoding(self.workspace.position_encoding or Encoding.UTF16))

    def located(self, uri: str, at: types.Position) -> tuple[Document, int] | None:
        """A text of npc's language, and the offset of a position in it."""
        found = self.document(uri)
        return (found, self.positions(found.text).offset(at.line, at.character)) if found else None

    def text_of(self, path: Path) -> str:
        """A file as the editor shows it, or as it is on disk; empty where it cannot be read."""
        text = self.opened(path)
        return text if text is not None else read(path) or ""

    def location(self, place: Place) -> types.Location:
        """A place as the protocol tells it."""
        shown = self.shown(place.path)
        uri = shown.uri if shown is not None else _uri(place.path)
        return types.Location(uri, _range(self.positions(self.text_of(place.path)), place.start, place.end))

    def look_soon(self, uri: str) -> None:
        """Look at a text when it has not changed for a moment."""
        self.forget(uri)
        self.awaited[uri] = asyncio.get_running_loop().call_later(PAUSE, self.look, uri)

    def forget(self, uri: str) -> None:
        """No longer look at a text."""
        if (awaited := self.awaited.pop(uri, None)) is not None:
            awaited.cancel()

    def look(self, uri: str) -> None:
        """Tell the editor what is wrong with a text."""
        self.awaited.pop(uri, None)
        text = self.workspace.get_text_document(uri)
        path = _path(uri)
        if path is None:
            return
        positions = self.positions(text.source)
        found = findings(path, text.source, self.project)
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(
                uri, [self._diagnostic(one, positions) for one in found], text.version
            )
        )

        self._tell_trouble()

    def _tell_trouble(self) -> None:
        """Tell the editor what is wrong with the inventory, when it is something else than before."""
        trouble = inventory_trouble(self.project)
        if trouble and trouble != self.trouble:
            self.window_show_message(types.ShowMessageParams(types.MessageType.Error, f"npc: {trouble}"))
        self.trouble = trouble

    def _diagnostic(self, one: Finding, positions: Positions) -> types.Diagnostic:
        return types.Diagnostic(
            range=_range(positions, one.start, one.end),
            message=one.message,
            severity=_SEVERITIES[one.severity],
            code=one.code.name,
            code_description=types.CodeDescription(self._page_of(one.code)) if self.manual else None,
            source="npc",
            related_information=[
                types.DiagnosticRelatedInformation(self.location(place), label)
                for place, label in one.related
            ],
        )

    def _page_of(self, code: Code) -> str:
        return f"{self.manual}#{code.name.lower()}"


def serve() -> None:
    """Serve an editor on standard input and output until it says goodbye."""
    server = Server()
    server.feature(types.INITIALIZE)(_initialize)
    server.feature(types.TEXT_DOCUMENT_DID_OPEN)(_changed)
    server.feature(types.TEXT_DOCUMENT_DID_CHANGE)(_changed)
    server.feature(types.TEXT_DOCUMENT_DID_SAVE)(_saved)
    server.feature(types.TEXT_DOCUMENT_DID_CLOSE)(_closed)
    server.feature(
        types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=["@", "/", "(", "=", "!"])
    )(_complete)
    server.feature(types.TEXT_DOCUMENT_HOVER)(_hover)
    server.feature(types.TEXT_DOCUMENT_DEFINITION)(_definition)
    server.feature(types.TEXT_DOCUMENT_FORMATTING)(_format)
    server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)(_symbols)
    server.start_io()


def _initialize(server: Server, params: types.InitializeParams) -> None:
    """Take the editor's settings.

    `inventory`: paths, relative to the folder that is open; `manual`: the URL of the page about diagnostics.
    """
    options = params.initialization_options
    settings: Mapping[str, Any] = options if isinstance(options, Mapping) else {}
    folders = params.workspace_folders or []
    root = _path(folders[0].uri if folders else params.root_uri or "") or Path.cwd()
    named = settings.get("inventory") or []
    named = [named] if isinstance(named, str) else named
    server.project.inventory = tuple(root / str(one) for one in named)
    server.manual = str(settings.get("manual") or server.manual)


def _changed(
    server: Server, params: types.DidOpenTextDocumentParams | types.DidChangeTextDocumentParams
) -> None:
    server.look_soon(params.text_document.uri)


def _saved(server: Server, _params: types.DidSaveTextDocumentParams) -> None:
    """Look at all texts again: they may include what was saved, or it is the inventory."""
    for document in list(server.workspace.text_documents.values()):
        server.look_soon(document.uri)


def _closed(server: Server, params: types.DidCloseTextDocumentParams) -> None:
    server.forget(params.text_document.uri)
    server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(params.text_document.uri, []))


def _complete(server: Server, params: types.CompletionParams) -> types.CompletionList | None:
    located = server.located(params.text_document.uri, params.position)
    if located is None:
        return None
    document, offset = located
    positions = server.positions(document.text)
    result = completions(document, offset, server.project)
    where = _range(positions, result.start, offset)
    return types.CompletionList(
        is_incomplete=not result.is_all,
        items=[
            types.CompletionItem(
                one.text,
                kind=_COMPLETIONS[one.kind],
                detail=one.detail or None,
                text_edit=types.TextEdit(where, one.text),
            )
            for one in result.found
        ],
    )


def _hover(server: Server, params: types.HoverParams) -> types.Hover | None:
    located = server.located(params.text_document.uri, params.position)
    found = hover(*located, server.project) if located is not None else None
    if located is None or found is None:
        return None
    positions = server.positions(located[0].text)
    text = types.MarkupContent(types.MarkupKind.Markdown, found.markdown)
    return types.Hover(text, _range(positions, found.start, found.end))


def _definition(server: Server, params: types.DefinitionParams) -> types.Location | None:
    located = server.located(params.text_document.uri, params.position)
    place = definition(*located, server.project) if located is not None else None
    return server.location(place) if place is not None else None


def _format(server: Server, params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
    document = server.document(params.text_document.uri)
    edits = formatting(document.path, document.text) if document is not None else None
    if document is None or edits is None:
        return None
    positions = server.positions(document.text)
    return [types.TextEdit(_range(positions, one.start, one.end), one.text) for one in edits]


def _symbols(server: Server, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol] | None:
    document = server.document(params.text_document.uri)
    if document is None:
        return None
    positions = server.positions(document.text)
    return [_symbol(one, positions) for one in symbols(document)]


def _symbol(one: Symbol, positions: Positions) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        one.name,
        _SYMBOLS[one.kind],
        _range(positions, one.start, one.end),
        _range(positions, one.name_start, one.name_end),
        detail=one.detail,
        children=[_symbol(inner, positions) for inner in one.inside] or None,
    )


def _range(positions: Positions, start: int, end: int) -> types.Range:
    first, last = positions.position(start), positions.position(end)
    return types.Range(types.Position(*first), types.Position(*last))


@lru_cache(maxsize=4096)
def _path(uri: str) -> Path | None:
    """The file at a URI; None for one that is no file's."""
    path = uris.to_fs_path(uri)
    return Path(path) if path else None


def _uri(path: Path) -> str:
    return uris.from_fs_path(str(path)) or ""
