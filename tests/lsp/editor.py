"""An editor: files that are open in it, a cursor in each, and what one asks at its place."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lsprotocol import converters, types

from tests.lsp.client import Client

CURSOR = "▮"
"""Marks the cursor in a text; the text without it is what the editor has."""

_CONVERTER = converters.get_converter()
CAPABILITIES = {
    "textDocument": {
        "documentSymbol": {"hierarchicalDocumentSymbolSupport": True},
        "rename": {"prepareSupport": True},
        "publishDiagnostics": {"relatedInformation": True, "versionSupport": True},
    },
    "workspace": {"workspaceEdit": {"documentChanges": True}},
}


class Editor:
    """Files that are open in one server. Every answer is held to the types of the protocol."""

    def __init__(self, client: Client, folder: Path, *, units: str = "utf-16") -> None:
        self.client = client
        self.folder = folder
        self.units = units

    def open(
        self, text: str, name: str = "pipeline.toml", *, language: str | None = None
    ) -> "OpenFile":
        """Opens a text under a name, whether or not there is such a file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        file = OpenFile(self, path, text)
        language = language or path.suffix.removeprefix(".").replace("yml", "yaml")
        item = {"uri": file.uri, "languageId": language, "version": 1, "text": file.text}
        self.client.notify("textDocument/didOpen", {"textDocument": item})
        return file

    def ask(self, method: str, params: Any) -> Any:
        """Asks, and checks that the answer is one."""
        result = self.client.request(method, params)
        response = {"jsonrpc": "2.0", "id": 1, "result": result}
        _CONVERTER.structure(response, types.METHOD_TO_TYPES[method][1])
        return result


