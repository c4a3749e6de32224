"""Runs an agent step: the prompt goes in, the answer goes where it is wanted."""

import tempfile

from pipec.errors import RunError
from pipec.ir.step import AgentStep
from pipec.ports.agent import Question
from pipec.ports.executor import Command, Exit
from pipec.runtime.agents import AgentCall
from pipec.runtime.answer_file import AnswerFile
from pipec.runtime.ask import ask
from pipec.runtime.step import StepEnd, Surroundings, judge, not_started
from pipec.runtime.transcript import Transcript


async def run_agent(around: Surroundings, step: AgentStep, call: AgentCall) -> StepEnd:
    """Runs an agent to its end. What it prints becomes the answer only if it ends with 0."""
    text = f"agent {call.profile}"
    transcript = Transcript(around.run, around.task.id)
    transcript.ask(call, attempt=around.attempt, step=around.position + 1)
    try:
        with AnswerFile(around.cwd, step.stdout_to) as answer:
            ended = await _run(around, call, answer, transcript)
            error = judge(around, step, text, ended)
            if error is None:
                answer.keep()
    except RunError as trouble:
        ended, error = Exit(code=1, duration_ms=0), around.run.error(trouble.code, trouble.message)
    except (OSError, ValueError) as trouble:
        end = not_started(around, text, trouble)
        ended, error = end.exit, end.error
    transcript.close(ended, error)
    return StepEnd(exit=ended, error=error)


async def _run(
    around: Surroundings, call: AgentCall, answer: AnswerFile, transcript: Transcript
) -> Exit:
    out = around.output.open_stream(transcript.listener("stdout"))
    err = around.output.open_stream(transcript.listener("stderr"))

    def take(data: bytes) -> None:
        # As it is: the answer is a product, and a product is not a log.
        answer.write(data)
        out.take(data)

    env = {**around.env, **call.environment}
    if around.run.agent is not None:
        question = Question(
            profile=call.profile,
            model=call.model,
            prompt=call.prompt.decode("utf-8", "replace"),
            cwd=around.cwd,
            env=env,
        )
        try:
            return await ask(
                around.run.agent,
                question,
                take,
                timeout_s=around.timeout_s,
                ends=(around.halt, around.run.interrupt.event),
                clock=around.run.recorder.clock,
            )
        finally:
            out.end()
            err.end()
    with tempfile.TemporaryFile() as prompt:
        prompt.write(call.prompt)
        prompt.seek(0)
        try:
            return await around.run.processes.run(
                Command(argv=call.command, cwd=around.cwd, env=env),
                take,
                task=around.task.id,
                timeout_s=around.timeout_s,
                stdin=prompt.fileno(),
                stderr=err.take,
                halt=around.halt,
            )
        finally:
            out.end()
            err.end()
