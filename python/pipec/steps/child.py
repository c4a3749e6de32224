"""The process that runs the function of a Python step: `python child.py DESCRIPTOR`.

What pipec and the step have to say to each other goes through a socket of their own, a line of JSON
at a time; the standard streams belong to the function. The file is run by path, by whichever Python
the step is for.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import socket
import sys
from pathlib import Path

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from traceback import TracebackException
    from typing import Any, NoReturn

_PACKAGE = Path(__file__).resolve().parents[1]
_FAILED = 1
_GIT = {
    "commit": ("rev-parse", "--verify", "--quiet", "HEAD"),
    "ref": ("symbolic-ref", "--short", "--quiet", "HEAD"),
    "changes": ("status", "--porcelain"),
}


def main() -> None:
    """Reads what to call, calls it, and says how it went."""
    # What the function prints is a log, whatever the locale is.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    channel = _Channel(int(sys.argv[1]))
    request = channel.read()
    _make_importable(request["root"])
    function = _find(channel, request["function"])
    context = _context(channel, request)
    try:
        result = function(context)
        if hasattr(result, "__await__"):
            # Here and below, only where it is needed: each of these takes its time to import.
            import asyncio

            result = asyncio.run(result)
        steps = _steps_of(result, request) if request["kind"] == "dynamic" else None
        if request["kind"] == "call":
            _expect_nothing(result)
    except _UnsuitableError as trouble:
        channel.fail("result", message=str(trouble))
    except SystemExit as ending:
        _leave(channel, request, ending)
    except BaseException as error:
        _report(channel, error, request["root"])
    channel.end({"kind": "end", "steps": steps})


class _Channel:
    """The other side is pipec."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        # Whatever the function starts has no part in it.
        self._socket.set_inheritable(False)
        self._lines = self._socket.makefile("r", encoding="utf-8")

    def read(self) -> Any:
        return json.loads(self._lines.readline() or "null")

    def write(self, message: dict[str, Any]) -> None:
        self._socket.sendall(json.dumps(message).encode("ascii") + b"\n")

    def ask(self, name: str) -> str | None:
        self.write({"kind": "ask", "name": name})
        answer: str | None = self.read()
        return answer

    def end(self, message: dict[str, Any]) -> None:
        self.write(message)
        self._lines.close()
        self._socket.close()

    def fail(self, kind: str, **facts: Any) -> NoReturn:
        self.write({"kind": kind, **facts})
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_FAILED)


