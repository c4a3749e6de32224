"""Runs a step that is a command: for a shell, or a program with its arguments."""

from pipec.ir.commands import MockResult
from pipec.ir.step import ArgvStep, ShellStep, Step, step_text
from pipec.ir.task import Task
from pipec.ports.executor import Command, Exit
from pipec.runtime.interruptible import Interruptible
from pipec.runtime.step import StepEnd, Surroundings, judge, not_started


async def run_command(around: Surroundings, step: ShellStep | ArgvStep) -> StepEnd:
    """Runs the command to its end."""
    text = step_text(step)
    command = Command(argv=argv_of(step, around.task), cwd=around.cwd, env=around.env)
    try:
        ended = await _start(around, command)
    except (OSError, ValueError) as trouble:
        return not_started(around, text, trouble)
    return StepEnd(exit=ended, error=judge(around, step, text, ended))


def replace_command(around: Surroundings, step: Step, result: MockResult) -> StepEnd:
    """Prints what a command would have printed, and ends as it would have."""
    for text in (result.stdout, result.stderr):
        stream = around.output.open_stream()
        stream.take(text.encode())
        stream.end()
    ended = Exit(code=result.code, duration_ms=0)
    return StepEnd(exit=ended, error=judge(around, step, step_text(step), ended))


def argv_of(step: ShellStep | ArgvStep, task: Task) -> tuple[str, ...]:
    """What is started."""
    if isinstance(step, ArgvStep):
        return step.argv
    return (*(step.shell or task.shell), step.command)


async def _start(around: Surroundings, command: Command) -> Exit:
    run = around.run
    if around.task.interactive:
        with run.recorder.aside():
            return await run.processes.run_with_terminal(
                command,
                task=around.task.id,
                timeout_s=around.timeout_s,
                halt=around.halt,
                on_key=run.interrupt.begin_with,
            )
    stream = around.output.open_stream()
    try:
        if run.executor is run.processes:
            return await run.processes.run(
                command,
                stream.take,
                task=around.task.id,
                timeout_s=around.timeout_s,
                halt=around.halt,
            )
        executor = Interruptible(run.executor, around.halt)
        return await executor.run(command, stream.take, timeout_s=around.timeout_s)
    finally:
        stream.end()
