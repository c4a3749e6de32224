"""Inputs that are no files: one value out of a file, the output of a command."""

import json
import os
from collections.abc import Iterator
from typing import Any

from pipec import _core
from pipec.codes import Code
from pipec.errors import RunError
from pipec.ir.inputs import CommandInput, FileValueInput
from pipec.ir.task import Task

Extra = list[str]
"""Label and value, as the engine takes them."""

_MEMORY_FILE = "values.json"
_MOST_REMEMBERED = 2000


def has_command_inputs(task: Task) -> bool:
    """Whether a command must run before the task's key is known."""
    return any(isinstance(item, CommandInput) for item in task.structured_inputs)


class FileValues:
    """Values of TOML, JSON and YAML files, remembered on disk by the bytes of the file.

    A file that is as it was needs no parser. Losing the memory costs time, nothing else.
    """

    def __init__(self, root: str, state: str) -> None:
        self._root = root
        self._path = f"{state}/{_MEMORY_FILE}"
        self._memory: dict[str, str] | None = None
        self._is_new = False
        self._files: dict[str, tuple[str, bytes]] = {}

    def value(self, wanted: FileValueInput) -> str:
        """The value as canonical JSON.

        Raises:
            RunError: the file cannot be read or parsed, or has no such value.
        """
        digest, content = self._read(wanted.file)
        name = f"{digest} {wanted.file.rpartition('.')[2]} {wanted.key}"
        memory = self._remembered()
        if name not in memory:
            memory[name] = _find(_parse(wanted.file, content), wanted)
            self._is_new = True
        return memory[name]

    def forget_files(self) -> None:
        """Files are read again from here on: tasks have run."""
        self._files.clear()

    def save(self) -> None:
        """Writes the memory, if there is something new in it."""
        if not self._is_new or self._memory is None:
            return
        kept = dict(list(self._memory.items())[-_MOST_REMEMBERED:])
        unfinished = f"{self._path}.{os.getpid()}.tmp"
        try:
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            with open(unfinished, "w", encoding="utf-8") as file:
                json.dump(kept, file)
            os.replace(unfinished, self._path)
        except OSError:
            pass

    def _read(self, path: str) -> tuple[str, bytes]:
        if path not in self._files:
            try:
                with open(os.path.join(self._root, path), "rb") as file:
                    content = file.read()
            except OSError as error:
                code = Code.INPUT_VALUE_MISSING
                if not isinstance(error, FileNotFoundError):
                    code = Code.INPUT_UNREADABLE
                raise RunError(code, f"cannot read the input `{path}`: {error.strerror}") from error
            self._files[path] = (_core.digest("pipec file value v1", content), content)
        return self._files[path]

    def _remembered(self) -> dict[str, str]:
        if self._memory is None:
            try:
                with open(self._path, "rb") as file:
                    loaded = json.load(file)
                self._memory = {str(key): str(value) for key, value in loaded.items()}
            except (OSError, ValueError, AttributeError):
                self._memory = {}
        return self._memory


def _parse(path: str, content: bytes) -> Any:
    # Each parser only where it is needed: a run with nothing to do gets here too.
    suffix = path.rpartition(".")[2].lower()
    try:
        if suffix == "toml":
            import tomli

            return tomli.loads(content.decode())
        if suffix in ("yaml", "yml"):
            import yaml

            # Every scalar as it is written: no opinion on what `on` or `1.10` may mean.
            return yaml.load(content, Loader=yaml.CBaseLoader)  # noqa: S506
        return json.loads(content)
    except Exception as error:
        first = str(error).partition("\n")[0]
        raise RunError(
            Code.INPUT_UNREADABLE, f"cannot parse the input `{path}`: {first}"
        ) from error


def _find(document: Any, wanted: FileValueInput) -> str:
    value = document
    for segment in split_key(wanted.key):
        if isinstance(value, dict) and segment in value:
            value = value[segment]
        elif isinstance(value, list) and segment.isdigit() and int(segment) < len(value):
            value = value[int(segment)]
        else:
            message = f"the input `{wanted.file}` has no value `{wanted.key}`"
            raise RunError(Code.INPUT_VALUE_MISSING, message)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def split_key(key: str) -> Iterator[str]:
    """The segments of a dotted key; a segment in double quotes may hold dots."""
    segment, quoted = "", False
    for character in key:
        if character == '"':
            quoted = not quoted
        elif character == "." and not quoted:
            yield segment
            segment = ""
        else:
            segment += character
    yield segment
