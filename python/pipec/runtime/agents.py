"""Agent steps: the profile, the model and the prompt that a step comes down to."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipec import _core
from pipec.codes import Code
from pipec.diagnostics import Finding
from pipec.errors import RunError
from pipec.ir.agent import Agent
from pipec.ir.env import Variable
from pipec.ir.step import AgentStep
from pipec.ir.task import Task
from pipec.runtime.request import RunRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCall:
    """What is started, and what it is asked. `model` is empty where the choice is the agent's."""

    profile: str
    command: tuple[str, ...]
    model: str
    prompt: bytes

    @property
    def environment(self) -> dict[str, str]:
        """What the agent is told beside the prompt."""
        told = {"PIPEC_AGENT_PROFILE": self.profile}
        return {**told, "PIPEC_AGENT_MODEL": self.model} if self.model else told

    @property
    def identity(self) -> tuple[tuple[str, str], ...]:
        """What of it enters a key, by name: never the command."""
        return (
            ("agent", self.profile),
            ("model", self.model),
            ("prompt", _core.content_digest(self.prompt)),
        )


def agent_call(request: RunRequest, step: AgentStep) -> AgentCall:
    """What a step asks of which agent, as things are.

    Raises:
        RunError: a variable is not set, there is no such profile, or the prompt cannot be read.
    """
    profile, agent, model = _choose(request, step)
    return AgentCall(
        profile=profile, command=agent.command, model=model, prompt=_prompt(request.root, step)
    )


def unanswered(request: RunRequest, task: Task) -> Iterator[Finding]:
    """What the agent steps of a task lack, as far as that can be said before anything runs."""
    for step in task.steps:
        if isinstance(step, AgentStep):
            try:
                _choose(request, step)
            except RunError as trouble:
                yield Finding(trouble.code, f"`{task.id}`: {trouble.message}")


def _choose(request: RunRequest, step: AgentStep) -> tuple[str, Agent, str]:
    """The profile's name, the profile, and the model."""
    agents = request.pipeline.agents
    profile = _chosen(step.agent, request.host_env, "the agent")
    agent = agents.get(profile)
    if agent is None:
        known = ", ".join(f"`{name}`" for name in agents) or "none"
        message = f"there is no agent `{profile}`; the pipeline has {known}"
        raise RunError(Code.UNKNOWN_AGENT, message)
    model = _chosen(step.model or agent.model, request.host_env, f"the model of `{profile}`")
    return profile, agent, model


def _chosen(text: str | Variable, host: Mapping[str, str], what: str) -> str:
    if isinstance(text, str):
        return text
    # An empty variable counts as missing, as everywhere.
    found = host.get(text.var) or text.default
    if found is None:
        message = f"the variable `{text.var}` decides {what}, is not set and has no default"
        raise RunError(Code.MISSING_VARIABLE, message)
    return found


def _prompt(root: str, step: AgentStep) -> bytes:
    if not step.prompt_file:
        return step.prompt.encode()
    try:
        with open(os.path.join(root, step.prompt_file), "rb") as file:
            return file.read()
    except OSError as error:
        message = f"cannot read the prompt `{step.prompt_file}`: {error.strerror}"
        raise RunError(Code.INPUT_UNREADABLE, message) from error
