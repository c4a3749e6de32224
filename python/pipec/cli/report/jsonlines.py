"""A run as JSON lines on standard output: each event as it happens."""

import codecs
import json

from pipec.cli.console import Console
from pipec.runtime.events import Event, OutputChunk, TaskFinished, to_line

_open_decoder = codecs.getincrementaldecoder("utf-8")


class JsonLinesReporter:
    """A listener that prints every event as one line."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._decoders: dict[str, codecs.IncrementalDecoder] = {}

    def __call__(self, event: Event) -> None:
        """Prints the event at once: somebody follows."""
        if isinstance(event, OutputChunk):
            if text := self._whole(event):
                self._print({**to_line(event), "text": text})
            return
        if isinstance(event, TaskFinished) and (left := self._left_of(event.task.id)):
            self._print({**left, "at_ms": event.at_ms})
        self._print(to_line(event))

    def _whole(self, chunk: OutputChunk) -> str:
        """Output is cut anywhere; a character that was is a part of the next piece."""
        decoder = self._decoders.setdefault(chunk.task, _open_decoder("replace"))
        return decoder.decode(chunk.data)

    def _left_of(self, task: str) -> dict[str, object]:
        decoder = self._decoders.pop(task, None)
        text = decoder.decode(b"", final=True) if decoder else ""
        return {"event": "output_chunk", "at_ms": 0, "task": task, "text": text} if text else {}

    def _print(self, line: dict[str, object]) -> None:
        self._console.data(json.dumps(line, ensure_ascii=False) + "\n")
        self._console.flush()
