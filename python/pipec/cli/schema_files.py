"""The JSON Schemas as they are shipped: files, read without the models that they were made from."""

import os

import pipec
from pipec.codes import Code
from pipec.errors import RunError

_ENDING = ".schema.json"


def schema_names() -> list[str]:
    """The names of all schemas: `pipeline` first, those of commands as `cli/check`."""
    folder = _folder()
    names = [
        os.path.relpath(os.path.join(parent, file), folder).replace(os.sep, "/")
        for parent, _, files in os.walk(folder)
        for file in files
        if file.endswith(_ENDING)
    ]
    plain = [name.removesuffix(_ENDING) for name in names]
    return sorted(plain, key=lambda name: (name != "pipeline", "/" in name, name))


def read_schema(name: str = "pipeline") -> str:
    """The text of a schema. It does not change unless what it describes does.

    Raises:
        FileNotFoundError: there is no schema of this name.
    """
    with open(os.path.join(_folder(), f"{name}{_ENDING}"), encoding="utf-8") as file:
        return file.read()


def write_schema(path: str, name: str = "pipeline") -> None:
    """Puts a schema in a file.

    Raises:
        RunError: the file cannot be written.
    """
    text = read_schema(name)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise RunError(Code.STATE_UNWRITABLE, f"cannot write `{path}`: {error.strerror}") from error


def _folder() -> str:
    return os.path.join(os.path.dirname(os.path.abspath(pipec.__file__)), "schemas")
