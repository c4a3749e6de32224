"""What a toolchain is to the workflow: when it is needed, and the steps that make it ready."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pipec.backends.github.facts import Facts
from pipec.backends.github.model import Step, Value
from pipec.ir.sync_github import Toolchain


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One toolchain.

    `is_needed` looks at the repository; `resolve` fills in what the author left open, so that the
    steps ask nothing any more; `steps` takes whether downloads are kept between runs, and
    `keeps_downloads` says whether they can be.
    """

    name: str
    is_needed: Callable[[Facts], bool]
    resolve: Callable[[Toolchain, Facts], Toolchain]
    steps: Callable[[Toolchain, bool], tuple[Step, ...]]
    keeps_downloads: Callable[[Toolchain, Facts], bool] = lambda _toolchain, _facts: True


def with_version(
    toolchain: Toolchain, facts: Facts, *, files: Sequence[str], default: str
) -> Toolchain:
    """The toolchain with a version: the author's, that of the first file there is, or a default."""
    if toolchain.version or toolchain.version_file:
        return toolchain
    file = facts.first(*files)
    return replace(toolchain, version_file=file, version="" if file else default)


def version_inputs(toolchain: Toolchain, name: str) -> dict[str, Value]:
    """The input of a set-up action that says which version."""
    if toolchain.version_file:
        return {f"{name}-version-file": toolchain.version_file}
    return {f"{name}-version": toolchain.version} if toolchain.version else {}


def install_steps(toolchain: Toolchain, what: str) -> tuple[Step, ...]:
    """The step that installs dependencies, if anything does."""
    if not toolchain.install:
        return ()
    return (Step(name=f"Install the dependencies of {what}", run="\n".join(toolchain.install)),)
