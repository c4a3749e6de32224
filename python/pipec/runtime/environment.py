"""The environment of a task: what of the host's it sees, what it declares, what pipec adds."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from pipec.codes import Code
from pipec.diagnostics import Finding
from pipec.errors import SpecError
from pipec.ir import codec
from pipec.ir.env import EnvFile
from pipec.ir.task import Task
from pipec.runtime.request import RunRequest

_CREDENTIALS = ("ACTIONS_RUNTIME_TOKEN", "GITHUB_TOKEN")
_CREDENTIAL_PREFIX = "ACTIONS_ID_TOKEN_REQUEST_"

_BASICS = frozenset(
    {
        "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ",
        "USER", "SYSTEMROOT", "TEMP", "TMP", "COMSPEC", "PATHEXT", "USERPROFILE",
    }
)  # fmt: skip

_OF_A_RUN = ("PIPEC_MATRIX_", "PIPEC_PARAM_")


def host_part(task: Task, host: Mapping[str, str]) -> dict[str, str]:
    """What the task sees of the host's environment.

    Runner credentials pass only by name: in `env-inputs` or in the required secrets.
    """
    named = {*task.requires.secrets, *(name for name in task.env_inputs if "*" not in name)}
    prefixes = tuple(name.rstrip("*") for name in task.env_inputs if name.endswith("*"))
    seen = {}
    for name, value in host.items():
        if _is_credential(name):
            passes = name in named
        elif task.env_mode == "strict":
            passes = name in _BASICS or name in named or name.startswith(prefixes)
        else:
            passes = not name.startswith(_OF_A_RUN)
        if passes:
            seen[name] = value
    return seen


def facts(
    task: Task, *, root: str, run_id: str, attempt: int, params: Mapping[str, str]
) -> dict[str, str]:
    """What pipec tells a task about itself."""
    told = {
        "PIPEC_ROOT": root,
        "PIPEC_TASK": task.id,
        "PIPEC_RUN_ID": run_id,
        "PIPEC_ATTEMPT": str(attempt),
    }
    told |= {f"PIPEC_MATRIX_{_upper(name)}": value for name, value in task.matrix.items()}
    told |= {param_variable(name): value for name, value in params.items()}
    return told


def param_variable(name: str) -> str:
    """The variable in which tasks find a parameter."""
    return f"PIPEC_PARAM_{_upper(name)}"


def layers(request: RunRequest) -> list[dict[str, Any]]:
    """Environment of every task, lowest first: env files, pipeline, job; values as in the IR.

    Raises:
        SpecError: an env file that is not optional is missing, or one cannot be read.
    """
    pipeline = request.pipeline
    found: list[dict[str, Any]] = [read_env_file(request.root, file) for file in pipeline.env_files]
    found.append({name: codec.plain(value) for name, value in pipeline.env.items()})
    for job in request.plan.jobs[:1]:
        # The planner has seen to it that all jobs of a request agree.
        env = pipeline.jobs[job].env
        found.append({name: codec.plain(value) for name, value in env.items()})
    return found


def missing_secrets(task: Task, host: Mapping[str, str]) -> list[Finding]:
    """The required secrets that the host does not have."""
    return [
        Finding(Code.MISSING_SECRET, f"`{task.id}` requires the secret `{name}`, which is not set")
        for name in task.requires.secrets
        if not host.get(name)
    ]


def unique_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Each of them once, in their order."""
    return list(dict.fromkeys(findings))


def read_env_file(root: str, file: EnvFile) -> dict[str, str]:
    """The values of an env file, as they are written.

    Raises:
        SpecError: it is missing and not optional, or cannot be read.
    """
    # Not at the top: most pipelines have no such file.
    from dotenv import dotenv_values

    path = os.path.join(root, file.path)
    if not os.path.isfile(path):
        if file.optional:
            return {}
        raise SpecError(
            [
                Finding(
                    Code.MISSING_ENV_FILE,
                    f"the env file `{file.path}` does not exist",
                    help=(f'`{{ path = "{file.path}", optional = true }}` allows that',),
                )
            ]
        )
    try:
        # Values stand as they are written: what `${NAME}` means must not depend on who runs pipec.
        values = dotenv_values(path, interpolate=False, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        finding = Finding(
            Code.MISSING_ENV_FILE, f"cannot read the env file `{file.path}`: {reason}"
        )
        raise SpecError([finding]) from error
    return {name: value for name, value in values.items() if value is not None}


def _is_credential(name: str) -> bool:
    return name in _CREDENTIALS or name.startswith(_CREDENTIAL_PREFIX)


def _upper(name: str) -> str:
    return "".join(character if character.isalnum() else "_" for character in name).upper()
