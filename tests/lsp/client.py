"""A small editor: starts `npc lsp`, and speaks JSON-RPC to it over its standard input and output.

Every wait has an end, and so has the process.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import IO, Any

SECONDS = 20.0
"""How long to wait for an answer, or for the end of the process."""

Message = Mapping[str, Any]


@dataclass(slots=True)
class Editor:
    """One server, and what it has said that nobody has asked for yet."""

    folder: Path
    process: subprocess.Popen[bytes]
    messages: Queue[Message]
    unread: list[Message] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 1_000)))

    def request(self, method: str, params: object = None) -> Any:
        """The result of a request; AssertionError when it is refused or takes too long."""
        number = next(self.numbers)
        self._send({"id": number, "method": method, "params": params})
        answer = self._wait(lambda one: one.get("id") == number and "method" not in one)
        assert "error" not in answer, answer
        return answer["result"]

    def notify(self, method: str, params: object = None) -> None:
        self._send({"method": method, "params": params})

    def uri(self, name: str) -> str:
        """The URI of a file in the folder."""
        return (self.folder / name).as_uri()

    def open(self, name: str, text: str, language: str = "npc") -> list[Any]:
        """Open a file, whatever is on disk; what is wrong with it."""
        item = {"uri": self.uri(name), "languageId": language, "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})
        return self.diagnostics(name)

    def change(self, name: str, text: str, version: int) -> None:
        """Type: the whole text is sent."""
        identifier = {"uri": self.uri(name), "version": version}
        params = {"textDocument": identifier, "contentChanges": [{"text": text}]}
        self.notify("textDocument/didChange", params)

    def diagnostics(self, name: str) -> list[Any]:
        """The next diagnostics that are published for a file."""
        uri = self.uri(name)
        method = "textDocument/publishDiagnostics"
        message = self._wait(lambda one: one.get("method") == method and one["params"]["uri"] == uri)
        found = message["params"]["diagnostics"]
        assert isinstance(found, list)
        return found

    def at(self, method: str, name: str, line: int, character: int) -> Any:
        """The result of a request about a place in a file."""
        position = {"line": line, "character": character}
        return self.request(
            f"textDocument/{method}", {"textDocument": {"uri": self.uri(name)}, "position": position}
        )

    def _send(self, message: Message) -> None:
        assert self.process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self.process.stdin.flush()

    def _wait(self, is_wanted: Any) -> Message:
        for index, one in enumerate(self.unread):
            if is_wanted(one):
                return self.unread.pop(index)
        while True:
            try:
                message = self.messages.get(timeout=SECONDS)
            except Empty:
                raise AssertionError(f"no answer; the server has said: {self.unread}") from None
            if is_wanted(message):
                return message
            self.unread.append(message)


@contextmanager
def editor(folder: Path, encodings: tuple[str, ...] = (), **options: object) -> Iterator[Editor]:
    """A server for a folder, ready; `options` are its initialization options. It has ended afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-m", "npc", "lsp"],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    messages: Queue[Message] = Queue()
    assert process.stdout is not None
    assert process.stderr is not None
    errors: list[bytes] = []
    threads = [
        Thread(target=_read, args=(process.stdout, messages), daemon=True),
        Thread(target=_drain, args=(process.stderr, errors), daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        one = Editor(folder, process, messages)
        general = {"general": {"positionEncodings": list(encodings)}} if encodings else {}
        one.request(
            "initialize",
            {
                "processId": None,
                "rootUri": folder.as_uri(),
                "capabilities": general,
                "initializationOptions": options,
            },
        )
        one.notify("initialized", {})
        yield one
        one.request("shutdown")
        one.notify("exit")
        assert process.wait(SECONDS) == 0, b"".join(errors).decode()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(SECONDS)
        for thread in threads:
            thread.join(SECONDS)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def _read(stream: IO[bytes], messages: Queue[Message]) -> None:
    """Put each message into the queue, up to the end of the stream."""
    length = 0
    while line := stream.readline():
        name, _, value = line.decode("ascii").partition(":")
        if name.lower() == "content-length":
            length = int(value)
        elif not line.strip():
            messages.put(json.loads(stream.read(length)))


def _drain(stream: IO[bytes], lines: list[bytes]) -> None:
    lines.extend(stream)