class OpenFile:
    """A file in an editor."""

    def __init__(self, editor: Editor, path: Path, text: str) -> None:
        self.editor = editor
        self.path = path
        self.uri = path.as_uri()
        self.version = 1
        self.text = text.replace(CURSOR, "", 1)
        self.cursor = max(text.find(CURSOR), 0)

    # --- what one does

    def type(self, text: str) -> None:
        """Types a text at the cursor."""
        self.replace(self.cursor, self.cursor, text)
        self.cursor += len(text)

    def replace(self, start: int, end: int, text: str) -> None:
        """Puts a text in the place of some characters."""
        change = {"range": self.range(start, end), "text": text}
        self.text = self.text[:start] + text + self.text[end:]
        self.change([change])

    def rewrite(self, text: str) -> None:
        """Puts another text, with a cursor, in the place of everything."""
        self.text = text.replace(CURSOR, "", 1)
        self.cursor = max(text.find(CURSOR), 0)
        self.change([{"text": self.text}])

    def change(self, changes: list[Mapping[str, Any]]) -> None:
        """Tells the server of changes."""
        self.version += 1
        document = {"uri": self.uri, "version": self.version}
        self.editor.client.notify(
            "textDocument/didChange", {"textDocument": document, "contentChanges": changes}
        )

    def close(self) -> None:
        """Closes the file."""
        self.editor.client.notify("textDocument/didClose", {"textDocument": {"uri": self.uri}})

    # --- what one asks

    def diagnostics(self) -> list[dict[str, Any]]:
        """What the server says of the text as it is now."""
        said = self.editor.client.wait_for(
            "textDocument/publishDiagnostics",
            lambda params: params["uri"] == self.uri and params.get("version") == self.version,
        )
        message = {"jsonrpc": "2.0", "method": "textDocument/publishDiagnostics", "params": said}
        _CONVERTER.structure(message, types.PublishDiagnosticsNotification)
        return said["diagnostics"]

    def findings(self) -> list[tuple[str, str]]:
        """The code of each diagnostic and the text that it underlines."""
        return [(one["code"], self.underlined(one["range"])) for one in self.diagnostics()]

    def completion(self) -> list[dict[str, Any]]:
        return self._ask_here("completion")

    def labels(self) -> list[str]:
        """What completion offers at the cursor."""
        return [item["label"] for item in self.completion()]

    def completed(self, label: str) -> str:
        """The text after one of the offers is taken; the cursor is where it would be."""
        (item,) = [item for item in self.completion() if item["label"] == label]
        edit = item["textEdit"]
        start, end = self.offset(edit["range"]["start"]), self.offset(edit["range"]["end"])
        assert start <= self.cursor <= end
        # Editors offer only what fits to what is written up to the cursor.
        written = self.text[start : self.cursor].lower()
        assert item.get("filterText", label).lower().startswith(written)
        new = edit["newText"]
        return self.text[:start] + new + CURSOR + self.text[end:]

    def hover(self) -> str | None:
        """What hovering over the cursor shows."""
        answer = self._ask_here("hover")
        return None if answer is None else answer["contents"]["value"]

    def definition(self) -> str | None:
        """The line that the definition is on, with the name marked."""
        answer = self._ask_here("definition")
        return None if answer is None else self.marked(answer["range"])

    def references(self, *, with_definition: bool = True) -> list[str]:
        """The lines of all references, each with the name marked."""
        context = {"includeDeclaration": with_definition}
        answer = self._ask_here("references", context=context)
        return [self.marked(location["range"]) for location in answer]

    def renamed(self, new: str) -> str | None:
        """The text after the name at the cursor is another."""
        return self.edited(self._ask_here("rename", newName=new))

    def prepare_rename(self) -> dict[str, Any] | None:
        return self._ask_here("prepareRename")

    def symbols(self) -> list[Any]:
        """The tree of symbols: the name of each, with those in it."""
        answer = self.editor.ask("textDocument/documentSymbol", {"textDocument": {"uri": self.uri}})
        return [self._symbol(symbol) for symbol in answer]

    def actions(self) -> list[dict[str, Any]]:
        """The code actions at the cursor."""
        here = self.position(self.cursor)
        params = {
            "textDocument": {"uri": self.uri},
            "range": {"start": here, "end": here},
            "context": {"diagnostics": []},
        }
        return self.editor.ask("textDocument/codeAction", params)

    def fixed(self) -> str:
        """The text after the only code action at the cursor."""
        (action,) = self.actions()
        text = self.edited(action["edit"])
        assert text is not None
        return text

    def formatted(self, start: int | None = None, end: int | None = None) -> str:
        """The text after formatting it, or the lines of a range of characters."""
        params: dict[str, Any] = {
            "textDocument": {"uri": self.uri},
            "options": {"tabSize": 2, "insertSpaces": True},
        }
        if start is None or end is None:
            edits = self.editor.ask("textDocument/formatting", params)
        else:
            params["range"] = self.range(start, end)
            edits = self.editor.ask("textDocument/rangeFormatting", params)
        return self._apply(edits)

    # --- places

    def position(self, index: int) -> dict[str, int]:
        """The position of a character, in the editor's units."""
        lines = _lines(self.text[:index])
        return {"line": len(lines) - 1, "character": self._units(lines[-1])}

    def range(self, start: int, end: int) -> dict[str, Any]:
        return {"start": self.position(start), "end": self.position(end)}

    def offset(self, position: Mapping[str, int]) -> int:
        """The character at a position."""
        lines = _lines(self.text)
        line = lines[position["line"]]
        index = 0
        while self._units(line[:index]) < position["character"]:
            index += 1
        assert self._units(line[:index]) == position["character"], "in the middle of a character"
        return len("".join(lines[: position["line"]])) + index

    def underlined(self, place: Mapping[str, Any]) -> str:
        """The text in a range."""
        return self.text[self.offset(place["start"]) : self.offset(place["end"])]

    def marked(self, place: Mapping[str, Any]) -> str:
        """The line of a range, with the range in brackets."""
        line = _lines(self.text)[place["start"]["line"]]
        start = len("".join(_lines(self.text)[: place["start"]["line"]]))
        first, last = self.offset(place["start"]) - start, self.offset(place["end"]) - start
        return f"{line[:first]}«{line[first:last]}»{line[last:]}".strip()

    def edited(self, edit: Mapping[str, Any] | None) -> str | None:
        """The text after an edit of the workspace, which has to be of this file as it is."""
        if edit is None:
            return None
        (change,) = edit["documentChanges"]
        assert change["textDocument"] == {"uri": self.uri, "version": self.version}
        return self._apply(change["edits"])

    def _apply(self, edits: list[Mapping[str, Any]]) -> str:
        text = self.text
        places = sorted(self._places(edits), reverse=True)
        for start, end, new in places:
            text = text[:start] + new + text[end:]
        return text

    def _places(self, edits: list[Mapping[str, Any]]) -> Iterator[tuple[int, int, str]]:
        for edit in edits:
            place = edit["range"]
            yield self.offset(place["start"]), self.offset(place["end"]), edit["newText"]

    def _symbol(self, symbol: Mapping[str, Any]) -> Any:
        whole = self.underlined(symbol["range"])
        selected = self.underlined(symbol["selectionRange"])
        assert selected.strip("\"'") == symbol["name"]
        assert selected in whole
        children = [self._symbol(child) for child in symbol.get("children") or ()]
        return {symbol["name"]: children} if children else symbol["name"]

    def _units(self, text: str) -> int:
        codec, size = {
            "utf-8": ("utf-8", 1),
            "utf-16": ("utf-16-le", 2),
            "utf-32": ("utf-32-le", 4),
        }[self.editor.units]
        # JSON can carry half characters.
        return len(text.encode(codec, "surrogatepass")) // size

    def _ask_here(self, feature: str, **more: Any) -> Any:
        params = {
            "textDocument": {"uri": self.uri},
            "position": self.position(self.cursor),
            **more,
        }
        return self.editor.ask(f"textDocument/{feature}", params)


def _lines(text: str) -> list[str]:
    """The lines of a text with their ends, as the protocol counts them; the last has none."""
    lines = [""]
    index = 0
    while index < len(text):
        width = 2 if text.startswith("\r\n", index) else 1
        piece = text[index : index + width]
        lines[-1] += piece
        if piece in {"\n", "\r", "\r\n"}:
            lines.append("")
        index += width
    return lines
