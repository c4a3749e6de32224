"""Values of a job's parameters: what was given on the command line, checked, and the defaults."""

from collections.abc import Mapping

from pipec.codes import Code
from pipec.errors import PlanError
from pipec.ir.job import JobId, Param
from pipec.ir.pipeline import Pipeline
from pipec.plan.select import Plan


def bind_params(pipeline: Pipeline, plan: Plan, given: Mapping[str, str]) -> dict[str, str]:
    """The value of every parameter of the plan's jobs, by name.

    Raises:
        PlanError: a name that no job of the plan declares, a value that its type refuses, or a
            parameter without default that was not given.
    """
    declared: dict[str, list[tuple[JobId, Param]]] = {}
    for job in plan.jobs:
        for name, param in pipeline.jobs[job].params.items():
            declared.setdefault(name, []).append((job, param))
    for name in given:
        if name not in declared:
            raise _unknown(plan, name, declared)
    values: dict[str, str] = {}
    for name, params in sorted(declared.items()):
        for job, param in params:
            values[name] = _value(job, name, param, given.get(name, values.get(name)))
    return values


def _value(job: JobId, name: str, param: Param, given: str | None) -> str:
    value = param.default if given is None else given
    if value is None:
        raise PlanError(
            Code.INVALID_PARAM,
            f"job `{job}` needs a value for its parameter `{name}`",
            help=(f"give it as `--param {name}=…`",),
        )
    problem = _problem(param, value)
    if problem:
        raise PlanError(
            Code.INVALID_PARAM,
            f"`{value}` is no value for the parameter `{name}` of job `{job}`",
            help=(problem,),
        )
    return value


def _problem(param: Param, value: str) -> str | None:
    if param.type == "int" and not _is_integer(value):
        return "an int is written with digits, such as `3`"
    if param.type == "bool" and value not in ("true", "false"):
        return "a bool is `true` or `false`"
    if param.type == "choice" and value not in param.choices:
        return f"choose one of {', '.join(f'`{choice}`' for choice in param.choices)}"
    return None


def _is_integer(value: str) -> bool:
    digits = value.removeprefix("-")
    return digits.isascii() and digits.isdigit()


def _unknown(plan: Plan, name: str, declared: Mapping[str, list[tuple[JobId, Param]]]) -> PlanError:
    if not plan.jobs:
        return PlanError(
            Code.UNKNOWN_PARAM,
            f"`{name}` is not a parameter: only jobs have parameters",
            help=("name a job that declares it in `params`",),
        )
    # Only mistakes come here: a request that is right does not pay for the search.
    from pipec.frontend.suggest import did_you_mean

    jobs = " and ".join(f"`{job}`" for job in plan.jobs)
    return PlanError(
        Code.UNKNOWN_PARAM,
        f"job {jobs} has no parameter `{name}`",
        help=did_you_mean(name, declared),
    )
