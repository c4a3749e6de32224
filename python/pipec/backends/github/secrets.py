"""What of GitHub's secrets and variables a job needs: only what is declared for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipec.backends.github.expression import Name, Template, evaluated
from pipec.ir.env import EnvValue, Secret, Variable
from pipec.ir.job import Job
from pipec.ir.pipeline import Pipeline
from pipec.ir.step import AgentStep, ArgvStep, ShellStep
from pipec.plan.select import reachable


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """Names of secrets and of variables, sorted."""

    secrets: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()

    def env(self) -> dict[str, Template]:
        """The environment that hands them over, each under its own name: pipec does the rest."""
        values = {name: f"vars.{name}" for name in self.variables}
        values |= {name: f"secrets.{name}" for name in self.secrets}
        return {name: evaluated(Name(values[name])) for name in sorted(values)}


def needed_by(jobs: Iterable[Job], pipeline: Pipeline) -> Needed:
    """What these jobs and every task that they run declare."""
    secrets: set[str] = set()
    variables: set[str] = set()
    for job in jobs:
        tables = [pipeline.env, job.env]
        for task_id in reachable(pipeline, job.targets):
            task = pipeline.tasks[task_id]
            secrets.update(task.requires.secrets)
            tables.append(task.env)
            for step in task.steps:
                if isinstance(step, (ShellStep, ArgvStep)):
                    tables.append(step.env)
                elif isinstance(step, AgentStep):
                    chosen = (step.agent, step.model)
                    variables.update(item.var for item in chosen if isinstance(item, Variable))
        for table in tables:
            _collect(table, secrets, variables)
    return Needed(secrets=tuple(sorted(secrets)), variables=tuple(sorted(variables - secrets)))


def _collect(table: Mapping[str, EnvValue], secrets: set[str], variables: set[str]) -> None:
    for value in table.values():
        if isinstance(value, Secret):
            secrets.add(value.secret)
        elif isinstance(value, Variable):
            variables.add(value.var)
