"""Agents in their normal form."""

from collections.abc import Mapping

from pipec.frontend.lower.steps import lower_text
from pipec.ir.agent import Agent
from pipec.spec.later import AgentSpec


def lower_agents(agents: Mapping[str, AgentSpec]) -> dict[str, Agent]:
    """The agents by name, in the order of their names."""
    return {name: _lower_agent(agents[name]) for name in sorted(agents)}


def _lower_agent(written: AgentSpec) -> Agent:
    model = "" if written.model is None else lower_text(written.model)
    return Agent(command=tuple(written.command), model=model)
