"""Runs the functions of Python steps for a task: what they do, or the commands they return."""

from collections.abc import Mapping
from typing import Any

from pipec import _core
from pipec.codes import Code
from pipec.errors import RunError
from pipec.ir.pipeline import Pipeline
from pipec.ir.step import PythonStep, step_text
from pipec.ports.executor import Exit
from pipec.runtime.context import RunContext
from pipec.runtime.python_step import Answer, Call, call_function
from pipec.runtime.step import StepEnd, Surroundings, judge, not_started


async def run_call(around: Surroundings, step: PythonStep) -> StepEnd:
    """Runs a `call` step to its end."""
    text = step_text(step)
    try:
        ended, answer = await _call(around, step)
    except (OSError, ValueError) as trouble:
        return not_started(around, text, trouble)
    error = judge(around, step, text, ended)
    run = around.run
    if answer.trouble is not None and not ended.timed_out:
        error = run.error(*answer.trouble)
    elif error is None and not answer.ended:
        error = run.error(Code.STEP_FAILED, f"`{text}` ended before its function returned")
    metadata = _without_secrets(answer.metadata, run)
    return StepEnd(exit=ended, error=error, metadata=metadata)


async def call_dynamic(around: Surroundings, step: PythonStep) -> list[dict[str, Any]]:
    """Calls the function of a `dynamic` step, and gives the commands that it returns.

    Raises:
        RunError: it failed, or returned something else.
    """
    text = step_text(step)
    try:
        ended, answer = await _call(around, step)
    except (OSError, ValueError) as trouble:
        error = not_started(around, text, trouble).error
        assert error is not None
        raise RunError(Code(error.code), error.message) from trouble
    if ended.group is not None:
        await around.run.processes.end_groups(frozenset({ended.group}))
    if answer.trouble is not None and not ended.timed_out:
        raise RunError(*answer.trouble)
    failure = judge(around, step, text, ended)
    if failure is not None:
        raise RunError(Code(failure.code), failure.message)
    if answer.steps is None:
        raise RunError(Code.STEP_FAILED, f"`{text}` ended before its function returned")
    return answer.steps


async def _call(around: Surroundings, step: PythonStep) -> tuple[Exit, Answer]:
    run = around.run
    call = Call(
        step=step,
        task_id=around.task.id,
        run_id=run.recorder.run_id,
        root=run.request.root,
        cwd=around.cwd,
        env=around.env,
        shell=around.task.shell,
        runtime=around.task.requires.runtime,
    )
    stream = around.output.open_stream()
    try:
        return await call_function(
            call,
            run.processes,
            stream.take,
            timeout_s=around.timeout_s,
            halt=around.halt,
            fingerprint=lambda: fingerprint(run.engine, run.request.pipeline),
        )
    finally:
        stream.end()


def fingerprint(engine: "_core.Engine", pipeline: Pipeline) -> str:
    """One digest of the input files of all tasks of the pipeline as they are now."""
    files: dict[bytes, str] = {}
    for task in pipeline.tasks:
        files.update(engine.input_files(task))
    lines = (path + b"\0" + digest.encode() + b"\0" for path, digest in sorted(files.items()))
    return _core.digest("pipec candidate fingerprint v1", b"".join(lines))


def _without_secrets(data: Any, run: RunContext) -> Any:
    if isinstance(data, Mapping):
        return {run.redaction.text(name): _without_secrets(data[name], run) for name in data}
    if isinstance(data, list):
        return [_without_secrets(item, run) for item in data]
    if data is None or isinstance(data, bool):
        return data
    # A number may be a secret, too.
    text = str(data)
    redacted = run.redaction.text(text)
    return data if redacted == text else redacted
