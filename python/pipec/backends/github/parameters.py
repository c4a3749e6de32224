"""Parameters of jobs as inputs of a workflow that is started by hand."""

from collections.abc import Mapping, Sequence

from pipec.backends.github.expression import Name, Template, evaluated
from pipec.backends.github.model import Input
from pipec.ir.job import Job, Param

JOB_INPUT = "job"
MOST_INPUTS = 25
"""How many inputs GitHub allows."""


def input_names(jobs: Sequence[Job]) -> dict[tuple[str, str], str]:
    """The input of each parameter, by job and parameter.

    Jobs that mean the same by a name share one input; else each has its own, after the job.
    """
    meanings: dict[str, set[Param]] = {}
    for job in jobs:
        for name, param in job.params.items():
            meanings.setdefault(name, set()).add(param)
    return {
        (job.id, name): (
            name if len(meanings[name]) == 1 and name != JOB_INPUT else f"{job.id}-{name}"
        )
        for job in jobs
        for name in job.params
    }


def inputs_of(jobs: Sequence[Job]) -> tuple[Input, ...]:
    """The inputs for starting one of these jobs by hand: which one, then their parameters."""
    chosen = Input(
        name=JOB_INPUT,
        type="choice",
        description="The job to run",
        options=tuple(sorted(job.id for job in jobs)),
    )
    names = input_names(jobs)
    inputs: dict[str, Input] = {}
    for job in jobs:
        for name, param in job.params.items():
            shared = names[job.id, name]
            everywhere = all(names.get((other.id, name)) == shared for other in jobs)
            inputs[shared] = _input(shared, param, required=everywhere and param.default is None)
    return (chosen, *(inputs[name] for name in sorted(inputs)))


def input_env(jobs: Sequence[Job], manual: Sequence[Job]) -> dict[str, Template]:
    """The environment that hands the inputs of these jobs over: no script contains a value."""
    names = input_names(manual)
    used = sorted({names[job.id, name] for job in jobs for name in job.params if job in manual})
    return {variable(name): evaluated(Name(f"inputs.{name}")) for name in used}


def variable(input_name: str) -> str:
    """The variable in which a step finds an input."""
    return f"PIPEC_INPUT_{input_name.upper().replace('-', '_')}"


def values_for(job: Job, manual: Sequence[Job], environ: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a job that is started by hand; what is empty was not given."""
    names = input_names(manual)
    values = {name: environ.get(variable(names[job.id, name]), "") for name in job.params}
    return {name: value for name, value in values.items() if value}


def _input(name: str, param: Param, *, required: bool) -> Input:
    default: str | bool | int | None = param.default
    if param.default is not None and param.type == "bool":
        default = param.default == "true"
    elif param.default is not None and param.type == "int":
        default = int(param.default)
    kinds = {"string": "string", "int": "number", "bool": "boolean", "choice": "choice"}
    return Input(
        name=name,
        type=kinds[param.type],  # type: ignore[arg-type]
        description=param.description or f"The parameter {name}",
        required=required,
        default=default,
        options=param.choices,
    )