def _make_importable(root: str) -> None:
    """The project's own modules come first; `pipec` is the one that this file belongs to."""
    if sys.path and Path(sys.path[0] or ".").resolve() == Path(__file__).resolve().parent:
        del sys.path[0]
    sys.path.insert(0, root)
    spec = importlib.util.spec_from_file_location(
        "pipec", _PACKAGE / "__init__.py", submodule_search_locations=[str(_PACKAGE)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["pipec"] = package
    spec.loader.exec_module(package)


def _find(channel: _Channel, name: str) -> Callable[[Any], Any]:
    module_name, _, function_name = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if module_name == missing or module_name.startswith(f"{missing}."):
            channel.fail("no-module", module=missing)
        _report(channel, error, sys.path[0])
    except BaseException as error:
        _report(channel, error, sys.path[0])
    function = getattr(module, function_name, None)
    if not callable(function):
        names = [own for own in vars(module) if not own.startswith("_")]
        channel.fail("no-function", file=_shown(module.__file__ or "", sys.path[0]), names=names)
    found: Callable[[Any], Any] = function
    return found


def _context(channel: _Channel, request: dict[str, Any]) -> Any:
    from pipec.steps.context import Candidate, Context, Root, Source

    root = Path(request["root"])

    def ask(name: str) -> str | None:
        return _ask_git(root, name) if name in _GIT else channel.ask(name)

    def tell(values: dict[str, Any]) -> None:
        try:
            json.dumps(values, allow_nan=False)
        except ValueError as error:
            raise TypeError(f"metadata is JSON: {error}") from error
        channel.write({"kind": "meta", "values": values})

    source = request.get("source")
    return Context(
        task_id=request["task_id"],
        run_id=request["run_id"],
        cwd=Path(request["cwd"]),
        env=dict(os.environ),
        root=Root(root),
        candidate=Candidate(root, ask),
        args=request["args"],
        tell=tell,
        source=Source(**{**source, "dir": Path(source["dir"])}) if source else None,
    )


def _ask_git(root: Path, name: str) -> str | None:
    import subprocess

    try:
        done = subprocess.run(
            ["git", "-C", str(root), *_GIT[name]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError:
        return None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None


class _UnsuitableError(Exception):
    """The function returned something else than it should have."""


def _expect_nothing(result: object) -> None:
    if result is not None:
        raise _UnsuitableError(f"returned `{type(result).__name__}`, and a `call` returns nothing")


def _steps_of(result: object, request: dict[str, Any]) -> list[dict[str, Any]]:
    from pipec.steps.shell import sh

    if isinstance(result, sh):
        return [_step_of(result, request)]
    if isinstance(result, (str, bytes, dict)) or not hasattr(result, "__iter__"):
        raise _UnsuitableError(
            f"returned `{type(result).__name__}`, and a `dynamic` function returns a list of `sh`"
        )
    steps = []
    for number, step in enumerate(result, start=1):
        if not isinstance(step, sh):
            raise _UnsuitableError(
                f"returned `{type(step).__name__}` as item {number}, where an `sh` is expected"
            )
        steps.append(_step_of(step, request))
    return steps


def _step_of(step: Any, request: dict[str, Any]) -> dict[str, Any]:
    shell = [str(word) for word in step.shell] or request["shell"]
    shell = request["shells"].get(shell[0], shell) if len(shell) == 1 else shell
    try:
        command = step.quoted_for(shell[0])
    except ValueError as error:
        raise _UnsuitableError(f"returned a command that cannot be: {error}") from error
    if not command.strip() or "\0" in command:
        raise _UnsuitableError("returned a command that is empty or holds a zero byte")
    timeout = step.timeout
    is_number = isinstance(timeout, (int, float)) and not isinstance(timeout, bool)
    if timeout is not None and not (is_number and timeout > 0):
        raise _UnsuitableError(f"returned a step with the timeout `{timeout!r}`; it takes seconds")
    env = {str(name): value for name, value in step.env.items()}
    for name, value in env.items():
        if not isinstance(value, str):
            raise _UnsuitableError(f"returned a step whose variable `{name}` is no text")
    return {
        "command": command,
        "shell": shell,
        "name": str(step.name),
        "cwd": str(step.cwd),
        "env": env,
        "timeout_ms": None if timeout is None else max(1, round(timeout * 1000)),
    }


def _leave(channel: _Channel, request: dict[str, Any], ending: SystemExit) -> NoReturn:
    """`sys.exit` in the function: what it would mean in a script."""
    code = ending.code
    if isinstance(code, str):
        print(code, file=sys.stderr)  # noqa: T201 - as Python itself does
    status = code if isinstance(code, int) else int(code is not None)
    if request["kind"] == "dynamic" and status == 0:
        channel.fail("result", message="ended the process, and returned nothing")
    channel.end({"kind": "exit"})
    sys.exit(status)


def _report(channel: _Channel, error: BaseException, root: str) -> NoReturn:
    """Prints the traceback without frames of pipec, and says where it was raised."""
    import traceback

    told = traceback.TracebackException.from_exception(error)
    _leave_out_ours(told)
    print("".join(told.format()), end="", file=sys.stderr)  # noqa: T201 - as Python itself does
    frames = [frame for frame in told.stack if frame.filename.startswith(root + os.sep)]
    last = (frames or told.stack)[-1:]
    place = (last[0].filename, last[0].lineno) if last else None
    if isinstance(error, SyntaxError) and error.filename:
        place = (error.filename, error.lineno)
    channel.fail(
        "raised",
        message="".join(traceback.format_exception_only(type(error), error)[-1:]).strip(),
        file=_shown(place[0], root) if place else None,
        line=place[1] if place else None,
    )


def _leave_out_ours(told: TracebackException) -> None:
    for index in range(len(told.stack) - 1, -1, -1):
        name = told.stack[index].filename
        if name.startswith((str(_PACKAGE) + os.sep, importlib.__file__, "<frozen importlib")):
            del told.stack[index]
    for other in (told.__cause__, told.__context__):
        if other is not None:
            _leave_out_ours(other)


def _shown(path: str, root: str) -> str:
    return os.path.relpath(path, root) if path.startswith(root + os.sep) else path


if __name__ == "__main__":
    main()
