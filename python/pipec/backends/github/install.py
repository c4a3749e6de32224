"""How a runner gets pipec."""

from collections.abc import Sequence

from pipec.backends.github.expression import Name, Template, evaluated
from pipec.backends.github.model import Action, Step
from pipec.ir.sync_github import Install

_PYTHON = "3.13"
_LOCKED = """\
"$PYTHON" -m venv "$RUNNER_TEMP/pipec"
bin="$RUNNER_TEMP/pipec/bin"
[ -d "$bin" ] || bin="$RUNNER_TEMP/pipec/Scripts"
"$bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: \\
  --require-hashes --requirement "$REQUIREMENTS"
echo "$bin" >>"$GITHUB_PATH"
"""


def install_steps(install: Install, toolchains: Sequence[Step], *, check: Step) -> tuple[Step, ...]:
    """Everything between the checkout and the work: pipec, its check, and the toolchains.

    The check comes before anything of the repository runs. Where pipec is built from the repository
    that cannot be: then the toolchains and the build come first.
    """
    if install.requirements:
        return (*_from_requirements(install.requirements), check, *toolchains)
    if install.commands:
        return (*toolchains, *_from_sources(install), check)
    return (check, *toolchains)


def _from_requirements(requirements: str) -> tuple[Step, ...]:
    python = Step(
        name="Set up Python for pipec",
        id="python-of-pipec",
        uses=Action("actions/setup-python"),
        inputs={"python-version": _PYTHON, "update-environment": False},
    )
    path = evaluated(Name("steps.python-of-pipec.outputs.python-path"))
    workspace = Template("${{ github.workspace }}/" + requirements.replace("${{", "${{ '${{' }}"))
    pip = Step(
        name="Install pipec",
        env={"PYTHON": path, "REQUIREMENTS": workspace},
        run=_LOCKED,
    )
    return (python, pip)


def _from_sources(install: Install) -> tuple[Step, ...]:
    lines = [*install.commands]
    lines += [f'echo "$GITHUB_WORKSPACE/{folder}" >>"$GITHUB_PATH"' for folder in install.path]
    return (Step(name="Build pipec", run="\n".join(lines) + "\n"),)
