"""Agent steps that a program answers itself."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipec
from pipec.ports.executor import Sink
from pipec.testing import FakeClock, Project, ScriptedAgent, check_agent

PIPELINE = """
name = "p"
agents.a = { command = ["no-such-agent"], model = "small" }
[tasks.ask]
inputs = []
outputs = ["answer"]
cache = true
run = { agent = "a", prompt = "why", stdout-to = "answer", timeout = "5m" }
"""


@pytest.fixture
def project() -> Iterator[Project]:
    with Project() as project:
        project.write("pipeline.toml", PIPELINE)
        yield project


def test_an_agent_that_is_given_answers_and_its_answer_is_cached(project: Project) -> None:
    agent = ScriptedAgent({"why": "because"})
    record = project.run_task("ask", agent=agent)
    assert record.status == "passed", record
    assert project.read("answer") == "because"
    (question,) = agent.questions
    assert (question.profile, question.model, question.prompt) == ("a", "small", "why")
    assert question.env["PIPEC_AGENT_MODEL"] == "small"
    # Profile, model and prompt are the key: who answers is not.
    again = project.run_task("ask", agent=ScriptedAgent({}))
    assert again.tasks[0].status == "cached"


def test_an_answer_that_fails_leaves_no_file(project: Project) -> None:
    for agent, code in (
        (ScriptedAgent({"why": "half"}, exit_code=3), "PIPEC_STEP_FAILED"),
        (ScriptedAgent({}), "PIPEC_STEP_NOT_STARTED"),
    ):
        record = project.run_task("ask", agent=agent)
        error = record.tasks[0].error
        assert error is not None
        assert error.code == code
        assert not Path(project.folder, "answer").exists()


def test_a_question_ends_when_time_is_up(project: Project) -> None:
    agent, clock = ScriptedAgent({"why": "half"}, holds=True), FakeClock()
    records: list[pipec.RunRecord] = []
    running = threading.Thread(
        target=lambda: records.append(project.run_task("ask", agent=agent, clock=clock))
    )
    running.start()
    while not agent.questions:
        clock.wait_sleeping()
    clock.advance(301)
    running.join(30)
    error = records[0].tasks[0].error
    assert error is not None
    assert error.code == "PIPEC_TIMED_OUT"
    assert agent.cancelled == 1


def test_a_call_that_is_cancelled_ends_the_question(project: Project) -> None:
    asked = threading.Event()

    class Slow(ScriptedAgent):
        async def ask(self, question: pipec.Question, sink: Sink) -> int:
            asked.set()
            return await super().ask(question, sink)

    agent = Slow({"why": "half"}, holds=True)

    async def main() -> None:
        pipeline = pipec.load(project.folder)
        running = asyncio.ensure_future(pipec.arun_task(pipeline, "ask", agent=agent))
        await asyncio.to_thread(asked.wait, 30)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())
    assert agent.cancelled == 1


def test_agents_are_checked() -> None:
    question = pipec.Question(profile="a", model="", prompt="why", cwd="/", env={})
    check_agent(lambda: ScriptedAgent({"why": "because"}), question)
    check_agent(lambda: ScriptedAgent({"why": ""}, exit_code=1), question)
    with pytest.raises(AssertionError, match="has answered something"):
        check_agent(lambda: ScriptedAgent({"why": ""}), question)

    class Texts(ScriptedAgent):
        async def ask(self, question: pipec.Question, sink: Sink) -> int:
            sink("text")  # type: ignore[arg-type]
            return 0

    with pytest.raises(AssertionError, match="bytes"):
        check_agent(lambda: Texts({}), question)
